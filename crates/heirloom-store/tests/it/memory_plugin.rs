//! The schema of the platform's plugin: the same rows, seen with the caller's own rights.

use heirloom_engine::testkit::TestDatabase;
use heirloom_store::{Remember, Store, UpOptions};

use crate::installed;
use crate::world::{fact, lesson, number, remembered, scope};

#[tokio::test(flavor = "multi_thread")]
async fn its_views_show_a_tenants_rows_and_no_others() {
    let (test, store) = installed().await;
    let id = remembered(&store, &Remember { pin: true, source: Some("user".into()), ..fact("team:a", "one") }).await;
    remembered(&store, &Remember { source: Some("imported".into()), ..lesson("team:b", "two", None) }).await;
    store.put_namespace(&scope("team:a"), "team:a", Some("org"), None, None).await.unwrap();
    let mut client = store.database().client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    tx.batch_execute("set local role heirloom_serve; set local heirloom.namespaces = 'team:a'").await.unwrap();
    let row = tx
        .query_one(
            "select r.id, r.namespace, r.content, r.kind, r.source, r.pin, r.expires_at is null, r.embedding is null, \
             r.content_tsv is not null, n.kind \
             from memory_plugin.memory_records r join memory_plugin.memory_namespaces n on n.name = r.namespace",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, uuid::Uuid>(0), id);
    let texts: Vec<&str> = [1, 2, 3, 4, 9].map(|at| row.get::<_, &str>(at)).to_vec();
    assert_eq!(texts, ["team:a", "one", "fact", "user", "org"]);
    assert!([5, 6, 7, 8].iter().all(|at| row.get::<_, bool>(*at)));
    let unpinned = tx.execute("update memory_plugin.memory_records set pin = false", &[]).await.unwrap();
    assert_eq!(unpinned, 1);
    tx.commit().await.unwrap();
    let tx = client.transaction().await.unwrap();
    tx.batch_execute("set local role heirloom_serve; set local heirloom.namespaces = 'team:b'").await.unwrap();
    let row = tx.query_one("select kind, source from memory_plugin.memory_records", &[]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("fact", "runtime"));
    drop(tx);
    drop(client);
    assert_eq!(number(&store, "select count(*) from heirloom.memory where pin").await, 0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_own_tables_are_left_alone() {
    let test = TestDatabase::fresh().await;
    let client = test.database().client().await.unwrap();
    client
        .batch_execute("create schema memory_plugin; create table memory_plugin.memory_records (id uuid primary key)")
        .await
        .unwrap();
    drop(client);
    let store = Store::up(test.database(), &UpOptions::default()).await.unwrap();
    assert_eq!(number(&store, "select count(*) from pg_views where schemaname = 'memory_plugin'").await, 0);
    assert_eq!(number(&store, "select count(*) from memory_plugin.memory_records").await, 0);
    test.close().await;
}
