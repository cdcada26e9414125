//! Committing: the same id says something else, and nothing else of it changes by accident.

use heirloom_store::{Forget, Remember, Show, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::installed;
use crate::world::{axis, fact, lesson, number, remembered, scope};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_again_overwrites_and_what_is_left_out_is_reset() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = Uuid::from_u128(7);
    let first = Remember {
        id: Some(id),
        pin: true,
        state: Some("validated".to_owned()),
        importance: Some(5),
        propagation: Some(json!({"a": null})),
        metadata: Some(json!({"tags": ["x"]})),
        expires_at: Some("2999-01-01T00:00:00Z".parse().unwrap()),
        created_at: Some("2020-01-02T03:04:05.000006Z".parse().unwrap()),
        updated_at: Some("2021-01-02T03:04:05Z".parse().unwrap()),
        ..lesson("team:a", "before", Some("abc"))
    };
    let made = store.commit(&team, &first).await.unwrap();
    assert!(made.created && !made.ghost && made.id == id);
    let shown = store.show(&team, &Show { id, namespace: None }).await.unwrap().memory;
    assert_eq!(shown.created_at, first.created_at);
    assert_eq!(shown.updated_at, first.updated_at);
    assert_eq!(shown.valid_from, shown.created_at, "valid since it was made");

    let second = Remember { id: Some(id), ..fact("team:a", "after") };
    let done = store.commit(&team, &second).await.unwrap();
    assert!(!done.created && done.lesson_id == made.lesson_id);
    let shown = store.show(&team, &Show { id, namespace: None }).await.unwrap();
    assert_eq!(shown.revisions, 1);
    let memory = shown.memory;
    assert_eq!((memory.content.as_str(), memory.kind.as_str(), memory.version), ("after", "fact", 2));
    assert_eq!((memory.pin, memory.importance, memory.state.as_str()), (false, 3, "validated"));
    assert!(memory.propagation.is_none() && memory.metadata.is_none() && memory.expires_at.is_none());
    assert!(memory.commit_sha.is_none() && memory.verified_at.is_none() && memory.role.is_none());
    assert_eq!(memory.created_at, first.created_at);
    assert!(memory.updated_at > first.updated_at);
    assert_eq!(number(&store, "select count(*) from heirloom.revision where content = 'before'").await, 1);

    // Saying it once more writes nothing at all.
    let version = "select xmin::text::bigint from heirloom.memory";
    let before = number(&store, version).await;
    assert!(!store.commit(&team, &second).await.unwrap().created);
    assert_eq!(number(&store, version).await, before);
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, 2);
    assert_eq!(
        number(
            &store,
            "select count(*) from heirloom.activity where action = 'revise' and details ->> 'version' = '2'"
        )
        .await,
        1
    );
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_stays_as_long_as_its_text_does() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let it = Uuid::from_u128(7);
    let id = Some(it);
    let first =
        Remember { id, embedding: Some(axis(0, 0.0)), embedding_model: Some("m".to_owned()), ..fact("team:a", "text") };
    store.commit(&team, &first).await.unwrap();
    store.commit(&team, &Remember { id, pin: true, ..fact("team:a", "text") }).await.unwrap();
    let shown = store.show(&team, &Show { id: it, namespace: None }).await.unwrap().memory;
    assert!(shown.has_embedding && shown.pin && shown.embedding_model.as_deref() == Some("m"));
    store.commit(&team, &Remember { id, ..fact("team:a", "other text") }).await.unwrap();
    let shown = store.show(&team, &Show { id: it, namespace: None }).await.unwrap().memory;
    assert!(!shown.has_embedding && shown.embedding_model.is_none());
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_elsewhere_forgotten_or_in_another_state_is_a_conflict() {
    let (test, store) = installed().await;
    let (here, there) = (scope("team:a"), scope("team:b"));
    let id = remembered(&store, &fact("team:a", "mine")).await;
    let conflict = |done: heirloom_store::Result<heirloom_store::Remembered>, word: &str| match done {
        Err(StoreError::Conflict(message)) => {
            assert!(message.contains(word) && !message.contains("team:a"), "{message}");
        }
        other => panic!("{other:?}"),
    };
    let taken = Remember { id: Some(id), ..fact("team:b", "yours") };
    conflict(store.commit(&there, &taken).await, "another namespace");
    let moved = Remember { id: Some(id), state: Some("canonical".to_owned()), ..fact("team:a", "mine") };
    conflict(store.commit(&here, &moved).await, "transition");
    store.forget(&here, &Forget { id, namespace: None, reason: None }).await.unwrap();
    for (scope, namespace) in [(&here, "team:a"), (&there, "team:b")] {
        let back = Remember { id: Some(id), ..fact(namespace, "back") };
        conflict(store.commit(scope, &back).await, "forgotten");
    }
    assert_eq!(number(&store, "select count(*) from heirloom.memory").await, 0);
    // What was refused left nothing behind, not even the namespace it would have made.
    assert_eq!(number(&store, "select count(*) from heirloom.namespace where name = 'team:b'").await, 0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_that_loses_its_provenance_is_a_ghost() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = Some(Uuid::from_u128(7));
    store.commit(&team, &Remember { id, ..lesson("team:a", "x", Some("abc")) }).await.unwrap();
    let done = store.commit(&team, &Remember { id, ..lesson("team:a", "x", None) }).await.unwrap();
    assert!(done.ghost && !done.created);
    assert_eq!(number(&store, "select count(*) from heirloom.memory where verified_at is null").await, 1);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_one_id_take_their_turns() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = Some(Uuid::from_u128(7));
    let texts: Vec<_> = (0..12).map(|n| Remember { id, ..fact("team:a", &format!("text {n}")) }).collect();
    let done = futures_util::future::join_all(texts.iter().map(|new| store.commit(&team, new))).await;
    assert_eq!(done.iter().filter(|done| done.as_ref().unwrap().created).count(), 1);
    assert_eq!(number(&store, "select version_n::bigint from heirloom.memory").await, 12);
    assert_eq!(number(&store, "select count(*) from heirloom.revision").await, 11);
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, 12);
    test.close().await;
}
