//! PostgreSQL as a source: each type there and back, each kind of relation, odd collations, rights, and no trace of a read.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::source::{self, Relation, Source, Type, verbatim};
use heirloom_migrate::value::{SourceRow, Value};

use crate::source_contract::{partitions, reader, rows, table, try_rows};
use crate::traces::traces;

async fn ground(sql: &str) -> (TestDatabase, Box<dyn Source>) {
    let db = TestDatabase::fresh().await;
    db.database().client().await.unwrap().batch_execute(sql).await.unwrap();
    let source = source::open("store", db.database()).await.unwrap();
    (db, source)
}

async fn one(db: &TestDatabase, sql: &str) -> Option<String> {
    let client = db.database().client().await.unwrap();
    client.query_one(&format!("select ({sql})::text"), &[]).await.unwrap().get(0)
}

/// Types, the type mapping sees, and literals of it.
const TYPES: &[(&str, Type, &[&str])] = &[
    ("boolean", Type::Bool, &["true", "false"]),
    ("smallint", Type::Int, &["-32768", "0", "32767"]),
    ("integer", Type::Int, &["-2147483648", "2147483647"]),
    ("bigint", Type::Int, &["-9223372036854775808", "9223372036854775807"]),
    (
        "numeric",
        Type::Decimal,
        &[
            "0",
            "0.00",
            "-0.005",
            "12345678901234567890.123456789",
            "1e-20",
            "1e30",
            "10000",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.10001",
        ],
    ),
    ("numeric(10,2)", Type::Decimal, &["1.5", "-99999999.99"]),
    ("real", Type::Float32, &["0", "-0", "1.1", "3.4028235e38", "1e-45", "NaN", "Infinity"]),
    ("double precision", Type::Float64, &["-0", "0.1", "1.7976931348623157e308", "5e-324", "NaN", "-Infinity"]),
    ("text", Type::Text, &["", " ", "a\r\nb", "日本 🙂", "é é", "null", "\\"]),
    ("varchar(10)", Type::Text, &["", "x  "]),
    ("character(5)", Type::Text, &["ab", "", "abcde"]),
    ("name", Type::Text, &["n"]),
    ("mood", Type::Text, &["sad", "Very Happy"]),
    ("bytea", Type::Bytes, &["", "\\x00ff10"]),
    ("json", Type::Json, &["{\"b\": 1.00,  \"a\":2, \"a\": 3}", "null", "\"\\u0000\"", "1e400"]),
    ("jsonb", Type::Json, &["{\"b\": 1.00, \"a\": 3}", "null", "[]", "1e400", "\"é\""]),
    (
        "timestamptz",
        Type::Moment,
        &[
            "2026-05-24 09:13:21.123456+02",
            "infinity",
            "-infinity",
            "4713-01-01 00:00:00+00 BC",
            "294276-12-31 23:59:59.999999+00",
            "1969-12-31 23:59:59.999999+00",
        ],
    ),
    ("timestamp", Type::LocalTime, &["2026-03-29 02:30:00", "infinity", "0044-03-15 12:00:00 BC"]),
    ("timestamptz(0)", Type::Moment, &["2026-05-24 09:13:21.6+00"]),
    ("date", Type::Date, &["2026-05-24", "1969-12-31", "4713-01-01 BC", "infinity", "-infinity"]),
    (
        "interval",
        Type::Interval,
        &["30 days", "-1 year 2 mons -3 days 04:05:06.789", "0", "-00:00:00.000001", "1 mon -1 day"],
    ),
    ("uuid", Type::Uuid, &["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]),
    ("vector(3)", Type::Vector, &["[1,-0,0.1]", "[1e-45,3.4e38,2]"]),
    ("vector", Type::Vector, &["[1]", "[1,2,3,4]"]),
    ("halfvec(2)", Type::Vector, &["[0.1,-65504]"]),
    ("text[]", Type::Array, &["{}", "{a,NULL,\"\",\"q\\\"\\\\,{}\",null_,\"NULL\"}", "{{a,b},{c,d}}", "[5:6]={x,y}"]),
    ("integer[]", Type::Array, &["{1,NULL,-3}"]),
    ("real[]", Type::Array, &["{0.1,-0,NaN}"]),
    ("uuid[]", Type::Array, &["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"]),
    ("timestamptz[]", Type::Array, &["{\"2026-05-24 09:13:21+00\",infinity}"]),
    ("date[]", Type::Array, &["{2026-01-01,infinity}"]),
    ("jsonb[]", Type::Array, &["{\"{\\\"a\\\": [1, \\\"x\\\"]}\"}"]),
    ("character(3)[]", Type::Array, &["{a,abc}"]),
    ("mood[]", Type::Array, &["{sad,\"Very Happy\"}"]),
    ("label", Type::Text, &["a label"]),
    ("short_label", Type::Text, &["s"]),
    ("labels", Type::Array, &["{x,y}"]),
    ("inet", Type::Other, &["10.0.0.1/8"]),
    ("int4range", Type::Other, &["[1,5)", "empty"]),
    ("tsvector", Type::Other, &["'fat':2 'rat':3"]),
    ("bit(4)", Type::Other, &["1010"]),
    ("time", Type::Other, &["24:00:00"]),
    ("timetz", Type::Other, &["12:00:00-08"]),
    ("\"char\"", Type::Other, &["x"]),
    ("pair", Type::Other, &["(1,\"a \"\"b\"\"\")"]),
    ("inet[]", Type::Other, &["{10.0.0.1}"]),
    ("sparsevec(5)", Type::Other, &["{1:1,3:2.5}/5"]),
];

#[tokio::test]
async fn every_type_goes_there_and_back() {
    let (db, source) = ground(
        "create extension if not exists vector;
         create type mood as enum ('Very Happy', 'sad');
         create type pair as (a int, b text);
         create domain label as text;
         create domain short_label as label check (length(value) < 9);
         create domain labels as text[];",
    )
    .await;
    for (i, (ty, seen, literals)) in TYPES.iter().enumerate() {
        let client = db.database().client().await.unwrap();
        client.batch_execute(&format!("create table t{i} (id int primary key, v {ty})")).await.unwrap();
        for (n, literal) in literals.iter().chain(&["\0"]).enumerate() {
            let literal =
                if *literal == "\0" { "null".to_owned() } else { format!("'{}'", literal.replace('\'', "''")) };
            client.batch_execute(&format!("insert into t{i} values ({n}, {literal})")).await.unwrap();
        }
        drop(client);
        let read = reader(source.as_ref(), table(&format!("t{i}")), &["id"]).await;
        assert_eq!(read.table.columns[1].ty, *seen, "{ty}");
        let found = rows(source.as_ref(), &read).await;
        assert_eq!(found.len(), literals.len() + 1, "{ty}");
        assert_eq!(found.last().unwrap().values[1], Value::Null, "{ty}");
        for (n, row) in found.iter().enumerate().take(literals.len()) {
            let kept = verbatim::row(&read.table, row);
            let back = verbatim::restore(&read.table, &row.key, &kept).unwrap();
            assert_eq!(format!("{back:?}"), format!("{row:?}"), "{ty}: {kept}");
            let text = plain(&verbatim::verbatim(&row.values[1], Some(*seen)));
            let text = text.replace('\'', "''");
            let same = format!("select '{text}'::{ty}::text is not distinct from v::text from t{i} where id = {n}");
            assert_eq!(one(&db, &same).await.as_deref(), Some("true"), "{ty}: {kept}");
        }
    }
    drop(source);
    db.close().await;
}

/// The verbatim form as a literal.
fn plain(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(tagged) => tagged["$real"].as_str().unwrap().to_owned(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn described_types_are_spelt_as_the_server_spells_them() {
    let (db, source) = ground(
        "create extension if not exists vector;
         create domain wide as vector(5);
         create table t (id uuid, a varchar(50) not null, b vector(1536), c wide, d numeric(6,2)[], e text generated always as (upper(a)) stored, primary key (id));
         create unique index on t (a); create unique index on t (upper(a)); create unique index on t (b) where a = 'x';
         alter table t drop column d;",
    )
    .await;
    let found = source.describe(&table("public.t")).await.unwrap();
    let declared: Vec<&str> = found.columns.iter().map(|column| column.declared.as_str()).collect();
    assert_eq!((declared[0], declared[1], declared[4]), ("uuid", "character varying(50)", "text"));
    assert!(declared[2].ends_with("vector(1536)") && declared[3].ends_with("wide"), "{declared:?}");
    assert_eq!(found.columns[2].dimensions, Some(1536));
    assert_eq!(found.columns[3].dimensions, Some(5));
    assert!(found.columns[4].generated && !found.columns[0].generated && found.columns[1].not_null);
    assert_eq!(found.primary_key, ["id"]);
    assert_eq!(found.unique_keys, [["a"]]);
    drop(source);
    db.close().await;
}

#[tokio::test]
async fn types_that_are_the_same_everywhere_are_known_as_the_server_tells_them() {
    const TYPES: [&str; 21] = [
        "boolean",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double precision",
        "numeric",
        "text",
        "varchar",
        "name",
        "bytea",
        "json",
        "jsonb",
        "timestamptz",
        "timestamp",
        "date",
        "interval",
        "uuid",
        "text[]",
        "uuid[]",
        "bigint[]",
    ];
    let columns: Vec<String> = TYPES.iter().enumerate().map(|(at, ty)| format!("c{at} {ty}")).collect();
    let columns = columns.join(", ");
    // One column of another type, and the server is asked for all of them.
    let sql = format!("create table known ({columns}); create table asked ({columns}, other inet)");
    let (db, source) = ground(&sql).await;
    let known = source.describe(&table("known")).await.unwrap().columns;
    let asked = source.describe(&table("asked")).await.unwrap().columns;
    assert_eq!(known, asked[..TYPES.len()]);
    let of_query = source.describe(&Relation::Query("select * from known".into())).await.unwrap().columns;
    assert_eq!(known, of_query);
    drop(source);
    db.close().await;
}

#[tokio::test]
async fn what_is_looked_at_together_is_what_each_look_says() {
    let (db, source) = ground(
        "create table base (id int primary key, v text); create view seen as select * from base;
         create table parts (id int primary key) partition by range (id);
         create table parts_low partition of parts for values from (0) to (2);",
    )
    .await;
    for relation in [table("base"), table("seen"), table("parts"), Relation::Query("select id from base".into())] {
        let together = source.examine(&relation).await.unwrap();
        assert_eq!(together.table, source.describe(&relation).await.unwrap(), "{relation:?}");
        assert_eq!(together.system, source.identity(&relation).await.unwrap().system, "{relation:?}");
        assert_eq!(together.row_version, source.row_version(&relation).await.unwrap(), "{relation:?}");
        let heap = relation == table("base") || relation == table("parts");
        assert_eq!(together.row_version.is_some(), heap, "{relation:?}");
    }
    drop(source);
    db.close().await;
}

#[tokio::test]
async fn views_and_partitions_are_read_like_tables() {
    let (db, source) = ground(
        "create table base (id int primary key, v text); insert into base values (1, 'x'), (2, 'y');
         create view seen as select * from base; create materialized view stored as select * from base;
         create table parts (id int not null, v text) partition by range (id);
         create table parts_low partition of parts for values from (0) to (2);
         create table parts_high partition of parts default;
         insert into parts select * from base; alter table parts add primary key (id);",
    )
    .await;
    for name in ["base", "seen", "stored", "parts"] {
        let read = reader(source.as_ref(), table(name), &["id"]).await;
        assert_eq!(partitions(source.as_ref(), &read, name).await.len(), 2, "{name}");
    }
    let names: Vec<String> = source.tables().await.unwrap().into_iter().map(|table| table.name).collect();
    assert_eq!(names, ["public.base", "public.parts", "public.seen", "public.stored"]);
    drop(source);
    db.close().await;
}

#[tokio::test]
async fn keys_of_every_type_keep_their_order() {
    let (db, source) = ground("create type size as enum ('small', 'Large', 'huge')").await;
    let collation = one(
        &db,
        "select quote_ident(collname) from pg_collation where collname ~ '^(en_US|en-x-icu|und-x-icu)' order by 1 limit 1",
    );
    let collation = collation.await.unwrap_or_else(|| "\"C\"".to_owned());
    for (ty, keys) in [
        (format!("text collate {collation}"), &["a", "B", "b", "A", "ä", "_", "-a", "", "'"][..]),
        ("uuid".into(), &["ffffffff-0000-0000-0000-000000000000", "0EEBC990-9C0B-4EF8-BB6D-6BB9BD380A11"]),
        ("numeric".into(), &["10", "9", "-1.50", "NaN", "1e20"]),
        ("timestamptz".into(), &["2026-01-01 00:00:00.000001+00", "2026-01-01 00:00:00+00", "infinity", "-infinity"]),
        ("timestamp(3)".into(), &["2026-01-01 00:00:00.001", "1999-01-01 00:00:00"]),
        ("date".into(), &["2026-01-01", "infinity", "1969-01-01"]),
        ("character(4)".into(), &["b", "a", "B", "ab"]),
        ("varchar(4)".into(), &["b", "B "]),
        ("double precision".into(), &["0.1", "-1e300", "NaN", "5e-324"]),
        ("bytea".into(), &["\\x00", "\\xff", ""]),
        ("boolean".into(), &["true", "false"]),
        ("interval".into(), &["1 mon", "31 days", "-1 day"]),
        ("size".into(), &["huge", "small", "Large"]),
        ("inet".into(), &["10.0.0.2", "10.0.0.10"]),
    ] {
        let client = db.database().client().await.unwrap();
        client
            .batch_execute(&format!("drop table if exists k; create table k (k {ty} primary key, n int)"))
            .await
            .unwrap();
        for key in keys {
            client.batch_execute(&format!("insert into k values ('{}', 1)", key.replace('\'', "''"))).await.unwrap();
        }
        drop(client);
        let read = reader(source.as_ref(), table("k"), &["k"]).await;
        let found = partitions(source.as_ref(), &read, &ty).await;
        assert_eq!(found.len(), keys.len(), "{ty}");
        let text: Vec<&String> = found.iter().flat_map(|row| &row.key).collect();
        if ty.starts_with("text") {
            assert!(text.is_sorted(), "by bytes under any collation: {text:?}");
        }
        assert!(ty != "uuid" || text[0] == "0eebc990-9c0b-4ef8-bb6d-6bb9bd380a11");
    }
    drop(source);
    db.close().await;
}

#[tokio::test]
async fn errors_never_quote_a_row() {
    let (db, source) = ground(
        "create table notes (id int primary key, content text); insert into notes values (1, 'the launch code is 0000');
         create function tell(text) returns text language plpgsql as $$ begin raise exception 'saw %', $1; end $$;
         create function assert_it(text) returns text language plpgsql as $$ begin assert false, $1; return $1; end $$;",
    )
    .await;
    for expression in ["content::int", "tell(content)", "content::timestamptz", "content::jsonb", "assert_it(content)"]
    {
        let mut read = reader(source.as_ref(), table("notes"), &["id"]).await;
        read.expressions = vec![expression.to_owned()];
        let error = try_rows(source.as_ref(), &read).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("launch"), "{expression}: {shown}");
        assert!(shown.contains("SQLSTATE"), "{expression}: {shown}");
    }
    let mut read = reader(source.as_ref(), table("notes"), &["id"]).await;
    read.expressions = vec!["contents".to_owned()];
    assert!(try_rows(source.as_ref(), &read).await.unwrap_err().to_string().contains("contents"), "names are named");
    drop(source);
    db.close().await;
}

#[tokio::test]
async fn a_read_leaves_no_trace_and_cannot_write() {
    let (db, source) = ground(
        "create table notes (id int primary key, content text); insert into notes values (1, 'x'), (2, 'y');
         create sequence counter; create table workspaces (id int primary key, parent_id int);
         create function write_it() returns int language sql as $$ insert into notes values (3, 'z') returning id $$;",
    )
    .await;
    let before = traces(db.database()).await;
    let relation = table("notes");
    let read = reader(source.as_ref(), relation.clone(), &["id"]).await;
    for _ in 0..3 {
        assert_eq!(rows(source.as_ref(), &read).await.len(), 2);
        source.tables().await.unwrap();
        source.identity(&relation).await.unwrap();
        source.tree("workspaces", "id", "parent_id").await.unwrap();
    }
    assert_eq!(traces(db.database()).await.since(&before), [] as [String; 0]);
    for expression in ["nextval('counter')", "write_it()"] {
        let mut read = reader(source.as_ref(), relation.clone(), &["id"]).await;
        read.expressions = vec![expression.to_owned()];
        let error = try_rows(source.as_ref(), &read).await.unwrap_err().to_string();
        assert!(error.contains("25006"), "{expression}: {error}");
    }
    drop(source);
    db.close().await;
}

#[tokio::test]
async fn rights_that_are_missing_are_named() {
    let (db, source) = ground(
        "create schema closed; create table closed.notes (id int primary key, content text);
         create table notes (id int primary key, content text, secret text);
         create table \"Notes Two\" (id int primary key);",
    )
    .await;
    let role = format!("reader_{}", uuid::Uuid::new_v4().simple());
    let sql = async |sql: String| db.database().client().await.unwrap().batch_execute(&sql).await.unwrap();
    sql(format!("create role {role}; set role {role}")).await;
    let error = async |name: &str| source.describe(&table(name)).await.unwrap_err().to_string();
    let closed = error("closed.notes").await;
    assert!(closed.contains("schema closed") && closed.contains("grant usage"), "{closed}");
    let table_right = error("notes").await;
    assert!(table_right.contains("may not read public.notes") && table_right.contains("grant select"), "{table_right}");
    sql(format!("reset role; grant select (id, content) on notes to {role}; set role {role}")).await;
    let partly = error("notes").await;
    assert!(partly.contains("secret") && !partly.contains("content"), "{partly}");
    sql(format!("reset role; grant select (secret) on notes to {role}; set role {role}")).await;
    let read = reader(source.as_ref(), table("notes"), &["id"]).await;
    assert!(rows(source.as_ref(), &read).await.is_empty());
    let identity = source.identity(&table("notes")).await.unwrap();
    assert_eq!((identity.superuser, identity.bypass_rls, identity.can_write), (false, false, false));
    assert_eq!((identity.role.as_str(), identity.filtered), (role.as_str(), false));
    sql(format!("reset role; alter table notes enable row level security; set role {role}")).await;
    for relation in [table("notes"), Relation::Query("select id from notes".into())] {
        assert!(source.identity(&relation).await.unwrap().filtered, "policies decide what it sees");
    }
    sql("reset role".into()).await;
    assert!(!source.identity(&table("notes")).await.unwrap().filtered, "they do not bind the owner");
    let owner = source.identity(&Relation::Query("select id from notes".into())).await.unwrap();
    assert!(owner.superuser && owner.can_write, "a query writes through to its table");
    assert_eq!(owner.system, identity.system, "the system is the same whoever looks");
    sql(format!("drop owned by {role}; drop role {role}")).await;
    drop(source);
    db.close().await;
}

#[tokio::test]
async fn the_url_of_the_target_shares_its_pool() {
    let db = TestDatabase::fresh().await;
    if let Some(url) = db.url() {
        let source = source::open(url, db.database()).await.unwrap();
        assert!(source.database().is_some(), "the same URL is the same database");
        let other = url.rsplit_once('/').map(|(server, _)| format!("{server}/postgres")).unwrap();
        let source = source::open(&other, db.database()).await.unwrap();
        assert!(source.database().is_none());
    }
    let stored = source::open("store", db.database()).await.unwrap();
    assert!(stored.database().is_some());
    drop(stored);
    db.close().await;
}

#[tokio::test]
async fn many_and_large_rows_stream() {
    let (db, source) = ground(
        "create table notes (id int primary key, content text);
         insert into notes select n, repeat('x', n % 700) from generate_series(1, 20000) n;
         insert into notes values (0, repeat('é', 1000000));",
    )
    .await;
    let read = reader(source.as_ref(), table("notes"), &["id"]).await;
    let found = rows(source.as_ref(), &read).await;
    assert_eq!(found.len(), 20_001);
    let length = |row: &SourceRow| match &row.values[1] {
        Value::Text(text) => text.len(),
        other => panic!("{}", other.type_name()),
    };
    assert_eq!(length(&found[0]), 2_000_000);
    assert_eq!(length(&found[699]), 699);
    drop(source);
    db.close().await;
}
