//! What recall finds, and how fast: `cargo bench -p heirloom-store --bench recall`.
//!
//! HEIRLOOM_LOCOMO names the folder of a labelled collection (turns.jsonl, questions.jsonl, turn_vectors.f32,
//! question_vectors.f32; 384 numbers a line). Without it the labelled tables are left out and the scopes of 600 rows are
//! made of made-up sentences. HEIRLOOM_BENCH_LARGE names the sizes of large scopes, `10000,100000` by default.
//! HEIRLOOM_TEST_URL asks a server; without it the embedded engine is measured. Nothing here is a test: it prints.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a program that prints a table")]

mod collection;
mod large;
mod measure;

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
        println!("  {:34} {:>8} {:>9} {:>11} {:>11}", "", "recall@5", "recall@10", "median ms", "95 % below");
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
            println!(
                "  {name:34} {:8.3} {:9.3} {:11.2} {:11.2}",
                result.at_5, result.at_10, result.median_ms, result.p95_ms
            );
        }
        println!();
    }

    let sizes = std::env::var("HEIRLOOM_BENCH_LARGE").unwrap_or_else(|_| "10000,100000".to_owned());
    large::run(
        &store,
        collection.as_ref(),
        &sizes.split(',').filter_map(|size| size.trim().parse().ok()).collect::<Vec<_>>(),
    )
    .await;
    test.close().await;
}
