-- Open entities of a pgmnemo by what its unique index compares: their name in small letters, and their project.
select lower(l.metadata ->> 'canonical_name') as name, coalesce(l.project_id, -1) as project
from pgmnemo.agent_lesson l
where l.content_type = 'entity' and l.is_active and l.t_valid_to = 'infinity' and l.metadata ->> 'canonical_name' is not null
