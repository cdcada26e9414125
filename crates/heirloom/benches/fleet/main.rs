//! A fleet measured: `cargo bench --locked --bench fleet`.
//!
//! HEIRLOOM_BENCH_TENANTS tenants (1,000) of HEIRLOOM_BENCH_ROWS narrow rows (2,000), each with a schema and a role of its own in
//! one database, go to one store on the same server: plan, apply, verify and record, apply again, soak twice, status, each a process of the
//! binary as a user starts it. Then the seed's four teams (1,805, 144, 1 and 102 rows), a database and a store each. Needs a server
//! in HEIRLOOM_TEST_URL, as superuser. For each step: the time, and the transactions and bytes of log that the server counted a
//! tenant. Nothing here is a test: it prints, and says where a bar is missed.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a program that prints a table")]

use std::process::Command;
use std::time::Instant;

use heirloom_engine::testkit::TestDatabase;
use serde_json::Value;

/// Seconds for a thousand tenants, plan to verify, and for the seed's four.
const BARS: (f64, f64) = (120.0, 2.0);

const TEMPLATE: &str = "name = \"notes\"\n[source]\nurl = \"env:X\"\n[namespace]\ntemplate = \"custom:nobody\"\n\
    [map]\ncontent = \"body\"\nkind = { value = \"fact\" }\ncreated_at = \"made\"\n";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if std::env::var("HEIRLOOM_TEST_URL").is_err() {
            println!("HEIRLOOM_TEST_URL is not set: a fleet needs a server");
            return;
        }
        let tenants = number("HEIRLOOM_BENCH_TENANTS", 1_000);
        let rows = number("HEIRLOOM_BENCH_ROWS", 2_000);
        let many = Many::new(tenants, rows).await;
        println!("{tenants} tenants of {rows} rows, {} at a time", many.parallel);
        let taken = many.whole_way().await;
        let bar = BARS.0 * (tenants * rows) as f64 / 2_000_000.0;
        println!("plan, apply and verify: {taken:.1} s; bar {bar:.1} s: {}\n", verdict(taken <= bar));
        many.close().await;

        println!("the seed's four teams, a database and a store each");
        let seed = seed().await;
        println!("plan, apply and verify: {seed:.2} s; bar {:.1} s: {}", BARS.1, verdict(seed <= BARS.1));
    });
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn with_user(url: &str, user: &str) -> String {
    format!("postgres://{user}:bench@{}", url.rsplit('@').next().unwrap())
}

/// Processor seconds of the commands that have ended so far; 0 where the system does not tell.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    // Fields 16 and 17 of proc(5), the state being the third; a hundred ticks a second.
    fields.get(13..15).map_or(0.0, |ticks| ticks.iter().sum::<f64>() / 100.0)
}

/// Runs a command of the fleet and gives back its seconds and what it said.
fn run(dir: &std::path::Path, variables: &[(String, String)], words: &str) -> (f64, Value) {
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_heirloom"));
    command.arg("fleet").args(words.split_whitespace()).arg("--json").current_dir(dir);
    let output = command.envs(variables.iter().cloned()).output().unwrap();
    let taken = began.elapsed().as_secs_f64();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let failed = told["tenants"].as_array().into_iter().flatten().find(|line| !line["failure"].is_null());
    assert!(output.status.success(), "{words}: {}{failed:?}", String::from_utf8_lossy(&output.stderr));
    (taken, told)
}

struct Many {
    dir: tempfile::TempDir,
    source: TestDatabase,
    target: TestDatabase,
    tenants: u64,
    rows: u64,
    parallel: u64,
    mark: String,
    variables: Vec<(String, String)>,
}

impl Many {
    async fn new(tenants: u64, rows: u64) -> Self {
        let (source, target) = (TestDatabase::fresh().await, TestDatabase::fresh().await);
        let mark = uuid::Uuid::new_v4().simple().to_string();
        let client = source.database().client().await.unwrap();
        for at in 0..tenants {
            // Texts of some 60 bytes, of words that differ from tenant to tenant.
            let make = format!(
                "create role t{at}_{mark} login password 'bench';
                 create schema t{at};
                 create table t{at}.note (id bigint primary key, body text, made timestamptz);
                 insert into t{at}.note
                 select g, 'note ' || g || ' of tenant {at} on ' || md5((g % 97)::text), timestamptz '2026-01-01' + g * interval '1 minute'
                 from generate_series(1, {rows}) g;
                 grant usage on schema t{at} to t{at}_{mark};
                 grant select on t{at}.note to t{at}_{mark}"
            );
            client.batch_execute(&make).await.unwrap();
        }
        client.batch_execute("analyze").await.unwrap();
        drop(client);
        let parallel = number("HEIRLOOM_BENCH_PARALLEL", 4);
        let mut text = format!(
            "[defaults]\nfile = \"notes.toml\"\ntarget = \"env:TARGET\"\nnamespace = \"custom:{{tenant}}\"\nparallel = {parallel}\n\
             table = \"{{tenant}}.note\"\nsource = \"env:{{tenant}}\"\nallow = [\"shared-target\", \"superuser\"]\n"
        );
        let mut variables = vec![("TARGET".to_owned(), target.url().unwrap().to_owned())];
        for at in 0..tenants {
            text.push_str(&format!("[[tenant]]\nname = \"t{at}\"\n"));
            variables.push((format!("t{at}"), with_user(source.url().unwrap(), &format!("t{at}_{mark}"))));
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("notes.toml"), TEMPLATE).unwrap();
        std::fs::write(dir.path().join("t.toml"), text).unwrap();
        Self { dir, source, target, tenants, rows, parallel, mark, variables }
    }

