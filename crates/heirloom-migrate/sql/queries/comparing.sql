-- How many rows of a run a comparison has behind it, by the names of sessions, which everybody may see; no row when
-- nobody compares. Of several the one that is farthest.
-- $1 the beginning of their name
select substr(a.application_name, length($1) + 1)::bigint as done
  from pg_stat_activity as a
 where a.datname = current_database()
   and starts_with(a.application_name, $1)
   and substr(a.application_name, length($1) + 1) ~ '^[0-9]{1,14}$'
 order by 1 desc
 limit 1
