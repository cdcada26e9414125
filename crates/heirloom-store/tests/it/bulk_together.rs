//! Two writers at the same moment: an id comes into being in one namespace, whoever brings it.
//!
//! Two connections are needed, so on the embedded engine, which has one, there is nothing to try.

use std::time::{Duration, Instant};

use heirloom_store::bulk::{self, Outcome, Row};
use heirloom_store::{Memory, Remember, Scope, Store, StoreError};
use uuid::Uuid;

use crate::installed;
use crate::world::handed_down;

fn row(id: Uuid, namespace: &str) -> Row {
    let mut memory = Memory::new(id, namespace, "said twice");
    memory.kind = "fact".to_owned();
    handed_down(memory)
}

async fn load(store: Store, row: Row) -> bulk::Loaded {
    let mut client = store.database().client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let allowed = [row.memory.namespace.clone()];
    let loaded = bulk::load(&tx, store.meta(), &[row], &allowed).await.unwrap();
    tx.commit().await.unwrap();
    loaded
}

/// Waits until somebody of this database waits for a lock of its own making.
async fn until_somebody_waits(store: &Store) {
    let client = store.database().client().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let waiting: i64 = client
            .query_one(
                "select count(*) from pg_locks where locktype = 'advisory' and not granted \
                 and database = (select oid from pg_database where datname = current_database())",
                &[],
            )
            .await
            .unwrap()
            .get(0);
        if waiting > 0 {
            return;
        }
        assert!(Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}

async fn stands(store: &Store, table: &str, id: Uuid) -> Option<String> {
    let client = store.database().client().await.unwrap();
    let sql = format!("select string_agg(namespace, ',') from heirloom.{table} where id = $1");
    client.query_one(&sql, &[&id]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_loads_of_one_id_into_two_namespaces_leave_it_in_one() {
    let (test, store) = installed().await;
    if test.database().pool_size() >= 3 {
        let id = Uuid::new_v4();
        let mut client = store.database().client().await.unwrap();
        let first = client.transaction().await.unwrap();
        let loaded = bulk::load(&first, store.meta(), &[row(id, "team:a")], &["team:a".to_owned()]).await.unwrap();
        assert_eq!(loaded.inserted, 1);
        let second = tokio::spawn(load(store.clone(), row(id, "team:b")));
        until_somebody_waits(&store).await;
        first.commit().await.unwrap();
        drop(client);
        let loaded = second.await.unwrap();
        assert_eq!((loaded.inserted, loaded.skipped), (0, vec![(id, Outcome::Elsewhere("team:a".to_owned()))]));
        for table in ["memory", "origin"] {
            assert_eq!(stands(&store, table, id).await.as_deref(), Some("team:a"), "{table}");
        }
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_while_it_is_loaded_waits_and_is_refused() {
    let (test, store) = installed().await;
    if test.database().pool_size() >= 3 {
        let id = Uuid::new_v4();
        let mut client = store.database().client().await.unwrap();
        let first = client.transaction().await.unwrap();
        bulk::load(&first, store.meta(), &[row(id, "team:a")], &["team:a".to_owned()]).await.unwrap();
        let other = store.clone();
        let second = tokio::spawn(async move {
            let new: Remember = serde_json::from_value(serde_json::json!({
                "id": id, "namespace": "team:b", "kind": "fact", "content": "said twice"
            }))
            .unwrap();
            other.remember(&Scope::new(["team:b"]).unwrap(), &new).await
        });
        until_somebody_waits(&store).await;
        first.commit().await.unwrap();
        drop(client);
        let refused = second.await.unwrap();
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        assert_eq!(stands(&store, "memory", id).await.as_deref(), Some("team:a"));
    }
    test.close().await;
}

/// The look before the insert sees nothing, the other side commits, the look after the insert sees it.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_takes_back_what_was_forgotten_while_it_staged() {
    let (test, store) = installed().await;
    if test.database().pool_size() >= 3 {
        let id = Uuid::new_v4();
        load(store.clone(), row(id, "team:a")).await;
        // Held by hand, as by somebody who is forgetting it in this moment.
        let holder = store.database().client().await.unwrap();
        let hold = "select pg_advisory_lock_shared(hashtextextended('heirloom memory ids', 0))";
        holder.execute(hold, &[]).await.unwrap();
        holder.execute("delete from heirloom.memory where id = $1", &[&id]).await.unwrap();
        let second = tokio::spawn(load(store.clone(), row(id, "team:b")));
        until_somebody_waits(&store).await;
        holder.execute("insert into heirloom.tombstone (namespace, id) values ('team:a', $1)", &[&id]).await.unwrap();
        holder.execute(&hold.replace("_lock_shared", "_unlock_shared"), &[]).await.unwrap();
        drop(holder);
        let loaded = second.await.unwrap();
        assert_eq!((loaded.inserted, loaded.skipped), (0, vec![(id, Outcome::Forgotten)]));
        assert_eq!(stands(&store, "memory", id).await, None);
    }
    test.close().await;
}
