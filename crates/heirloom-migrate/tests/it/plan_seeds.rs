//! Plans of both seeds' tables on a real database, read by the real source: what they say, and that nothing is written.

use heirloom_engine::testkit::TestDatabase;
use heirloom_engine::{Database, Location, Options};
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::mapping::RejectCode;
use heirloom_migrate::plan::{self, Fate, Limits, Plan, Progress, Request};

use crate::seeds;

/// Plans a file whose source lies in the target's own database.
async fn make(database: &Database, toml: &str, limits: Limits) -> heirloom_migrate::Result<Plan> {
    let file = MigrationFile::parse("seed.toml", toml)?;
    let source = heirloom_migrate::source::open("store", database).await?;
    let mut reports = Vec::new();
    let plan = plan::make(Request {
        foreign: None,
        file: &file,
        source: source.as_ref(),
        target: database,
        heirloom: "0.1.0",
        now: "2026-11-22T12:00:00Z".parse().unwrap(),
        limits,
        progress: &mut |progress| reports.push(progress),
    })
    .await?;
    assert!(
        matches!(reports.last(), Some(Progress::Reading { rows, .. }) if *rows == plan.counts.rows)
            || plan.target.store_id.is_some()
    );
    Ok(plan)
}

fn found<'a>(plan: &'a Plan, id: &str) -> Option<&'a heirloom_migrate::plan::Finding> {
    plan.findings.iter().find(|finding| finding.id == id)
}

