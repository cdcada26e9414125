-- Whether the words of these namespaces were counted over as many memories as stand there now, and those large enough have
-- their indexes: what a load that wrote nothing finds. Reads no memory, only an index of them. Read by the auditing role.
-- $1: the namespaces. $2: above how many memories a namespace gets indexes of its own.
select not exists (
    select from (
        select n.name, (select count(*) from heirloom.memory m where m.namespace = n.name) as documents
        from unnest($1::text[]) as n (name)
    ) n
    left join heirloom.frequency f on f.namespace = n.name
    where n.documents <> coalesce(f.documents, 0)
        or (n.documents > $2::bigint and not coalesce(f.is_indexed, false))
)
