-- The width of each model in its namespace, which a load gives those that have none yet; in order, so that two loads wait for
-- each other instead of blocking each other for good. $1 namespaces, $2 models, $3 widths
select s.namespace, s.model, heirloom.model_width(s.namespace, s.model, s.dimension) as dimension
from (
    select u.namespace, u.model, u.dimension
    from unnest($1::text[], $2::text[], $3::integer[]) u(namespace, model, dimension)
    order by u.namespace, u.model
) s
