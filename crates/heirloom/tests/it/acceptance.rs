//! The acceptance list of a team whose agents' memories lie in `agent_memories`, one table a tenant: each of its lines
//! is a test of that name, through the binary, on a fresh database.

use heirloom_engine::testkit::TestDatabase;
use serde_json::Value;

use crate::legacy::Legacy;

/// The tenants with the rows each of them had.
const TENANTS: [(&str, usize); 4] = [("agents-team", 1805), ("hongming", 144), ("chloe-dong", 1), ("reno-stars", 102)];

/// The schema of a tenant's tables.
fn schema(tenant: &str) -> String {
    tenant.replace('-', "_")
}

/// The workspace of a row; no two tenants share one.
fn workspace(tenant: &str, n: usize) -> String {
    let of = TENANTS.iter().position(|(name, _)| *name == tenant).unwrap_or(9);
    format!("00000000-0000-4000-800{of}-{:012}", n % 3)
}

/// A tenant's tables with so many rows.
fn tables(tenant: &str, rows: usize) -> String {
    let (schema, workspaces) = (schema(tenant), [0, 1, 2].map(|n| format!("('{}', 'w{n}')", workspace(tenant, n))));
    // The embedded engine carries no English stop words.
    let tables = include_str!("../../src/demo/sql/agent_memories.sql").replace("'english'", "'simple'");
    format!(
        "create extension if not exists vector; create schema {schema}; set search_path = {schema}, public; {tables}
         insert into workspaces (id, name) values {};
         insert into agent_memories (id, workspace_id, content, scope, created_at, updated_at)
         select md5('{tenant}' || g)::uuid, (select id from workspaces where name = 'w' || g % 3),
                '{tenant} remembers ' || g || ': the staging deploy needs flag' || g,
                (array['LOCAL', 'TEAM', 'GLOBAL'])[1 + g % 3],
                timestamptz '2026-01-01 00:00:00.123456+00' + g * interval '1 minute', timestamptz '2026-02-01 00:00:00+00'
           from generate_series(1, {rows}) g;
         reset search_path;",
        workspaces.join(", ")
    )
}

/// What the list asks for: the workspace is the namespace, the kind a fact, the source an agent.
fn file(tenant: &str) -> String {
    format!(
        r#"name = "{tenant}"

[source]
url = "store"
preset = "molecule-v1"
table = "{}.agent_memories"

[source.tree]
table = "{0}.workspaces"

[namespace]
template = "workspace:{{workspace_id}}"
"#,
        schema(tenant)
    )
}

/// The same file, with a column that says which rows were handed down.
fn marked(tenant: &str) -> String {
    file(tenant).replace("url = \"store\"", "url = \"store\"\nmark = \"migrated_at\"")
}

/// The same file, where rows may be set aside.
fn lenient(tenant: &str) -> String {
    format!("{}\n[reject]\nbudget = 9\n", file(tenant))
}

/// One tenant with its table and its file.
async fn tenant(rows: usize, file: &str) -> Legacy {
    let legacy = Legacy::new(&tables("hongming", rows)).await;
    legacy.write("hongming.toml", file);
    legacy
}

/// Every row of the source, by content: any change to it shows.
const SOURCE: &str = "select md5(string_agg(m::text, ',' order by id)) from hongming.agent_memories m";

/// Every version of every row that is ours: any write shows.
const WRITTEN: &str = "select md5(string_agg(t, ',' order by t)) from (
    select 'm' || xmin || ctid as t from heirloom.memory
    union all select 'o' || xmin || ctid from heirloom.origin
    union all select 'r' || xmin || ctid from heirloom_migrate.reject
    union all select 'c' || xmin || ctid from heirloom_migrate.chunk
    union all select 'e' || xmin || ctid from heirloom_migrate.event
    union all select 'u' || xmin || ctid from heirloom_migrate.run) as v";

