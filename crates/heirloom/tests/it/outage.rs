//! `heirloom serve` under load while its database is killed and started again: meanwhile 503 with Retry-After, afterwards
//! on by itself; what was acknowledged is there, and what was sent twice is there once.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::own_server::{OwnServer, open};
use crate::served::{Answer, Served, answer};
use crate::support::Home;

const WRITERS: usize = 8;

/// What the writers met.
#[derive(Debug, Clone, Default)]
struct Met {
    /// How many writes of each were acknowledged.
    acknowledged: [usize; WRITERS],
    /// How many were refused because the database was away.
    away: usize,
}

struct Load<'a> {
    served: &'a Served,
    token: &'a str,
    enough: AtomicBool,
    met: watch::Sender<Met>,
}

impl<'a> Load<'a> {
    fn new(served: &'a Served, token: &'a str) -> Self {
        Self { served, token, enough: AtomicBool::new(false), met: watch::Sender::default() }
    }

    /// Writes note after note, each under a key of its own and as often as it takes; what was acknowledged, by content.
    async fn write(&self, me: usize) -> Vec<(String, Value)> {
        let mut acknowledged = Vec::new();
        while !self.enough.load(Ordering::SeqCst) {
            let content = format!("note {} of writer {me}", acknowledged.len());
            loop {
                let body = json!({ "content": content, "namespace": "team:a" }).to_string();
                let request = self.served.request(Method::POST, "/api/v1/remember", self.token);
                let got = answer(request.header("idempotency-key", &content).body(body)).await;
                if is_away(&got) {
                    self.met.send_modify(|met| met.away += 1);
                    continue;
                }
                assert!([200, 201].contains(&got.status), "{got:?}");
                acknowledged.push((content, got.json()["id"].clone()));
                self.met.send_modify(|met| met.acknowledged[me] += 1);
                break;
            }
        }
        acknowledged
    }

    /// Asks without end.
    async fn ask(&self) {
        while !self.enough.load(Ordering::SeqCst) {
            let got = self.served.get("/api/v1/recall?query=note&namespaces=team:a&limit=3", self.token).await;
            assert!(is_away(&got) || got.status == 200, "{got:?}");
        }
    }

    /// Waits until the writers have met this.
    async fn until(&self, what: impl FnMut(&Met) -> bool) {
        let mut met = self.met.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(120), met.wait_for(what)).await;
        assert!(waited.is_ok(), "it does not come to that: {:?}; {}", self.met.borrow(), self.served.log());
    }

    /// Waits until each writer had another five acknowledged.
    async fn goes_on(&self) {
        let before = self.met.borrow().acknowledged;
        self.until(|met| met.acknowledged.iter().zip(before).all(|(now, before)| *now >= before + 5)).await;
    }

    fn end(&self) {
        self.enough.store(true, Ordering::SeqCst);
    }
}

