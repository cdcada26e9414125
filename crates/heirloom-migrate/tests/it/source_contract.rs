//! What every source owes its readers, asked of each: the same rows in the same order however they are cut, nothing
//! lost to NULL or to a strange name, and a second read that equals the first.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::Result;
use heirloom_migrate::source::{self, KeyRange, Read, Relation, Source};
use heirloom_migrate::value::{SourceRow, Value};

/// The source under test and what keeps it alive.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) source: Box<dyn Source>,
    pub(crate) db: TestDatabase,
    _dir: tempfile::TempDir,
}

/// The same tables in each kind of source; `sql` must be understood by all of them.
async fn cases(sql: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for name in ["postgres", "sqlite"] {
        let db = TestDatabase::fresh().await;
        let dir = tempfile::tempdir().unwrap();
        let url = if name == "postgres" {
            db.database().client().await.unwrap().batch_execute(sql).await.unwrap();
            "store".to_owned()
        } else {
            let path = dir.path().join("legacy.db");
            rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
            format!("sqlite:{}", path.display())
        };
        let source = source::open(&url, db.database()).await.unwrap();
        cases.push(Case { name, source, db, _dir: dir });
    }
    cases
}

pub(crate) async fn reader(source: &dyn Source, relation: Relation, key: &[&str]) -> Read {
    let table = source.describe(&relation).await.unwrap();
    let key = key.iter().map(|&part| part.to_owned()).collect();
    Read { relation, table, key, expressions: Vec::new(), range: KeyRange::default(), since: None, keys: None }
}

pub(crate) fn table(name: &str) -> Relation {
    Relation::Table(name.to_owned())
}

pub(crate) async fn try_rows(source: &dyn Source, read: &Read) -> Result<Vec<SourceRow>> {
    let mut rows = Vec::new();
    let count = source
        .scan(read, &mut |row, size| {
            assert!(size > 0, "a row has a size");
            rows.push(row);
            Ok(())
        })
        .await?;
    assert_eq!(count, rows.len() as u64);
    Ok(rows)
}

pub(crate) async fn rows(source: &dyn Source, read: &Read) -> Vec<SourceRow> {
    try_rows(source, read).await.unwrap()
}

/// Every way of cutting the rows into two or three gives the rows back, in order, none twice.
pub(crate) async fn partitions(source: &dyn Source, read: &Read, name: &str) -> Vec<SourceRow> {
    // Compared as printed: NaN is not equal to itself.
    let shown = |rows: &[SourceRow]| format!("{rows:?}");
    let all = rows(source, read).await;
    assert_eq!(shown(&rows(source, read).await), shown(&all), "{name}: a second read equals the first");
    let mut read = read.clone();
    for low in 0..all.len() {
        let first = Some(all[low].key.clone());
        read.range = KeyRange { after: None, upto: first.clone() };
        assert_eq!(shown(&rows(source, &read).await), shown(&all[..=low]), "{name}: up to {low}");
        read.range = KeyRange { after: first.clone(), upto: None };
        assert_eq!(shown(&rows(source, &read).await), shown(&all[low + 1..]), "{name}: after {low}");
        let high = low + (all.len() - low) / 2;
        if high < all.len() {
            read.range = KeyRange { after: first, upto: Some(all[high].key.clone()) };
            assert_eq!(shown(&rows(source, &read).await), shown(&all[low + 1..=high]), "{name}: {low} to {high}");
        }
    }
    all
}

async fn close(cases: Vec<Case>) {
    for case in cases {
        drop(case.source);
        case.db.close().await;
    }
}

#[tokio::test]
async fn ranges_partition_exactly_and_keys_rise() {
    let cases = cases(
        "create table numbers (id bigint primary key, v text);
         insert into numbers values (10, 'a'), (9, 'b'), (-1, 'c'), (100, null), (9223372036854775807, 'd'), (-9223372036854775808, 'e');
         create table pairs (a text not null, b integer not null, v text, primary key (a, b));
         insert into pairs values ('b', 10, '1'), ('b', 9, '2'), ('A', 1, '3'), ('a', 2, '4'), ('', 0, '5'), ('é', 1, '6'), ('o''b\\', 1, '7'), ('日本', 1, '8');",
    )
    .await;
    for case in &cases {
        let source = case.source.as_ref();
        let read = reader(source, table("numbers"), &["id"]).await;
        let keys: Vec<String> =
            partitions(source, &read, case.name).await.into_iter().flat_map(|row| row.key).collect();
        assert_eq!(keys, ["-9223372036854775808", "-1", "9", "10", "100", "9223372036854775807"], "{}", case.name);
        let read = reader(source, table("pairs"), &["a", "b"]).await;
        assert_eq!(read.table.primary_key, ["a", "b"]);
        let keys: Vec<String> =
            partitions(source, &read, case.name).await.iter().map(|row| row.key.join("/")).collect();
        if case.name == "postgres" {
            assert_eq!(keys, ["/0", "A/1", "a/2", "b/9", "b/10", "o'b\\/1", "é/1", "日本/1"]);
        }
        assert_eq!(keys.len(), 8);
    }
    close(cases).await;
}

#[tokio::test]
async fn an_empty_table_has_columns_and_no_rows() {
    let cases = cases("create table empty (id integer primary key, content text);").await;
    for case in &cases {
        let read = reader(case.source.as_ref(), table("empty"), &["id"]).await;
        assert_eq!(read.table.columns.len(), 2, "{}", case.name);
        assert!(partitions(case.source.as_ref(), &read, case.name).await.is_empty());
    }
    close(cases).await;
}

