-- What the auditing role may do: read all tenants, write nothing. Verification and the loader's look-ups run as it.

grant usage on schema heirloom to heirloom_audit;
grant select
    on heirloom.meta, heirloom.schema_version, heirloom.object, heirloom.memory, heirloom.namespace, heirloom.edge,
       heirloom.revision, heirloom.state_transition, heirloom.tombstone, heirloom.activity, heirloom.origin,
       heirloom.lexeme, heirloom.frequency, heirloom.model, heirloom.embedding, heirloom.ingest_log, heirloom.bound_role,
       heirloom.workspace, heirloom.model_width
    to heirloom_audit;
-- How far the ids of the activity were given out.
grant select on sequence heirloom.activity_id_seq to heirloom_audit;
