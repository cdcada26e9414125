//! A tenant whose database is down, slow, full or of another version fails alone, delays nobody, and its line has the cure.
//! On a server: the embedded engine has one database and one connection.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use heirloom_engine::testkit::TestDatabase;
use serde_json::Value;

use crate::support::{Home, Ran};

const NOTES: &str = "create table note (id bigint primary key, body text);
    insert into note select g, 'note ' || g from generate_series(1, 20) g";

const TEMPLATE: &str = "name = \"notes\"\n[source]\nurl = \"env:X\"\ntable = \"public.note\"\n\
    [map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n";

/// Tenants with a table and a store each, as far as they need one of their own.
struct Fleet {
    home: Home,
    databases: HashMap<String, TestDatabase>,
    variables: HashMap<String, String>,
}

impl Fleet {
    /// Those in `own` have databases of their own, the others share a source and a store.
    async fn new(names: &[&str], own: &[&str], defaults: &str) -> Self {
        let mut fleet = Self { home: Home::new(), databases: HashMap::new(), variables: HashMap::new() };
        let mut text = format!(
            "[defaults]\nfile = \"notes.toml\"\nnamespace = \"custom:{{tenant}}\"\nsource = \"env:{{tenant}}_S\"\n\
             target = \"env:{{tenant}}_T\"\nallow = [\"superuser\", \"shared-source\", \"shared-target\"]\n{defaults}\n"
        );
        for name in own.iter().chain(&["shared"]) {
            for side in ["S", "T"] {
                let database = TestDatabase::fresh().await;
                let client = database.database().client().await.unwrap();
                if side == "S" {
                    client.batch_execute(NOTES).await.unwrap();
                }
                drop(client);
                fleet.databases.insert(format!("{name}_{side}"), database);
            }
        }
        for name in names {
            for side in ["S", "T"] {
                fleet.lead(&format!("{name}_{side}"));
            }
            text.push_str(&format!("[[tenant]]\nname = \"{name}\"\n"));
        }
        std::fs::write(fleet.home.path().join("notes.toml"), TEMPLATE).unwrap();
        std::fs::write(fleet.home.path().join("t.toml"), text).unwrap();
        fleet
    }

    /// Lets a side of a tenant lead to its database, or to the shared one.
    fn lead(&mut self, side: &str) {
        let shared = format!("shared_{}", side.rsplit('_').next().unwrap());
        let database = self.databases.get(side).or_else(|| self.databases.get(&shared)).unwrap();
        self.variables.insert(side.to_owned(), database.url().unwrap().to_owned());
    }

    /// Lets one tenant's host be down, one's store say nothing, and one's source fall silent after the first questions.
    fn trouble(&mut self) {
        let closed = { TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
        let url = |name: &str| self.variables[name].clone();
        let (down, quiet) = (through(&url("down_S"), closed), through(&url("silent_T"), silent()));
        // It gets in, and then nothing comes any more: 6 kB are a login and a few questions.
        let passes = Arc::new(AtomicU64::new(6_000));
        let stalls = through(&url("stalls_S"), stalling(&url("stalls_S"), &passes));
        self.variables.extend([
            ("down_S".to_owned(), down),
            ("silent_T".to_owned(), quiet),
            ("stalls_S".to_owned(), stalls),
        ]);
    }

    fn run(&self, words: &str) -> Ran {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.home.run_with(&format!("fleet {words}"), &variables)
    }

    #[track_caller]
    fn ends(&self, code: i32, words: &str) -> Value {
        let ran = self.run(&format!("{words} --json"));
        assert_eq!(ran.code, code, "{words}: {ran}");
        ran.json()
    }

    async fn sql(&self, database: &str, sql: &str) {
        self.databases[database].database().client().await.unwrap().batch_execute(sql).await.unwrap();
    }

    async fn close(self) {
        for database in self.databases.into_values() {
            database.close().await;
        }
    }
}

#[track_caller]
fn line<'v>(told: &'v Value, tenant: &str) -> &'v Value {
    let lines = told["tenants"].as_array().unwrap_or_else(|| panic!("{told}"));
    lines.iter().find(|line| line["tenant"] == tenant).unwrap_or_else(|| panic!("{tenant}: {told}"))
}

#[track_caller]
fn fails(told: &Value, tenant: &str, code: &str, hint: &str) {
    let line = line(told, tenant);
    assert_eq!((&line["state"], &line["failure"]["code"]), (&"failed".into(), &code.into()), "{line}");
    assert!(line["failure"].to_string().contains(hint), "{hint}: {line}");
}

