-- What types are beneath their domains and arrays. $1, $2: type oid and modifier, in order.
with recursive wanted as (
    select t.n, t.oid, t.modifier
    from unnest($1::oid[], $2::int4[]) with ordinality as t(oid, modifier, n)
),
domains as (
    select n, 0 as depth, oid, modifier from wanted
    union all
    select d.n, d.depth + 1, t.typbasetype, case when d.modifier >= 0 then d.modifier else t.typtypmod end
    from domains d
    join pg_catalog.pg_type t on t.oid = d.oid
    where t.typtype = 'd'
),
bases as (
    select distinct on (n) n, oid, modifier from domains order by n, depth desc
)
select format_type(w.oid, w.modifier) as declared,
       t.typname::text as name,
       t.typtype::text as kind,
       t.typnamespace = 'pg_catalog'::regnamespace as built_in,
       b.modifier,
       e.typname::text as element,
       e.typtype::text as element_kind,
       e.typnamespace = 'pg_catalog'::regnamespace as element_built_in
from wanted w
join bases b on b.n = w.n
join pg_catalog.pg_type t on t.oid = b.oid
left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A' and t.typlen = -1
order by w.n
