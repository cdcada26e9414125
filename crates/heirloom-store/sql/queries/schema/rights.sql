-- What the policies, row-level security, grants and owners of these schemas are as far as our roles go, a line each, in
-- stable order: what `rights.txt` lists. A schema of one of these names that is somebody else's is a line of its own and
-- nothing more. $1: the schemas.
with named as (
    select
        n.oid,
        n.nspname::text as name,
        n.nspacl as acl,
        n.nspname = any (array['pgmnemo', 'memory_plugin'])
            and coalesce(obj_description(n.oid, 'pg_namespace'), '') not like '%of Heirloom:%' as is_foreign
    from pg_catalog.pg_namespace n
    where n.nspname = any ($1::text[])
),
ours as (
    select n.oid, n.name, n.acl from named n where not n.is_foreign
),
roles as (
    select r.oid, r.rolname::text as name
    from pg_catalog.pg_roles r
    where r.rolname in ('heirloom_serve', 'heirloom_audit', 'heirloom_service', 'heirloom_admin')
),
granted (home, what, acl) as (
    select o.name, 'schema', o.acl from ours o
    union all
    select o.name, c.relname::text, c.relacl from ours o join pg_catalog.pg_class c on c.relnamespace = o.oid
    union all
    select o.name, c.relname || '.' || a.attname, a.attacl
    from ours o
    join pg_catalog.pg_class c on c.relnamespace = o.oid
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and not a.attisdropped
    where a.attacl is not null
    union all
    select o.name, 'function ' || f.proname, f.proacl
    from ours o
    join pg_catalog.pg_proc f on f.pronamespace = o.oid
    where f.proowner not in (select r.oid from roles r)
),
lines (home, line) as (
    select g.home, format('grant %s on %s to %s', lower(a.privilege_type), g.what, r.name)
    from granted g
    cross join lateral aclexplode(g.acl) a
    join roles r on r.oid = a.grantee
    union
    select o.name, format('row level security on %s', c.relname)
    from ours o
    join pg_catalog.pg_class c on c.relnamespace = o.oid
    where c.relrowsecurity
    union
    select o.name, format('row level security forced on %s', c.relname)
    from ours o
    join pg_catalog.pg_class c on c.relnamespace = o.oid
    where c.relforcerowsecurity
    union
    select
        o.name,
        format(
            'policy %s on %s for %s to %s',
            p.polname,
            c.relname,
            case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
            case
                when p.polroles = array[c.relowner] then 'the owner'
                else (select string_agg(r.name, ', ' order by r.name) from roles r where r.oid = any (p.polroles))
            end
        )
    from ours o
    join pg_catalog.pg_class c on c.relnamespace = o.oid
    join pg_catalog.pg_policy p on p.polrelid = c.oid
    union
    select o.name, format('function %s belongs to %s', f.proname, r.name)
    from ours o
    join pg_catalog.pg_proc f on f.pronamespace = o.oid
    join roles r on r.oid = f.proowner
    union
    select n.name, 'is not Heirloom''s' from named n where n.is_foreign
)
select l.home || ': ' || l.line as line
from lines l
order by l.home collate "C", l.line collate "C"