/// Rows migrated, skipped and failed in this pass.
fn counts(applied: &Value) -> [u64; 3] {
    let count = |name: &str| applied[name].as_u64().unwrap();
    let skipped = count("present") + count("forgotten") + count("conflicts");
    assert_eq!(count("written"), count("inserted") + count("updated"), "{applied}");
    assert_eq!(count("rows"), count("written") + skipped + count("rejected"), "no row is unaccounted for: {applied}");
    [count("written"), skipped, count("rejected")]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_source_table_is_a_no_op() {
    let legacy = tenant(0, &marked("hongming")).await;
    let planned = legacy.ends(0, "plan hongming.toml --json").json();
    assert_eq!((&planned["counts"]["rows"], &planned["refusals"]), (&0.into(), &serde_json::json!([])));
    for _ in 0..2 {
        let done = legacy.ends(0, "apply hongming.plan.json --json").json();
        assert_eq!((counts(&done), &done["state"]), ([0, 0, 0], &"applied".into()));
    }
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "0");
    // Comparing nothing with nothing proves nothing, and is said so rather than called a success.
    let ran = legacy.ends(3, "verify hongming.plan.json");
    assert!(ran.stderr.contains("nothing was proven"), "{ran}");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_populated_source_has_all_rows_committed() {
    let legacy = tenant(144, &file("hongming")).await;
    legacy.ends(0, "plan hongming.toml --chunk-rows 40");
    let done = legacy.ends(0, "apply hongming.plan.json --json").json();
    assert_eq!(counts(&done), [144, 0, 0]);
    // As the list has it: the workspace, the content, a fact, from an agent; and the row's own id and times.
    let same = legacy
        .one(
            "select count(*) from hongming.agent_memories s join heirloom.memory m using (id)
              where m.namespace = 'workspace:' || s.workspace_id and m.content = s.content and m.kind = 'fact'
                and m.source = 'agent' and m.created_at = s.created_at and m.updated_at = s.updated_at",
        )
        .await;
    assert_eq!(same, "144");
    assert_eq!(legacy.ends(0, "verify hongming.plan.json --json").json()["equal"], 144);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_migrated_before_are_skipped() {
    let legacy = tenant(20, &file("hongming")).await;
    legacy.ends(0, "plan hongming.toml");
    legacy.ends(0, "apply hongming.plan.json");
    legacy
        .sql(
            "insert into hongming.agent_memories (workspace_id, content, scope)
             select workspace_id, 'written after the first run', 'LOCAL' from hongming.agent_memories limit 3",
        )
        .await;
    let planned = legacy.ends(0, "plan hongming.toml --json").json();
    assert_eq!((&planned["counts"]["rows"], &planned["counts"]["present"]), (&23.into(), &20.into()));
    assert_eq!(counts(&legacy.ends(0, "apply hongming.plan.json --json").json()), [3, 20, 0]);
    assert_eq!(legacy.ends(0, "verify hongming.plan.json --json").json()["equal"], 23);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_somebody_else_set_skips_no_row() {
    let legacy = tenant(5, &marked("hongming")).await;
    legacy.sql("alter table hongming.agent_memories add column migrated_at timestamptz default now()").await;
    legacy.ends(0, "plan hongming.toml");
    assert_eq!(counts(&legacy.ends(0, "apply hongming.plan.json --json").json()), [5, 0, 0]);
    legacy.ends(0, "verify hongming.plan.json");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reports_counts_of_each_tenant_without_writing() {
    let legacy = Legacy::new(&(tables("hongming", 144) + &tables("chloe-dong", 1))).await;
    for (tenant, rows) in [("hongming", 144), ("chloe-dong", 1)] {
        legacy.write(&format!("{tenant}.toml"), &marked(tenant));
        let planned = legacy.ends(0, &format!("plan {tenant}.toml --check-only --json")).json();
        let counts = &planned["counts"];
        assert_eq!(
            (&counts["rows"], &counts["accepted"], &counts["rejected"]),
            (&rows.into(), &rows.into(), &0.into())
        );
        assert!(!legacy.home.path().join(format!("{tenant}.plan.json")).exists());
    }
    legacy.ends(0, "plan hongming.toml");
    legacy.ends(0, "apply hongming.plan.json --check-only");
    assert!(legacy.untouched().await);
    let columns = "select count(*) from information_schema.columns where column_name = 'migrated_at'";
    assert_eq!(legacy.one(columns).await, "0");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_four_tenants_are_run_with_counts_of_each() {
    let all: Vec<String> = TENANTS.iter().map(|(tenant, rows)| tables(tenant, *rows)).collect();
    let legacy = Legacy::new(&all.concat()).await;
    for (tenant, rows) in TENANTS {
        legacy.write(&format!("{tenant}.toml"), &file(tenant));
        legacy.ends(0, &format!("plan {tenant}.toml"));
        let done = legacy.ends(0, &format!("apply {tenant}.plan.json --json")).json();
        assert_eq!((&done["tenant"], counts(&done)), (&tenant.into(), [rows as u64, 0, 0]));
    }
    let runs = legacy.ends(0, "status --json").json();
    for (tenant, rows) in TENANTS {
        let run = runs["runs"].as_array().unwrap().iter().find(|run| run["tenant"] == tenant).unwrap();
        assert_eq!((&run["state"], &run["rows"], &run["inserted"]), (&"applied".into(), &rows.into(), &rows.into()));
    }
    let evidence = legacy.ends(0, "report --json").json();
    assert_eq!(evidence["holds"], true);
    let tables = evidence["migrations"].as_array().unwrap();
    let line = |one: &Value| ["source_rows", "migrated", "equal"].map(|name| one["counts"][name].as_u64().unwrap());
    let mut lines: Vec<[u64; 3]> = tables.iter().map(line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [1, 102, 144, 1805].map(|rows| [rows; 3]));
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "2052");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_is_run_apart_and_one_that_fails_delays_no_other() {
    let legacy = Legacy::new(&(tables("hongming", 10) + &tables("reno-stars", 12))).await;
    legacy.sql("update hongming.agent_memories set content = '  ' where content like '%flag7'").await;
    for tenant in ["hongming", "reno-stars"] {
        legacy.write(&format!("{tenant}.toml"), &file(tenant));
    }
    legacy.ends(3, "plan hongming.toml");
    legacy.ends(3, "apply hongming.plan.json");
    legacy.ends(0, "plan reno-stars.toml");
    assert_eq!(counts(&legacy.ends(0, "apply reno-stars.plan.json --json").json()), [12, 0, 0]);
    legacy.ends(0, "verify reno-stars.plan.json");
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "12");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_again_is_a_no_op() {
    let legacy = tenant(60, &format!("{}\n[reject]\nbudget = 2\n", marked("hongming"))).await;
    legacy.sql("update hongming.agent_memories set content = '  ' where content like '%flag7'").await;
    legacy.ends(0, "plan hongming.toml --chunk-rows 16");
    assert_eq!(counts(&legacy.ends(0, "apply hongming.plan.json --json").json()), [59, 0, 1]);
    let (written, source) = (legacy.one(WRITTEN).await, legacy.one(SOURCE).await);
    for plan in [false, true] {
        if plan {
            // A plan made anew is a run of its own in the ledger; memories and source stay as they are.
            legacy.ends(0, "plan hongming.toml --chunk-rows 16");
        }
        let again = legacy.ends(0, "apply hongming.plan.json --json").json();
        assert_eq!((&again["written"], counts(&again)), (&0.into(), [0, 59, 1]));
        assert_eq!(legacy.one(SOURCE).await, source, "no mark is set twice");
        assert!(plan || legacy.one(WRITTEN).await == written, "not one row version is written");
    }
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_gains_a_column_only_when_the_file_asks_and_loses_nothing() {
    let legacy = tenant(30, &lenient("hongming")).await;
    legacy.sql("update hongming.agent_memories set workspace_id = null where content like '%flag7'").await;
    let before = legacy.one(SOURCE).await;
    legacy.ends(0, "plan hongming.toml");
    legacy.ends(0, "apply hongming.plan.json");
    legacy.ends(0, "verify hongming.plan.json --record");
    assert_eq!(legacy.one(SOURCE).await, before, "not asked for, not touched");

    legacy.write("hongming.toml", &format!("{}\n[reject]\nbudget = 9\n", marked("hongming")));
    let ran = legacy.ends(0, "plan hongming.toml");
    assert!(ran.stdout.contains("marker-writes-source"), "it is announced: {ran}");
    legacy.ends(0, "apply hongming.plan.json");
    legacy.ends(0, "verify hongming.plan.json --record");
    let marks = "select count(*) || ' of ' || count(migrated_at) from hongming.agent_memories";
    assert_eq!(legacy.one(marks).await, "30 of 29", "what was set aside carries no mark");
    let unmarked =
        legacy.one("select content like '%flag7' from hongming.agent_memories where migrated_at is null").await;
    assert_eq!(unmarked, "true");
    legacy.sql("alter table hongming.agent_memories drop column migrated_at").await;
    assert_eq!(legacy.one(SOURCE).await, before, "the mark is all that was written");
    legacy.close().await;
}

/// Where source and store are two databases no transaction spans both: the mark waits for the proof.
#[tokio::test(flavor = "multi_thread")]
async fn migrated_at_is_stamped_after_verify_in_a_database_of_its_own() {
    // The embedded engine has no second database to give.
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let source = TestDatabase::fresh().await;
    let one = async |sql: &'static str| -> String {
        source.database().client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
    };
    source.database().client().await.unwrap().batch_execute(&tables("hongming", 40)).await.unwrap();
    let legacy = Legacy::new("").await;
    legacy.write("hongming.toml", &marked("hongming").replace("\"store\"", "\"env:LEGACY_DATABASE_URL\""));
    let mut variables = legacy.variables();
    variables.push(("LEGACY_DATABASE_URL", source.url().unwrap()));
    let run = |words: &str| {
        let ran = legacy.home.run_with(words, &variables);
        assert_eq!(ran.code, 0, "`{words}`: {ran}");
        ran
    };
    let columns = "select count(*)::text from information_schema.columns where column_name = 'migrated_at'";
    let marks = "select count(migrated_at)::text || ' ' || coalesce(count(distinct xmin::text), 0)::text from hongming.agent_memories";
    run("plan hongming.toml");
    run("apply hongming.plan.json");
    run("verify hongming.plan.json");
    assert_eq!(one(columns).await, "0", "nothing is written to the source before the proof is recorded");
    let recorded = run("verify hongming.plan.json --record --json").json();
    assert_eq!((&recorded["recorded"], &recorded["marked"]), (&true.into(), &40.into()));
    assert_eq!(one(marks).await, "40 1");
    assert_eq!(run("verify hongming.plan.json --record --json").json()["marked"], 0, "stamped once");
    assert_eq!(run("apply hongming.plan.json --json").json()["written"], 0, "the mark is no change of the source");
    legacy.close().await;
    source.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_a_tenant_add_up_to_its_source() {
    let legacy = tenant(50, &lenient("hongming")).await;
    legacy.sql("update hongming.agent_memories set workspace_id = null where content ~ 'flag[123]$'").await;
    legacy.sql("update hongming.agent_memories set content = ' ' where content ~ 'flag4$'").await;
    let planned = legacy.ends(0, "plan hongming.toml --json").json();
    assert_eq!((&planned["counts"]["accepted"], &planned["counts"]["rejected"]), (&46.into(), &4.into()));
    assert_eq!(counts(&legacy.ends(0, "apply hongming.plan.json --json").json()), [46, 0, 4]);
    // One is forgotten by its owner and one edited; both stay that way, and the counts still add up.
    for (n, words) in [(8, "forget"), (9, "revise")] {
        let id = legacy.one(&format!("select id from hongming.agent_memories where content like '%flag{n}'")).await;
        let namespace = format!("workspace:{}", workspace("hongming", n));
        let with = if words == "revise" { " --content edited" } else { "" };
        legacy.ends(0, &format!("{words} {id} --namespace {namespace}{with}"));
    }
    for _ in 0..2 {
        assert_eq!(counts(&legacy.ends(0, "apply hongming.plan.json --json").json()), [0, 46, 4]);
    }
    // A new plan counts the forgotten row apart, on its first pass and on its second.
    legacy.ends(0, "plan hongming.toml");
    for pass in ["first", "second"] {
        let done = legacy.ends(0, "apply hongming.plan.json --json").json();
        let found =
            ["written", "present", "forgotten", "conflicts", "rejected"].map(|name| done[name].as_u64().unwrap());
        assert_eq!(found, [0, 45, 1, 0, 4], "{pass}");
    }
    let run = &legacy.ends(0, "status --json").json()["runs"][0];
    let sum: u64 = ["inserted", "updated", "present", "forgotten", "conflicts", "rejected"]
        .iter()
        .map(|name| run[name].as_u64().unwrap())
        .sum();
    assert_eq!((sum, &run["rows"]), (50, &50.into()), "{run}");
    let proof = legacy.ends(0, "verify hongming.plan.json --json").json();
    assert_eq!((&proof["equal"], &proof["rejected"]), (&44.into(), &4.into()));
    assert_eq!(proof["explained"], serde_json::json!({ "edited": 1, "forgotten": 1 }));
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_rows_of_a_tenant_are_recalled_by_it_and_by_no_other() {
    let legacy = Legacy::new(&(tables("hongming", 30) + &tables("reno-stars", 30))).await;
    for tenant in ["hongming", "reno-stars"] {
        legacy.write(&format!("{tenant}.toml"), &file(tenant));
        legacy.ends(0, &format!("plan {tenant}.toml"));
        legacy.ends(0, &format!("apply {tenant}.plan.json"));
    }
    for n in [7, 15, 23] {
        let id = legacy.one(&format!("select id from hongming.agent_memories where content like '%flag{n}'")).await;
        let found = |tenant: &str, of: usize| {
            let namespace = format!("workspace:{}", workspace(tenant, of));
            let hits = legacy.ends(0, &format!("recall flag{n} --limit 1000 --json --namespace {namespace}")).json();
            let hits = hits["hits"].as_array().unwrap().clone();
            assert!(hits.iter().all(|hit| hit["namespace"] == namespace.as_str()), "{hits:?}");
            hits.iter().any(|hit| hit["id"] == id.as_str())
        };
        assert!(found("hongming", n), "flag{n} is there for its own workspace");
        for (tenant, of) in [("hongming", n + 1), ("reno-stars", n), ("reno-stars", n + 1)] {
            assert!(!found(tenant, of), "flag{n} reached {tenant} {of}");
        }
    }
    let evidence = legacy.ends(0, "report hongming.plan.json --json").json();
    let proof = &evidence["migrations"][0]["recall"];
    assert!(proof["asked"].as_u64() > Some(10), "{proof}");
    for door in ["http", "mcp"] {
        let answers = &proof["doors"][door];
        for count in ["asked", "recalled", "leak_probes"] {
            assert_eq!(answers[count], proof[count], "{door}: {proof}");
        }
        assert_eq!((&answers["not_found"], &answers["leaks"]), (&serde_json::json!([]), &serde_json::json!([])));
    }
    legacy.close().await;
}
