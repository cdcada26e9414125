//! Looking at a target: a store that is not there yet, one that is, and what lives in it.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::plan::{DEFAULT_DIMENSION, Target};
use heirloom_store::{Remember, Scope, Store, UpOptions};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_store_is_a_target_too() {
    let test = TestDatabase::fresh().await;
    let target = Target::look(test.database()).await.unwrap();
    assert_eq!((target.store_id, target.schema_version, target.dimension), (None, 0, DEFAULT_DIMENSION));
    assert_eq!(target.live_rows, None);
    assert!(target.identity.server.starts_with("PostgreSQL "), "{}", target.identity.server);
    assert!(target.identity.superuser);
    let client = test.database().client().await.unwrap();
    let schemas = "select count(*) from pg_namespace where nspname like 'heirloom%'";
    assert_eq!(client.query_one(schemas, &[]).await.unwrap().get::<_, i64>(0), 0, "looking has installed something");
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memories_that_no_migration_brought_are_counted() {
    let test = TestDatabase::fresh().await;
    let options = UpOptions { dimension: 8, ..UpOptions::default() };
    let store = Store::up(test.database(), &options).await.unwrap();
    let target = Target::look(test.database()).await.unwrap();
    assert_eq!((target.store_id, target.dimension), (Some(store.meta().store_id), 8));
    assert_eq!(target.live_rows, Some(0));

    let new: Remember = serde_json::from_value(serde_json::json!({
        "namespace": "team:a", "content": "Tests run before the deploy.", "kind": "fact"
    }))
    .unwrap();
    store.remember(&Scope::one("team:a").unwrap(), &new).await.unwrap();
    assert_eq!(Target::look(test.database()).await.unwrap().live_rows, Some(1));
    test.close().await;
}
