-- Whether the owner of the tables is here to dump them. The policies hold the owner, too, who reads nothing; a dump that
-- asks for it by `heirloom.dump` reads everything. One that does not is refused, because it would come out empty and end
-- well. A session that is the owner's for the time of a function alone is none of this.

create or replace function heirloom.owner_dumps() returns boolean
language plpgsql
stable
parallel safe
set search_path = pg_catalog
as $$
begin
    if current_setting('heirloom.dump', true) = 'on' and current_user = session_user then
        return true;
    end if;
    if current_setting('application_name') = 'pg_dump' then
        raise exception 'This dump would hold no memory: row-level security holds the owner of the tables, too'
            using errcode = 'insufficient_privilege',
                hint = 'Log in as the owner and set PGOPTIONS=''-c heirloom.dump=on'' (docs/guides/backup.md).';
    end if;
    return false;
end
$$;
