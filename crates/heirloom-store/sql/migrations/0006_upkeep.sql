-- Document frequencies of each namespace (one tenant's words never move another's scores), and the tokens of the doors.

create table heirloom.lexeme (
    namespace text    collate "C" not null,
    lexeme    text    collate "C" not null,
    df        integer not null,

    constraint lexeme_pkey primary key (namespace, lexeme),
    constraint lexeme_df_check check (df > 0)
);

comment on table heirloom.lexeme is 'In how many memories of a namespace a lexeme stands.';

create table heirloom.token (
    id         uuid        primary key default gen_random_uuid(),
    name       text        not null,
    sha256     bytea       not null unique,
    namespaces text[]      not null,
    may_write  boolean     not null default false,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,

    constraint token_sha256_check check (octet_length(sha256) = 32)
);

comment on table heirloom.token is 'Who may come in by which door: the sha256 of a token, never the token. No tenant reads it.';
