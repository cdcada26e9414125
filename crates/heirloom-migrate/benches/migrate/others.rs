//! What the migrator is measured against, on the same rows and the same server.

use std::future::IntoFuture as _;
use std::process::Command;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use heirloom_engine::Database;

use crate::ground::Ground;

/// Rows that are written one by one; the rate is what counts.
const SINGLE: u64 = 1_000;

/// `psql COPY … TO STDOUT (FORMAT binary) | psql COPY … FROM STDIN` into a table of the same shape, without indexes.
pub(crate) async fn pipe(ground: &Ground, table: &str) -> f64 {
    ground.sql(&format!("create table {table} (like bench.item)")).await;
    shell(ground, "select * from bench.item", table)
}

/// What both ways into the table of a store read, and where they write it.
const READ: &str = "select md5(id::text)::uuid, 'workspace:' || desk, 'fact', 'agent', layer, body, 'bench', embedding, tags || properties, made, changed from bench.item";
const INTO: &str = "heirloom.memory (id, namespace, kind, source, topic, content, embedding_model, embedding, metadata, created_at, updated_at)";

/// The same pipe into the table a store has: its triggers and its indexes at work, past its policies.
pub(crate) async fn pipe_into_memory(ground: &Ground) -> f64 {
    ground.sql("insert into heirloom.namespace (name) select distinct 'workspace:' || desk from bench.item").await;
    let seconds = shell(ground, READ, INTO);
    emptied(ground).await;
    seconds
}

/// The same rows into the same table by one statement: none leaves the server.
pub(crate) async fn inside_the_server(ground: &Ground) -> f64 {
    let started = Instant::now();
    ground.sql(&format!("insert into {INTO} {READ}")).await;
    let seconds = started.elapsed().as_secs_f64();
    emptied(ground).await;
    seconds
}

async fn emptied(ground: &Ground) {
    ground
        .sql("set session_replication_role = replica; delete from heirloom.memory; reset session_replication_role")
        .await;
    // Outside a transaction block, so that what was deleted does not stand in the way of what is measured next.
    ground.sql("vacuum full heirloom.memory").await;
}

fn shell(ground: &Ground, read: &str, into: &str) -> f64 {
    let psql = std::env::var("HEIRLOOM_BENCH_PSQL").unwrap_or_else(|_| "psql".to_owned());
    let url = ground.db.url().unwrap();
    let copy = |statement: String| format!("'{psql}' '{url}' -X -q -c \"{statement}\"");
    let from = copy(format!("copy ({read}) to stdout (format binary)"));
    let to = copy(format!("copy {into} from stdin (format binary)"));
    let started = Instant::now();
    let status = Command::new("sh").arg("-c").arg(format!("{from} | {to}")).status().unwrap();
    assert!(status.success(), "the pipe failed; is psql there? name it in HEIRLOOM_BENCH_PSQL");
    started.elapsed().as_secs_f64()
}

/// The indexes that a namespace was given, made again by the definitions that the server has of them.
pub(crate) async fn same_indexes(ground: &Ground) -> f64 {
    let named = "from pg_indexes where schemaname = 'heirloom' and indexname ~ '^memory_(words|signs)_'";
    let definitions = ground.one(&format!("select coalesce(string_agg(indexdef, '; '), '') {named}")).await;
    let count = ground.one(&format!("select count(*)::text {named}")).await;
    assert_eq!(count, "2", "apply has built the indexes of its namespace");
    let dropped = ground.one(&format!("select string_agg('drop index heirloom.' || indexname, '; ') {named}")).await;
    ground.sql(&dropped).await;
    let started = Instant::now();
    ground.sql(&format!("set maintenance_work_mem = '512MB'; {definitions}; reset maintenance_work_mem")).await;
    started.elapsed().as_secs_f64()
}

