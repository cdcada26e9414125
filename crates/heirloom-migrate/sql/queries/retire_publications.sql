-- How a statement begins that gives a table back to a publication, for each that is there and that this role may change.
select 'alter publication ' || quote_ident(p.pubname) || ' add table '
  from pg_catalog.pg_publication as p
 where pg_has_role(p.pubowner, 'usage')
