-- The table of lessons of pgmnemo 0.20.0 as its sources have it: columns, checks, generated columns, the four triggers
-- that touch a row, and the policy. Its functions and most of its indexes are not here: nothing of ours calls them.
create extension if not exists vector;
create schema pgmnemo;

create table pgmnemo.agent_lesson (
    id bigserial primary key,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    role text not null,
    project_id integer,
    topic text not null,
    lesson_text text not null,
    importance smallint not null default 3 constraint agent_lesson_importance_check check (importance between 1 and 5),
    metadata jsonb,
    source_run_id text,
    commit_sha text,
    artifact_hash text,
    verified_at timestamptz,
    topic_tsv tsvector generated always as (to_tsvector('simple', topic)) stored,
    lesson_tsv tsvector generated always as (to_tsvector('simple', lesson_text)) stored,
    full_text tsvector generated always as (
        setweight(to_tsvector('simple', topic), 'A') || setweight(to_tsvector('simple', lesson_text), 'B')
    ) stored,
    embedding vector(1024),
    is_active boolean not null default true,
    resolved_at timestamptz,
    verifier_role text,
    state text not null default 'draft' check (state in (
        'draft', 'candidate', 'validated', 'canonical', 'deprecated', 'superseded', 'conflicted', 'archived', 'rejected'
    )),
    state_changed_at timestamptz not null default now(),
    source_task_id bigint,
    expires_at timestamptz,
    content_type text,
    blob_ref text,
    doc_ref text,
    last_recalled_at timestamptz,
    recall_count bigint not null default 0,
    item_kind text not null default 'note' check (item_kind in (
        'note', 'skill_md', 'template', 'script', 'reference', 'config', 'spec'
    )),
    version_n integer not null default 1,
    patch_count integer not null default 0,
    source_dag_id text,
    t_valid_from timestamptz not null default now(),
    t_valid_to timestamptz not null default 'infinity',
    content_hash text generated always as (
        md5(role || '|' || topic || '|' || coalesce(commit_sha, artifact_hash, ''))
    ) stored,
    confidence real not null default 0.5 check (confidence between 0 and 1),
    success_count integer not null default 0,
    fail_count integer not null default 0,
    last_outcome text,
    last_outcome_at timestamptz,
    source_type text default 'auto_captured' check (source_type in (
        'agent_authored', 'auto_captured', 'imported', 'system'
    )),
    embedding_at timestamptz,
    use_count integer not null default 0,
    evidence_count integer not null default 1 check (evidence_count >= 1)
);

create index agent_lesson_hash on pgmnemo.agent_lesson (content_hash);
create unique index agent_lesson_entity on pgmnemo.agent_lesson
    (lower(metadata ->> 'canonical_name'), coalesce(project_id, -1))
    where is_active and t_valid_to = 'infinity' and content_type = 'entity';

create function pgmnemo.provenance_gate() returns trigger language plpgsql as $$
declare
    gate text := coalesce(nullif(lower(btrim(current_setting('pgmnemo.gate_strict', true))), ''), 'enforce');
begin
    if new.commit_sha is not null or new.artifact_hash is not null then
        return new;
    end if;
    if gate = 'enforce' then
        raise exception 'pgmnemo provenance gate [enforce]: INSERT rejected: commit_sha or artifact_hash is required';
    elsif gate = 'warn' then
        raise warning 'pgmnemo provenance gate [warn]: INSERT accepted without commit_sha or artifact_hash';
    end if;
    return new;
end $$;
create trigger gate before insert on pgmnemo.agent_lesson
for each row execute function pgmnemo.provenance_gate();

create function pgmnemo.set_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end $$;
create trigger updated_at before update on pgmnemo.agent_lesson
for each row execute function pgmnemo.set_updated_at();

create function pgmnemo.close_prior() returns trigger language plpgsql as $$
begin
    update pgmnemo.agent_lesson set t_valid_to = now()
    where content_hash = new.content_hash and id <> new.id and t_valid_to = 'infinity';
    return null;
end $$;
create trigger close_prior after insert on pgmnemo.agent_lesson
for each row execute function pgmnemo.close_prior();

alter table pgmnemo.agent_lesson enable row level security;
create policy tenant on pgmnemo.agent_lesson using (
    coalesce(current_setting('pgmnemo.tenant_id', true), '') = ''
    or project_id::text = current_setting('pgmnemo.tenant_id', true)
);
