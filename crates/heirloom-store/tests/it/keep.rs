//! Keeping: a pin and an end, recorded, guarded by the version, and nobody else's.

use heirloom_store::{Keep, Show, StoreError};
use uuid::Uuid;

use crate::installed;
use crate::world::{fact, ids, number, remembered, scope, words};

#[tokio::test(flavor = "multi_thread")]
async fn pins_ends_and_leaves_what_it_says() {
    let (test, store) = installed().await;
    let team = scope("team:a").by("ana").unwrap();
    let id = remembered(&store, &fact("team:a", "the zebra sleeps")).await;
    let end = "2999-01-01T00:00:00Z".parse().unwrap();
    let kept =
        store.keep(&team, &Keep { id, pin: Some(true), expires_at: Some(end), ..Keep::default() }).await.unwrap();
    assert!(kept.pin && kept.version == 2 && kept.expires_at.is_some(), "{kept:?}");
    let shown = store.show(&team, &Show { id, namespace: None }).await.unwrap();
    assert_eq!((shown.memory.content.as_str(), shown.memory.version, shown.revisions), ("the zebra sleeps", 2, 1));
    assert_eq!(shown.memory.updated_at, shown.memory.created_at, "what it says did not change");
    assert_eq!(ids(&store.recall(&team, &words("zebra")).await.unwrap()), [id]);

    // The pin stays where only the end is given; an end that has passed takes effect at once.
    let past = "2001-01-01T00:00:00Z".parse().unwrap();
    let kept = store.keep(&team, &Keep { id, expires_at: Some(past), ..Keep::default() }).await.unwrap();
    assert!(kept.pin);
    assert!(ids(&store.recall(&team, &words("zebra")).await.unwrap()).is_empty());
    let kept = store.keep(&team, &Keep { id, never_expires: true, pin: Some(false), ..Keep::default() }).await.unwrap();
    assert!(!kept.pin && kept.expires_at.is_none());
    let recorded = "select count(*) from heirloom.activity where action = 'keep' and actor = 'ana' \
                    and details ?| array['pin', 'expires_us']";
    assert_eq!(number(&store, recorded).await, 3);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_nothing_two_ends_an_old_version_and_others() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = remembered(&store, &fact("team:a", "a fact")).await;
    let end = "2999-01-01T00:00:00Z".parse().unwrap();
    for (request, field) in [
        (Keep { id, ..Keep::default() }, "pin"),
        (Keep { id, expires_at: Some(end), never_expires: true, ..Keep::default() }, "never_expires"),
    ] {
        match store.keep(&team, &request).await {
            Err(StoreError::Invalid { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{request:?}: {other:?}"),
        }
    }
    let pin = Keep { id, pin: Some(true), ..Keep::default() };
    let stale = Keep { expected_version: Some(7), ..pin.clone() };
    assert!(matches!(store.keep(&team, &stale).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.keep(&scope("team:b"), &pin).await, Err(StoreError::NotFound { .. })));
    let nobody = Keep { id: Uuid::from_u128(1), ..pin };
    assert!(matches!(store.keep(&team, &nobody).await, Err(StoreError::NotFound { .. })));
    assert_eq!(number(&store, "select count(*) from heirloom.memory where pin or version_n > 1").await, 0);
    test.close().await;
}
