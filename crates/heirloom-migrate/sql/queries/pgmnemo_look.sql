-- The table of lessons, if there is one, and what the role may do with it. Ours is a view of that name.
select
    c.relkind = 'v' as is_ours,
    has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
        and has_table_privilege(c.oid, 'update') as may_write,
    coalesce((
        select a.atttypmod from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attname = 'embedding' and not a.attisdropped
    ), -1) as width
from pg_catalog.pg_class c
where
    c.oid = to_regclass('pgmnemo.agent_lesson')
    and has_schema_privilege(c.relnamespace, 'usage')
