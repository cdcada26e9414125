//! Large scopes: the labelled rows among made-up ones, read whole and by the indexes that upkeep makes.

use std::time::Instant;

use heirloom_store::Store;

use crate::collection::{Collection, Order};
use crate::measure::{Mode, ask_all};
use crate::plans;

/// Every labelled conversation in one namespace of `size` rows, asked both ways.
pub(crate) async fn run(store: &Store, collection: Option<&Collection>, sizes: &[i64]) {
    let Some(collection) = collection else {
        println!("Large scopes need HEIRLOOM_LOCOMO.");
        return;
    };
    println!("Large scopes: each conversation among made-up rows");
    println!("  {:>8} {:8} {:18} {:>9} {:>11} {:>11}", "rows", "read", "", "recall@10", "median ms", "99 % below");
    for size in sizes {
        let prefix = format!("org:{size}");
        // One conversation is enough for the clock; its questions for the count.
        let one = only_first(collection);
        one.load(store, &prefix, Order::AsSaid).await;
        let start = Instant::now();
        fill(store, &format!("{prefix}:{}", one.turns[0].conversation), *size - one.turns.len() as i64).await;
        let filled = start.elapsed();
        // Counted and centred, but without the indexes: read whole.
        let indexes = "alter table heirloom.frequency add constraint whole check (not is_indexed) not valid";
        store.database().client().await.unwrap().batch_execute(indexes).await.unwrap();
        let start = Instant::now();
        // Refused at the very end, when the indexes would be used.
        let _ = store.upkeep(None).await;
        let kept = start.elapsed();
        for (mode, name) in [(Mode::Words, "words"), (Mode::Both, "words and vectors")] {
            line(store, &one, &prefix, *size, "whole", mode, name).await;
        }
        plans::print(store, &format!("{prefix}:{}", one.turns[0].conversation), false).await;
        let drop = "alter table heirloom.frequency drop constraint whole";
        store.database().client().await.unwrap().batch_execute(drop).await.unwrap();
        store.upkeep(None).await.unwrap();
        if *size > heirloom_store::LARGE_NAMESPACE {
            for (mode, name) in [(Mode::Words, "words"), (Mode::Both, "words and vectors")] {
                line(store, &one, &prefix, *size, "indexed", mode, name).await;
            }
            plans::print(store, &format!("{prefix}:{}", one.turns[0].conversation), true).await;
        }
        println!(
            "  {size:>8} rows inserted in {:.1} s ({:.0} µs each), counted, signed and indexed in {:.1} s",
            filled.as_secs_f64(),
            filled.as_secs_f64() * 1e6 / *size as f64,
            kept.as_secs_f64()
        );
    }
}

async fn line(store: &Store, one: &Collection, prefix: &str, size: i64, how: &str, mode: Mode, name: &str) {
    let found = ask_all(store, one, prefix, mode, true).await;
    println!("  {size:>8} {how:8} {name:18} {:9.3} {:11.2} {:11.2}", found.at_10, found.median_ms, found.p99_ms);
}

pub(crate) fn only_first(all: &Collection) -> Collection {
    let mut one =
        Collection { turns: Vec::new(), questions: Vec::new(), turn_vectors: Vec::new(), question_vectors: Vec::new() };
    let first = all.turns[0].conversation;
    for (turn, vector) in all.turns.iter().zip(&all.turn_vectors).filter(|(turn, _)| turn.conversation == first) {
        one.turns.push(crate::collection::Turn {
            conversation: turn.conversation,
            session: turn.session,
            turn: turn.turn.clone(),
            said_at: turn.said_at.clone(),
            text: turn.text.clone(),
        });
        one.turn_vectors.push(vector.clone());
    }
    for (question, vector) in all.questions.iter().zip(&all.question_vectors).filter(|(q, _)| q.conversation == first) {
        one.questions.push(crate::collection::Question {
            conversation: question.conversation,
            question: question.question.clone(),
            evidence: question.evidence.clone(),
        });
        one.question_vectors.push(vector.clone());
    }
    one
}

/// Sentences of the other conversations' words, sixteen a row, in sessions of thirty; vectors near those of real rows.
pub(crate) async fn fill(store: &Store, namespace: &str, rows: i64) {
    store
        .database()
        .client()
        .await
        .unwrap()
        .batch_execute(&format!(
            "select setseed(0.25);
             create temp table bench_word as
                 select row_number() over () as n, w.word
                 from heirloom.memory m, regexp_split_to_table(m.content, '\\s+') w(word)
                 where m.namespace like 'project:%' and m.namespace <> 'project:0';
             create index on bench_word (n);
             create temp table bench_vector as
                 select row_number() over () as n, m.embedding from heirloom.memory m
                 where m.namespace like 'project:%' and m.namespace <> 'project:0';
             create index on bench_vector (n);
             analyze bench_word; analyze bench_vector;
             insert into heirloom.memory (id, namespace, kind, content, source_run_id, created_at, embedding, embedding_model)
             select gen_random_uuid(), '{namespace}', 'fact',
                 (select string_agg(w.word, ' ') from generate_series(1, 16) g
                  cross join lateral (select (1 + random() * (select max(n) - 1 from bench_word) + (g + r) * 0)::bigint as at) p
                  join bench_word w on w.n = p.at),
                 'made up ' || r / 30, timestamptz '2020-01-01Z' + r * interval '1 minute',
                 v.embedding, 'minilm'
             from generate_series(1, {rows}) r
             join bench_vector v on v.n = 1 + r % (select max(n) from bench_vector);
             drop table bench_word; drop table bench_vector"
        ))
        .await
        .unwrap();
}
