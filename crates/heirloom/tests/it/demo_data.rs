//! The demo's tables: the same rows everywhere, the promised counts, the columns of the seeds.

use std::collections::{HashMap, HashSet};

use heirloom::demo::dirt::{DIRT, Dirt, KNOWN, REJECTS};
use heirloom::demo::tenants::{TENANTS, Tenant};
use heirloom::demo::{guide, legacy};
use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::plan::{self, Limits};
use heirloom_migrate::source;

/// FNV-1a, 64 bits: enough to see that a row changed.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn the_generated_rows_are_pinned() {
    let found: Vec<String> = TENANTS
        .iter()
        .map(|tenant| (tenant.schema, legacy::lines(tenant)))
        .chain([(guide::SCHEMA, guide::lines())])
        .map(|(name, lines)| format!("{name} {:016x} {}", fingerprint(&lines), lines.len()))
        .collect();
    // A row that changes here changes ids, reports and every number a reader has seen: on purpose only.
    assert_eq!(
        found,
        [
            "agents_team ec7bb77ea0b04055 1622577",
            "hongming b378b59ae483944f 178000",
            "chloe_dong 7d204765290b3490 637",
            "reno_stars 094a8df916cd115c 117006",
            "mem a78b88b0b94a8ccc 701962",
        ]
    );
}

#[test]
fn the_counts_are_those_of_the_seed() {
    assert_eq!(
        TENANTS.map(|tenant| (tenant.name, tenant.rows)),
        [("agents-team", 1805), ("hongming", 144), ("chloe-dong", 1), ("reno-stars", 102),]
    );
    for tenant in &TENANTS {
        let rows = legacy::rows(tenant);
        assert_eq!(rows.len(), tenant.rows);
        assert_eq!(rows.iter().filter(|row| row.embedding.is_some()).count(), tenant.embedded);
        let ids: HashSet<_> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), rows.len());
    }
}

#[test]
fn the_largest_tenant_is_dirty_as_promised() {
    let rows = legacy::rows(&TENANTS[0]);
    let mut found: HashMap<Dirt, usize> = HashMap::new();
    for row in &rows {
        if let Some(dirt) = row.dirt {
            *found.entry(dirt).or_default() += 1;
        }
    }
    assert_eq!(found, DIRT.into_iter().collect::<HashMap<_, _>>());
    let count = |what: fn(&legacy::LegacyRow) -> bool| rows.iter().filter(|row| what(row)).count();
    assert_eq!(count(|row| row.workspace.is_none()), 5);
    assert_eq!(count(|row| row.created_at.is_none()), 7);
    assert_eq!(count(|row| row.content.trim().is_empty()), 4);
    assert_eq!(count(|row| row.workspace.is_none() || row.content.trim().is_empty()), REJECTS);
    assert_eq!(count(|row| row.metadata.as_deref() == Some("null")), 11);
    assert_eq!(count(|row| row.content.contains("\r\n") && !row.content.trim().is_empty()), 9);
    assert_eq!(count(|row| row.content.contains('\u{200d}')), 6);
    assert_eq!(count(|row| row.content.len() > 60_000), 1);

    let texts: HashSet<&str> = rows.iter().map(|row| row.content.as_str()).collect();
    assert_eq!(rows.len() - texts.len(), 14, "only the duplicates repeat");
    for (_, content) in KNOWN {
        assert_eq!(rows.iter().filter(|row| row.content == content).count(), 1);
    }
}

#[test]
fn the_texts_have_realistic_lengths_and_times() {
    let rows = legacy::rows(&TENANTS[0]);
    let tidy: Vec<_> = rows.iter().filter(|row| row.dirt.is_none()).collect();
    assert!(tidy.iter().all(|row| (40..2000).contains(&row.content.len())));
    let long = tidy.iter().filter(|row| row.content.len() > 500).count();
    assert!(long > 100, "{long} of {} are long", tidy.len());
    let scopes: HashSet<_> = rows.iter().map(|row| row.scope).collect();
    assert_eq!(scopes, HashSet::from(["LOCAL", "TEAM", "GLOBAL"]));
    assert!(tidy.iter().all(|row| row.updated_at >= row.created_at && row.namespace.len() <= 50));
    assert!(tidy.iter().filter(|row| row.updated_at > row.created_at).count() > 200);
    assert!(tidy.iter().filter(|row| row.created_at.is_some_and(|at| at % 1000 != 0)).count() > 1500);
    let desks = legacy::workspaces(&TENANTS[0]);
    let roots: Vec<_> = desks.iter().filter(|desk| desk.parent.is_none()).map(|desk| Some(desk.id)).collect();
    assert_eq!(roots.len(), 2);
    assert!(desks.iter().any(|desk| desk.status == "removed"));
    let global = rows.iter().filter(|row| row.scope == "GLOBAL" && row.workspace.is_some());
    assert!(global.clone().count() > 50 && global.clone().all(|row| roots.contains(&row.workspace)));
}

