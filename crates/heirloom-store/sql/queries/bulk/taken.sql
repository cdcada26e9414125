-- How many of these ids are not this source's to write: a memory that nobody handed down, or one that came from another
-- source. Runs as the audit. $1: the ids; $2: the source.
select count(*)
from unnest($1::uuid[]) as wanted (id)
where
    not exists (select from heirloom.origin o where o.id = wanted.id and o.source = $2)
    and (
        exists (select from heirloom.origin o where o.id = wanted.id)
        or exists (select from heirloom.memory m where m.id = wanted.id)
    )
