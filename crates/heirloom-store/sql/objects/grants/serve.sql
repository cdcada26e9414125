-- What the serving role may do: all tenant work, under the policies; nothing to what proves, but to add.

grant usage on schema heirloom to heirloom_serve;
grant select on heirloom.meta, heirloom.schema_version to heirloom_serve;
grant select, insert, update, delete
    on heirloom.memory, heirloom.namespace, heirloom.edge, heirloom.origin, heirloom.lexeme
    to heirloom_serve;
grant select, insert, delete on heirloom.revision, heirloom.state_transition to heirloom_serve;
grant select, insert on heirloom.tombstone, heirloom.activity to heirloom_serve;
