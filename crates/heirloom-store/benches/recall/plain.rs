//! What there is to compare with, in plain Rust: exact BM25, exact cosine, and both by reciprocal rank. The words are the
//! store's own lexemes, so that stemming and splitting are the same and only the ranking differs.

use std::collections::HashMap;
use std::time::Instant;

use heirloom_store::Store;

use crate::collection::Collection;
use crate::measure::Found;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Plain {
    Bm25,
    Cosine,
    ReciprocalRank,
}

/// One conversation: its turns, their lexemes with how often each stands, their vectors.
struct Scope<'a> {
    turns: Vec<&'a str>,
    words: Vec<HashMap<String, f64>>,
    vectors: Vec<&'a [f32]>,
    holding: HashMap<String, f64>,
    mean_length: f64,
}

/// BM25 with k1 1.2 and b 0.75; ranks are fused with k 60.
pub(crate) async fn ask_all(store: &Store, collection: &Collection, how: Plain) -> Found {
    let client = store.database().client().await.unwrap();
    let mut words: HashMap<(i64, String), HashMap<String, f64>> = HashMap::new();
    for row in client
        .query(
            "select split_part(m.namespace, ':', 2)::bigint, m.metadata ->> 'turn', w.lexeme, cardinality(w.positions)::float8
             from heirloom.memory m, unnest(m.content_tsv) w where m.namespace like 'project:%'",
            &[],
        )
        .await
        .unwrap()
    {
        words.entry((row.get(0), row.get(1))).or_default().insert(row.get(2), row.get(3));
    }
    let mut scopes: HashMap<i64, Scope<'_>> = HashMap::new();
    for (turn, vector) in collection.turns.iter().zip(&collection.turn_vectors) {
        let scope = scopes.entry(turn.conversation).or_insert_with(|| Scope {
            turns: Vec::new(),
            words: Vec::new(),
            vectors: Vec::new(),
            holding: HashMap::new(),
            mean_length: 0.0,
        });
        let own = words.remove(&(turn.conversation, turn.turn.clone())).unwrap_or_default();
        for lexeme in own.keys() {
            *scope.holding.entry(lexeme.clone()).or_default() += 1.0;
        }
        scope.mean_length += own.values().sum::<f64>();
        scope.turns.push(&turn.turn);
        scope.words.push(own);
        scope.vectors.push(vector);
    }
    for scope in scopes.values_mut() {
        scope.mean_length /= scope.turns.len() as f64;
    }
    let mut found = Vec::new();
    let mut times = Vec::new();
    for (question, vector) in collection.questions.iter().zip(&collection.question_vectors) {
        let asked: Vec<String> =
            client.query_one("select (heirloom.recall_terms($1)).lexemes", &[&question.question]).await.unwrap().get(0);
        let scope = &scopes[&question.conversation];
        let start = Instant::now();
        let ranked = match how {
            Plain::Bm25 => by(&bm25(scope, &asked)),
            Plain::Cosine => by(&cosine(scope, vector)),
            Plain::ReciprocalRank => {
                let mut fused = vec![0.0; scope.turns.len()];
                for scores in [bm25(scope, &asked), cosine(scope, vector)] {
                    for (rank, at) in by(&scores).into_iter().enumerate().filter(|(_, at)| scores[*at] > 0.0) {
                        fused[at] += 1.0 / (60.0 + rank as f64 + 1.0);
                    }
                }
                by(&fused)
            }
        };
        times.push(start.elapsed().as_secs_f64() * 1e3);
        found.push(ranked.into_iter().take(10).map(|at| scope.turns[at].to_owned()).collect());
    }
    Found::of(collection, &found, times)
}

fn bm25(scope: &Scope<'_>, asked: &[String]) -> Vec<f64> {
    let documents = scope.turns.len() as f64;
    scope
        .words
        .iter()
        .map(|own| {
            let length: f64 = own.values().sum();
            asked
                .iter()
                .filter_map(|lexeme| Some((own.get(lexeme)?, scope.holding.get(lexeme)?)))
                .map(|(often, holding)| {
                    let rare = (1.0 + (documents - holding + 0.5) / (holding + 0.5)).ln();
                    rare * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * length / scope.mean_length))
                })
                .sum()
        })
        .collect()
}

fn cosine(scope: &Scope<'_>, asked: &[f32]) -> Vec<f64> {
    scope.vectors.iter().map(|own| own.iter().zip(asked).map(|(a, b)| f64::from(a * b)).sum()).collect()
}

/// Places by score, best first; equal ones as they stand.
fn by(scores: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..scores.len()).collect();
    places.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    places
}