/// Whether an answer says that the database is away, in the words that are due and no others.
#[track_caller]
fn is_away(got: &Answer) -> bool {
    if got.status != 503 {
        return false;
    }
    let problem = got.json();
    assert_eq!(got.header("retry-after"), Some("1"), "{got:?}");
    let code = problem["code"].as_str().unwrap();
    assert!(code.starts_with("database-"), "{got:?}");
    assert!(problem["detail"].as_str().unwrap().starts_with("the memory store cannot answer now"), "{got:?}");
    assert!(problem["hints"][0].as_str().unwrap().contains("Idempotency-Key"), "{got:?}");
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_loses_and_doubles_nothing() {
    let Some(mut server) = OwnServer::start().await else { return };
    let home = Home::new();
    let (owner, pool) = (server.url(), std::env::var("HEIRLOOM_TEST_POOL").unwrap_or_default());
    let ran = home.run_with("up", &[("DATABASE_URL", &owner)]);
    assert_eq!(ran.code, 0, "{ran}");
    let login = server.login("heirloom_serve, heirloom_audit, heirloom_admin").await;
    let token = home.run_with("token create w --right write -n team:a --json", &[("DATABASE_URL", &owner)]);
    let token = token.json()["secret"].as_str().unwrap().to_owned();
    let variables = [("DATABASE_URL", login.as_str()), ("HEIRLOOM_RATE", "0"), ("HEIRLOOM_POOL", &pool)];
    let served = Served::spawn(home, &["serve", "--listen", "127.0.0.1:0"], &variables);
    let load = Load::new(&served, &token);

    let writers = futures_util::future::join_all((0..WRITERS).map(|me| load.write(me)));
    let disturbing = async {
        load.goes_on().await;
        for signal in ["KILL", "QUIT"] {
            server.end(signal);
            let before = load.met.borrow().away;
            load.until(|met| met.away >= before + 2 * WRITERS).await;
            assert_eq!(served.get("/readyz", "").await.is(503)["code"], "database-unreachable");
            assert_eq!(served.get("/healthz", "").await.status, 200, "the process is well");
            let health = served.get("/v1/health", "").await.is(503);
            assert_eq!((&health["status"], health["capabilities"].as_array().unwrap().len()), (&json!("degraded"), 5));
            let search = served.post("/v1/search", &token, &json!({ "namespaces": ["team:a"], "query": "note" })).await;
            assert_eq!((search.header("retry-after"), &search.is(503)["code"]), (Some("1"), &json!("unavailable")));
            server.start_again();
            load.goes_on().await;
        }
        // One session dies, and with it all others for a moment.
        let database = open(&owner).await;
        let one = "select pid from pg_stat_activity where usename = 'server_of_memories' limit 1";
        let pid = database.client().await.unwrap().query_one(one, &[]).await.unwrap().get(0);
        server.kill_session(pid);
        load.goes_on().await;
        load.end();
    };
    let (acknowledged, (), ()) = tokio::join!(writers, load.ask(), disturbing);

    let database = open(&owner).await;
    let rows = database.client().await.unwrap();
    let rows = rows.query("select content, id::text from heirloom.memory", &[]).await.unwrap();
    let kept: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(kept.len(), rows.len(), "none is there twice");
    let mut count = 0;
    for (content, id) in acknowledged.into_iter().flatten() {
        assert_eq!(kept.get(&content).map(String::as_str), id.as_str(), "{content}");
        count += 1;
    }
    assert_eq!(kept.len(), count, "nothing is there that nobody was told of");
    let log = served.log();
    for word in ["note ", "insert into", "select "] {
        assert!(!log.contains(word), "{word} is in the log");
    }
    assert_eq!(served.get("/readyz", "").await.text, "ready\n");
    assert_eq!(served.stop().await, Some(0));
}

/// The embedded engine lives and dies with its process: there the server itself is killed, and started again on what it left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_server_killed_under_load_has_what_it_acknowledged() {
    let home = Arc::new(Home::new());
    let start = || Served::spawn(home.clone(), &["serve", "--listen", "127.0.0.1:0"], &[("HEIRLOOM_RATE", "0")]);
    let served = start();
    let token = served.token("w", "write", &["team:a"]);
    let count = watch::Sender::new(0);
    let write = async |me: usize| {
        let mut acknowledged = BTreeSet::new();
        loop {
            let body = json!({ "content": format!("note {} of {me}", acknowledged.len()), "namespace": "team:a" });
            let sent = served.request(Method::POST, "/api/v1/remember", &token).body(body.to_string()).send().await;
            // The connection breaks, or no other can be had, once it is dead.
            let Ok(got) = sent else { return acknowledged };
            assert_eq!(got.status(), 201);
            let Ok(told) = got.json::<Value>().await else { return acknowledged };
            acknowledged.insert(told["id"].as_str().unwrap().to_owned());
            count.send_modify(|count| *count += 1);
        }
    };
    let kill = async {
        let mut count = count.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(120), count.wait_for(|count| *count >= 40)).await;
        assert!(waited.is_ok(), "nothing is written: {}", served.log());
        served.kill();
    };
    let (acknowledged, ()) = tokio::join!(futures_util::future::join_all((0..4).map(write)), kill);
    let acknowledged: BTreeSet<String> = acknowledged.into_iter().flatten().collect();

    let again = start();
    let page = again.get("/api/v1/list?namespaces=team:a&limit=1000", &token).await.is(200);
    let kept: BTreeSet<String> =
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    assert!(acknowledged.len() >= 40 && page["next"].is_null(), "{}", acknowledged.len());
    assert!(kept.is_superset(&acknowledged), "lost: {:?}", acknowledged.difference(&kept));
    assert!(kept.len() <= acknowledged.len() + 4, "one of each writer may be there that it was not told of");
    assert_eq!(again.stop().await, Some(0));
}
