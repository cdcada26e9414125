//! What has expired is kept for a while and then forgotten: what goes, what stays, and what is left of it.

use std::time::Duration;

use heirloom_store::{Keep, Show, StoreError};

use crate::installed;
use crate::world::{behind, fact, number, remembered, scope};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_long_ago_is_forgotten_and_nothing_else_is() {
    let (test, store) = installed().await;
    let mut ids = Vec::new();
    for (namespace, text) in [
        ("team:a", "expired long ago"),
        ("team:a", "expired lately"),
        ("team:a", "still to expire"),
        ("team:a", "without an end"),
        ("team:a", "expired long before it was handed down"),
        ("team:a", "handed down long ago"),
        ("team:b", "another tenant's"),
        ("team:ended", "of a namespace that ended long ago"),
        ("team:ending", "of a namespace that ended lately"),
    ] {
        ids.push(remembered(&store, &fact(namespace, text)).await);
    }
    let expires = |id: usize, days: i64| {
        format!("update heirloom.memory set expires_at = now() - interval '{days} days' where id = '{}';", ids[id])
    };
    let origin = |id: usize, days: i64| {
        format!(
            "insert into heirloom.origin (id, namespace, run_id, source, source_key, source_row, source_digest, written_digest, handed_down_at)
             values ('{}', 'team:a', gen_random_uuid(), 'elsewhere', '[\"7\"]', '{{}}', decode(repeat('0a', 16), 'hex'),
                 decode(repeat('0b', 16), 'hex'), now() - interval '{days} days');",
            ids[id]
        )
    };
    let ends = |name: &str, days: i64| {
        format!("update heirloom.namespace set expires_at = now() - interval '{days} days' where name = '{name}';")
    };
    let sql = [
        expires(0, 40),
        expires(1, 20),
        expires(2, -1),
        expires(4, 40),
        origin(4, 1),
        expires(5, 41),
        origin(5, 40),
        expires(6, 31),
        ends("team:ended", 31),
        ends("team:ending", 29),
    ];
    behind(&store, &sql.concat()).await;

    assert_eq!(store.forget_expired(400 * DAY).await.unwrap(), 0, "nothing is as old");
    assert_eq!(store.forget_expired(30 * DAY).await.unwrap(), 4);
    assert_eq!(store.forget_expired(30 * DAY).await.unwrap(), 0, "the second time");
    for (at, namespace) in [(0, "team:a"), (5, "team:a"), (6, "team:b"), (7, "team:ended")] {
        let show = Show { id: ids[at], namespace: None };
        let found = store.show(&scope(namespace), &show).await;
        assert!(matches!(found, Err(StoreError::Forgotten { .. })), "{at}: {found:?}");
    }
    for (at, namespace) in [(1, "team:a"), (2, "team:a"), (3, "team:a"), (4, "team:a"), (8, "team:ending")] {
        store.show(&scope(namespace), &Show { id: ids[at], namespace: None }).await.unwrap();
    }
    // What is left says who and why, without the text; the source row is gone with it.
    let left = "select count(*) from heirloom.tombstone where reason = 'expired' and actor = 'upkeep'";
    assert_eq!(number(&store, left).await, 4);
    let lines = "select count(*) from heirloom.activity where action = 'forget' and actor = 'upkeep' \
                 and details ->> 'reason' = 'expired' and content_sha256 is not null";
    assert_eq!(number(&store, lines).await, 4);
    assert_eq!(number(&store, "select count(*) from heirloom.origin").await, 1);
    // It is not brought back, and until it goes it can be given another end.
    let again = heirloom_store::Remember { id: Some(ids[0]), ..fact("team:a", "expired long ago") };
    assert!(store.remember(&scope("team:a"), &again).await.is_err());
    let keep = Keep { id: ids[1], expires_at: Some("infinity".parse().unwrap()), ..Keep::default() };
    store.keep(&scope("team:a"), &keep).await.unwrap();
    assert_eq!(store.forget_expired(2 * DAY).await.unwrap(), 1, "of the namespace that ended lately");
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_and_whoever_holds_one_keeps_it() {
    let (test, store) = installed().await;
    behind(
        &store,
        "insert into heirloom.memory (namespace, kind, content, expires_at)
         select 'team:a', 'fact', 'note ' || n, timestamptz '2001-01-01' from generate_series(1, 2500) n",
    )
    .await;
    if test.database().pool_size() > 1 {
        let mut client = store.database().client().await.unwrap();
        let tx = client.transaction().await.unwrap();
        tx.batch_execute("select 1 from heirloom.memory where content = 'note 7' for update").await.unwrap();
        assert_eq!(store.forget_expired(DAY).await.unwrap(), 2_499, "what somebody holds is left to them");
        tx.rollback().await.unwrap();
        drop(client);
        assert_eq!(store.forget_expired(DAY).await.unwrap(), 1);
    } else {
        assert_eq!(store.forget_expired(DAY).await.unwrap(), 2_500);
    }
    assert_eq!(number(&store, "select count(*) from heirloom.tombstone").await, 2_500);
    test.close().await;
}
