//! The embedded engine: it keeps what it was given, belongs to one owner, and is never replaced.

use heirloom_engine::{Database, EngineError, Location, Options};

async fn open(dir: &std::path::Path) -> heirloom_engine::Result<Database> {
    Database::open(&Location::Embedded(dir.to_owned()), &Options::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_survive_close_and_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let database = open(&store).await.unwrap();
    let client = database.client().await.unwrap();
    client
        .batch_execute(
            "create extension if not exists vector; create table t (v vector(3)); insert into t values ('[1,2,3]')",
        )
        .await
        .unwrap();
    drop(client);
    database.close().await.unwrap();
    assert!(!store.join("heirloom.owner.json").exists(), "a clean close removes the owner record");

    let database = open(&store).await.unwrap();
    let client = database.client().await.unwrap();
    let kept: String = client.query_one("select v::text from t", &[]).await.unwrap().get(0);
    assert_eq!(kept, "[1,2,3]");
    drop(client);
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_cluster_is_whole_from_its_first_moment_and_half_a_one_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    // As a process leaves it that was killed while it made one.
    let half = dir.path().join("engine.new/tmp/pglite/base/global");
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(dir.path().join("heirloom.lock"), "").unwrap();
    std::fs::write(half.join("pg_control"), "").unwrap();
    let database = open(dir.path()).await.unwrap();
    database.client().await.unwrap().batch_execute("create table t (n int)").await.unwrap();
    let data = dir.path().join("engine/tmp/pglite/base");
    // Every file is the store's own: nothing is laid over a template, nothing is copied up on a first write.
    let overlays = std::fs::read_dir(&data)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("overlay"));
    assert_eq!(overlays.count(), 0);
    assert!(data.join("base/5/2689").metadata().unwrap().len() > 0, "the template's own catalog is there too");
    assert!(!dir.path().join("engine.new").exists());
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_owner_is_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(dir.path()).await.unwrap();
    match open(dir.path()).await {
        Err(EngineError::Owned { owner: Some(owner), .. }) => assert_eq!(owner.pid, std::process::id()),
        other => panic!("expected Owned, got {other:?}"),
    }
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_directory_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    let error = open(dir.path()).await.unwrap_err();
    assert!(matches!(error, EngineError::NotADataDirectory { .. }), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_directory_is_refused_not_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(dir.path()).await.unwrap();
    database.close().await.unwrap();
    let data = dir.path().join("engine/tmp/pglite/base");
    let before = std::fs::read_dir(&data).unwrap().count();
    for entry in std::fs::read_dir(&data).unwrap().flatten() {
        if entry.file_name() == "PG_VERSION" {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let error = open(dir.path()).await.unwrap_err();
    assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), before - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_is_one_and_waiting_for_a_second_is_an_error_not_a_hang() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(dir.path()).await.unwrap();
    assert_eq!(database.pool_size(), 1);
    assert!(database.is_embedded());
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_copied_in_is_there_after_every_close() {
    use bytes::Bytes;
    use futures_util::SinkExt;
    let dir = tempfile::tempdir().unwrap();
    for round in 0..5_i64 {
        let database = open(dir.path()).await.unwrap();
        let client = database.client().await.unwrap();
        client.batch_execute("create table if not exists t (n int8, v text)").await.unwrap();
        let kept: i64 = client.query_one("select count(*) from t", &[]).await.unwrap().get(0);
        assert_eq!(kept, round * 500);
        let sink = client.copy_in("copy t from stdin").await.unwrap();
        futures_util::pin_mut!(sink);
        for n in 0..500 {
            sink.send(Bytes::from(format!("{n}\trow {n}\n"))).await.unwrap();
        }
        assert_eq!(sink.finish().await.unwrap(), 500);
        drop(client);
        database.close().await.unwrap();
    }
}
