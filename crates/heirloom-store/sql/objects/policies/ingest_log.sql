-- The log of batches concerns whole sources, not tenants: the service role writes and reads it, the audit reads it.

alter table heirloom.ingest_log enable row level security;
alter table heirloom.ingest_log force row level security;

drop policy if exists service on heirloom.ingest_log;
create policy service on heirloom.ingest_log to heirloom_service
    using ((select heirloom.serves_all()))
    with check ((select heirloom.serves_all()));

drop policy if exists audit on heirloom.ingest_log;
create policy audit on heirloom.ingest_log for select to heirloom_audit using (true);
