-- Lessons about a question, by pgmnemo.recall_lessons; $2 is the question's vector, or NULL.
select coalesce(
    jsonb_agg(to_jsonb(r) - '{vec_score,bm25_score,rrf_score}'::text[] order by r.score desc, r.lesson_id), '[]'
) as answer
from pgmnemo.recall_lessons(
    query_embedding => $2,
    k => ($1::jsonb ->> 'top_k')::integer,
    role_filter => $1 ->> 'role_filter',
    project_id_filter => ($1 ->> 'project_id')::integer,
    query_text => $1 ->> 'query',
    exclude_dag_id => $1 ->> 'exclude_dag_id',
    p_content_types => case when jsonb_typeof($1 -> 'content_types') = 'array'
        then array(select jsonb_array_elements_text($1 -> 'content_types')) end
) r
