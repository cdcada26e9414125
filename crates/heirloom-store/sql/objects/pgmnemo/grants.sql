-- The serving role comes in by this door too; a login gets it by `grant heirloom_serve to …`, or heirloom_service,
-- which sees every project where the session names none. Functions run with the caller's own rights.

grant usage on schema pgmnemo to heirloom_serve, heirloom_service;
grant select, insert, update, delete on pgmnemo.agent_lesson, pgmnemo.mem_item to heirloom_serve, heirloom_service;
grant select on pgmnemo.agent_lesson_state_transition, pgmnemo.mem_edge to heirloom_serve, heirloom_service;
grant select, insert, update, delete on pgmnemo.memory_ingest_log to heirloom_service;
