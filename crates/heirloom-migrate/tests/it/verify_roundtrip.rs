//! Two implementations of "the same row" that share no code agree through a real database: `canon` on what was sent,
//! `verify::target` on what PostgreSQL sends back.

use heirloom_migrate::canon;
use heirloom_migrate::digest::Key;
use heirloom_migrate::verify::target;
use heirloom_store::bulk::{self, Row};
use heirloom_store::{ITEM_KINDS, KINDS, Memory, Moment, Origin, SOURCES, STATES, Store};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::support::installed;

const DIMENSION: usize = 4;

/// Any text PostgreSQL can hold.
fn text() -> BoxedStrategy<String> {
    any::<String>().prop_map(|text| text.replace('\0', "\u{fffd}")).boxed()
}

fn moment() -> BoxedStrategy<Option<Moment>> {
    // From the first microsecond of a timestamptz, 4714-11-24 BC, to the last one that 64 bits since 1970 can say.
    of(prop_oneof![
        8 => (-210_866_803_200_000_000..=i64::MAX).prop_map(Moment::Micros),
        4 => (1_500_000_000_000_000..1_800_000_000_000_000_i64).prop_map(Moment::Micros),
        1 => Just(Moment::Infinity),
        1 => Just(Moment::NegativeInfinity),
    ])
    .boxed()
}

fn number() -> BoxedStrategy<serde_json::Value> {
    (any::<bool>(), "(0|[1-9][0-9]{0,30})", of("[0-9]{1,30}"), of(-300..300_i32))
        .prop_map(|(negative, whole, fraction, power)| {
            let mut text = if negative { format!("-{whole}") } else { whole };
            fraction.into_iter().for_each(|digits| text.push_str(&format!(".{digits}")));
            power.into_iter().for_each(|power| text.push_str(&format!("e{power}")));
            serde_json::from_str(&text).unwrap()
        })
        .boxed()
}

fn json() -> BoxedStrategy<serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::Bool),
        number(),
        text().prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(serde_json::Value::Array),
            vec((text(), inner), 0..5).prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

fn real() -> BoxedStrategy<f32> {
    prop_oneof![
        any::<f32>().prop_filter("finite", |value| value.is_finite()),
        Just(-0.0),
        Just(f32::MIN_POSITIVE / 2.0)
    ]
    .boxed()
}

fn memory() -> impl Strategy<Value = Memory> {
    let words = (
        "custom:[A-Za-z0-9_:.-]{1,20}",
        of(any::<i32>()),
        select(KINDS.to_vec()),
        select(SOURCES.to_vec()),
        vec(of(text()), 7),
        text(),
        1..=5_i16,
        select(STATES.to_vec()),
        select(ITEM_KINDS.to_vec()),
    );
    let rest = (
        vec(moment(), 7),
        of(json()),
        of(json()),
        of(vec(real(), 1..=DIMENSION)),
        of(prop_oneof![0.0..=1.0_f32, Just(-0.0)]),
        any::<bool>(),
        any::<bool>(),
        text(),
    );
    (words, rest).prop_map(|(words, rest)| {
        let (namespace, project_id, kind, source, mut texts, content, importance, state, item_kind) = words;
        let (moments, propagation, metadata, embedding, confidence, pin, is_active, label) = rest;
        let mut memory = Memory::new(Uuid::new_v4(), namespace, format!("x{content}"));
        memory.project_id = project_id;
        memory.kind = kind.to_owned();
        memory.source = source.to_owned();
        memory.role = Some(label);
        memory.topic = Some(texts.pop().flatten().unwrap_or_default());
        memory.importance = importance;
        memory.state = state.to_owned();
        memory.item_kind = item_kind.to_owned();
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        memory.commit_sha = next();
        memory.artifact_hash = next();
        memory.source_run_id = next();
        memory.source_task_id = next();
        memory.source_dag_id = next();
        memory.content_type = next();
        memory.embedding_model = embedding.as_ref().map(|_| "tiny".to_owned());
        memory.embedding = embedding;
        (memory.propagation, memory.metadata) = (propagation, metadata);
        (memory.confidence, memory.pin, memory.is_active) = (confidence, pin, is_active);
        memory.state_changed_at = moments[0];
        memory.verified_at = moments[1];
        memory.expires_at = moments[2];
        memory.valid_from = moments[3];
        memory.valid_to = moments[4];
        memory.created_at = moments[5];
        memory.updated_at = moments[6];
        memory
    })
}

/// Loads the rows, reads them back, and rolls back.
async fn disagreements(store: &Store, memories: &[Memory]) -> Vec<String> {
    let origin = Origin {
        run_id: Uuid::nil(),
        source: "test".into(),
        source_key: "[\"1\"]".into(),
        source_row: "{}".into(),
        source_digest: [0; 16],
        written_digest: [0; 16],
    };
    let rows: Vec<Row> = memories.iter().map(|memory| Row { memory: memory.clone(), origin: origin.clone() }).collect();
    let allowed: Vec<String> = memories.iter().map(|memory| memory.namespace.clone()).collect();
    let mut client = store.database().client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let loaded = bulk::load(&tx, store.meta(), &rows, &allowed).await.unwrap();
    assert_eq!(loaded.inserted, memories.len() as u64);
    let ids: Vec<Uuid> = memories.iter().map(|memory| memory.id).collect();
    let found = target::rows(&tx, &ids).await.unwrap();
    let digests = target::digests(&tx, &ids, &Key::of_store(store.meta().store_id)).await.unwrap();
    tx.rollback().await.unwrap();
    let mut disagreements = Vec::new();
    for memory in memories {
        let row = found.iter().find(|row| row.id == memory.id).unwrap();
        for (tag, field) in canon::FIELDS.iter().enumerate() {
            if canon::field(memory, tag, DIMENSION) != row.frames[tag] {
                disagreements.push((*field).to_owned());
            }
        }
        let written = Key::of_store(store.meta().store_id).digest(&canon::memory(memory, DIMENSION));
        if digests[&memory.id] != written && disagreements.is_empty() {
            disagreements.push("the digest of the whole row".into());
        }
    }
    disagreements
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_and_what_comes_back_have_the_same_bytes() {
    let db = installed(DIMENSION).await;
    let store = Store::open(db.database()).await.unwrap();
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
        runner
            .run(&vec(memory(), 1..12), |memories| {
                let disagreements = handle.block_on(disagreements(&store, &memories));
                prop_assert!(disagreements.is_empty(), "{:?}", disagreements);
                Ok(())
            })
            .unwrap();
    });
    db.close().await;
}
