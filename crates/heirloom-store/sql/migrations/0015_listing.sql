-- The pinned ones of a namespace in their order: few, and first in a listing that puts them there.

create index memory_pinned on heirloom.memory (namespace, created_at desc nulls last, id) where pin;
