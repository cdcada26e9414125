//! A labelled collection: turns of conversations, and questions with the turns that answer them.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use heirloom_store::Store;
use serde::Deserialize;

/// Width of the collection's vectors.
pub(crate) const WIDTH: usize = 384;

#[derive(Deserialize)]
pub(crate) struct Turn {
    pub(crate) conversation: i64,
    pub(crate) session: i64,
    pub(crate) turn: String,
    pub(crate) said_at: String,
    pub(crate) text: String,
}

#[derive(Deserialize)]
pub(crate) struct Question {
    pub(crate) conversation: i64,
    pub(crate) question: String,
    pub(crate) evidence: Vec<String>,
}

pub(crate) struct Collection {
    pub(crate) turns: Vec<Turn>,
    pub(crate) questions: Vec<Question>,
    pub(crate) turn_vectors: Vec<Vec<f32>>,
    pub(crate) question_vectors: Vec<Vec<f32>>,
}

/// What the rows of a session say about their order.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Order {
    AsSaid,
    Shuffled,
    NoSession,
}

impl Collection {
    pub(crate) fn read(folder: &Path) -> Self {
        let lines = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        Self {
            turns: lines("turns.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            questions: lines("questions.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            turn_vectors: vectors(&folder.join("turn_vectors.f32")),
            question_vectors: vectors(&folder.join("question_vectors.f32")),
        }
    }

    pub(crate) fn scopes(&self) -> usize {
        self.turns.iter().map(|turn| turn.conversation).collect::<BTreeSet<_>>().len()
    }

    /// One namespace a conversation, one memory a turn: its session as source_run_id, a second between two turns.
    pub(crate) async fn load(&self, store: &Store, prefix: &str, order: Order) {
        let mut next: HashMap<(i64, i64), i64> = HashMap::new();
        let mut client = store.database().client().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let statement = tx
            .prepare(&format!(
                "insert into heirloom.memory (id, namespace, kind, content, source_run_id, created_at, embedding, \
                 embedding_model, metadata) values (gen_random_uuid(), $1, 'fact', $2, $3, \
                 to_timestamp($4, 'HH12:MI am on DD Month, YYYY') + make_interval(secs => $5), $6::real[]::{}.vector, \
                 'minilm', jsonb_build_object('turn', $7::text))",
                store.meta().vector_schema
            ))
            .await
            .unwrap();
        for (turn, vector) in self.turns.iter().zip(&self.turn_vectors) {
            let counter = next.entry((turn.conversation, turn.session)).or_default();
            *counter += 1;
            // A fixed permutation: the order within a session is lost, everything else stays.
            let second = if order == Order::Shuffled { (*counter * 7_919) % 1_009 } else { *counter };
            let session = (order != Order::NoSession).then(|| turn.session.to_string());
            // Without a session key nothing may say where one session ends: a row an hour.
            let seconds = if order == Order::NoSession { (*counter * 3_600) as f64 } else { second as f64 };
            let namespace = format!("{prefix}:{}", turn.conversation);
            let mut padded = vector.clone();
            padded.resize(store.meta().dimension, 0.0);
            tx.execute(&statement, &[&namespace, &turn.text, &session, &turn.said_at, &seconds, &padded, &turn.turn])
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

fn vectors(path: &Path) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let numbers: Vec<f32> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
    numbers.chunks_exact(WIDTH).map(<[f32]>::to_vec).collect()
}