/// The tenants in the order in which their lines came.
fn order(ran: &Ran) -> Vec<String> {
    ran.stderr.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

pub(crate) fn port(url: &str) -> (String, u16) {
    let host = url.rsplit('@').next().unwrap().split('/').next().unwrap();
    let (name, port) = host.rsplit_once(':').unwrap();
    (name.to_owned(), port.parse().unwrap())
}

pub(crate) fn through(url: &str, port: u16) -> String {
    let (_, old) = self::port(url);
    url.replace(&format!(":{old}/"), &format!(":{port}/"))
}

/// A listener that lets everybody knock and says nothing: a host behind a firewall that drops.
fn silent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            kept.push(stream);
        }
    });
    port
}

/// A way to a server on which, once it is told to, nothing moves any more, while every connection stays open.
fn stalling(url: &str, passes: &Arc<AtomicU64>) -> u16 {
    let (host, server) = port(url);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let passes = Arc::clone(passes);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(client) = stream else { continue };
            let Ok(server) = TcpStream::connect((host.as_str(), server)) else { continue };
            for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
                let passes = Arc::clone(&passes);
                std::thread::spawn(move || {
                    let mut buffer = [0; 4_096];
                    while let Ok(read @ 1..) = from.read(&mut buffer) {
                        let left = passes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                            Some(left.saturating_sub(read as u64))
                        });
                        if left.unwrap() == 0 {
                            loop {
                                std::thread::park();
                            }
                        }
                        if to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                });
            }
        }
    });
    port
}