    /// Transactions and bytes of log so far.
    async fn counted(&self) -> (i64, i64) {
        let client = self.target.database().client().await.unwrap();
        let row = client
            .query_one(
                "select (select sum(xact_commit + xact_rollback) from pg_stat_database where datname like 'heirloom_test%')::bigint, \
                 pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint",
                &[],
            )
            .await
            .unwrap();
        (row.get(0), row.get(1))
    }

    async fn step(&self, words: &str) -> f64 {
        let (before, spent) = (self.counted().await, processor());
        let (taken, told) = run(self.dir.path(), &self.variables, words);
        let (after, spent) = (self.counted().await, processor() - spent);
        let each = |n: i64| n as f64 / self.tenants as f64;
        println!(
            "{words:<26} {taken:>8.2} s  {:>7.1} ms a tenant ({:.1} ms of processor)  {:>9.0} rows/s  {:>5.1} transactions, {:>8.0} bytes of log a tenant",
            taken * 1_000.0 / self.tenants as f64,
            spent * 1_000.0 / self.tenants as f64,
            (self.tenants * self.rows) as f64 / taken,
            each(after.0 - before.0),
            each(after.1 - before.1),
        );
        assert_eq!(told["totals"]["failed"], 0);
        taken
    }

    async fn whole_way(&self) -> f64 {
        let plan = self.step("plan t.toml").await;
        let apply = self.step("apply t.toml").await;
        let verify = self.step("verify t.toml --record").await;
        self.step("apply t.toml").await;
        // The first begins the watch and reads everything, the second what was written since: nothing.
        self.step("soak t.toml").await;
        self.step("soak t.toml").await;
        self.step("status t.toml").await;
        plan + apply + verify
    }

    async fn close(self) {
        let server = std::env::var("HEIRLOOM_TEST_URL").unwrap();
        self.source.close().await;
        self.target.close().await;
        let location = heirloom_engine::Location::Server(server);
        let admin = heirloom_engine::Database::open(&location, &heirloom_engine::Options::default()).await.unwrap();
        let client = admin.client().await.unwrap();
        for at in 0..self.tenants {
            client.batch_execute(&format!("drop role t{at}_{}", self.mark)).await.unwrap();
        }
    }
}

/// The seed's four, each with its own database and its own store, which is installed before: a store is there when a migration
/// begins.
async fn seed() -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let mut text = "[defaults]\nfile = \"notes.toml\"\nnamespace = \"custom:{tenant}\"\nsource = \"env:{tenant}_S\"\n\
        target = \"env:{tenant}_T\"\ntable = \"public.note\"\nallow = [\"superuser\", \"shared-source\", \"shared-target\"]\n"
        .to_owned();
    let (mut variables, mut databases) = (Vec::new(), Vec::new());
    for (name, rows) in [("agents-team", 1_805), ("hongming", 144), ("chloe-dong", 1), ("reno-stars", 102)] {
        let (source, target) = (TestDatabase::fresh().await, TestDatabase::fresh().await);
        let make = format!(
            "create table note (id bigint primary key, body text, made timestamptz);
             insert into note select g, 'note ' || g || ' of ' || md5(g::text), '2026-01-01' from generate_series(1, {rows}) g"
        );
        source.database().client().await.unwrap().batch_execute(&make).await.unwrap();
        heirloom_store::Store::up(target.database(), &heirloom_store::UpOptions::default()).await.unwrap();
        variables.push((format!("{name}_S"), source.url().unwrap().to_owned()));
        variables.push((format!("{name}_T"), target.url().unwrap().to_owned()));
        text.push_str(&format!("[[tenant]]\nname = \"{name}\"\n"));
        databases.extend([source, target]);
    }
    std::fs::write(dir.path().join("notes.toml"), TEMPLATE).unwrap();
    std::fs::write(dir.path().join("t.toml"), text).unwrap();
    let mut taken = 0.0;
    for words in ["plan t.toml", "apply t.toml", "verify t.toml --record"] {
        let (seconds, _) = run(dir.path(), &variables, words);
        println!("{words:<26} {seconds:>8.2} s");
        taken += seconds;
    }
    for database in databases {
        database.close().await;
    }
    taken
}
