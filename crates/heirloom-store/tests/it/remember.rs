//! Remembering: what is kept, what is refused, and what happens the second time.

use heirloom_store::{Remember, Show, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::installed;
use crate::world::{behind, fact, lesson, number, remembered, scope};

#[tokio::test(flavor = "multi_thread")]
async fn keeps_every_field_byte_for_byte() {
    let (test, store) = installed().await;
    let content = " Ünï\r\n\tcode 東京 🎉 e\u{301} \u{feff}";
    let new = Remember {
        id: Some(Uuid::from_u128(7)),
        importance: Some(5),
        state: Some("validated".to_owned()),
        source: Some("user".to_owned()),
        artifact_hash: Some("sha256:ab".to_owned()),
        source_run_id: Some("99999999999999999999".to_owned()),
        source_task_id: Some("t".to_owned()),
        source_dag_id: Some("d".to_owned()),
        pin: true,
        propagation: Some(json!(["up"])),
        metadata: Some(json!({"a": {"b": [1, null]}})),
        embedding: Some(vec![0.5, -0.25]),
        embedding_model: Some("tiny".to_owned()),
        expires_at: Some("2999-01-01T00:00:00.000001Z".parse().unwrap()),
        valid_from: Some("2020-01-01T00:00:00Z".parse().unwrap()),
        valid_to: Some("2998-01-01T00:00:00Z".parse().unwrap()),
        content_type: Some("c".to_owned()),
        item_kind: Some("spec".to_owned()),
        ..lesson("team:a", content, Some("abc"))
    };
    let done = store.remember(&scope("team:a"), &new).await.unwrap();
    assert!(done.created && !done.ghost && done.id == Uuid::from_u128(7) && done.lesson_id > 0);

    let shown = store.show(&scope("team:a"), &Show { id: done.id, namespace: None }).await.unwrap();
    let memory = shown.memory;
    assert_eq!(memory.content, content);
    assert_eq!((memory.kind.as_str(), memory.source.as_str(), memory.state.as_str()), ("lesson", "user", "validated"));
    assert_eq!((memory.role, memory.topic), (new.role, new.topic));
    assert_eq!((memory.importance, memory.pin, memory.version), (5, true, 1));
    assert_eq!((memory.commit_sha, memory.artifact_hash), (new.commit_sha, new.artifact_hash));
    assert_eq!(memory.source_run_id.as_deref(), Some("99999999999999999999"));
    assert_eq!((memory.propagation, memory.metadata), (new.propagation, new.metadata));
    assert!(memory.has_embedding && memory.verified_at.is_some() && memory.created_at.is_some());
    assert_eq!(memory.embedding_model.as_deref(), Some("tiny"));
    assert_eq!(memory.expires_at, new.expires_at);
    assert_eq!(memory.valid_from, new.valid_from);
    assert_eq!(memory.valid_to, new.valid_to);
    assert_eq!((memory.content_type.as_deref(), memory.item_kind.as_str()), (Some("c"), "spec"));
    assert!(shown.origin.is_none() && shown.revisions == 0 && shown.transitions.is_empty());

    let lines = "select count(*) from heirloom.activity where action = 'remember' and namespace = 'team:a'";
    let digest =
        format!("{lines} and content_sha256 = sha256(convert_to((select content from heirloom.memory), 'UTF8'))");
    assert_eq!((number(&store, lines).await, number(&store, &digest).await), (1, 1));
    assert_eq!(
        number(&store, "select count(*) from heirloom.namespace where name = 'team:a' and kind = 'team'").await,
        1
    );
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn says_little_and_gets_the_defaults() {
    let (test, store) = installed().await;
    let done = store
        .remember(&scope("team:a"), &Remember { metadata: Some(json!(null)), ..lesson("team:a", "x", None) })
        .await
        .unwrap();
    assert!(done.ghost && done.created);
    assert_eq!(done.id.get_version_num(), 7);
    let memory = store.show(&scope("team:a"), &Show { id: done.id, namespace: None }).await.unwrap().memory;
    assert_eq!((memory.kind.as_str(), memory.source.as_str(), memory.state.as_str()), ("lesson", "agent", "draft"));
    assert_eq!((memory.importance, memory.pin, memory.item_kind.as_str()), (3, false, "note"));
    assert!(memory.verified_at.is_none() && memory.metadata.is_none() && !memory.has_embedding);
    assert!(memory.expires_at.is_none() && memory.valid_to.is_none() && memory.valid_from.is_some());
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_cannot_be_kept_and_writes_nothing() {
    let (test, store) = installed().await;
    let good = || lesson("team:a", "x", None);
    let time = |text: &str| Some(text.parse().unwrap());
    let bad: Vec<(&str, Remember)> = vec![
        ("content", Remember { content: String::new(), ..good() }),
        ("content", Remember { content: " \n\u{3000}".to_owned(), ..good() }),
        ("content", Remember { content: "a\0b".to_owned(), ..good() }),
        ("content", Remember { content: "x".repeat(256 * 1024 + 1), ..good() }),
        ("namespace", Remember { namespace: "Team:a".to_owned(), ..good() }),
        ("namespace", Remember { namespace: "team:a,team:b".to_owned(), ..good() }),
        ("kind", Remember { kind: Some("Lesson".to_owned()), ..good() }),
        ("source", Remember { source: Some("me".to_owned()), ..good() }),
        ("state", Remember { state: Some("pending".to_owned()), ..good() }),
        ("item_kind", Remember { item_kind: Some("x".to_owned()), ..good() }),
        ("importance", Remember { importance: Some(0), ..good() }),
        ("importance", Remember { importance: Some(6), ..good() }),
        ("role", Remember { role: None, ..good() }),
        ("topic", Remember { topic: None, ..good() }),
        ("topic", Remember { topic: Some(" ".to_owned()), ..good() }),
        ("commit_sha", Remember { commit_sha: Some(String::new()), ..good() }),
        ("source_run_id", Remember { source_run_id: Some("a\0".to_owned()), ..good() }),
        ("metadata", Remember { metadata: Some(json!({"a": "\0"})), ..good() }),
        ("embedding", Remember { embedding: Some(vec![1.0; 1025]), ..good() }),
        ("embedding", Remember { embedding: Some(vec![]), ..good() }),
        ("embedding", Remember { embedding: Some(vec![f32::NAN]), ..good() }),
        ("embedding", Remember { embedding: Some(vec![f32::INFINITY, 1.0]), ..good() }),
        ("embedding", Remember { embedding: Some(vec![0.0; 1024]), ..good() }),
        ("embedding_model", Remember { embedding_model: Some("m".to_owned()), ..good() }),
        (
            "valid_to",
            Remember { valid_from: time("2026-01-01T00:00:00Z"), valid_to: time("2026-01-01T00:00:00Z"), ..good() },
        ),
    ];
    for (wanted, new) in bad {
        match store.remember(&scope("team:a"), &new).await {
            Err(StoreError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    assert_eq!(number(&store, "select count(*) from heirloom.memory").await, 0);
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, 0);
    assert_eq!(number(&store, "select count(*) from heirloom.namespace").await, 0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_content_is_kept_whatever_its_words() {
    let (test, store) = installed().await;
    let distinct: String = (0..).map(|n| format!("{n:x} ")).take_while_total(256 * 1024);
    let wide = "東".repeat(256 * 1024 / 3);
    for content in [distinct, wide] {
        remembered(&store, &fact("team:a", &content)).await;
    }
    test.close().await;
}

/// Joins pieces as long as they fit.
trait TakeWhileTotal {
    fn take_while_total(self, bytes: usize) -> String;
}

impl<I: Iterator<Item = String>> TakeWhileTotal for I {
    fn take_while_total(self, bytes: usize) -> String {
        let mut text = String::new();
        for piece in self {
            if text.len() + piece.len() > bytes {
                break;
            }
            text.push_str(&piece);
        }
        text
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_and_content_again_change_nothing() {
    let (test, store) = installed().await;
    let new = Remember { id: Some(Uuid::from_u128(1)), ..fact("team:a", "same") };
    let first = store.remember(&scope("team:a"), &new).await.unwrap();
    let version = "select xmin::text::bigint from heirloom.memory";
    let before = number(&store, version).await;
    let again = store.remember(&scope("team:a"), &Remember { importance: Some(5), ..new.clone() }).await.unwrap();
    assert!(first.created && !again.created && again.id == first.id && again.lesson_id == first.lesson_id);
    assert_eq!(number(&store, version).await, before);
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, 1);

    let other = store.remember(&scope("team:a"), &Remember { content: "other".to_owned(), ..new.clone() }).await;
    match other {
        Err(StoreError::Conflict(message)) => assert!(message.contains("revise"), "{message}"),
        other => panic!("{other:?}"),
    }
    // The id lives in another namespace, which the writer cannot see.
    let elsewhere = Remember { namespace: "team:b".to_owned(), ..new };
    match store.remember(&scope("team:b"), &elsewhere).await {
        Err(StoreError::Conflict(message)) => assert!(!message.contains("team:a"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(number(&store, "select count(*) from heirloom.memory").await, 1);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_of_one_id_one_creates() {
    let (test, store) = installed().await;
    let id = Some(Uuid::from_u128(9));
    let here = Remember { id, ..fact("team:a", "one") };
    let there = Remember { id, ..fact("team:b", "one") };
    let (scope_a, scope_b) = (scope("team:a"), scope("team:b"));
    let (first, second, third) = tokio::join!(
        store.remember(&scope_a, &here),
        store.remember(&scope_a, &here),
        store.remember(&scope_b, &there)
    );
    let created = [&first, &second, &third].iter().filter(|done| done.as_ref().is_ok_and(|done| done.created)).count();
    assert_eq!(created, 1, "{first:?} {second:?} {third:?}");
    assert_eq!(number(&store, "select count(*) from heirloom.memory").await, 1);

    // Two writers of a namespace that is not there yet.
    let (one, two) = (fact("team:new", "one"), fact("team:new", "two"));
    let fresh = scope("team:new");
    let (one, two) = tokio::join!(store.remember(&fresh, &one), store.remember(&fresh, &two));
    assert!(one.unwrap().created && two.unwrap().created);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_activity_never_holds_content() {
    let (test, store) = installed().await;
    remembered(&store, &fact("team:a", "xyzzysecret")).await;
    assert_eq!(number(&store, "select count(*) from heirloom.activity a where a::text like '%xyzzysecret%'").await, 0);
    behind(&store, "delete from heirloom.memory").await;
    test.close().await;
}
