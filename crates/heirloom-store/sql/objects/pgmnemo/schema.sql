-- The SQL door: lessons under the names of pgmnemo 0.20, over the one table of every door.

create schema if not exists pgmnemo;
comment on schema pgmnemo is 'The SQL door of Heirloom: lessons under the names of pgmnemo.';
