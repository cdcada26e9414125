-- What stands in a pgmnemo: rows that Heirloom brought, by their mark, and by what open ones are compared when another of
-- their kind comes.
select
    case when l.doc_ref like 'heirloom:%' then l.doc_ref end as mark,
    case
        when l.t_valid_to = 'infinity' then l.role || '|' || l.topic || '|' || coalesce(l.commit_sha, l.artifact_hash, '')
    end as compared,
    l.project_id
from pgmnemo.agent_lesson l
where l.doc_ref like 'heirloom:%' or l.t_valid_to = 'infinity'