#[test]
fn the_second_case_has_every_awkward_value() {
    let rows = guide::rows();
    assert_eq!(rows.len(), guide::ROWS);
    let count = |what: fn(&guide::MemItem) -> bool| rows.iter().filter(|row| what(row)).count();
    let has_ttl = |row: &guide::MemItem| {
        usize::from(row.ttl_seconds.is_some())
            + usize::from(row.retention.is_some())
            + usize::from(row.retain_until.is_some())
    };
    assert!(rows.iter().all(|row| has_ttl(row) <= 1), "a row has one kind of TTL");
    assert_eq!(rows.iter().map(has_ttl).sum::<usize>(), guide::EXPIRED + guide::LIVING);
    assert_eq!(count(|row| row.ttl_seconds.is_some()), 8 + 15);
    assert_eq!(count(|row| row.retention.is_some()), 8 + 15);
    let width = |n| rows.iter().filter(|row| row.embedding.as_ref().map(Vec::len) == Some(n)).count();
    assert_eq!((width(1024), width(1536)), (guide::EMBEDDED_1024, guide::EMBEDDED_1536));
    let overflows = |run: &String| run.bytes().all(|b| b.is_ascii_digit()) && run.parse::<i64>().is_err();
    assert_eq!(
        rows.iter().filter_map(|row| row.run_id.as_ref()).filter(|run| overflows(run)).count(),
        guide::OVERFLOWING_RUNS
    );
    assert!(count(|row| row.run_id.as_deref().is_some_and(|run| run.starts_with("run-"))) > 20);
    let statuses: HashSet<_> = rows.iter().map(|row| row.status).collect();
    assert_eq!(statuses, guide::STATUSES.into_iter().collect::<HashSet<_>>());
    let folded: HashSet<_> = statuses.iter().map(|status| status.trim().to_lowercase()).collect();
    for status in [
        "pending",
        "new",
        "active",
        "approved",
        "confirmed",
        "verified",
        "master",
        "golden",
        "outdated",
        "stale",
        "replaced",
        "superseded",
        "archived",
        "deleted",
        "invalid",
        "wrong",
        "conflict",
    ] {
        assert!(folded.contains(status), "the guide's {status} is missing");
    }
    assert_eq!(count(|row| row.tags.as_deref() == Some("null")), guide::JSON_NULL_TAGS);
    let says = |row: &&guide::MemItem| {
        row.verified == Some(true) || row.verification_status.is_some_and(|word| word.eq_ignore_ascii_case("verified"))
    };
    assert_eq!(rows.iter().filter(says).filter(|row| row.git_sha.is_none()).count(), guide::VERIFIED_WITHOUT_COMMIT);
    assert!(rows.iter().filter(says).filter(|row| row.git_sha.is_some()).count() > 50);
    assert!(rows.iter().all(|row| row.priority.is_none_or(|priority| (1..=10).contains(&priority))));
}

