//! Plan, a check of apply, and verify are readers: of the target, of a source beside it, and of a source elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::apply;
use heirloom_migrate::source::{self, Source};

use crate::support::Ground;
use crate::traces::{Traces, traces};

const LEGACY: &str = "create table notes (id integer primary key, author text, body text);
    insert into notes values (1, 'a', 'one'), (2, 'b', 'two'), (3, 'a', '  '), (4, 'c', 'four'), (5, 'c', 'five');";

const NOTHING: [String; 0] = [];

fn file(url: &str) -> String {
    format!(
        "name = \"notes\"\n[source]\nurl = \"{url}\"\ntable = \"notes\"\nkey = [\"id\"]\n[namespace]\n\
         template = \"custom:{{author}}\"\n[map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n[reject]\nbudget = \"1\"\n"
    )
}

/// Every reader there is, before an apply and after it, with the target watched. `source` may change hands in between.
async fn readers_only(ground: &Ground, source: &dyn Source, url: &str) {
    let start = traces(ground.db.database()).await;
    let plan = ground.plan_from(source, &file(url), 2).await.unwrap();
    let planned = nothing_since(ground, &start, "plan").await;
    ground.check_from(source, &plan).await.unwrap();
    let checked = nothing_since(ground, &planned, "a check before the first apply").await;
    let applied = ground.apply_from(source, &plan).await.unwrap();
    assert_eq!((applied.inserted, applied.rejected), (4, 1));
    let after = traces(ground.db.database()).await;
    assert_ne!(after.since(&checked), NOTHING, "an apply is seen");
    assert!(ground.verify_from(source, &plan).await.unwrap().holds);
    let verified = nothing_since(ground, &after, "verify").await;
    ground.check_from(source, &plan).await.unwrap();
    let checked = nothing_since(ground, &verified, "a check after it").await;
    let foreseen = apply::foresee_retry(&plan, source, &ground.store, None).await.unwrap();
    assert_eq!((foreseen.tried, foreseen.still_rejected), (1, 1));
    let checked = nothing_since(ground, &checked, "a check of a retry").await;
    ground.plan_from(source, &file(url), 2).await.unwrap();
    nothing_since(ground, &checked, "another plan").await;
}

/// Asserts that nothing was written since, and answers where to look from next.
async fn nothing_since(ground: &Ground, before: &Traces, what: &str) -> Traces {
    let now = traces(ground.db.database()).await;
    assert_eq!(now.since(before), NOTHING, "{what}");
    now
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_write_nothing_where_source_and_target_are_one_database() {
    let ground = Ground::new(LEGACY).await;
    readers_only(&ground, ground.source.as_ref(), "store").await;
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_to_a_source_on_a_server_of_its_own() {
    let ground = Ground::new("select 1").await;
    let legacy = TestDatabase::fresh().await;
    // The embedded engine has no address under which it could be a source of another store.
    if let Some(url) = legacy.url() {
        legacy.database().client().await.unwrap().batch_execute(LEGACY).await.unwrap();
        let before = traces(legacy.database()).await;
        let source = source::open(url, ground.db.database()).await.unwrap();
        readers_only(&ground, source.as_ref(), url).await;
        drop(source);
        assert_eq!(traces(legacy.database()).await.since(&before), NOTHING, "not even an apply writes to the source");
    }
    legacy.close().await;
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_to_a_sqlite_file_or_beside_it() {
    let ground = Ground::new("select 1").await;
    for journal in ["delete", "wal"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("legacy.db");
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch(&format!("pragma journal_mode = {journal}; {LEGACY}")).unwrap();
        drop(db);
        let before = bytes(dir.path());
        let url = format!("sqlite:{}", path.display());
        let source = source::open(&url, ground.db.database()).await.unwrap();
        readers_only(&ground, source.as_ref(), &url).await;
        drop(source);
        assert!(bytes(dir.path()) == before, "{journal}: not even an apply writes to the source");
    }
    ground.close().await;
}

/// Every file of a directory with its bytes and its time.
fn bytes(dir: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let file = |entry: std::fs::DirEntry| {
        let changed = entry.metadata().unwrap().modified().unwrap();
        (entry.file_name().to_string_lossy().into_owned(), (std::fs::read(entry.path()).unwrap(), changed))
    };
    std::fs::read_dir(dir).unwrap().flatten().map(file).collect()
}
