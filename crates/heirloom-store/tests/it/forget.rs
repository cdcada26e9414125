//! Forgetting: nothing that was said stays, and nothing brings it back.

use heirloom_store::{Forget, Remember, Revise, Show, StoreError};
use uuid::Uuid;

use crate::installed;
use crate::world::{behind, fact, ids, number, remembered, scope, words};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_leaves_nothing_but_its_tombstone() {
    let (test, store) = installed().await;
    let team = scope("team:a").by("ana").unwrap();
    let id = remembered(&store, &fact("team:a", "xyzzy one")).await;
    store.revise(&team, &Revise { id, content: Some("xyzzy two".to_owned()), ..Revise::default() }).await.unwrap();
    behind(
        &store,
        &format!(
            "insert into heirloom.origin (id, namespace, run_id, source, source_key, source_row, source_digest, \
             written_digest) values ('{id}', 'team:a', '{id}', 's', '[\"1\"]', '{{\"text\": \"xyzzy zero\"}}', \
             decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'))"
        ),
    )
    .await;
    assert_eq!(store.show(&team, &Show { id, namespace: None }).await.unwrap().origin.unwrap().source, "s");

    let done = store.forget(&team, &Forget { id, namespace: None, reason: Some("asked to".to_owned()) }).await.unwrap();
    assert_eq!((done.id, done.namespace.as_str()), (id, "team:a"));
    for table in ["memory", "revision", "origin", "edge", "activity", "tombstone"] {
        let left = format!("select count(*) from heirloom.{table} t where t::text like '%xyzzy%'");
        assert_eq!(number(&store, &left).await, 0, "{table}");
    }
    let tombstone = "select count(*) from heirloom.tombstone where actor = 'ana' and reason = 'asked to'";
    assert_eq!(number(&store, tombstone).await, 1);
    assert_eq!(
        number(
            &store,
            "select count(*) from heirloom.activity where action = 'forget' and octet_length(content_sha256) = 32"
        )
        .await,
        1
    );
    assert!(ids(&store.recall(&team, &words("xyzzy")).await.unwrap()).is_empty());
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forgotten_stays_forgotten() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = Uuid::from_u128(3);
    let new = Remember { id: Some(id), ..fact("team:a", "one") };
    remembered(&store, &new).await;
    let request = Forget { id, ..Forget::default() };
    store.forget(&team, &request).await.unwrap();
    match store.forget(&team, &request).await {
        Err(error @ StoreError::Forgotten { .. }) => assert!(error.to_string().contains("already forgotten")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(store.show(&team, &Show { id, namespace: None }).await, Err(StoreError::Forgotten { .. })));
    let change = Revise { id, content: Some("two".to_owned()), ..Revise::default() };
    assert!(matches!(store.revise(&team, &change).await, Err(StoreError::Forgotten { .. })));
    // Not by remembering it again, not in another namespace either, whose tenant does not see the tombstone.
    assert!(matches!(store.remember(&team, &new).await, Err(StoreError::Conflict(_))));
    let elsewhere = Remember { namespace: "team:b".to_owned(), ..new };
    assert!(matches!(store.remember(&scope("team:b"), &elsewhere).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.forget(&scope("team:b"), &request).await, Err(StoreError::NotFound { .. })));
    assert_eq!(number(&store, "select count(*) from heirloom.memory").await, 0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_forgetters_one_tombstone() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = remembered(&store, &fact("team:a", "one")).await;
    let request = Forget { id, ..Forget::default() };
    let (first, second) = tokio::join!(store.forget(&team, &request), store.forget(&team, &request));
    assert_eq!([first.is_ok(), second.is_ok()].iter().filter(|ok| **ok).count(), 1, "{first:?} {second:?}");
    assert!(matches!(first.err().or(second.err()), Some(StoreError::Forgotten { .. })));
    assert_eq!(number(&store, "select count(*) from heirloom.tombstone").await, 1);
    let unknown = Forget { id: Uuid::from_u128(404), ..Forget::default() };
    assert!(matches!(store.forget(&team, &unknown).await, Err(StoreError::NotFound { .. })));
    let blank = Forget { id, namespace: None, reason: Some(" ".to_owned()) };
    assert!(matches!(store.forget(&team, &blank).await, Err(StoreError::Invalid { field: "reason", .. })));
    test.close().await;
}
