-- What the loader did, once a call: it concerns several namespaces and names none.
-- $1: load or replace. $2: counts, without content.
insert into heirloom.activity (action, details)
values ($1, $2)
