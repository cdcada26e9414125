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
    pub(crate) p99_ms: f64,
}

impl Found {
    /// From the ids each question found, best first, and how long each took.
    pub(crate) fn of(collection: &Collection, found: &[Vec<String>], mut times: Vec<f64>) -> Self {
        let (mut at_5, mut at_10) = (0.0, 0.0);
        for (question, found) in collection.questions.iter().zip(found) {
            let share = |k: usize| {
                let hits =
                    question.evidence.iter().filter(|turn| found.iter().take(k).any(|found| found == *turn)).count();
                hits as f64 / question.evidence.len().max(1) as f64
            };
            at_5 += share(5);
            at_10 += share(10);
        }
        times.sort_by(f64::total_cmp);
        let questions = collection.questions.len() as f64;
        Self {
            at_5: at_5 / questions,
            at_10: at_10 / questions,
            median_ms: times[times.len() / 2],
            p99_ms: times[times.len() * 99 / 100],
        }
    }
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
    let mut times = Vec::with_capacity(collection.questions.len());
    let mut all = Vec::with_capacity(collection.questions.len());
    for (question, vector) in collection.questions.iter().zip(&collection.question_vectors) {
        let namespace = format!("{prefix}:{}", question.conversation);
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&format!("set local role heirloom_serve; set local heirloom.namespaces = '{namespace}'"))
            .await
            .unwrap();
        // The server's own clock, from the arrival of the call to its last row.
        let statement = tx
            .prepare_cached(&format!(
                "select array_agg(r.id), (extract(epoch from clock_timestamp() - statement_timestamp()) * 1000)::float8 \
                 from heirloom.recall($1, $2::real[]::{}.vector, array[$3], 10, query_model => 'minilm', use_sessions => $4) r",
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
        let row = tx.query_one(&statement, &[&words, &padded, &namespace, &sessions]).await.unwrap();
        tx.rollback().await.unwrap();
        times.push(row.get(1));
        let ids: Option<Vec<uuid::Uuid>> = row.get(0);
        all.push(ids.unwrap_or_default().iter().filter_map(|id| turns.get(id)).cloned().collect());
    }
    Found::of(collection, &all, times)
}