#[tokio::test]
async fn null_is_not_the_empty_text() {
    let cases = cases(
        "create table notes (id integer primary key, content text);
         insert into notes values (1, null), (2, ''), (3, ' '), (4, 'null');",
    )
    .await;
    for case in &cases {
        let read = reader(case.source.as_ref(), table("notes"), &["id"]).await;
        let found: Vec<Value> =
            rows(case.source.as_ref(), &read).await.into_iter().map(|row| row.values[1].clone()).collect();
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(found, [Value::Null, text(""), text(" "), text("null")], "{}", case.name);
    }
    close(cases).await;
}

#[tokio::test]
async fn any_name_can_be_read() {
    let cases = cases(
        r#"create table "we""ird; drop table x --" ("Key One" integer primary key, "select" text, "q""uote" text, "naïve 🙂" text);
           insert into "we""ird; drop table x --" values (1, 'a', 'b', 'c');
           create table "Order" ("KEY" integer primary key, "user" text);
           insert into "Order" values (7, 'x');"#,
    )
    .await;
    for case in &cases {
        let source = case.source.as_ref();
        let read = reader(source, table("we\"ird; drop table x --"), &["Key One"]).await;
        let names: Vec<&str> = read.table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["Key One", "select", "q\"uote", "naïve 🙂"], "{}", case.name);
        assert_eq!(partitions(source, &read, case.name).await.len(), 1);
        let read = reader(source, table("Order"), &["KEY"]).await;
        assert_eq!(rows(source, &read).await[0].key, ["7"]);
        // The name a source prints leads back to the table.
        let again = source.describe(&table(&read.table.name)).await.unwrap();
        assert_eq!(again, read.table, "{}", case.name);
        assert_eq!(source.tables().await.unwrap().len(), 2, "{}", case.name);
    }
    close(cases).await;
}

#[tokio::test]
async fn what_is_not_there_is_named_with_what_is() {
    let cases = cases(
        "create table agent_memories (id integer primary key, content text);
         insert into agent_memories values (1, 'private words');",
    )
    .await;
    for case in &cases {
        let source = case.source.as_ref();
        let error = source.describe(&table("agent_memory")).await.unwrap_err().to_string();
        assert!(error.contains("agent_memory") && error.contains("agent_memories"), "{}: {error}", case.name);
        let mut read = reader(source, table("agent_memories"), &["id"]).await;
        read.key = vec!["uid".to_owned()];
        let error = try_rows(source, &read).await.unwrap_err().to_string();
        assert!(error.contains("uid"), "{}: {error}", case.name);
    }
    close(cases).await;
}

#[tokio::test]
async fn queries_and_expressions_are_read_like_tables() {
    let cases = cases(
        "create table notes (id integer primary key, content text);
         insert into notes values (1, 'one'), (2, 'two'), (3, 'three');",
    )
    .await;
    for case in &cases {
        let source = case.source.as_ref();
        let query = "select id, upper(content) as loud from notes where id > 1 -- the later ones\n;";
        let mut read = reader(source, Relation::Query(query.to_owned()), &["id"]).await;
        assert_eq!(read.table.name, "query");
        read.expressions = vec!["loud || '!' -- louder".to_owned(), "id + 1".to_owned()];
        let found = partitions(source, &read, case.name).await;
        assert_eq!(found.len(), 2, "{}", case.name);
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(found[0].values, [Value::Int(2), text("TWO"), text("TWO!"), Value::Int(3)], "{}", case.name);
        // Two columns of one name are refused, or told apart; never read as one.
        let twice = Relation::Query("select id, id from notes".to_owned());
        match source.describe(&twice).await {
            Err(error) => assert!(error.to_string().contains("two columns named id"), "{}: {error}", case.name),
            Ok(table) => assert_ne!(table.columns[0].name, table.columns[1].name, "{}", case.name),
        }
    }
    close(cases).await;
}

#[tokio::test]
async fn a_reader_that_stops_leaves_the_source_usable() {
    let cases = cases(
        "create table notes (id integer primary key, content text);
         insert into notes values (1, 'one'), (2, 'two'), (3, 'three');",
    )
    .await;
    for case in &cases {
        let source = case.source.as_ref();
        let read = reader(source, table("notes"), &["id"]).await;
        let mut seen = 0;
        let stopped = source
            .scan(&read, &mut |_, _| {
                seen += 1;
                Err(heirloom_migrate::MigrateError::Refused { what: "enough".into(), cure: "none".into() })
            })
            .await;
        assert!(stopped.unwrap_err().to_string().contains("enough"), "{}", case.name);
        assert_eq!(seen, 1, "{}: no row after the stop", case.name);
        assert_eq!(rows(source, &read).await.len(), 3, "{}", case.name);
    }
    close(cases).await;
}

#[tokio::test]
async fn no_row_is_lost_to_a_key_that_is_null() {
    let cases = cases(
        "create table notes (id integer, content text);
         insert into notes values (1, 'one'), (null, 'nobody'), (2, 'two');",
    )
    .await;
    for case in &cases {
        let source = case.source.as_ref();
        let mut read = reader(source, table("notes"), &["id"]).await;
        assert!(try_rows(source, &read).await.unwrap_err().to_string().contains("id"), "{}: the whole", case.name);
        // Whichever way the rows are cut, one of the parts owns the row and says so.
        let mut refused = 0;
        for range in [
            KeyRange { after: None, upto: Some(vec!["1".into()]) },
            KeyRange { after: Some(vec!["1".into()]), upto: None },
        ] {
            read.range = range;
            refused += usize::from(try_rows(source, &read).await.is_err());
        }
        assert!(refused >= 1, "{}: a part", case.name);
    }
    close(cases).await;
}
