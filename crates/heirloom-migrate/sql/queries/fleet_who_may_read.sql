-- Which of these roles may read a tenant's table here, by the rights that the executor asks: to connect, to enter the schema,
-- to read the table or a column of it. Whether a row comes back is another question; it is tried with the role itself.
-- $1: names of roles. $2: oids of the relations that the tenant's rows are read from.
select r.rolname::text as role
from pg_catalog.pg_roles r
where
    r.rolname::text = any ($1::text[])
    and r.rolname <> current_user
    and has_database_privilege(r.oid, (select d.oid from pg_catalog.pg_database d where d.datname = current_database()), 'connect')
    and exists (
        select
        from pg_catalog.pg_class c
        where
            c.oid = any ($2::oid[])
            and has_schema_privilege(r.oid, c.relnamespace, 'usage')
            and (has_table_privilege(r.oid, c.oid, 'select') or has_any_column_privilege(r.oid, c.oid, 'select'))
    )
order by 1
