-- What the serving role may do: all tenant work, under the policies; nothing to what proves, but to add. The service
-- role of the SQL door may do the same; its policies show it more.

grant usage on schema heirloom to heirloom_serve, heirloom_service;
grant select on heirloom.meta, heirloom.schema_version, heirloom.bound_role to heirloom_serve, heirloom_service;
-- Not over how many vectors a centre was taken: those are everybody's.
revoke select on heirloom.model from heirloom_serve, heirloom_service;
grant select (name, dimension, centre) on heirloom.model to heirloom_serve, heirloom_service;
grant select, insert, update, delete
    on heirloom.memory, heirloom.namespace, heirloom.edge, heirloom.origin, heirloom.lexeme,
       heirloom.frequency, heirloom.embedding, heirloom.model_width
    to heirloom_serve, heirloom_service;
grant select, insert, delete on heirloom.revision, heirloom.state_transition to heirloom_serve, heirloom_service;
grant select, insert on heirloom.tombstone, heirloom.activity to heirloom_serve, heirloom_service;
grant select, insert, update, delete on heirloom.ingest_log to heirloom_service;
