-- The highest id of activity that was given out, whether or not its transaction ever commits. Asked before the snapshot
-- that reads what is there, as heirloom_audit.
select case when s.is_called then s.last_value else 0 end as given_out
from heirloom.activity_id_seq s
