//! What recall finds, and how fast: `cargo bench -p heirloom-store --bench recall`.
//!
//! HEIRLOOM_LOCOMO names the folder of a labelled collection (turns.jsonl, questions.jsonl, turn_vectors.f32,
//! question_vectors.f32; 384 numbers a line). Without it the labelled tables are left out and so are the large scopes,
//! which are filled with its words. HEIRLOOM_BENCH_LARGE names the sizes of large scopes, `10000,100000` by default.
//! HEIRLOOM_BENCH_NAMESPACES is of how many namespaces of 1,000 rows the last table is made, 1000 by default.
//! Times are the server's own clock, from the arrival of a call to its last row.
//! HEIRLOOM_PGMNEMO names the SQL file that installs pgmnemo; without it that table is left out.
//! HEIRLOOM_TEST_URL asks a server; without it the embedded engine is measured. Nothing here is a test: it prints.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a program that prints a table")]

mod collection;
mod large;
mod many;
mod measure;
mod pgmnemo;
mod plain;
mod plans;
mod writing;

use heirloom_engine::testkit::TestDatabase;
use heirloom_store::{Store, UpOptions};

use collection::Collection;
use measure::{Mode, ask_all};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let test = TestDatabase::fresh().await;
    let store = Store::up(test.database(), &UpOptions::default()).await.unwrap();
    let client = test.database().client().await.unwrap();
    println!("{}", client.query_one("select version()", &[]).await.unwrap().get::<_, String>(0));
    println!("one round trip: {:.2} ms\n", measure::round_trip(&client).await);
    drop(client);

    let collection = std::env::var("HEIRLOOM_LOCOMO").ok().map(|folder| Collection::read(folder.as_ref()));
    if let Some(collection) = &collection {
        println!(
            "{} rows in {} scopes, {} questions",
            collection.turns.len(),
            collection.scopes(),
            collection.questions.len()
        );
        println!("  {:34} {:>8} {:>9} {:>11} {:>11}", "", "recall@5", "recall@10", "median ms", "99 % below");
        collection.load(&store, "project", collection::Order::AsSaid).await;
        collection.load(&store, "shuffled", collection::Order::Shuffled).await;
        collection.load(&store, "custom", collection::Order::NoSession).await;
        store.upkeep(None).await.unwrap();
        for (name, prefix, mode, sessions) in [
            ("words", "project", Mode::Words, true),
            ("words and vectors", "project", Mode::Both, true),
            ("vectors", "project", Mode::Vectors, true),
            ("words, neighbours off", "project", Mode::Words, false),
            ("words and vectors, neighbours off", "project", Mode::Both, false),
            ("words, order shuffled", "shuffled", Mode::Words, true),
            ("words and vectors, order shuffled", "shuffled", Mode::Both, true),
            ("words, no session key", "custom", Mode::Words, true),
            ("words and vectors, no session key", "custom", Mode::Both, true),
        ] {
            let result = ask_all(&store, collection, prefix, mode, sessions).await;
            line(name, &result);
        }
        for (name, how) in [
            ("BM25, in plain Rust", plain::Plain::Bm25),
            ("exact cosine, in plain Rust", plain::Plain::Cosine),
            ("both by reciprocal rank, plain Rust", plain::Plain::ReciprocalRank),
        ] {
            line(name, &plain::ask_all(&store, collection, how).await);
        }
        println!();
    }

    pgmnemo::run(&store, collection.as_ref()).await;
    writing::run(&store, collection.as_ref()).await;
    let sizes = std::env::var("HEIRLOOM_BENCH_LARGE").unwrap_or_else(|_| "600,10000,100000".to_owned());
    large::run(
        &store,
        collection.as_ref(),
        &sizes.split(',').filter_map(|size| size.trim().parse().ok()).collect::<Vec<_>>(),
    )
    .await;
    let namespaces =
        std::env::var("HEIRLOOM_BENCH_NAMESPACES").ok().and_then(|n| n.trim().parse().ok()).unwrap_or(1_000);
    many::run(&store, collection.as_ref(), namespaces).await;
    test.close().await;
}

fn line(name: &str, found: &measure::Found) {
    println!("  {name:36} {:6.3} {:9.3} {:11.2} {:11.2}", found.at_5, found.at_10, found.median_ms, found.p99_ms);
}
