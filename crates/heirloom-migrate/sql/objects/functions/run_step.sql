-- Which steps a run may take, and what each needs in the chain: an entry of this very transaction that names the step and
-- quotes the proof before it. A program that skips a gate is refused here.
create or replace function heirloom_migrate.run_step() returns trigger
language plpgsql
set search_path = pg_catalog
as $body$
declare
    entry heirloom_migrate.audit;
    needs text;
    proof heirloom_migrate.audit;
begin
    if new.state is not distinct from old.state then
        return new;
    end if;
    if (old.state, new.state) not in (
        ('applying', 'applied'), ('applying', 'failed'), ('failed', 'applying'), ('failed', 'applied'),
        ('applied', 'applying'), ('applied', 'verified'), ('verified', 'applied'), ('verified', 'applying'),
        ('verified', 'soaking'), ('soaking', 'soaked'), ('soaked', 'soaking'), ('soaked', 'retired'),
        ('retired', 'soaking')
    ) then
        raise exception 'a run does not go from % to %', old.state, new.state using errcode = 'check_violation';
    end if;
    if new.state not in ('verified', 'soaking', 'soaked', 'retired') then
        return new;
    end if;
    select a.* into entry from heirloom_migrate.audit as a where a.run_id = new.run_id order by a.seq desc limit 1;
    if entry.seq is null or entry.what <> new.state or entry.xid <> pg_current_xact_id() then
        raise exception 'a run becomes % only together with the entry that says so', new.state
            using errcode = 'check_violation';
    end if;
    needs := case new.state
        when 'soaking' then case old.state when 'soaked' then 'sweep' when 'retired' then 'unretired' else 'verified' end
        when 'soaked' then 'sweep'
        when 'retired' then 'archived'
    end;
    if needs is null then
        return new;
    end if;
    select a.* into proof
      from heirloom_migrate.audit as a
     where a.run_id = new.run_id and a.what = needs
     order by a.seq desc
     limit 1;
    if proof.seq is null or entry.payload::jsonb ->> 'proof' is distinct from encode(proof.hash, 'hex') then
        raise exception 'a run becomes % only on the proof of its newest %', new.state, needs
            using errcode = 'check_violation';
    end if;
    return new;
end
$body$;