/// The statement of pgmnemo's guide, into a table with the indexes its own schema has from the start.
pub(crate) async fn guide(ground: &Ground) -> f64 {
    ground
        .sql(
            "create table bench.lesson (id bigint generated always as identity primary key, role text, project_id integer, topic text,
                 lesson_text text not null, importance smallint, state text, metadata jsonb, embedding vector(1024),
                 tsv tsvector generated always as (to_tsvector('english', lesson_text)) stored, created_at timestamptz);
             create index on bench.lesson using hnsw (embedding vector_cosine_ops);
             create index on bench.lesson using gin (tsv);
             create index on bench.lesson using gin (metadata);
             create index on bench.lesson (role, project_id)",
        )
        .await;
    let started = Instant::now();
    ground
        .sql(
            "insert into bench.lesson (role, project_id, topic, lesson_text, importance, state, metadata, embedding, created_at)
             select role, 1, layer, body, ceil(priority / 2.0), case status when 'active' then 'candidate' else 'draft' end,
                    tags || properties || jsonb_build_object('origin', id), embedding, made
               from bench.item
              where not exists (select from bench.lesson l where l.metadata ->> 'origin' = bench.item.id::text)",
        )
        .await;
    started.elapsed().as_secs_f64()
}

/// One statement and one commit a row; rows a second.
pub(crate) async fn row_by_row(ground: &Ground) -> f64 {
    ground.sql("create table bench.single (like bench.item including all)").await;
    let client = ground.db.database().client().await.unwrap();
    let ids: i64 = i64::try_from(SINGLE.min(ground.rows)).unwrap();
    let insert = client.prepare("insert into bench.single select * from bench.item where id = $1").await.unwrap();
    let started = Instant::now();
    for id in 1..=ids {
        client.execute(&insert, &[&id]).await.unwrap();
    }
    ids as f64 / started.elapsed().as_secs_f64()
}

/// The shape of a client that sends one row a request and waits: a JSON body, a server on loopback with a pool, one
/// statement and one commit; rows a second.
pub(crate) async fn row_by_row_over_http(ground: &Ground) -> f64 {
    ground.sql("create table bench.sent (like bench.item including all)").await;
    let client = ground.db.database().client().await.unwrap();
    let limit = i64::try_from(SINGLE).unwrap();
    let read = "select to_jsonb(i)::text from bench.item i order by id limit $1";
    let bodies: Vec<String> = client.query(read, &[&limit]).await.unwrap().iter().map(|row| row.get(0)).collect();
    drop(client);
    let write = async |State(database): State<Database>, body: String| {
        let client = database.client().await.unwrap();
        let insert = "insert into bench.sent select * from jsonb_populate_record(null::bench.sent, $1::text::jsonb)";
        client.execute(&client.prepare_cached(insert).await.unwrap(), &[&body]).await.unwrap();
        StatusCode::CREATED
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/rows", listener.local_addr().unwrap());
    let router = Router::new().route("/rows", post(write)).with_state(ground.db.database().clone());
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    let http = heirloom_migrate::http::builder().unwrap().build().unwrap();
    let started = Instant::now();
    for body in &bodies {
        assert_eq!(http.post(&url).body(body.clone()).send().await.unwrap().status().as_u16(), 201);
    }
    let seconds = started.elapsed().as_secs_f64();
    server.abort();
    bodies.len() as f64 / seconds
}

/// Reading every row of source and target once, in binary, and dropping it.
pub(crate) async fn read_both(ground: &Ground) -> f64 {
    let started = Instant::now();
    for table in ["bench.item", "heirloom.memory"] {
        let client = ground.db.database().client().await.unwrap();
        let stream = client.copy_out(&format!("copy (select * from {table}) to stdout (format binary)")).await.unwrap();
        let mut stream = std::pin::pin!(stream);
        while let Some(bytes) = futures_util::StreamExt::next(&mut stream).await {
            drop(bytes.unwrap());
        }
    }
    started.elapsed().as_secs_f64()
}
