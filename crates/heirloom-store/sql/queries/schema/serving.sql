-- What this connection's login could do past the policies, whatever role it serves as: it may at any moment become
-- every role it is a member of. NULL where there is nothing of the kind.
select
    session_user::text as login,
    l.rolsuper as is_super,
    l.rolbypassrls as bypasses,
    (
        select min(r.rolname::text)
        from pg_catalog.pg_roles r
        where (r.rolsuper or r.rolbypassrls) and r.oid <> l.oid and pg_has_role(l.oid, r.oid, 'MEMBER')
    ) as becomes_super,
    (
        select min(pg_get_userbyid(o.owner)::text)
        from (
            select n.nspowner as owner
            from pg_catalog.pg_namespace n
            where n.nspname in ('heirloom', 'heirloom_migrate')
            union
            select c.relowner
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('heirloom', 'heirloom_migrate', 'pgmnemo')
        ) o
        where pg_has_role(l.oid, o.owner, 'MEMBER')
    ) as becomes_owner,
    exists (
        select
        from pg_catalog.pg_roles r
        where r.rolname = 'heirloom_serve' and pg_has_role(l.oid, r.oid, 'MEMBER')
    ) as serves
from pg_catalog.pg_roles l
where l.rolname = session_user
