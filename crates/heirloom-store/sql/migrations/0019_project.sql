-- A project as the SQL door shows it, and links that go with their lessons.
--
-- `project:<n>` is project n whoever wrote there, but only writers of the SQL door name a number beside it. As with
-- tasks and validity both forms stand in the row and a trigger keeps them in step: project_id is what the writer said,
-- and is compared with its source; project_number is what the door shows.

alter table heirloom.memory add column project_number integer;

comment on column heirloom.memory.project_number is
    'project_id as the SQL door shows it: where that is NULL, the number of the namespace project:<n>.';

-- Rows that were there: the owner is under its own policies, which show it nothing, and nothing of what they say changes.
alter table heirloom.memory no force row level security;
alter table heirloom.memory disable trigger user;
update heirloom.memory m
set project_number = coalesce(
    m.project_id,
    case
        when m.namespace ~ '^project:(0|-?[1-9][0-9]{0,9})$'
            and substr(m.namespace, 9)::bigint between -2147483648 and 2147483647
        then substr(m.namespace, 9)::integer
    end
)
where m.project_id is not null or m.namespace like 'project:%';
alter table heirloom.memory enable trigger user;
alter table heirloom.memory force row level security;

-- Lessons that change their project together take the links between them along.
alter table heirloom.edge
    drop constraint edge_source_fkey,
    drop constraint edge_target_fkey,
    add constraint edge_source_fkey foreign key (namespace, source_id)
        references heirloom.memory (namespace, id) on update cascade on delete cascade,
    add constraint edge_target_fkey foreign key (namespace, target_id)
        references heirloom.memory (namespace, id) on update cascade on delete cascade;
