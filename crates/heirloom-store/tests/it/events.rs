//! What happened, in order: nothing lost and nothing twice, however the writers commit.

use std::time::Duration;

use futures_util::StreamExt;
use heirloom_store::{Forget, Store};

use crate::installed;
use crate::world::{fact, remembered, scope};

async fn everything(store: &Store, from: i64, page: i64) -> (Vec<i64>, i64) {
    let (mut found, mut after) = (Vec::new(), from);
    loop {
        let activity = store.activity_after(after, page).await.unwrap();
        found.extend(activity.events.iter().map(|event| event.id));
        let went_on = activity.horizon > after;
        after = activity.horizon;
        if !went_on {
            return (found, after);
        }
    }
}

/// Everything, once nobody who was at work can still add to it: other databases of the server have transactions, too.
async fn settled(store: &Store) -> (Vec<i64>, i64) {
    let waiting = async {
        loop {
            let found = everything(store, 0, 10).await;
            if found.1 >= 3 {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting).await.expect("the gap is settled")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_is_told_once_in_order_without_its_content() {
    let (test, store) = installed().await;
    assert_eq!(store.last_activity_id().await.unwrap(), 0);
    let id = remembered(&store, &fact("team:a", "xyzzysecret")).await;
    remembered(&store, &fact("team:b", "other")).await;
    store.forget(&scope("team:a"), &Forget { id, namespace: None, reason: None }).await.unwrap();
    for page in 1..=4 {
        assert_eq!(everything(&store, 0, page).await, (vec![1, 2, 3], 3), "in pages of {page}");
        assert_eq!(everything(&store, 2, page).await, (vec![3], 3));
    }
    let events = store.activity_after(0, 10).await.unwrap().events;
    let told: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.namespace.as_deref())).collect();
    assert_eq!(told, [("remember", Some("team:a")), ("remember", Some("team:b")), ("forget", Some("team:a"))]);
    assert_eq!(events[0].memory_id, Some(id));
    assert!(events.iter().all(|event| event.content_sha256.as_ref().is_some_and(|digest| digest.len() == 64)));
    assert!(!serde_json::to_string(&events).unwrap().contains("xyzzysecret"));
    assert_eq!(store.last_activity_id().await.unwrap(), 3);
    // An id that is not there yet is no error.
    let later = store.activity_after(1_000, 10).await.unwrap();
    assert!(later.events.is_empty() && later.horizon == 1_000);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_waited_for_until_nobody_can_fill_it() {
    let (test, store) = installed().await;
    if store.database().pool_size() < 4 {
        // Out of order takes more than one connection.
        return test.close().await;
    }
    let add = "insert into heirloom.activity (action) values ('load') returning id";
    let mut clients = Vec::new();
    for _ in 0..2 {
        clients.push(store.database().client().await.unwrap());
    }
    let (mut slow, mut failing) = (clients.remove(0), clients.remove(0));
    let slow = slow.transaction().await.unwrap();
    let first: i64 = slow.query_one(add, &[]).await.unwrap().get(0);
    let failing = failing.transaction().await.unwrap();
    let second: i64 = failing.query_one(add, &[]).await.unwrap().get(0);
    remembered(&store, &fact("team:a", "third")).await;
    assert_eq!((first, second), (1, 2));

    assert_eq!(everything(&store, 0, 10).await, (vec![], 0), "two are still at work");
    failing.rollback().await.unwrap();
    assert_eq!(everything(&store, 0, 10).await, (vec![], 0), "one is still at work");
    slow.commit().await.unwrap();
    assert_eq!(settled(&store).await, (vec![1, 3], 3), "the second will never be");
    // Another process, which knows nothing of what this one waited for, comes to the same.
    let other = Store::open(test.database()).await.unwrap();
    assert_eq!(settled(&other).await, (vec![1, 3], 3));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_writer_is_told_of_however_long_it_takes() {
    let (test, store) = installed().await;
    if store.database().pool_size() < 3 {
        // A look beside a writer takes more than one connection.
        return test.close().await;
    }
    remembered(&store, &fact("team:a", "one")).await;
    let mut client = store.database().client().await.unwrap();
    let slow = client.transaction().await.unwrap();
    slow.execute("insert into heirloom.activity (action) values ('load')", &[]).await.unwrap();
    // Nobody began after it, so that no snapshot knows of it.
    for _ in 0..3 {
        assert_eq!(everything(&store, 0, 10).await, (vec![1], 1), "it is still at work");
        assert_eq!(store.last_activity_id().await.unwrap(), 1, "who begins to listen now misses nothing");
    }
    slow.commit().await.unwrap();
    assert_eq!(everything(&store, 1, 10).await, (vec![2], 2));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_lose_and_repeat_nothing() {
    let (test, store) = installed().await;
    let scope = scope("team:a");
    let writer = async {
        let writes = (0..40).map(|n| {
            let (store, scope) = (&store, &scope);
            async move { store.remember(scope, &fact("team:a", &format!("text {n}"))).await.unwrap() }
        });
        futures_util::future::join_all(writes).await.len()
    };
    let reader = async {
        let (mut found, mut after) = (Vec::new(), 0);
        while found.len() < 40 {
            let activity = store.activity_after(after, 7).await.unwrap();
            found.extend(activity.events.iter().map(|event| event.id));
            after = activity.horizon;
            tokio::task::yield_now().await;
        }
        found
    };
    let (written, found) = tokio::join!(writer, reader);
    assert_eq!((written, found), (40, (1..=40).collect::<Vec<i64>>()));
    test.close().await;
}

async fn tick(ticks: &mut (impl futures_util::Stream<Item = ()> + Unpin), which: &str) {
    tokio::time::timeout(Duration::from_secs(30), ticks.next()).await.expect(which);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_is_told_that_something_was_written() {
    let (test, store) = installed().await;
    let Some(mut ticks) = store.listen() else {
        assert!(store.database().is_embedded());
        return test.close().await;
    };
    tick(&mut ticks, "one for the connection").await;
    remembered(&store, &fact("team:a", "one")).await;
    tick(&mut ticks, "one for the write").await;
    // The connection is lost; another one takes its place and says so.
    let client = store.database().client().await.unwrap();
    client
        .execute(
            "select pg_terminate_backend(a.pid) from pg_stat_activity a \
             where a.datname = current_database() and a.query = 'listen heirloom_activity'",
            &[],
        )
        .await
        .unwrap();
    drop(client);
    tick(&mut ticks, "one for the new connection").await;
    remembered(&store, &fact("team:a", "two")).await;
    tick(&mut ticks, "one for the write").await;
    drop(ticks);
    test.close().await;
}
