-- What pgmnemo says of itself: its version, its settings, its numbers for the namespaces in sight.
select to_jsonb(s) as answer
from pgmnemo.stats() s
where $1::jsonb is not null
