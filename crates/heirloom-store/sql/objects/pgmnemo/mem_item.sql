-- The lessons whose present version this is, under the caller's own rights.

create or replace view pgmnemo.mem_item
with (security_invoker = true)
as
select l.*
from pgmnemo.agent_lesson l
where l.t_valid_to = 'infinity';

alter view pgmnemo.mem_item alter column source_type set default 'auto_captured';
alter view pgmnemo.mem_item alter column t_valid_from set default 'infinity';
