-- One line of what was done, with the workspace that the call acts for, if it does. $1 actor, $2 action, $3 namespace,
-- $4 memory, $5 sha256 of its content, $6 details
insert into heirloom.activity (actor, action, namespace, memory_id, content_sha256, details)
values (
    coalesce($1::text, session_user), $2, $3, $4, $5,
    case
        when current_setting('heirloom.workspace', true) <> ''
            then coalesce($6::jsonb, '{}') || jsonb_build_object('workspace', current_setting('heirloom.workspace', true))
        else $6
    end
)