/// Columns as information_schema shows them: name, type, nullable, generated.
async fn columns(client: &heirloom_engine::Client, schema: &str, table: &str) -> Vec<String> {
    let sql = "select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
                   || case when c.is_generated = 'ALWAYS' then ' generated' else '' end
               from pg_attribute a
               join information_schema.columns c
                 on c.table_schema = $1 and c.table_name = $2 and c.column_name = a.attname
               where a.attrelid = format('%I.%I', $1::text, $2::text)::regclass
               order by a.attnum";
    let rows = client.query(sql, &[&schema, &table]).await.expect("the catalogue answers");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_a_has_the_columns_and_rows_of_the_seed() {
    let db = TestDatabase::fresh().await;
    let mut client = db.database().client().await.expect("a connection");
    for tenant in &TENANTS {
        let written = legacy::create_case_a(&mut client, tenant).await.expect("the tables are created");
        assert_eq!(written, tenant.rows as u64);
        let mut expected = vec![
            "id uuid not null",
            "workspace_id uuid",
            "content text not null",
            "scope character varying(10) not null",
            "created_at timestamp with time zone",
            "updated_at timestamp with time zone",
            "namespace character varying(50) not null",
            "content_tsv tsvector generated",
            "embedding vector(1536)",
        ];
        if tenant.dirty {
            expected.push("metadata jsonb");
        }
        assert_eq!(columns(&client, tenant.schema, "agent_memories").await, expected);
        same_rows(&client, tenant).await;
    }
    let refused = legacy::create_case_a(&mut client, &TENANTS[2]).await.expect_err("the schema is there already");
    assert_eq!(refused.code().map(tokio_postgres::error::SqlState::code), Some("42P06"));
    drop(client);
    db.close().await;
}

/// What the table holds is what the generator gave, byte for byte.
async fn same_rows(client: &heirloom_engine::Client, tenant: &Tenant) {
    let sql = format!(
        "select id, workspace_id, content, scope::text, (extract(epoch from created_at) * 1000000)::bigint,
                (extract(epoch from updated_at) * 1000000)::bigint, namespace::text, embedding::text, {}
         from {}.agent_memories",
        if tenant.dirty { "metadata::text" } else { "null::text" },
        tenant.schema,
    );
    let found = client.query(&sql, &[]).await.expect("the table answers");
    let mut expected: HashMap<_, _> = legacy::rows(tenant).into_iter().map(|row| (row.id, row)).collect();
    for row in found {
        let id: uuid::Uuid = row.get(0);
        let made = expected.remove(&id).expect("an id of the generator");
        assert_eq!(row.get::<_, Option<uuid::Uuid>>(1), made.workspace);
        assert_eq!(row.get::<_, String>(2), made.content);
        assert_eq!(row.get::<_, String>(3), made.scope);
        assert_eq!(row.get::<_, Option<i64>>(4), made.created_at);
        assert_eq!(row.get::<_, Option<i64>>(5), made.updated_at);
        assert_eq!(row.get::<_, String>(6), made.namespace);
        let vector: Option<Vec<f32>> = row
            .get::<_, Option<String>>(7)
            .map(|text| text.trim_matches(['[', ']']).split(',').map(|x| x.parse().expect("a float")).collect());
        assert_eq!(vector, made.embedding);
        assert_eq!(row.get::<_, Option<String>>(8).is_some(), made.metadata.is_some());
    }
    assert!(expected.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn case_b_has_the_columns_of_the_guide() {
    let db = TestDatabase::fresh().await;
    let mut client = db.database().client().await.expect("a connection");
    assert_eq!(guide::create_case_b(&mut client).await.expect("the table is created"), guide::ROWS as u64);
    assert_eq!(
        columns(&client, "mem", "mem_item").await,
        [
            "id bigint not null",
            "memory_text text not null",
            "layer text",
            "tags jsonb",
            "properties jsonb",
            "run_id text",
            "task_id text",
            "ttl_seconds integer",
            "retention text",
            "retain_until timestamp with time zone",
            "verified boolean",
            "verification_status text",
            "verified_at timestamp with time zone",
            "status text not null",
            "agent_role text not null",
            "project_id integer not null",
            "priority integer",
            "git_sha text",
            "artifact_id text",
            "embedding vector",
            "created_at timestamp with time zone not null",
            "updated_at timestamp with time zone not null",
        ]
    );
    let row = client
        .query_one(include_str!("demo_case_b.sql"), &[])
        .await
        .expect("every interval and moment of the generator is one to PostgreSQL");
    assert_eq!(row.get::<_, i64>(0), guide::EXPIRED as i64);
    assert_eq!(row.get::<_, i64>(1), guide::LIVING as i64);
    drop(client);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_planted_credential_is_found_and_nothing_else() {
    let db = TestDatabase::fresh().await;
    let mut client = db.database().client().await.expect("a connection");
    legacy::create_case_a(&mut client, &TENANTS[0]).await.expect("the tables are created");
    drop(client);
    let file = MigrationFile::parse("demo.toml", &legacy::migration_file(&TENANTS[0])).expect("the file is one");
    let source = source::open(&file.source.url.value, db.database()).await.expect("the source opens");
    let plan = plan::make(plan::Request {
        foreign: None,
        file: &file,
        source: source.as_ref(),
        target: db.database(),
        heirloom: "test",
        now: "2026-11-22T00:00:00Z".parse().expect("a time"),
        limits: Limits::default(),
        progress: &mut |_| {},
    })
    .await
    .expect("the demo plans");
    let finding = plan.findings.iter().find(|finding| finding.id == "secret-in-clear").expect("it is found");
    let planted = DIRT.iter().find(|(dirt, _)| *dirt == Dirt::Secret).expect("it is planted").1;
    assert_eq!(finding.rows, Some(planted as u64), "{}", finding.what);
    for kind in ["AWS_SECRET_ACCESS_KEY (1)", "SLACK_TOKEN (1)", "PASSWORD (1)"] {
        assert!(finding.what.contains(kind), "{kind}: {}", finding.what);
    }
    for secret in ["hunter2", "xoxb-", "doNotUse"] {
        assert!(!finding.what.contains(secret) && !plan::report_text(&plan, 80).contains(secret), "{secret}");
    }
    drop(source);
    db.close().await;
}
