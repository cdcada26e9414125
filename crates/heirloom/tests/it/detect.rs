//! What `detect --out` writes can be planned, applied and verified as it stands.

use serde_json::Value;

use crate::legacy::Legacy;

/// Detects, plans, applies and verifies; gives back the file, what apply did and what verify found.
fn whole_way(legacy: &Legacy, detect: &str) -> (String, Value, Value) {
    let found = legacy.ends(0, &format!("{detect} --out found.toml --json")).json();
    assert_eq!(found["written"], "found.toml");
    let file = std::fs::read_to_string(legacy.home.path().join("found.toml")).unwrap();
    let planned = legacy.run("plan found.toml");
    assert_eq!(planned.code, 0, "{planned}\n{file}");
    let applied = legacy.ends(0, "apply found.plan.json --json").json();
    let proof = legacy.ends(0, "verify found.plan.json --record --json").json();
    assert_eq!((&proof["holds"], &proof["recorded"]), (&true.into(), &true.into()), "{proof}");
    assert_eq!(legacy.ends(0, "apply found.plan.json --json").json()["written"], 0);
    (file, applied, proof)
}

/// The tables of the agent platform, with rows that cannot be handed down among them.
const PLATFORM: &str = "create extension if not exists vector;
    {TABLES}
    insert into workspaces (id, name, parent_id) values ('00000000-0000-4000-8000-000000000001', 'root', null),
      ('00000000-0000-4000-8000-000000000002', 'leaf', '00000000-0000-4000-8000-000000000001');
    insert into agent_memories (workspace_id, content, scope)
    select ('00000000-0000-4000-8000-00000000000' || 1 + g % 2)::uuid, 'The platform remembers ' || g,
           (array['LOCAL', 'TEAM', 'GLOBAL'])[1 + g % 3] from generate_series(1, 30) g;
    insert into agent_memories (workspace_id, content, scope) values (null, 'Nobody''s.', 'LOCAL');
    update agent_memories set content = '  ' where content = 'The platform remembers 4';";

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_s_table_goes_the_whole_way() {
    let tables = include_str!("../../src/demo/sql/agent_memories.sql").replace("'english'", "'simple'");
    let legacy = Legacy::new(&PLATFORM.replace("{TABLES}", &tables)).await;
    let (file, applied, proof) = whole_way(&legacy, "detect store");
    assert!(file.contains("preset = \"molecule-v1\"") && file.contains("budget = \"2\""), "{file}");
    assert_eq!((&applied["inserted"], &applied["rejected"], &proof["equal"]), (&29.into(), &2.into(), &29.into()));
    let kinds = "select string_agg(distinct split_part(namespace, ':', 1), ',') from heirloom.memory";
    assert_eq!(legacy.one(kinds).await, "org,team,workspace");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_s_table_goes_the_whole_way() {
    let legacy = Legacy::new(&format!(
        "create extension if not exists vector; create schema mem; set search_path = mem, public; {}
         insert into mem_item (id, memory_text, layer, tags, run_id, ttl_seconds, retention, retain_until, verified, status,
                agent_role, project_id, priority, git_sha, embedding, created_at, updated_at)
         select g, 'A lesson of ' || g, 'security', '{{\"n\": 1}}', case g % 2 when 0 then 'run-' || g else g::text end,
                case g % 4 when 0 then 100000000 end, case g % 4 when 1 then '30 years' end,
                case g % 4 when 2 then timestamptz '2099-01-01' end, g % 2 = 0,
                (array['Active', 'pending', ' golden ', 'replaced', 'deleted'])[1 + g % 5], 'developer', 40 + g % 3, 1 + g % 10,
                case g % 3 when 0 then 'a3f9b12' end, array_fill(0.5::real, array[case g % 2 when 0 then 1024 else 1536 end])::vector,
                timestamptz '2026-01-01' + g * interval '1 hour', timestamptz '2026-02-01'
           from generate_series(1, 40) g;
         update mem_item set status = 'unheard of' where id = 7;
         reset search_path;",
        include_str!("../../src/demo/sql/mem_item.sql")
    ))
    .await;
    let (file, applied, proof) = whole_way(&legacy, "detect store");
    assert!(file.contains("preset = \"pgmnemo-guide\"") && file.contains("budget = \"1\""), "{file}");
    assert_eq!((&applied["inserted"], &applied["rejected"], &proof["equal"]), (&39.into(), &1.into(), &39.into()));
    let found = legacy.ends(0, "recall lesson --namespace project:41 --include-unverified --limit 50 --json").json();
    let hits = found["hits"].as_array().unwrap();
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit["namespace"] == "project:41"), "{found}");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_table_of_memories_goes_the_whole_way() {
    for (id, created, value) in [
        ("bigint generated always as identity", "timestamptz", "timestamptz '2026-01-01' + g * interval '1 minute'"),
        ("uuid default gen_random_uuid()", "timestamp", "timestamp '2026-01-01' + g * interval '1 minute'"),
        ("serial", "bigint", "1780000000 + g"),
    ] {
        let legacy = Legacy::new(&format!(
            "create table memories (id {id} primary key, content text, created_at {created}, user_id text);
             insert into memories (content, created_at, user_id)
             select 'I remember ' || g, {value}, 'user-' || g % 3 from generate_series(1, 25) g;"
        ))
        .await;
        let (file, applied, proof) = whole_way(&legacy, "detect store");
        assert!(file.contains("template = \"user:{user_id}\""), "{file}");
        assert_eq!((&applied["inserted"], &proof["equal"]), (&25.into(), &25.into()), "{file}");
        let times = "select bool_and(created_at between '2026-01-01' and '2026-12-31') from heirloom.memory";
        assert_eq!(legacy.one(times).await, "true", "{id} {created}\n{file}");
        let recalled = legacy.ends(0, "recall remember --namespace user:user-1 --limit 50 --json").json();
        assert_eq!(recalled["hits"].as_array().unwrap().len(), 9);
        legacy.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_need_quotes_and_a_table_without_a_key_go_the_whole_way() {
    let legacy = Legacy::new(
        r#"create schema "Old App"; create table "Old App"."Agent Memories" ("id" int not null, "Content" text not null,
             "createdAt" timestamptz, "userId" text, "isDeleted" boolean, "the ""odd"" one" jsonb);
           insert into "Old App"."Agent Memories"
           select g, 'I remember ' || g, timestamptz '2026-01-01', 'user-' || g % 3, g % 5 = 0, '{"a": [1, 2.50]}'
             from generate_series(1, 25) g;"#,
    )
    .await;
    let (file, applied, proof) = whole_way(&legacy, "detect store");
    assert!(file.contains(r#"key = ["id"]"#), "{file}");
    assert_eq!((&applied["inserted"], &proof["equal"]), (&25.into(), &25.into()), "{file}");
    assert_eq!(legacy.one("select count(*) from heirloom.memory where state = 'archived'").await, "5", "{file}");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_without_a_password_is_written_and_one_with_a_password_is_named() {
    // The embedded engine has no URL to give.
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let table = "create table memories (id bigint primary key, content text, created_at timestamptz, user_id text);
        insert into memories values (1, 'one', '2026-01-01', 'ann');";
    let legacy = Legacy::new(table).await;
    let url = legacy.variables()[0].1.to_owned();
    let (file, ..) = whole_way(&legacy, &format!("detect {url}"));
    assert!(file.contains(&format!("url = \"{url}\"")), "{file}");

    let secret = url.replacen("postgres@", "postgres:hunter2@", 1);
    let ran = legacy.ends(0, &format!("detect {secret} --out secret.toml"));
    let file = std::fs::read_to_string(legacy.home.path().join("secret.toml")).unwrap();
    assert!(file.contains("url = \"env:LEGACY_DATABASE_URL\""), "{file}");
    assert!(!file.contains("hunter2") && !ran.to_string().contains("hunter2"), "{ran}");
    let ran = legacy.ends(1, "plan secret.toml");
    assert!(ran.stderr.contains("env:LEGACY_DATABASE_URL is not set"), "{ran}");
    let mut variables = legacy.variables();
    variables.push(("LEGACY_DATABASE_URL", &secret));
    for words in ["plan secret.toml", "apply secret.plan.json", "verify secret.plan.json"] {
        let ran = legacy.home.run_with(words, &variables);
        assert!(ran.code == 0 && !ran.to_string().contains("hunter2"), "`{words}`: {ran}");
    }
    let plan = std::fs::read_to_string(legacy.home.path().join("secret.plan.json")).unwrap();
    assert!(!plan.contains("hunter2"));
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_of_memories_goes_the_whole_way() {
    let legacy = Legacy::new("").await;
    let path = legacy.home.path().join("old notes.db");
    let sqlite = rusqlite::Connection::open(&path).unwrap();
    sqlite
        .execute_batch(
            "create table memories (id integer primary key, content text, created_at text, user_id text);
             insert into memories values (1, 'one', '2026-01-01T00:00:00Z', 'ann'), (2, 'two', '2026-01-02 00:00:00', 'bob'),
               (3, ' ', null, 'bob');",
        )
        .unwrap();
    drop(sqlite);
    let plain = path.with_file_name("notes.db");
    std::fs::rename(path, &plain).unwrap();
    let (file, applied, _) = whole_way(&legacy, "detect sqlite:notes.db");
    assert_eq!((&applied["inserted"], &applied["rejected"]), (&2.into(), &1.into()), "{file}");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_not_overwritten_and_no_likely_table_is_said() {
    let legacy = Legacy::new("create table orders (id bigint primary key, total numeric)").await;
    let ran = legacy.ends(3, "detect store --out found.toml");
    assert!(ran.stdout.contains("None of them looks like memories."), "{ran}");
    assert!(!legacy.home.path().join("found.toml").exists());
    legacy
        .sql("create table memories (id bigint primary key, content text, created_at timestamptz, user_id text)")
        .await;
    legacy.write("found.toml", "mine");
    let ran = legacy.ends(1, "detect store --out found.toml");
    assert!(
        ran.stderr.starts_with("Error: found.toml: it is there already; name a file that is not")
            && ran.stdout.is_empty(),
        "{ran}"
    );
    assert_eq!(std::fs::read_to_string(legacy.home.path().join("found.toml")).unwrap(), "mine");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_asked_for_has_a_file_whatever_it_looks_like() {
    let legacy = Legacy::new(
        "create table widget (sku text primary key, label text not null, price numeric);
         insert into widget select 'w' || g, 'A widget that weighs ' || g || ' kilograms', g from generate_series(1, 9) g",
    )
    .await;
    let found = legacy.run("detect store");
    assert!(found.stdout.contains("None of them looks like memories"), "{found}");
    legacy.ends(0, "detect store --table widget --out widget.toml");
    let plan = legacy.ends(0, "plan widget.toml --json").json();
    assert_eq!(plan["counts"]["accepted"], 9, "{plan}");
    legacy.close().await;
}
