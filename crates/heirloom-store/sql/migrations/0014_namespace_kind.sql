-- What a caller says a namespace is, where that differs from its prefix.

alter table heirloom.namespace
    add column given_kind text,
    add constraint namespace_given_kind_check check (given_kind in ('workspace', 'team', 'org', 'custom'));

comment on column heirloom.namespace.given_kind is 'The kind a caller gave it, where that is not the part before the first colon.';
