//! Installing, upgrading, refusing.

use heirloom_engine::testkit::TestDatabase;
use heirloom_store::schema::{self, Catalog, STORE, SqlFile};
use heirloom_store::{Store, StoreError, UpOptions};

use crate::installed;

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_has_no_store_and_gets_one() {
    let test = TestDatabase::fresh().await;
    assert_eq!(Store::inspect(test.database()).await.unwrap(), None);
    assert!(matches!(Store::open(test.database()).await, Err(StoreError::NotInstalled(_))));

    let store = Store::up(test.database(), &UpOptions::default()).await.unwrap();
    assert_eq!(store.meta().dimension, 1024);
    assert_eq!(store.meta().language, "english");
    assert_eq!(store.meta().schema_version, STORE.known());
    let opened = Store::open(test.database()).await.unwrap();
    assert_eq!(opened.meta(), store.meta());
    assert_eq!(Store::inspect(test.database()).await.unwrap().as_ref(), Some(store.meta()));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_up_writes_nothing() {
    let (test, store) = installed().await;
    let count = "select (select count(*) from heirloom.schema_version), \
                 (select string_agg(path || applied_at, ',' order by path) from heirloom.object), \
                 pg_current_xact_id_if_assigned()::text";
    let client = store.database().client().await.unwrap();
    let before = client.query_one(count, &[]).await.unwrap();
    drop(client);
    let again = Store::up(test.database(), &UpOptions::default()).await.unwrap();
    assert_eq!(again.meta(), store.meta());
    let client = store.database().client().await.unwrap();
    let after = client.query_one(count, &[]).await.unwrap();
    assert_eq!(before.get::<_, i64>(0), after.get::<_, i64>(0));
    assert_eq!(before.get::<_, String>(1), after.get::<_, String>(1));
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ups_at_once_install_once() {
    let test = TestDatabase::fresh().await;
    let options = UpOptions::default();
    let (one, two) = tokio::join!(Store::up(test.database(), &options), Store::up(test.database(), &options));
    assert_eq!(one.unwrap().meta(), two.unwrap().meta());
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inspect_works_in_a_read_only_transaction() {
    let (test, store) = installed().await;
    let mut client = test.database().client().await.unwrap();
    let transaction = client.build_transaction().read_only(true).start().await.unwrap();
    let pg: &tokio_postgres::Transaction<'_> = &transaction;
    assert_eq!(schema::inspect(pg).await.unwrap().as_ref(), Some(store.meta()));
    drop(transaction);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_store_is_refused_and_left_alone() {
    let (test, store) = installed().await;
    let newer = i32::try_from(STORE.known()).unwrap() + 1;
    let client = store.database().client().await.unwrap();
    client
        .execute("insert into heirloom.schema_version (ordinal, name, sha256) values ($1, 'later', '')", &[&newer])
        .await
        .unwrap();
    drop(client);
    let refused = |result: heirloom_store::Result<()>| match result {
        Err(StoreError::Newer { found, known }) => assert_eq!((found, known), (STORE.known() + 1, STORE.known())),
        other => panic!("expected Newer, got {other:?}"),
    };
    refused(Store::up(test.database(), &UpOptions::default()).await.map(drop));
    refused(Store::open(test.database()).await.map(drop));
    refused(Store::inspect(test.database()).await.map(drop));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_store_asks_for_up() {
    let test = TestDatabase::fresh().await;
    let older = Catalog { migrations: &STORE.migrations[..3], objects: &[], ..STORE };
    let mut client = test.database().client().await.unwrap();
    client
        .batch_execute(
            "create extension if not exists vector; set heirloom.up_dimension = '8'; \
             set heirloom.up_language = 'simple'; set heirloom.up_version = '0'",
        )
        .await
        .unwrap();
    older.up(&mut client).await.unwrap();
    drop(client);
    assert!(matches!(Store::open(test.database()).await, Err(StoreError::Older { found: 3, .. })));
    let meta = Store::inspect(test.database()).await.unwrap().unwrap();
    let store = Store::up(test.database(), &UpOptions::like(&meta)).await.unwrap();
    assert_eq!((store.meta().store_id, store.meta().dimension), (meta.store_id, 8));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_migration_is_refused() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    client.batch_execute("update heirloom.schema_version set sha256 = 'other' where ordinal = 2").await.unwrap();
    drop(client);
    match Store::up(test.database(), &UpOptions::default()).await {
        Err(StoreError::Altered { name }) => assert_eq!(name, "0002_memory.sql"),
        other => panic!("expected Altered, got {other:?}"),
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_schema_of_our_name_is_refused_untouched() {
    let test = TestDatabase::fresh().await;
    let client = test.database().client().await.unwrap();
    client.batch_execute("create schema heirloom; create table heirloom.china (cups int)").await.unwrap();
    drop(client);
    assert!(matches!(Store::up(test.database(), &UpOptions::default()).await, Err(StoreError::Conflict(_))));
    let client = test.database().client().await.unwrap();
    let tables: i64 =
        client.query_one("select count(*) from pg_tables where schemaname = 'heirloom'", &[]).await.unwrap().get(0);
    assert_eq!(tables, 1);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn width_and_language_are_fixed_when_it_is_made() {
    let test = TestDatabase::fresh().await;
    let made = UpOptions { dimension: 3, language: "german".to_owned() };
    let store = Store::up(test.database(), &made).await.unwrap();
    assert_eq!((store.meta().dimension, store.meta().language.as_str()), (3, "german"));
    for other in [UpOptions { dimension: 4, ..made.clone() }, UpOptions { language: "english".into(), ..made.clone() }]
    {
        assert!(matches!(Store::up(test.database(), &other).await, Err(StoreError::Conflict(_))));
    }
    let client = test.database().client().await.unwrap();
    let stemmed: bool = client
        .query_one(
            "select to_tsvector(heirloom.text_config(), 'Häuser') @@ to_tsquery(heirloom.text_config(), 'haus')",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!(stemmed);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused_before_anything_is_written() {
    let test = TestDatabase::fresh().await;
    for wrong in [
        UpOptions { dimension: 0, ..UpOptions::default() },
        UpOptions { dimension: 16_001, ..UpOptions::default() },
        UpOptions { language: "klingon".to_owned(), ..UpOptions::default() },
        UpOptions { language: "english'; drop".to_owned(), ..UpOptions::default() },
    ] {
        assert!(matches!(Store::up(test.database(), &wrong).await, Err(StoreError::Invalid { .. })));
    }
    let client = test.database().client().await.unwrap();
    let schemas: i64 =
        client.query_one("select count(*) from pg_namespace where nspname = 'heirloom'", &[]).await.unwrap().get(0);
    assert_eq!(schemas, 0);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pgvector_may_live_in_another_schema() {
    let test = TestDatabase::fresh().await;
    let client = test.database().client().await.unwrap();
    client
        .batch_execute(
            "drop extension if exists vector; create schema \"My Types\"; create extension vector schema \"My Types\"",
        )
        .await
        .unwrap();
    drop(client);
    let store = Store::up(test.database(), &UpOptions::default()).await.unwrap();
    assert_eq!(store.meta().vector_schema, "My Types");
    assert_eq!(store.meta().search_path(), "pg_catalog, \"My Types\"");
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_of_another_schema_goes_the_same_way() {
    const ONE: SqlFile = SqlFile { path: "migrations/0001_a.sql", text: "create table ledger_of_test.a (n int)" };
    const TWO: SqlFile = SqlFile { path: "migrations/0002_b.sql", text: "create table ledger_of_test.b (n int)" };
    const BROKEN: SqlFile =
        SqlFile { path: "migrations/0002_b.sql", text: "create table ledger_of_test.b (n nothing)" };
    const V1: SqlFile = SqlFile {
        path: "objects/f.sql",
        text: "create or replace function ledger_of_test.f() returns int language sql as 'select 1'",
    };
    const V2: SqlFile = SqlFile {
        path: "objects/f.sql",
        text: "create or replace function ledger_of_test.f() returns int language sql as 'select 2'",
    };
    let test = TestDatabase::fresh().await;
    let mut client = test.database().client().await.unwrap();
    let first = Catalog { schema: "ledger_of_test", migrations: &[ONE], objects: &[V1], rights: "" };
    let pg: &tokio_postgres::Client = &client;
    assert_eq!(first.version(pg).await.unwrap(), None);
    first.up(&mut client).await.unwrap();

    let broken = Catalog { migrations: &[ONE, BROKEN], ..first };
    assert!(matches!(broken.up(&mut client).await, Err(StoreError::Database(_))));
    let pg: &tokio_postgres::Client = &client;
    assert_eq!(first.version(pg).await.unwrap(), Some(1), "a migration that fails leaves nothing behind");

    let second = Catalog { migrations: &[ONE, TWO], objects: &[V2], ..first };
    second.up(&mut client).await.unwrap();
    let pg: &tokio_postgres::Client = &client;
    assert_eq!(second.version(pg).await.unwrap(), Some(2));
    let says: i32 = client.query_one("select ledger_of_test.f()", &[]).await.unwrap().get(0);
    assert_eq!(says, 2, "a changed object is applied again");
    assert!(matches!(first.up(&mut client).await, Err(StoreError::Newer { found: 2, known: 1 })));
    drop(client);
    test.close().await;
}
