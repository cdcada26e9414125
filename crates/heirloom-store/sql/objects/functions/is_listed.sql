-- Whether a listing that filters shows a memory. An empty array and NULL let everything through. The planner puts its
-- text in the place of the call.

create or replace function heirloom.is_listed(
    m heirloom.memory,
    kinds text[],
    states text[],
    sources text[],
    pinned boolean,
    expired boolean,
    role text,
    topic text,
    tag text,
    unverified boolean,
    expiring_before timestamptz,
    recallable boolean,
    pattern text
) returns boolean
language sql
stable
return (cardinality(kinds) = 0 or (m).kind = any (kinds))
    and (cardinality(states) = 0 or (m).state = any (states))
    and (cardinality(sources) = 0 or (m).source = any (sources))
    and (pinned is null or (m).pin = pinned)
    and (expired is null or coalesce((m).expires_at <= statement_timestamp(), false) = expired)
    and (role is null or (m).role = role)
    and (topic is null or (m).topic = topic)
    and (tag is null or (m).metadata -> 'tags' ? tag)
    and (unverified is null or ((m).kind = 'lesson' and (m).verified_at is null) = unverified)
    and (expiring_before is null or (m).expires_at < expiring_before)
    and (
        not recallable
        or heirloom.is_recallable(m, statement_timestamp(), false, null, null, null, null, null)
    )
    and (pattern is null or (m).content ilike pattern);
