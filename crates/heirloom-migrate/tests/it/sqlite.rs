//! SQLite files as sources: every storage class, every range, and nothing left behind.

use std::collections::BTreeMap;
use std::path::Path;

use heirloom_migrate::source::{KeyRange, Read, Relation, Source, sqlite, verbatim};
use heirloom_migrate::value::{SourceRow, Value};
use rusqlite::Connection;

fn table(name: &str) -> Relation {
    Relation::Table(name.to_owned())
}

async fn reader(source: &dyn Source, relation: Relation, key: &[&str]) -> Read {
    let table = source.describe(&relation).await.unwrap();
    Read {
        relation,
        table,
        key: key.iter().map(|&part| part.to_owned()).collect(),
        expressions: Vec::new(),
        range: KeyRange::default(),
        since: None,
        keys: None,
    }
}

async fn rows(source: &dyn Source, read: &Read) -> Vec<SourceRow> {
    let mut rows = Vec::new();
    let count = source
        .scan(read, &mut |row, _| {
            rows.push(row);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(count, rows.len() as u64);
    rows
}

/// Every file of a directory with its bytes.
fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

#[tokio::test]
async fn every_storage_class_comes_as_stored_and_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd name?#%.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "create table \"we\"\"ird\" (id integer primary key, \"a b\" text, c, g as (id * 2) stored);
         insert into \"we\"\"ird\" (id, \"a b\", c) values
           (-3, null, null), (1, 'plain', 42), (2, '', -9223372036854775808), (3, 'x' || char(0) || 'y', 0.1),
           (4, cast(x'ff41' as text), 9e999), (5, '7', '7'), (6, '日本 🙂', x'00ff');",
    )
    .unwrap();
    drop(db);
    let source = sqlite::open(&path).await.unwrap();
    let read = reader(&source, table("WE\"IRD"), &["id"]).await;
    assert_eq!(read.table.name, "we\"ird");
    assert_eq!(read.table.primary_key, ["id"]);
    assert_eq!(read.table.estimated_rows, Some(7));
    assert!(read.table.columns[3].generated);
    let rows = rows(&source, &read).await;
    let cells: Vec<(Value, Value)> = rows.iter().map(|row| (row.values[1].clone(), row.values[2].clone())).collect();
    let text = |text: &str| Value::Text(text.to_owned());
    assert_eq!(
        cells,
        [
            (Value::Null, Value::Null),
            (text("plain"), Value::Int(42)),
            (text(""), Value::Int(i64::MIN)),
            (text("x\0y"), Value::Float64(0.1)),
            (Value::InvalidText(vec![0xff, 0x41]), Value::Float64(f64::INFINITY)),
            (text("7"), text("7")),
            (text("日本 🙂"), Value::Bytes(vec![0, 255])),
        ]
    );
    assert_eq!(rows[0].key, ["-3"]);
    for row in &rows {
        let kept = verbatim::row(&read.table, row);
        assert_eq!(verbatim::restore(&read.table, &row.key, &kept).unwrap(), *row, "{kept}");
    }
}

#[tokio::test]
async fn ranges_partition_whatever_the_key_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "create table mixed (k primary key, v);
         insert into mixed values (10, 1), (9, 2), (2.5, 3), ('10', 4), ('9', 5), ('a', 6), ('B', 7), ('''q', 8), (x'00', 9), (x'61', 10), (cast(x'ff' as text), 11), ('x''00''', 12);
         create table pairs (a text collate nocase, b integer, v, primary key (a, b)) without rowid;
         insert into pairs values ('b', 10, 1), ('b', 9, 2), ('A', 1, 3), ('a', 2, 4), ('10', 1, 5), ('9', 1, 6);
         create table bare (v); insert into bare values ('one'), ('two'), ('three');",
    )
    .unwrap();
    drop(db);
    let source = sqlite::open(&path).await.unwrap();
    for (name, key, expected) in [("mixed", &["k"][..], 12), ("pairs", &["a", "b"][..], 6), ("bare", &["rowid"][..], 3)]
    {
        let mut read = reader(&source, table(name), key).await;
        let all = rows(&source, &read).await;
        assert_eq!(all.len(), expected, "{name}");
        for at in 0..all.len() {
            read.range = KeyRange { after: None, upto: Some(all[at].key.clone()) };
            assert_eq!(rows(&source, &read).await, all[..=at], "{name} up to {:?}", all[at].key);
            read.range = KeyRange { after: Some(all[at].key.clone()), upto: None };
            assert_eq!(rows(&source, &read).await, all[at + 1..], "{name} after {:?}", all[at].key);
        }
    }
    let read = reader(&source, table("mixed"), &["k"]).await;
    let keys: Vec<String> = rows(&source, &read).await.into_iter().map(|row| row.key.concat()).collect();
    assert_eq!(
        keys,
        ["2.5", "9", "10", "''q", "'10", "'9", "B", "a", "'x'00'", "t'ff'", "x'00'", "x'61'"],
        "numbers as numbers, text bytewise, then binary"
    );
}

