//! Looking at a target: a store that is not there yet, one that is, and what lives in it.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::plan::{DEFAULT_DIMENSION, Limits, Plan, Progress, Request, Target, make};
use heirloom_store::{Forget, Memory, Origin, Remember, Scope, Store, UpOptions, bulk};

use crate::fake::{case, now};

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

/// Plans three rows for a database; the last report of progress has to be about it.
async fn three_rows(database: &heirloom_engine::Database) -> Plan {
    let case = case(3);
    let file = MigrationFile::parse("case.toml", &case.toml()).unwrap();
    let mut last = None;
    let plan = make(Request {
        foreign: None,
        file: &file,
        source: &case,
        target: database,
        heirloom: "0.1.0",
        now: now(),
        limits: Limits::default(),
        progress: &mut |progress| last = Some(progress),
    })
    .await
    .unwrap();
    let expected = match plan.target.store_id {
        Some(_) => Progress::Asking { done: 3, of: 3 },
        None => Progress::Reading { rows: 3, bytes: 300, of: None },
    };
    assert_eq!(last, Some(expected));
    plan.check_digest().unwrap();
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_there_or_were_forgotten_are_counted() {
    let test = TestDatabase::fresh().await;
    assert_eq!(three_rows(test.database()).await.target.store_id, None);
    let store = Store::up(test.database(), &UpOptions { dimension: 4, ..UpOptions::default() }).await.unwrap();
    let plan = three_rows(test.database()).await;
    assert_eq!((plan.counts.accepted, plan.counts.present, plan.counts.forgotten), (3, 0, 0));

    let id: uuid::Uuid = plan.samples[0].after["id"].as_str().unwrap().parse().unwrap();
    let mut memory = Memory::new(id, "workspace:w1", "Note 1");
    memory.kind = "fact".to_owned();
    let origin = Origin {
        run_id: plan.run_id,
        source: plan.origin_source(),
        source_key: "[\"001\"]".to_owned(),
        source_row: "{}".to_owned(),
        source_digest: [1; 16],
        written_digest: [2; 16],
    };
    let mut client = test.database().client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let allowed = ["workspace:w1".to_owned()];
    let loaded = bulk::load(&transaction, store.meta(), &[bulk::Row { memory, origin }], &allowed).await.unwrap();
    assert_eq!(loaded.inserted, 1);
    transaction.commit().await.unwrap();
    drop(client);

    let plan = three_rows(test.database()).await;
    assert_eq!((plan.counts.accepted, plan.counts.present, plan.counts.forgotten), (3, 1, 0));
    let live = Target::look(test.database()).await.unwrap().live_rows;
    assert_eq!(live, Some(0), "what a migration brought is not live");

    let forget = Forget { id, namespace: None, reason: None };
    store.forget(&Scope::one("workspace:w1").unwrap(), &forget).await.unwrap();
    let plan = three_rows(test.database()).await;
    assert_eq!((plan.counts.accepted, plan.counts.present, plan.counts.forgotten), (3, 0, 1));
    test.close().await;
}