/// A way to a server that is slow and alive: 4 kB in 40 ms, as long as it is told to be.
fn slow(url: &str, is_slow: &Arc<AtomicBool>) -> u16 {
    let (host, server) = port(url);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let is_slow = Arc::clone(is_slow);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(client) = stream else { continue };
            let Ok(server) = TcpStream::connect((host.as_str(), server)) else { continue };
            for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
                let is_slow = Arc::clone(&is_slow);
                std::thread::spawn(move || {
                    let mut buffer = [0; 4_096];
                    while let Ok(read @ 1..) = from.read(&mut buffer) {
                        if is_slow.load(Ordering::SeqCst) {
                            std::thread::sleep(Duration::from_millis(40));
                        }
                        if to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    port
}

fn on_a_server() -> bool {
    std::env::var_os("HEIRLOOM_TEST_URL").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_fleet_opens_each_source_once() {
    if !on_a_server() {
        return;
    }
    let names = ["one", "two"];
    let fleet = Fleet::new(&names, &names, "").await;
    fleet.ends(0, "plan t.toml");
    // How many sessions there were at each source, once those of the command have ended.
    let sessions = async || {
        let mut counts = Vec::new();
        for name in names {
            let client = fleet.databases[&format!("{name}_S")].database().client().await.unwrap();
            let at_work = "select exists (select from pg_stat_activity where datname = current_database() and application_name = 'heirloom source')";
            while client.query_one(at_work, &[]).await.unwrap().get(0) {}
            let sql = "select sessions from pg_stat_database where datname = current_database()";
            counts.push(client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0));
        }
        counts
    };
    let mut before = sessions().await;
    for words in ["apply t.toml", "verify t.toml --record"] {
        fleet.ends(0, words);
        let after = sessions().await;
        let opened: Vec<i64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        assert_eq!(opened, [1, 1], "{words}: the gate and the step share a session");
        before = after;
    }
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_database_is_down_silent_or_stalls_fails_alone_and_is_overtaken() {
    if !on_a_server() {
        return;
    }
    let names = ["stalls", "silent", "down", "good", "fine"];
    let mut fleet = Fleet::new(&names, &[], "parallel = 1\nconnect_timeout = 6\npatience = 60").await;
    fleet.ends(0, "plan t.toml");
    fleet.ends(0, "apply t.toml");
    fleet.sql("shared_S", "insert into note values (99, 'a late note')").await;
    // The stores are there, so that nobody else is silent for long. How long a silence is borne is no part of a plan.
    let file = fleet.home.path().join("t.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("patience = 60", "patience = 8")).unwrap();
    let overtaken = |fleet: &mut Fleet, words: &str| {
        fleet.trouble();
        let ran = fleet.run(&format!("{words} t.toml"));
        // Nothing failed but what may succeed later.
        assert_eq!(ran.code, 4, "{words}: {ran}");
        let order = order(&ran);
        let at = |name: &str| order.iter().position(|known| known == name).unwrap_or_else(|| panic!("{name}: {ran}"));
        for good in ["good", "fine"] {
            assert!(at(good) < at("silent") && at(good) < at("stalls"), "{words}: a silent one held {good} up: {ran}");
        }
    };
    overtaken(&mut fleet, "apply");
    let told = fleet.ends(4, "apply t.toml");
    fails(&told, "down", "database-unreachable", "check host, port and that the server runs");
    fails(&told, "silent", "database-unreachable", "nobody was let in within 6 s");
    assert_eq!(line(&told, "stalls")["state"], "failed");
    for good in ["good", "fine"] {
        assert_eq!((&line(&told, good)["state"], &line(&told, good)["migrated"]), (&"applied".into(), &21.into()));
    }
    // When the way is free again, the same command goes on where it stopped.
    let free = |fleet: &mut Fleet| ["down_S", "stalls_S", "silent_T"].iter().for_each(|side| fleet.lead(side));
    free(&mut fleet);
    let told = fleet.ends(0, "apply t.toml");
    assert_eq!((&told["totals"]["migrated"], &told["totals"]["failed"]), (&105.into(), &0.into()));
    // The other steps that read every row are no different.
    overtaken(&mut fleet, "verify");
    free(&mut fleet);
    fleet.ends(0, "verify t.toml --record");
    overtaken(&mut fleet, "soak");
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_slow_and_alive_is_overtaken() {
    if !on_a_server() {
        return;
    }
    let mut fleet = Fleet::new(&["slow", "good", "fine"], &["slow"], "parallel = 1").await;
    fleet.sql("slow_S", "insert into note select g, repeat('note ', 50) from generate_series(21, 20000) g").await;
    fleet.ends(0, "plan t.toml");
    let is_slow = Arc::new(AtomicBool::new(true));
    let url = fleet.variables["slow_S"].clone();
    fleet.variables.insert("slow_S".to_owned(), through(&url, slow(&url, &is_slow)));
    let store = fleet.databases["shared_T"].database().clone();
    // 6 MB in that way are a minute, unless the others have arrived by then.
    let arrived = "select count(*) from heirloom.memory where namespace in ('custom:good', 'custom:fine')";
    let watching = tokio::spawn({
        let is_slow = Arc::clone(&is_slow);
        async move {
            loop {
                let client = store.client().await.unwrap();
                let there = client.query_opt(arrived, &[]).await.ok().flatten().map_or(0, |row| row.get::<_, i64>(0));
                drop(client);
                if there == 40 {
                    is_slow.store(false, Ordering::SeqCst);
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    });
    let ran = fleet.run("apply t.toml");
    watching.abort();
    assert_eq!(ran.code, 0, "{ran}");
    let order = order(&ran);
    assert_eq!(order.last().map(String::as_str), Some("slow"), "a slow tenant held the others up: {ran}");
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_falls_silent_on_the_way_is_given_up() {
    if !on_a_server() {
        return;
    }
    let mut fleet = Fleet::new(&["stalls", "good"], &[], "parallel = 1\nconnect_timeout = 60\npatience = 3").await;
    let url = fleet.variables["stalls_S"].clone();
    let passes = Arc::new(AtomicU64::new(6_000));
    fleet.variables.insert("stalls_S".to_owned(), through(&url, stalling(&url, &passes)));
    let told = fleet.ends(4, "plan t.toml");
    fails(&told, "stalls", "tenant-silent", "`patience` in [defaults]");
    assert_eq!(line(&told, "good")["state"], "planned");
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_store_is_of_another_version_or_full_fails_alone_with_the_cure() {
    if !on_a_server() {
        return;
    }
    let fleet = Fleet::new(&["newer", "older", "full", "gone", "good"], &["newer", "older", "full", "gone"], "").await;
    fleet.ends(0, "plan t.toml");
    fleet.ends(0, "apply t.toml");
    fleet
        .sql(
            "newer_T",
            "insert into heirloom.schema_version (ordinal, name, sha256) values (9999, 'x', repeat('0', 64))",
        )
        .await;
    fleet
        .sql(
            "older_T",
            "delete from heirloom.schema_version where ordinal = (select max(ordinal) from heirloom.schema_version)",
        )
        .await;
    // What the server says when its disk is full, at the moment at which it says it.
    fleet
        .sql(
            "full_T",
            "create function public.full() returns trigger language plpgsql as
                 $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
             create trigger full_disk before insert on heirloom.memory for each statement execute function public.full()",
        )
        .await;
    fleet.sql("gone_S", "drop table note").await;
    for name in ["full_S", "shared_S"] {
        fleet.sql(name, "insert into note values (99, 'a late note')").await;
    }
    let told = fleet.ends(3, "apply t.toml");
    fails(&told, "newer", "store-newer", "use that version or a newer one");
    fails(&told, "older", "store-older", "`heirloom up`");
    fails(&told, "full", "database-disk-full", "make room");
    fails(&told, "gone", "source", "detect");
    assert_eq!((&line(&told, "good")["state"], &line(&told, "good")["written"]), (&"applied".into(), &1.into()));
    fleet.close().await;
}
