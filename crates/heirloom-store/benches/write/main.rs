//! What a write costs, and a page of a large namespace: `cargo bench -p heirloom-store --bench write`.
//!
//! Sixteen writers on a server (HEIRLOOM_TEST_URL; without it one on the embedded engine), as the serving role, into a
//! namespace of 10,000 memories: the bare INSERT into heirloom.memory in its transaction, sent at once; the same write
//! as one statement after another, each waited for, as it was before `heirloom.write_memory`; and `Store::commit`.
//! HEIRLOOM_BENCH_WRITES says how many of each, 4,000 by default. Nothing here is a test: it prints.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a program that prints a table")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::future::join_all;
use heirloom_engine::testkit::TestDatabase;
use heirloom_store::{List, Remember, Scope, Store, UpOptions};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const BEGIN: &str = "begin; set local role heirloom_serve; set local heirloom.namespaces = 'team:bench'; \
                     set local pgmnemo.tenant_id = ''";
const INSERT: &str = "insert into heirloom.memory (id, namespace, kind, content) values ($1, 'team:bench', 'fact', $2)";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let test = TestDatabase::fresh().await;
    let store = Store::up(test.database(), &UpOptions::default()).await.unwrap();
    let writers = store.database().pool_size().min(16);
    let writes: usize = std::env::var("HEIRLOOM_BENCH_WRITES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    fill(&store, "team:bench", 10_000).await;
    store.upkeep(None).await.unwrap();
    println!("{writers} writers, {writes} writes each way, 10,000 memories in the namespace");
    println!("  {:34} {:>10} {:>9} {:>9}", "", "writes/s", "p50 ms", "p99 ms");
    // Twice: the first round prepares statements and warms caches.
    for round in 0..2 {
        for way in [Way::Bare, Way::OneByOne, Way::Commit] {
            let (rate, p50, p99) = measure(&store, way, writers, writes).await;
            if round == 1 {
                println!("  {:34} {rate:10.0} {p50:9.2} {p99:9.2}", way.name());
            }
        }
    }
    pages(&store).await;
    test.close().await;
}

#[derive(Clone, Copy)]
enum Way {
    Bare,
    OneByOne,
    Commit,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare insert, one packet",
            Self::OneByOne => "one statement after another",
            Self::Commit => "Store::commit",
        }
    }
}

async fn measure(store: &Store, way: Way, writers: usize, writes: usize) -> (f64, f64, f64) {
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let times = join_all((0..writers).map(|_| async {
        let mut times = Vec::new();
        while next.fetch_add(1, Ordering::Relaxed) < writes {
            let id = Uuid::now_v7();
            let content = format!("The deployment {id} of the billing service waits for the review of its owner");
            let start = Instant::now();
            write(store, way, id, content).await;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times
    }))
    .await;
    let seconds = start.elapsed().as_secs_f64();
    let mut times: Vec<f64> = times.into_iter().flatten().collect();
    times.sort_by(f64::total_cmp);
    (times.len() as f64 / seconds, times[times.len() / 2], times[times.len() * 99 / 100])
}

async fn write(store: &Store, way: Way, id: Uuid, content: String) {
    if let Way::Commit = way {
        let scope = Scope::one("team:bench").unwrap();
        let new = Remember {
            namespace: "team:bench".to_owned(),
            content,
            id: Some(id),
            kind: Some("fact".to_owned()),
            ..Remember::default()
        };
        assert!(store.commit(&scope, &new).await.unwrap().created);
        return;
    }
    let client = store.database().client().await.unwrap();
    let insert = client.prepare_cached(INSERT).await.unwrap();
    if let Way::Bare = way {
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&id, &content];
        let (begun, inserted, committed) = tokio::join!(
            biased;
            client.batch_execute(BEGIN),
            client.execute(&insert, &values),
            client.batch_execute("commit")
        );
        begun.unwrap();
        inserted.unwrap();
        committed.unwrap();
        return;
    }
    let sha256 = Sha256::digest(&content).to_vec();
    client.batch_execute("begin").await.unwrap();
    client.batch_execute(BEGIN.strip_prefix("begin; ").unwrap()).await.unwrap();
    let namespace = "insert into heirloom.namespace (name) values ('team:bench') on conflict (name) do nothing";
    client.execute(namespace, &[]).await.unwrap();
    client
        .execute("select pg_advisory_xact_lock_shared(hashtextextended('heirloom memory ids', 0))", &[])
        .await
        .unwrap();
    client
        .execute(
            "select pg_advisory_xact_lock(hashtextextended('heirloom memory ' || $1::text, 0))",
            &[&id.to_string()],
        )
        .await
        .unwrap();
    client.batch_execute("set local role heirloom_audit").await.unwrap();
    let taken = "select (select m.namespace from heirloom.memory m where m.id = $1 limit 1), \
                 exists (select from heirloom.tombstone t where t.id = $1)";
    client.query_one(taken, &[&id]).await.unwrap();
    client.batch_execute("set local role heirloom_serve").await.unwrap();
    client.execute(INSERT, &[&id, &content]).await.unwrap();
    let line = "insert into heirloom.activity (action, namespace, memory_id, content_sha256) \
                values ('remember', 'team:bench', $1, $2)";
    client.execute(line, &[&id, &sha256]).await.unwrap();
    client.execute("select heirloom.count_words_if_stale('team:bench')", &[]).await.unwrap();
    client.batch_execute("commit").await.unwrap();
}

async fn fill(store: &Store, namespace: &str, rows: usize) {
    let client = store.database().client().await.unwrap();
    client
        .batch_execute(&format!(
            "insert into heirloom.memory (namespace, kind, content, created_at, pin)
             select '{namespace}', 'fact', 'note ' || n || ' on word' || n % 997 || ' and word' || n % 89,
                 timestamptz '2026-01-01Z' + n * interval '1 second', n % 1000 = 0
             from generate_series(1, {rows}) n;
             analyze heirloom.memory;"
        ))
        .await
        .unwrap();
}

/// The first page and one in the middle of 100,000.
async fn pages(store: &Store) {
    fill(store, "team:large", 100_000).await;
    let scope = Scope::one("team:large").unwrap();
    println!("\npages of 50 from 100,000 memories, median ms");
    for (name, order, cursor) in [
        ("first, newest", "newest", None),
        ("in the middle, newest", "newest", Some("2026-01-01T13:53:20Z~80000000-0000-0000-0000-000000000000")),
        ("first, pinned", "pinned", None),
        ("in the middle, pinned", "pinned", Some("others~2026-01-01T13:53:20Z~80000000-0000-0000-0000-000000000000")),
    ] {
        let request = List { order: Some(order.to_owned()), cursor: cursor.map(str::to_owned), ..List::default() };
        let mut times = Vec::new();
        for _ in 0..50 {
            let start = Instant::now();
            assert_eq!(store.list(&scope, &request).await.unwrap().items.len(), 50);
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!("  {name:34} {:10.2}", times[25]);
    }
}
