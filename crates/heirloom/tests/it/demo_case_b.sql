-- How many rows of mem.mem_item had expired when 2026-05-24 began, and how many live at least until 2036.
select count(*) filter (where expires_at < timestamptz '2026-05-24 00:00:00Z'),
       count(*) filter (where expires_at > timestamptz '2036-01-01 00:00:00Z')
from mem.mem_item
cross join lateral (
    select coalesce(retain_until, created_at + retention::interval, created_at + ttl_seconds * interval '1 second')
) as t (expires_at);
