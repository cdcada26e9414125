//! What is no table in PostgreSQL is not retired: it says why and what to do, and nothing of it is touched.

use heirloom_migrate::source;
use rusqlite::Connection;

use crate::soak_ground::{DAY, Watched, file, legacy};
use crate::support::{Ground, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_is_its_own_archive() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("legacy.db");
    let notes = "create table note (id integer primary key, author text, body text, made text not null);
        insert into note values (1, 'agent-1', 'one', '2026-01-01T00:00:00Z'), (2, 'agent-2', 'two', '2026-01-02T00:00:00Z')";
    Connection::open(&path).unwrap().execute_batch(notes).unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut ground = Ground::new("select 1").await;
    ground.source = source::open_alone(&format!("sqlite:{}", path.display())).await.unwrap();
    let plan = ground.plan(&file(1), 7).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let mut watched = Watched::of(ground, plan);
    watched.record().await;
    watched.start(false).await.unwrap();
    for _ in 0..2 {
        watched.sweep(false).await.unwrap();
        watched.pass(DAY);
    }
    assert_eq!(watched.state().await, "soaked");
    let entries = watched.ground.one("select count(*) from heirloom_migrate.audit").await;
    for refused in [said(watched.would_retire().await), said(watched.retire().await), said(watched.unretire().await)] {
        assert!(!refused.contains("two"), "{refused}");
        let cure = "move the file away whole: it is its own archive";
        let nothing = "nothing of it is retired";
        assert!(refused.contains(cure) || refused.contains(nothing), "{refused}");
    }
    assert_eq!(watched.ground.one("select count(*) from heirloom_migrate.audit").await, entries);
    assert_eq!((watched.state().await.as_str(), std::fs::read(&path).unwrap() == before), ("soaked", true));
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_has_no_table_of_its_own() {
    let ground = Ground::new(&legacy(20)).await;
    let query = file(1).replace("table = \"note\"", "query = \"select * from note where id > 3\"\nkey = [\"id\"]");
    let plan = ground.plan(&query, 7).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let mut watched = Watched::of(ground, plan);
    watched.record().await;
    watched.start(false).await.unwrap();
    let refused = said(watched.retire().await);
    assert!(refused.contains("what was handed down is a query; retire the tables below it by hand"), "{refused}");
    assert_eq!(watched.ground.one("select count(*) from note").await, "20");
    watched.close().await;
}
