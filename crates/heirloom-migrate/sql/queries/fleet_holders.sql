-- Who owns these relations or was granted anything on them or on a column of them; 0 is everybody. $1: oids.
select c.relowner as holder from pg_catalog.pg_class c where c.oid = any ($1::oid[])
union all
select (aclexplode(c.relacl)).grantee from pg_catalog.pg_class c where c.oid = any ($1::oid[])
union all
select (aclexplode(a.attacl)).grantee from pg_catalog.pg_attribute a where a.attrelid = any ($1::oid[]) and a.attacl is not null
