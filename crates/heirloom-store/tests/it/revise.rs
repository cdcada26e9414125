//! Revising: the new text, the old one kept, and the version that guards both.

use heirloom_store::{Remember, Revise, Show, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::installed;
use crate::world::{axis, fact, ids, lesson, number, remembered, scope, words};

#[tokio::test(flavor = "multi_thread")]
async fn says_the_new_and_keeps_the_old() {
    let (test, store) = installed().await;
    let team = scope("team:a").by("ana").unwrap();
    let id =
        remembered(&store, &Remember { embedding: Some(axis(0, 0.0)), ..fact("team:a", "the zebra sleeps") }).await;
    let done = store
        .revise(&team, &Revise { id, content: Some("the giraffe wakes".to_owned()), ..Revise::default() })
        .await
        .unwrap();
    assert!(done.changed && done.version == 2 && done.namespace == "team:a");
    let shown = store.show(&team, &Show { id, namespace: None }).await.unwrap();
    assert_eq!((shown.memory.content.as_str(), shown.memory.version, shown.revisions), ("the giraffe wakes", 2, 1));
    assert!(!shown.memory.has_embedding, "the old text's embedding must not find the new one");
    assert!(shown.memory.updated_at > shown.memory.created_at);
    assert_eq!(ids(&store.recall(&team, &words("giraffe")).await.unwrap()), [id]);
    assert!(ids(&store.recall(&team, &words("zebra")).await.unwrap()).is_empty());
    let kept =
        "select count(*) from heirloom.revision where version_n = 1 and content = 'the zebra sleeps' and actor = 'ana'";
    assert_eq!(number(&store, kept).await, 1);
    assert_eq!(
        number(&store, "select count(*) from heirloom.activity where action = 'revise' and actor = 'ana'").await,
        1
    );

    let again = store
        .revise(&team, &Revise { id, content: Some("the giraffe wakes".to_owned()), ..Revise::default() })
        .await
        .unwrap();
    assert!(!again.changed && again.version == 2);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_only_what_is_given() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let new = Remember { metadata: Some(json!({"a": 1})), ..lesson("team:a", "text", None) };
    let id = remembered(&store, &new).await;
    let change = Revise {
        id,
        topic: Some("locking".to_owned()),
        metadata: Some(json!({})),
        embedding: Some(axis(0, 0.0)),
        embedding_model: Some("m".to_owned()),
        commit_sha: Some("abc".to_owned()),
        ..Revise::default()
    };
    store.revise(&team, &change).await.unwrap();
    let memory = store.show(&team, &Show { id, namespace: None }).await.unwrap().memory;
    assert_eq!((memory.content.as_str(), memory.role.as_deref()), ("text", Some("reviewer")));
    assert_eq!((memory.topic.as_deref(), memory.metadata), (Some("locking"), None));
    assert!(memory.has_embedding && memory.verified_at.is_some());
    assert_eq!(memory.embedding_model.as_deref(), Some("m"));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = remembered(&store, &fact("team:a", "one")).await;
    let change =
        |text: &str| Revise { id, content: Some(text.to_owned()), expected_version: Some(1), ..Revise::default() };
    // Both read version 1: whoever commits second is told so.
    let (two, three) = (change("two"), change("three"));
    let (first, second) = tokio::join!(store.revise(&team, &two), store.revise(&team, &three));
    assert_eq!([first.is_ok(), second.is_ok()].iter().filter(|ok| **ok).count(), 1, "{first:?} {second:?}");
    let refused = first.err().or(second.err());
    assert!(matches!(&refused, Some(StoreError::Conflict(message)) if message.contains("version 2")), "{refused:?}");
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_nothing_bad_and_nobody() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = remembered(&store, &fact("team:a", "one")).await;
    let bad = [
        ("content", Revise { id, ..Revise::default() }),
        ("content", Revise { id, content: Some(" ".to_owned()), ..Revise::default() }),
        ("content", Revise { id, content: Some("a\0".to_owned()), ..Revise::default() }),
        ("embedding", Revise { id, embedding: Some(vec![0.0]), ..Revise::default() }),
        ("embedding", Revise { id, embedding: Some(vec![1.0; 1025]), ..Revise::default() }),
        ("embedding_model", Revise { id, embedding_model: Some("m".to_owned()), ..Revise::default() }),
        ("namespace", Revise { id, namespace: Some("x".to_owned()), topic: Some("t".to_owned()), ..Revise::default() }),
    ];
    for (wanted, change) in bad {
        match store.revise(&team, &change).await {
            Err(StoreError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    let nobody = Revise { id: Uuid::from_u128(404), content: Some("x".to_owned()), ..Revise::default() };
    assert!(matches!(store.revise(&team, &nobody).await, Err(StoreError::NotFound { .. })));
    assert_eq!(number(&store, "select count(*) from heirloom.revision").await, 0);
    test.close().await;
}
