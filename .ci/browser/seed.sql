-- What the check of the inspector looks at: a legacy table that is handed down, and memories of several teams over the
-- last months. The texts are made of phrases by number, so that every run has the same ones; only the times move.

create schema legacy;

create table legacy.agent_notes (
    note_id    bigint primary key,
    workspace  text,
    status     text not null,
    title      text,
    body       text,
    author     text,
    tags       jsonb,
    sha        text,
    checked    boolean     not null,
    ttl        timestamptz,
    written_at timestamptz not null
);

create table legacy.phrase (n integer primary key, title text, body text);
insert into legacy.phrase values
    (0, 'staging resets', 'Staging is reset every Sunday at 03:00 UTC. Whatever somebody wants to keep there goes into the fixtures, never into the database alone.'),
    (1, 'connection pool', 'Prepared statements fail after a failover because PgBouncer runs in transaction mode. Set statement_cache_size to 0 in the workers; the API itself may keep its cache.'),
    (2, 'release train', 'Releases leave on Tuesday and Thursday. A fix that cannot wait goes out behind a flag and is named in the channel before it does.'),
    (3, 'invoice format', 'Nordlicht Logistics wants invoices as ZUGFeRD, one PDF a month. Plain PDFs come back unread; Mara has the template.'),
    (4, 'recall quality', 'Half-precision vectors cost 0.3 points of recall on our questions and save half of the memory. Keep them where a namespace is larger than 50,000 rows.'),
    (5, 'disk alarm', E'Runbook for a full disk:\n1. df -h, then du -xsh /var/lib/* | sort -h | tail\n2. drop the oldest archive, never the WAL directory\n3. check that the ledger reconnected, it does not always\n4. write down what filled it'),
    (6, 'escalation', 'Whoever is on call answers within fifteen minutes. After thirty the second line is called, and Priya decides whether customers are told.'),
    (7, 'tone of replies', 'Reply to Ifeoma''s customers in short sentences and say what happens next. Never promise a date that engineering has not given.'),
    (8, 'flaky test', 'The test of the mail relay fails when two runs share a mailbox. It is not the network: give each run an address of its own.'),
    (9, 'rate limits', 'The search provider allows 40 requests a minute per key. The indexer backs off for the whole minute after a 429, not for a second.'),
    (10, 'data residency', 'Tenants of the EU cluster must not be copied to preview environments, not even with their names taken out. Synthetic rows are in the fixtures.'),
    (11, 'quarter close', 'In the last three days of a quarter the billing jobs run twice a day. Migrations of the ledger wait until the close is signed.'),
    (12, 'embedding model', 'The small model is enough for notes of one paragraph. Switch a namespace only with reembed: half a namespace in each model finds half of it.'),
    (13, 'holiday cover', 'Samir covers the night shift in the last week of December. Pages about quota go to Linnea; she can raise limits without a ticket.'),
    (14, 'cache warm-up', 'Never restart the session store and the database in the same window. The pool then meets a cold cache and answers 503 for minutes.'),
    (15, 'export format', 'Customers who leave get their notes as JSON Lines with times in UTC. The CSV export cuts texts at 32,767 characters; do not offer it.'),
    (16, 'webhook retries', 'The webhook fan-out retries for six hours and then drops the event. A customer who was down for longer needs the replay job, not a new key.'),
    (17, 'naming', 'A flag is named after what it turns on, never after the project that wanted it. Flags older than a quarter are removed by whoever meets them.'),
    (18, 'review depth', 'Changes of the ledger need two readers, one of them from billing. Everywhere else one reader and a green run are enough.'),
    (19, 'trip to Lisbon', 'The offsite is in Lisbon in the second week of May. Trains from the airport leave every twelve minutes; the office has the room codes.'),
    (20, 'backup restore', 'The last restore test took 41 minutes and needed 6 GB of temporary space. Write both down each time, they grow.'),
    (21, 'search synonyms', 'Customers say "folder" where we say "space". The indexer knows both since week 12; the help pages still have to learn it.'),
    (22, 'token scope', 'Give an agent a token for its own team''s namespaces and nothing wider. The org namespace is read by everybody and written by two people.'),
    (23, 'slow query', 'The report builder reads the whole ledger when the quarter filter is empty. Pass the filter, or ask for the materialised view.');

insert into legacy.agent_notes
select g.n,
    case when g.n % 97 = 0 then null else 'agents-' || (array['core', 'desk', 'research', 'night'])[1 + g.n % 4] end,
    (array['Active', 'active ', 'approved', 'Approved', 'pending', 'stale', 'Golden', 'rejected'])[1 + (g.n * 7 + g.n / 4) % 8],
    p.title,
    case when g.n % 131 = 0 then '   ' else (array['', 'From the retro: ', 'Still true: ', 'Mara says: ', 'After the outage of May: ', 'New people ask: ', 'Second time this month. ', 'Confirmed by support: ', 'For the night shift: ', 'Written down at last: ', 'Do not forget: ', 'Reminder: '])[1 + (g.n / 24) % 12] || p.body end,
    (array['the release agent', 'the triage agent', 'the code reviewer', 'the planner'])[1 + (g.n / 3) % 4],
    jsonb_build_array((array['ops', 'billing', 'recall', 'people'])[1 + g.n % 4], 'week-' || (1 + g.n % 52)),
    case when g.n % 3 <> 0 then substr(md5('sha' || g.n), 1, 12) end,
    g.n % 5 <> 0,
    case when g.n % 29 = 0 then now() + make_interval(days => 1 + g.n % 40) end,
    now() - make_interval(days => 30 + (g.n * 17) % 300, hours => g.n % 24, mins => (g.n * 13) % 60)
from generate_series(1, 640) as g(n)
join legacy.phrase p on p.n = g.n % 24;

create table legacy.desk_notes (
    id         bigint primary key,
    note       text not null,
    made       timestamptz not null
);
insert into legacy.desk_notes
select g.n, p.body, now() - make_interval(days => 200 + g.n)
from generate_series(1, 96) as g(n)
join legacy.phrase p on p.n = (g.n * 5) % 24;

-- Larger than the others: its rows are watched on their way.
create table legacy.night_log (
    id         bigint primary key,
    note       text not null,
    made       timestamptz not null
);
insert into legacy.night_log
select g.n, format('Night %s: ', g.n) || p.body, now() - make_interval(days => 370, mins => g.n)
from generate_series(1, 6000) as g(n)
join legacy.phrase p on p.n = (g.n * 7) % 24;

-- Its way is gone to the end.
create table legacy.old_notes (
    id         bigint primary key,
    note       text not null,
    made       timestamptz not null
);
insert into legacy.old_notes
select g.n, 'Of an earlier year: ' || p.body, now() - make_interval(days => 500 + g.n)
from generate_series(1, 48) as g(n)
join legacy.phrase p on p.n = (g.n * 7) % 24;
