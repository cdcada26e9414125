//! SQL is source code: every file is listed, applied or prepared.

use std::path::{Path, PathBuf};

use heirloom_store::schema::STORE;

use crate::installed;

fn sql(folder: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(folder), &mut found);
    found.sort();
    found
}

#[test]
fn every_migration_and_object_is_listed_and_in_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let listed: Vec<_> = STORE.migrations.iter().map(|file| root.join(file.path)).collect();
    assert_eq!(listed, sql("migrations"));
    let mut listed: Vec<_> = STORE.objects.iter().map(|file| root.join(file.path)).collect();
    listed.sort();
    assert_eq!(listed, sql("objects"));
}

#[test]
fn every_sql_file_opens_with_a_comment() {
    for path in sql("") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-- "), "{} does not say what it is for", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_prepares() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    // The loader's queries read its stage.
    transaction.batch_execute(include_str!("../../sql/queries/bulk/stage.sql")).await.unwrap();
    let path = store.meta().search_path();
    transaction.execute("select set_config('search_path', $1, true)", &[&path]).await.unwrap();
    for path in sql("queries") {
        if path.ends_with("bulk/stage.sql") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = transaction.prepare(&text).await {
            panic!("{}: {:?}", path.display(), error.as_db_error());
        }
    }
    drop(transaction);
    drop(client);
    test.close().await;
}
