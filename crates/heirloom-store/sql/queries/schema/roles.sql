-- The two roles, what makes them unsafe (a member of the SQL door's service role sees every tenant), and whether this connection may become them. Before PostgreSQL 16 a member
-- may always SET ROLE.
select
    r.rolname::text as name,
    r.rolsuper as is_super,
    r.rolbypassrls as bypasses,
    exists (
        select
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relowner = r.oid and n.nspname in ('heirloom', 'heirloom_migrate')
    ) as owns,
    pg_has_role(
        current_user,
        r.oid,
        case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end
    ) as may_become,
    coalesce(
        (
            select pg_has_role(r.oid, s.oid, 'MEMBER')
            from pg_catalog.pg_roles s
            where s.rolname = 'heirloom_service' and not r.rolsuper
        ),
        false
    ) as serves_all
from pg_catalog.pg_roles r
where r.rolname in ('heirloom_serve', 'heirloom_audit')
order by r.rolname
