//! Many namespaces of 1,000 rows each: one of them must cost what it costs alone.

use std::time::Instant;

use heirloom_store::Store;

use crate::collection::{Collection, Order};
use crate::measure::{Mode, ask_all};
use crate::plans;

/// The first conversation in one namespace, filled up to 1,000 rows; its rows again in each of the others, with what
/// they are ranked by copied (the vectors themselves, which no ranking reads, are left out of the copies).
pub(crate) async fn run(store: &Store, collection: Option<&Collection>, namespaces: i64) {
    let Some(collection) = collection else { return };
    if namespaces < 2 {
        return;
    }
    let one = crate::large::only_first(collection);
    let first = one.turns[0].conversation;
    one.load(store, "custom:many", Order::AsSaid).await;
    let home = format!("custom:many:{first}");
    crate::large::fill(store, &home, 1_000 - one.turns.len() as i64).await;
    store.upkeep(Some(std::slice::from_ref(&home))).await.unwrap();
    let start = Instant::now();
    let client = store.database().client().await.unwrap();
    client
        .batch_execute(&format!(
            "set session_replication_role = replica;
             insert into heirloom.memory (id, namespace, kind, content, source_run_id, created_at, embedding_model, content_tsv, word_vector, word_vector_long, sign_bits)
             select gen_random_uuid(), 'custom:many:copy' || g, m.kind, m.content, m.source_run_id, m.created_at, m.embedding_model, m.content_tsv, m.word_vector, m.word_vector_long, m.sign_bits
             from generate_series(2, {namespaces}) g, heirloom.memory m where m.namespace = '{home}';
             insert into heirloom.lexeme select 'custom:many:copy' || g, x.lexeme, x.df from generate_series(2, {namespaces}) g, heirloom.lexeme x where x.namespace = '{home}';
             insert into heirloom.frequency (namespace, documents) select 'custom:many:copy' || g, 1000 from generate_series(2, {namespaces}) g;
             reset session_replication_role"
        ))
        .await
        .unwrap();
    // A store that stands, not one that is still being filled: else the server's own cleaning up runs beside the questions.
    for settle in ["vacuum analyze heirloom.memory", "vacuum analyze heirloom.lexeme", "checkpoint"] {
        client.batch_execute(settle).await.unwrap();
    }
    println!(
        "{} rows in {namespaces} namespaces (copied in {:.0} s)",
        namespaces * 1_000,
        start.elapsed().as_secs_f64()
    );
    drop(client);
    for (mode, name) in [(Mode::Words, "words"), (Mode::Both, "words and vectors")] {
        let found = ask_all(store, &one, "custom:many", mode, true).await;
        println!("  one of them, {name:18} median {:.2} ms, 99 % below {:.2} ms", found.median_ms, found.p99_ms);
    }
    plans::print(store, &home, false).await;
}
