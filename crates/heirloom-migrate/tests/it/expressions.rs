//! SQL in a migration file that its source does not take is told at its place in the file.

use heirloom_migrate::source;

use crate::support::{Ground, said};

const FILE: &str = r#"name = "notes"
[source]
url = "store"
table = "note"
[namespace]
template = "custom:all"
[map]
content = "body"
kind = { value = "fact" }
topic = { expr = "lower(body)" }
"#;

/// What the plan says of the file with this expression.
async fn refused(ground: &Ground, source: &dyn source::Source, expression: &str) -> String {
    said(ground.plan_from(source, &FILE.replace("lower(body)", expression), 50).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_is_named_by_its_place() {
    let ground = Ground::new(
        "create table note (id int primary key, body text, n int);
         insert into note select g, 'note ' || g, g from generate_series(1, 5) g",
    )
    .await;
    let source = ground.source.as_ref();
    for (expression, words) in [
        ("lower(bodyy)", "this expression cannot be evaluated: column \"bodyy\" does not exist (SQLSTATE 42703"),
        ("lower(body", "this expression cannot be evaluated: syntax error"),
        ("nowhere(body)", "this expression cannot be evaluated: function nowhere(text) does not exist"),
        ("(10 / (n - 3))::text", "this expression failed on a row: SQLSTATE 22012, division_by_zero"),
    ] {
        let error = refused(&ground, source, expression).await;
        assert!(error.starts_with(&format!("case.toml:10:18: {words}")), "{error}");
    }
    // Of two, nobody knows which one failed on a row.
    let two = FILE.replace("lower(body)", "(1 / (n - 3))::text") + "role = { expr = \"body\" }\n";
    let error = said(ground.plan(&two, 50).await);
    assert!(error.starts_with("Reading ") && error.contains("22012"), "{error}");

    let query = |sql: &str| FILE.replace("table = \"note\"", &format!("query = \"{sql}\"\nkey = [\"id\"]"));
    let error = said(ground.plan(&query("select id, bodyy from note"), 50).await);
    assert!(error.starts_with("case.toml:4:9: the query cannot be read: column \"bodyy\" does not exist"), "{error}");
    let error = said(ground.plan(&query("select id, body, n as body from note"), 50).await);
    assert!(error.starts_with("case.toml:4:9: the query gives two columns named body"), "{error}");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sqlite_too() {
    let ground = Ground::new("").await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.db");
    let lite = rusqlite::Connection::open(&path).unwrap();
    lite.execute_batch("create table note (id integer primary key, body text); insert into note values (1, 'a')")
        .unwrap();
    drop(lite);
    let source = source::open_alone(&format!("sqlite:{}", path.display())).await.unwrap();
    for (expression, words) in
        [("lower(bodyy)", "no such column: bodyy"), ("lower(body", "near \"from\": syntax error")]
    {
        let error = refused(&ground, source.as_ref(), expression).await;
        assert!(error.starts_with("case.toml:10:18: this expression cannot be evaluated: "), "{error}");
        assert!(error.contains(words), "{error}");
    }
    let query = FILE.replace("table = \"note\"", "query = \"select bodyy from note\"\nkey = [\"id\"]");
    let error = said(ground.plan_from(source.as_ref(), &query, 50).await);
    assert!(error.starts_with("case.toml:4:9: the query: no such column: bodyy"), "{error}");
    ground.close().await;
}