#[tokio::test(flavor = "multi_thread")]
async fn seed_a_is_planned_row_by_row() {
    let test = TestDatabase::fresh().await;
    seeds::seed_a(test.database()).await;
    let plan = make(test.database(), seeds::SEED_A, Limits::default()).await.unwrap();
    assert_eq!((plan.counts.rows, plan.counts.accepted, plan.counts.rejected), (144, 140, 4));
    let of = |code| plan.rejects.iter().filter(|reject| reject.code == code).map(|reject| reject.count).sum::<u64>();
    assert_eq!((of(RejectCode::NamespaceMissing), of(RejectCode::EmptyContent)), (3, 1));
    assert!(plan.namespaces.iter().all(|count| count.namespace != "workspace:"));
    assert_eq!(plan.namespaces.iter().map(|count| count.rows).sum::<u64>(), 140);
    assert_eq!(plan.source.key, ["id"]);
    assert!(plan.source.same_database);
    for id in [
        "scope-flattened",
        "workspace-missing",
        "created-at-missing",
        "json-null",
        "secret-in-clear",
        "tenant-bypass",
        "shared-identity",
        "embedding-unmentioned",
    ] {
        assert!(found(&plan, id).is_some(), "{id} is missing from {:?}", plan.findings);
    }
    assert_eq!(found(&plan, "created-at-missing").unwrap().rows, Some(2));
    assert_eq!(plan.refusals.len(), 0, "{:?}", plan.refusals);
    let scope = plan.columns.iter().find(|column| column.column == "scope").unwrap();
    assert_eq!(scope.fate, Fate::Kept);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seed_a_with_scopes_lists_every_scope() {
    let test = TestDatabase::fresh().await;
    seeds::seed_a(test.database()).await;
    let plan = make(test.database(), seeds::SEED_A_SCOPES, Limits::default()).await.unwrap();
    let scopes = plan.enumerations.iter().find(|e| e.column == "scope").unwrap();
    let listed: Vec<_> = scopes.values.iter().map(|v| (v.value.as_deref().unwrap(), v.count)).collect();
    assert_eq!(listed, [("GLOBAL", 48), ("LOCAL", 48), ("TEAM", 48)]);
    assert!(found(&plan, "scope-flattened").is_none());
    assert!(plan.namespaces.iter().any(|count| count.namespace.starts_with("team:")));
    assert!(plan.namespaces.iter().any(|count| count.namespace.starts_with("org:")));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seed_b_is_planned_value_by_value() {
    let test = TestDatabase::fresh().await;
    seeds::seed_b(test.database()).await;
    let plan = make(test.database(), seeds::SEED_B, Limits::default()).await.unwrap();
    assert_eq!(plan.counts.rows, 60);
    let state = plan.enumerations.iter().find(|e| e.field == "state").unwrap();
    let of = |value: &str| state.values.iter().find(|v| v.value.as_deref() == Some(value)).unwrap();
    assert_eq!((of("Active").count, of("Active").becomes.as_str()), (12, "candidate"));
    assert_eq!((of("Deleted").count, of("Deleted").becomes.as_str()), (12, "archived"));
    assert_eq!((of("superseded").count, of("superseded").becomes.as_str()), (12, "superseded"));
    for id in [
        "ambiguous-state",
        "superseded-state",
        "state-case",
        "verified-without-commit",
        "ttl-from-now",
        "already-expired",
        "run-id-overflow",
        "priority-rounded",
        "invisible-without-provenance",
        "dimension-mismatch",
        "content-hash-collision",
    ] {
        assert!(found(&plan, id).is_some(), "{id} is missing from {:?}", plan.findings);
    }
    assert!(found(&plan, "state-revived").is_none(), "{:?}", found(&plan, "state-revived"));
    let widths: Vec<_> = plan.dimensions.iter().map(|count| (count.dimensions, count.rows)).collect();
    assert!(widths.contains(&(Some(1536), 20)) && widths.contains(&(Some(1024), 20)), "{widths:?}");
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_follow_each_other_in_key_order() {
    let test = TestDatabase::fresh().await;
    seeds::seed_a(test.database()).await;
    let limits = Limits { chunk_rows: 10, ..Limits::default() };
    let plan = make(test.database(), seeds::SEED_A, limits).await.unwrap();
    assert_eq!(plan.chunks.len(), 15);
    let page = plan::report_text(&plan, 100);
    assert!(page.contains("15 chunks of at most 16 MiB or 10 rows"), "{page}");
    assert_eq!(plan.chunks.iter().map(|chunk| chunk.rows).sum::<u64>(), 144);
    // Each chunk, asked for by itself in SQL, holds as many rows as the map says.
    let client = test.database().client().await.unwrap();
    for chunk in &plan.chunks {
        let bound = |key: &Option<Vec<String>>| key.as_ref().map(|key| key[0].parse::<uuid::Uuid>().unwrap());
        let (after, upto) = (bound(&chunk.range.after), bound(&chunk.range.upto));
        let sql = "select count(*) from agent_memories where ($1::uuid is null or id > $1) and ($2::uuid is null or id <= $2)";
        let count: i64 = client.query_one(sql, &[&after, &upto]).await.unwrap().get(0);
        assert_eq!(count as u64, chunk.rows, "chunk {}", chunk.ordinal);
    }
    drop(client);
    test.close().await;
}

/// On the embedded engine, whose only writer we are, the write-ahead log says whether anything was written. A server
/// is shared with other tests, so there the database refuses every write instead.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_writes_nothing_anywhere() {
    let test = TestDatabase::fresh().await;
    seeds::seed_a(test.database()).await;
    heirloom_store::Store::up(test.database(), &heirloom_store::UpOptions::default()).await.unwrap();
    let lsn = async |database: &Database| -> String {
        let client = database.client().await.unwrap();
        client.query_one("select pg_current_wal_lsn()::text", &[]).await.unwrap().get(0)
    };
    match test.url() {
        None => {
            let client = test.database().client().await.unwrap();
            // Hint bits and pruning are writes of the reader's making; done beforehand, none is left for the plan.
            client.batch_execute("vacuum (freeze, analyze)").await.unwrap();
            client.batch_execute("checkpoint").await.unwrap();
            drop(client);
            let before = lsn(test.database()).await;
            make(test.database(), seeds::SEED_A, Limits::default()).await.unwrap();
            assert_eq!(lsn(test.database()).await, before);
        }
        Some(url) => {
            let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
            let client = test.database().client().await.unwrap();
            client
                .batch_execute(&format!("alter database {name} set default_transaction_read_only = on"))
                .await
                .unwrap();
            drop(client);
            let frozen = Database::open(&Location::Server(url.to_owned()), &Options::default()).await.unwrap();
            let refused = frozen.client().await.unwrap().batch_execute("delete from agent_memories").await.unwrap_err();
            assert_eq!(refused.code().unwrap().code(), "25006");
            make(&frozen, seeds::SEED_A, Limits::default()).await.unwrap();
            frozen.close().await.unwrap();
        }
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_the_same_source_has_the_same_fingerprints() {
    let test = TestDatabase::fresh().await;
    seeds::seed_a(test.database()).await;
    let one = make(test.database(), seeds::SEED_A, Limits::default()).await.unwrap();
    let two = make(test.database(), seeds::SEED_A, Limits::default()).await.unwrap();
    assert_eq!(one.source.fingerprint, two.source.fingerprint);
    assert_eq!(one.target.fingerprint, two.target.fingerprint);
    assert_ne!(one.run_id, two.run_id);
    let client = test.database().client().await.unwrap();
    client.batch_execute("alter table agent_memories add column mood text").await.unwrap();
    drop(client);
    let three = make(test.database(), seeds::SEED_A, Limits::default()).await.unwrap();
    assert_ne!(one.source.fingerprint, three.source.fingerprint);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_a_key_is_told_what_could_serve() {
    let test = TestDatabase::fresh().await;
    let client = test.database().client().await.unwrap();
    client.batch_execute("create table notes (slug text not null unique, ws text, content text)").await.unwrap();
    drop(client);
    let toml = "name = \"n\"\n[source]\nurl = \"store\"\ntable = \"public.notes\"\n[namespace]\ntemplate = \"workspace:{ws}\"\n[map]\ncontent = \"content\"\nkind = { value = \"fact\" }\n";
    let error = make(test.database(), toml, Limits::default()).await.unwrap_err().to_string();
    assert!(error.contains("key = [\"slug\"]"), "{error}");
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn embeddings_in_text_and_bytes_are_planned_as_such() {
    let test = TestDatabase::fresh().await;
    let client = test.database().client().await.unwrap();
    client
        .batch_execute(
            "create table as_text (id int primary key, body text, vec text);
             insert into as_text values (1, 'a', '[1,2]'), (2, 'b', '{3,4}'), (3, 'c', 'nothing'), (4, 'd', null);
             create table as_bytes (id int primary key, body text, vec bytea);
             insert into as_bytes values (1, 'a', '\\x0000803f'), (2, 'b', '\\x00');",
        )
        .await
        .unwrap();
    drop(client);
    for (table, form, kept) in [("as_text", "text", 2), ("as_bytes", "bytes", 1)] {
        let toml = format!(
            "name = \"v\"\n[source]\nurl = \"store\"\ntable = \"public.{table}\"\n[namespace]\ntemplate = \"team:a\"\n[map]\n\
             kind = {{ value = \"fact\" }}\ncontent = \"body\"\nembedding = \"vec\"\n[reject]\nbudget = \"1\"\n"
        );
        let plan = make(test.database(), &toml, Limits::default()).await.unwrap();
        assert!(plan.refusals.is_empty(), "{:?}", plan.refusals);
        let read = |suffix: &str| {
            plan.dimensions.iter().filter(|count| count.becomes.ends_with(suffix)).map(|count| count.rows).sum::<u64>()
        };
        assert_eq!((read(&format!("read from {form}")), read("rejected")), (kept, 1), "{:?}", plan.dimensions);
    }
    test.close().await;
}
