-- How many lessons of these namespaces no migration of ours brought. $1 namespaces
select count(*)
from pgmnemo.agent_lesson l
where
    coalesce('project:' || l.project_id, 'custom:unassigned') = any ($1)
    and (l.doc_ref is null or l.doc_ref not like 'heirloom:%')
