-- From when on changes may come that no read until now has shown: the newest change there is, less an overlap for writers
-- whose clock is behind, and less the age of the oldest transaction that has written and is still open, as far as this role
-- sees it. A time beyond now would hide what comes before it. {column} and {from} are spelt by the program.
-- $1 the overlap in seconds
select (
    least(coalesce(max({column}), '-infinity'), {now})
    - greatest(
        make_interval(secs => $1),
        (
            select now() - min(a.xact_start)
              from pg_catalog.pg_stat_activity as a
             where a.backend_xid is not null
               and a.datname = current_database()
        )
    )
)::text
from {from} as s
