-- The second seed: a memory table as the migration guide for external tables describes it, all fifteen fields.
-- Runs with the table's schema on the search path; the caller has created it.
create table mem_item (
    id                  bigint primary key,
    memory_text         text not null,
    layer               text,
    tags                jsonb,
    properties          jsonb,
    run_id              text,
    task_id             text,
    ttl_seconds         integer,
    retention           text,
    retain_until        timestamptz,
    verified            boolean,
    verification_status text,
    verified_at         timestamptz,
    status              text not null,
    agent_role          text not null,
    project_id          integer not null,
    priority            integer,
    git_sha             text,
    artifact_id         text,
    -- No width: this team changed its embedding model once and never looked back.
    embedding           vector,
    created_at          timestamptz not null,
    updated_at          timestamptz not null
);

create index mem_item_project on mem_item (project_id, status);
