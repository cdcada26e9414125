-- Whether recall may show a memory. One rule for every path; the planner puts its text in the place of the call.
--
-- Never: what expired (from that very instant, whatever `at` says), what is not yet or no longer valid at `at`, what is
-- inactive, rejected or archived; deprecated and superseded ones only when also_states names them; ghosts (lessons
-- nobody verified) only when asked for. A role is compared as it stands; an empty list of content types matches none.

create or replace function heirloom.is_recallable(
    m heirloom.memory,
    at timestamptz,
    include_unverified boolean,
    kinds text[],
    role text,
    exclude_dag text,
    content_types text[],
    also_states text[]
) returns boolean
language sql
stable
return (m).is_active
    and (
        (m).state not in ('deprecated', 'superseded', 'archived', 'rejected')
        or ((m).state in ('deprecated', 'superseded') and (m).state = any (also_states))
    )
    and ((m).expires_at is null or (m).expires_at > greatest(at, statement_timestamp()))
    and coalesce((m).valid_from, (m).created_at, '-infinity'::timestamptz) <= at
    and ((m).valid_to is null or (m).valid_to > at)
    and (include_unverified or (m).kind <> 'lesson' or (m).verified_at is not null)
    and (kinds is null or (m).kind = any (kinds))
    and (role is null or (m).role = role)
    and (exclude_dag is null or (m).source_dag_id is distinct from exclude_dag)
    and (content_types is null or (m).content_type = any (content_types));