#[tokio::test]
async fn queries_expressions_and_trees() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "create table notes (id text primary key, body text, gone int);
         insert into notes values ('a', 'one', 0), ('b', 'two', 1), ('c', 'three', 0);
         create table nodes (id integer primary key, parent int); insert into nodes values (1, null), (2, 1);",
    )
    .unwrap();
    drop(db);
    let source = sqlite::open(&path).await.unwrap();
    let query = Relation::Query("select id, body from notes where gone = 0 -- only those left\n;".into());
    let mut read = reader(&source, query, &["id"]).await;
    read.expressions = vec!["upper(body)".into()];
    let found = rows(&source, &read).await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].values[2], Value::Text("THREE".into()));
    assert_eq!(
        source.tree("nodes", "id", "parent").await.unwrap(),
        [("1".to_owned(), None), ("2".to_owned(), Some("1".to_owned()))]
    );
    for query in ["delete from notes", "select 1); delete from notes; --", "select ?1"] {
        let error = source.describe(&Relation::Query(query.into())).await.unwrap_err().to_string();
        assert!(error.contains("write one `select`"), "{query}: {error}");
    }
    let error = source.describe(&table("note")).await.unwrap_err().to_string();
    assert!(error.contains("no table `note`; the nearest there: notes"), "{error}");
    let error = source.tree("nodes", "id", "up").await.unwrap_err().to_string();
    assert!(error.contains("no column `up` in nodes; accepted: id, parent"), "{error}");
    let names: Vec<String> = source.tables().await.unwrap().into_iter().map(|table| table.name).collect();
    assert_eq!(names, ["nodes", "notes"]);
}

#[tokio::test]
async fn reading_leaves_the_bytes_and_nothing_beside_them() {
    for mode in ["delete", "wal"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!(
            "pragma journal_mode = {mode}; create table notes (id integer primary key, body text);
             insert into notes values (1, 'one'), (2, 'two');"
        ))
        .unwrap();
        db.close().unwrap();
        let before = bytes(dir.path());
        assert_eq!(before.len(), 1);
        let source = sqlite::open(&path).await.unwrap();
        let identity = source.identity(&table("notes")).await.unwrap();
        assert_eq!((identity.role.as_str(), identity.superuser), ("file", false));
        assert!(identity.server.starts_with("SQLite 3."));
        let read = reader(&source, table("notes"), &["id"]).await;
        assert_eq!(rows(&source, &read).await.len(), 2);
        let mut write = read.clone();
        write.expressions = vec!["1); delete from notes; --".into()];
        assert!(source.scan(&write, &mut |_, _| Ok(())).await.is_err());
        assert_eq!(bytes(dir.path()), before, "{mode}");

        let db = Connection::open(&path).unwrap();
        db.execute_batch("insert into notes values (3, 'three')").unwrap();
        assert_eq!(rows(&source, &read).await.len(), 3, "{mode}: what a live writer has committed is read");
        assert_eq!(source.identity(&table("notes")).await.unwrap(), identity, "rows do not change who it is");
    }
}

#[tokio::test]
async fn what_cannot_be_read_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("none.db");
    let error = sqlite::open(&missing).await.unwrap_err().to_string();
    assert!(error.contains("cannot be opened") && error.contains("write sqlite:FILE"), "{error}");
    assert!(!missing.exists());
    let other = dir.path().join("other.db");
    std::fs::write(&other, "This is no database, whatever its name may say about that. ".repeat(20)).unwrap();
    let error = sqlite::open(&other).await.unwrap_err().to_string();
    assert!(error.contains("no SQLite database"), "{error}");

    let path = dir.path().join("notes.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch("create table notes (id text primary key, body text); insert into notes values (null, 'lost')")
        .unwrap();
    let source = sqlite::open(&path).await.unwrap();
    let read = reader(&source, table("notes"), &["id"]).await;
    let error = source.scan(&read, &mut |_, _| Ok(())).await.unwrap_err().to_string();
    assert!(error.contains("key column `id` is null") && error.contains("rowid"), "{error}");
    db.execute_batch("begin exclusive").unwrap();
    let error = source.describe(&table("notes")).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("locked by a writer"), "{error}");
}

#[tokio::test]
async fn an_error_of_the_visitor_stops_the_scan() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "create table long (id integer primary key, v);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) insert into long select i, i from n;",
    )
    .unwrap();
    let source = sqlite::open(&path).await.unwrap();
    let read = reader(&source, table("long"), &["id"]).await;
    let mut seen = 0;
    let error = source
        .scan(&read, &mut |_, _| {
            seen += 1;
            if seen == 300 { Err(heirloom_migrate::MigrateError::Ledger("enough".into())) } else { Ok(()) }
        })
        .await
        .unwrap_err();
    assert_eq!((error.to_string().as_str(), seen), ("Ledger: enough", 300));
    assert_eq!(rows(&source, &read).await.len(), 20_000);
}
