-- Appends an entry to the chain of its run: fills in what the program may not choose, and refuses an entry that a clock
-- moved back, a clock that is off, an older program or a test's clock would have made.
create or replace function heirloom_migrate.audit_append() returns trigger
language plpgsql
set search_path = pg_catalog
as $body$
declare
    before heirloom_migrate.audit;
    newest timestamptz;
begin
    -- One writer of a chain at a time. The chunks of a run only share this lock.
    perform from heirloom_migrate.run as r where r.run_id = new.run_id for no key update;
    select a.* into before from heirloom_migrate.audit as a where a.run_id = new.run_id order by a.seq desc limit 1;
    new.db_at := clock_timestamp();
    if new.clock = 'database' then
        new.at := new.db_at;
    else
        select max(a.at) into newest from heirloom_migrate.audit as a where a.run_id = new.run_id and a.clock <> 'database';
        if new.at < newest then
            raise exception 'the clock was moved back: % is before % of the newest entry', new.at, newest
                using errcode = 'check_violation';
        end if;
        if new.clock = 'system' and abs(extract(epoch from new.at - new.db_at)) > 600 then
            raise exception 'the clock of the program says %, that of the database %', new.at, new.db_at
                using errcode = 'check_violation';
        end if;
        if new.clock = 'system'
            and exists (select from heirloom_migrate.audit as a where a.run_id = new.run_id and a.clock = 'simulated')
        then
            raise exception 'this run was soaked under the clock of a test' using errcode = 'check_violation';
        end if;
    end if;
    if before.seq is not null
        and string_to_array(new.program, '.')::bigint[] < string_to_array(before.program, '.')::bigint[]
    then
        raise exception 'version % wrote the newest entry, and % is older', before.program, new.program
            using errcode = 'check_violation';
    end if;
    new.seq := coalesce(before.seq, 0) + 1;
    new.prev := coalesce(before.hash, decode(repeat('00', 32), 'hex'));
    new.role := session_user;
    new.place := coalesce(host(inet_client_addr()), 'local');
    new.payload_digest := sha256(convert_to(new.payload, 'UTF8'));
    new.hash := heirloom_migrate.audit_hash(new);
    new.xid := pg_current_xact_id();
    return new;
end
$body$;
