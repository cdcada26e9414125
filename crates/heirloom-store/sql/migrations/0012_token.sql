-- Tokens say what they may do in one word, and how often; a name stands for one living token.

alter table heirloom.token
    add column rights          text,
    add column rate_per_minute integer;

update heirloom.token set rights = case when may_write then 'write' else 'read' end;

alter table heirloom.token
    drop column may_write,
    alter column rights set not null,
    add constraint token_rights_check check (rights in ('read', 'write', 'admin')),
    add constraint token_rate_check check (rate_per_minute > 0);

comment on column heirloom.token.namespaces is 'Exact names, or a beginning of them followed by *.';
comment on column heirloom.token.rate_per_minute is 'Most requests a minute; NULL leaves it to the door.';

create unique index token_name on heirloom.token (name) where revoked_at is null;
