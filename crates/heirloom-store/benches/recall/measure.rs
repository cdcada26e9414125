//! Asking, timing, counting what was found.

use std::collections::HashMap;
use std::time::Instant;

use heirloom_engine::Client;
use heirloom_store::Store;

use crate::collection::Collection;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Words,
    Vectors,
    Both,
}

pub(crate) struct Found {
    pub(crate) at_5: f64,
    pub(crate) at_10: f64,
    pub(crate) median_ms: f64,
    pub(crate) p95_ms: f64,
}

/// The smallest of many: what a call costs that asks nothing.
pub(crate) async fn round_trip(client: &Client) -> f64 {
    let statement = client.prepare("select 1").await.unwrap();
    let mut fastest = f64::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        client.query_one(&statement, &[]).await.unwrap();
        fastest = fastest.min(start.elapsed().as_secs_f64() * 1e3);
    }
    fastest
}

/// Every question in its own scope, as the serving role. recall@k is the mean share of a question's evidence among the
/// first k rows.
pub(crate) async fn ask_all(store: &Store, collection: &Collection, prefix: &str, mode: Mode, sessions: bool) -> Found {
    let mut client = store.database().client().await.unwrap();
    let turns: HashMap<uuid::Uuid, String> = client
        .query("select id, metadata ->> 'turn' from heirloom.memory where metadata ? 'turn'", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let (mut at_5, mut at_10) = (0.0, 0.0);
    let mut times = Vec::with_capacity(collection.questions.len());
    for (question, vector) in collection.questions.iter().zip(&collection.question_vectors) {
        let namespace = format!("{prefix}:{}", question.conversation);
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&format!("set local role heirloom_serve; set local heirloom.namespaces = '{namespace}'"))
            .await
            .unwrap();
        let statement = tx
            .prepare_cached(&format!(
                "select id from heirloom.recall($1, $2::real[]::{}.vector, array[$3], 10, query_model => 'minilm', \
                 use_sessions => $4)",
                store.meta().vector_schema
            ))
            .await
            .unwrap();
        let words = (mode != Mode::Vectors).then_some(question.question.as_str());
        let padded = (mode != Mode::Words).then(|| {
            let mut padded = vector.clone();
            padded.resize(store.meta().dimension, 0.0);
            padded
        });
        let start = Instant::now();
        let rows = tx.query(&statement, &[&words, &padded, &namespace, &sessions]).await.unwrap();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        tx.rollback().await.unwrap();
        let found: Vec<&str> =
            rows.iter().filter_map(|row| turns.get(&row.get::<_, uuid::Uuid>(0))).map(String::as_str).collect();
        let share = |k: usize| {
            let hits = question.evidence.iter().filter(|turn| found.iter().take(k).any(|found| found == turn)).count();
            hits as f64 / question.evidence.len().max(1) as f64
        };
        at_5 += share(5);
        at_10 += share(10);
    }
    times.sort_by(f64::total_cmp);
    let questions = collection.questions.len() as f64;
    Found {
        at_5: at_5 / questions,
        at_10: at_10 / questions,
        median_ms: times[times.len() / 2],
        p95_ms: times[times.len() * 95 / 100],
    }
}
