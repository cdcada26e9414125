//! Namespaces: what is said of them, when they end, and how they go.

use heirloom_store::{List, Remember, Scope, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::installed;
use crate::world::{behind, fact, ids, number, remembered, scope, words};

#[tokio::test(flavor = "multi_thread")]
async fn putting_keeps_what_it_does_not_mention_and_patching_clears() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let end = "2999-01-01T00:00:00.000001Z".parse().unwrap();
    let made = store.put_namespace(&team, "team:a", Some("team"), None, None).await.unwrap();
    assert_eq!((made.name.as_str(), made.kind.as_str(), made.expired), ("team:a", "team", false));
    assert!(made.expires_at.is_none() && made.metadata.is_none() && made.created_at.is_some());
    let patched = store.patch_namespace(&team, "team:a", Some(Some(end)), Some(Some(json!({"a": 1})))).await.unwrap();
    assert!(patched.expires_at.is_some() && patched.metadata == Some(json!({"a": 1})));
    // The platform puts the kind before each write; nothing of it is lost, and nothing is written.
    let lines = number(&store, "select count(*) from heirloom.activity").await;
    for kind in [Some("team"), None] {
        assert_eq!(store.put_namespace(&team, "team:a", kind, None, None).await.unwrap(), patched);
    }
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, lines);
    // One thing at a time; null and {} clear.
    let one = store.patch_namespace(&team, "team:a", Some(None), None).await.unwrap();
    assert!(one.expires_at.is_none() && one.metadata.is_some());
    let one = store.patch_namespace(&team, "team:a", None, Some(Some(json!({})))).await.unwrap();
    assert!(one.metadata.is_none());
    let one =
        store.put_namespace(&team, "team:a", Some("team"), Some(Some(end)), Some(Some(json!([1])))).await.unwrap();
    assert!(one.expires_at.is_some() && one.metadata == Some(json!([1])));
    let one = store.put_namespace(&team, "team:a", None, Some(None), Some(Some(json!(null)))).await.unwrap();
    assert!(one.expires_at.is_none() && one.metadata.is_none());
    assert_eq!(one.created_at, made.created_at);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_what_the_caller_says_and_another_kind_is_another_namespace() {
    let (test, store) = installed().await;
    let all = Scope::new(["team:a", "project:1", "lab:x"]).unwrap();
    assert_eq!(store.put_namespace(&all, "project:1", None, None, None).await.unwrap().kind, "project");
    assert_eq!(store.put_namespace(&all, "lab:x", None, None, None).await.unwrap().kind, "custom");
    store.put_namespace(&all, "team:a", Some("org"), None, Some(Some(json!({"a": 1})))).await.unwrap();
    assert_eq!(store.get_namespace(&all, "team:a").await.unwrap().kind, "org");
    assert!(store.put_namespace(&all, "team:a", None, None, None).await.unwrap().metadata.is_some());
    let other = store.put_namespace(&all, "team:a", Some("team"), None, None).await.unwrap();
    assert!(other.kind == "team" && other.metadata.is_none());
    for bad in ["Team", "project", ""] {
        let done = store.put_namespace(&all, "team:a", Some(bad), None, None).await;
        assert!(matches!(done, Err(StoreError::Invalid { field: "kind", .. })));
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ended_shows_and_takes_nothing_and_keeps_what_it_has() {
    let (test, store) = installed().await;
    let both = Scope::new(["team:a", "team:b"]).unwrap();
    remembered(&store, &fact("team:a", "xyzzy one")).await;
    let other = remembered(&store, &fact("team:b", "xyzzy two")).await;
    let past = Some(Some("2001-01-01T00:00:00Z".parse().unwrap()));
    assert!(store.patch_namespace(&both, "team:a", past, None).await.unwrap().expired);
    assert_eq!(ids(&store.recall(&both, &words("xyzzy")).await.unwrap()), [other]);
    for done in [
        store.remember(&both, &fact("team:a", "late")).await,
        store.commit(&both, &Remember { id: Some(Uuid::from_u128(1)), ..fact("team:a", "late") }).await,
    ] {
        assert!(matches!(done, Err(StoreError::Conflict(_))), "{done:?}");
    }
    assert_eq!(store.list(&both, &List::default()).await.unwrap().items.len(), 2);
    store.patch_namespace(&both, "team:a", Some(None), None).await.unwrap();
    assert_eq!(store.recall(&both, &words("xyzzy")).await.unwrap().hits.len(), 2);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_forgets_all_that_is_in_it_and_nothing_else() {
    let (test, store) = installed().await;
    let both = Scope::new(["team:a", "team:b"]).unwrap();
    for n in 0..12 {
        remembered(&store, &Remember { id: Some(Uuid::from_u128(n)), ..fact("team:a", &format!("text {n}")) }).await;
    }
    remembered(&store, &fact("team:b", "text")).await;
    let counted: Vec<_> = store
        .list_namespaces(&both)
        .await
        .unwrap()
        .into_iter()
        .map(|namespace| (namespace.name, namespace.memories))
        .collect();
    assert_eq!(counted, [("team:a".to_owned(), Some(12)), ("team:b".to_owned(), Some(1))]);
    assert_eq!(store.delete_namespace(&both, "team:a").await.unwrap(), 12);
    for (wanted, count) in [
        (0, "heirloom.memory where namespace = 'team:a'"),
        (1, "heirloom.memory where namespace = 'team:b'"),
        (12, "heirloom.tombstone where namespace = 'team:a'"),
        (12, "heirloom.activity where action = 'forget' and content_sha256 is not null"),
        (1, "heirloom.activity where action = 'namespace_delete' and details ->> 'memories' = '12'"),
        (0, "heirloom.namespace where name = 'team:a'"),
        (0, "heirloom.lexeme where namespace = 'team:a'"),
        (0, "heirloom.frequency where namespace = 'team:a'"),
    ] {
        assert_eq!(number(&store, &format!("select count(*) from {count}")).await, wanted, "{count}");
    }
    let back = Remember { id: Some(Uuid::from_u128(3)), ..fact("team:a", "text 3") };
    assert!(matches!(store.remember(&both, &back).await, Err(StoreError::Conflict(_))));
    // An empty one goes, too; one that never was is not found.
    store.put_namespace(&both, "team:a", None, None, None).await.unwrap();
    assert_eq!(store.delete_namespace(&both, "team:a").await.unwrap(), 0);
    for _ in 0..2 {
        let gone = store.delete_namespace(&both, "team:a").await;
        assert!(matches!(gone, Err(StoreError::NotFound { what: "namespace", .. })), "{gone:?}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_describes_sees_or_deletes_anothers() {
    let (test, store) = installed().await;
    let (mine, other) = (scope("team:a"), scope("team:b"));
    remembered(&store, &fact("team:a", "x")).await;
    let rights = |denied: bool| assert!(denied);
    rights(matches!(store.get_namespace(&other, "team:a").await, Err(StoreError::Rights(_))));
    rights(matches!(store.put_namespace(&other, "team:a", None, None, None).await, Err(StoreError::Rights(_))));
    rights(matches!(store.patch_namespace(&other, "team:a", Some(None), None).await, Err(StoreError::Rights(_))));
    rights(matches!(store.delete_namespace(&other, "team:a").await, Err(StoreError::Rights(_))));
    assert!(store.list_namespaces(&other).await.unwrap().is_empty());
    for gone in
        [store.get_namespace(&other, "team:b").await, store.patch_namespace(&other, "team:b", Some(None), None).await]
    {
        assert!(matches!(gone, Err(StoreError::NotFound { what: "namespace", .. })), "{gone:?}");
    }
    assert!(matches!(
        store.patch_namespace(&mine, "team:a", None, None).await,
        Err(StoreError::Invalid { field: "expires_at", .. })
    ));
    let bad = store.put_namespace(&mine, "team:a", None, None, Some(Some(json!("\0")))).await;
    assert!(matches!(bad, Err(StoreError::Invalid { field: "metadata", .. })));
    // One that only a raw statement wrote to is there, undescribed.
    behind(&store, "insert into heirloom.memory (namespace, kind, content) values ('team:b', 'fact', 'c')").await;
    let raw = store.get_namespace(&other, "team:b").await.unwrap();
    assert!(raw.created_at.is_none() && raw.kind == "team");
    assert_eq!(store.list_namespaces(&other).await.unwrap()[0].memories, Some(1));
    test.close().await;
}
