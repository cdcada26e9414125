-- A version 7 uuid: 48 bits of milliseconds, the rest random. PostgreSQL has its own from 18 on.
-- It is the default of heirloom.memory.id, for a writer who names none.

create or replace function heirloom.uuid_v7() returns uuid
language sql
volatile
parallel safe
as $$
    select encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                    from 1 for 6
                ),
                52, 1
            ),
            53, 1
        ),
        'hex'
    )::uuid
$$;

alter table heirloom.memory alter column id set default heirloom.uuid_v7();
