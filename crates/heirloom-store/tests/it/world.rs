//! What the tests of the operations share: requests made short, and a look behind the doors.

use heirloom_store::bulk::Row;
use heirloom_store::{Memory, Origin, Recall, Recalled, Remember, Scope, Store};
use uuid::Uuid;

pub(crate) fn scope(namespace: &str) -> Scope {
    Scope::one(namespace).unwrap()
}

/// A fact needs no role, no topic and no provenance.
pub(crate) fn fact(namespace: &str, content: &str) -> Remember {
    Remember {
        namespace: namespace.to_owned(),
        content: content.to_owned(),
        kind: Some("fact".to_owned()),
        ..Remember::default()
    }
}

/// A lesson, verified when a commit is given.
pub(crate) fn lesson(namespace: &str, content: &str, commit: Option<&str>) -> Remember {
    Remember {
        namespace: namespace.to_owned(),
        content: content.to_owned(),
        role: Some("reviewer".to_owned()),
        topic: Some("caching".to_owned()),
        commit_sha: commit.map(str::to_owned),
        ..Remember::default()
    }
}

/// A unit vector along one axis, with a little of the next.
pub(crate) fn axis(at: usize, lean: f32) -> Vec<f32> {
    let mut vector = vec![0.0; 8];
    vector[at] = 1.0;
    vector[at + 1] = lean;
    vector
}

pub(crate) fn words(query: &str) -> Recall {
    Recall { query: Some(query.to_owned()), ..Recall::default() }
}

pub(crate) fn ids(recalled: &Recalled) -> Vec<Uuid> {
    recalled.hits.iter().map(|hit| hit.id).collect()
}

pub(crate) async fn remembered(store: &Store, new: &Remember) -> Uuid {
    store.remember(&scope(&new.namespace), new).await.unwrap().id
}

/// Runs one statement as the superuser of the test, around every door.
pub(crate) async fn behind(store: &Store, sql: &str) {
    store.database().client().await.unwrap().batch_execute(sql).await.unwrap();
}

/// One number, read as the superuser of the test.
pub(crate) async fn number(store: &Store, sql: &str) -> i64 {
    store.database().client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
}

/// A memory as a load brings it, with where it came from.
pub(crate) fn handed_down(memory: Memory) -> Row {
    let origin = Origin {
        run_id: Uuid::from_u128(7),
        source: "postgres:legacy/public.notes".to_owned(),
        source_key: "[\"1\"]".to_owned(),
        source_row: "{}".to_owned(),
        source_digest: [1; 16],
        written_digest: [2; 16],
    };
    Row { memory, origin }
}
