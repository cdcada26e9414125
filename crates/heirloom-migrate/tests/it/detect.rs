//! What detection finds, and that what it writes can be planned as it stands.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::detect::{Candidate, detect};
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::mapping::{Context, Mapped, Program, Reject};
use heirloom_migrate::source::{KeyRange, Postgres, Read, Source, sqlite};
use heirloom_store::Moment;
use rusqlite::Connection;

/// Every row of a candidate's table as its file maps it.
async fn mapped(source: &dyn Source, candidate: &Candidate) -> Vec<Result<Mapped, Reject>> {
    let file = MigrationFile::parse("detected.toml", &candidate.file).unwrap_or_else(|error| {
        panic!("{error}\n{}", candidate.file);
    });
    let relation = file.source.relation.value.clone();
    let table = source.describe(&relation).await.unwrap();
    let key = heirloom_migrate::plan::key_columns(&file, &table, &source.display()).unwrap();
    let tree = match &file.source.tree {
        Some(tree) => Some(source.tree(&tree.table.value, &tree.id.value, &tree.parent.value).await.unwrap()),
        None => None,
    };
    let context = Context {
        system: "test".into(),
        tenant: file.name.clone(),
        tree,
        dimension: 1024,
        key: key.clone(),
        surface: None,
    };
    let program = Program::compile(&file, &table, context).unwrap();
    let read =
        Read { relation, table, key, expressions: Vec::new(), range: KeyRange::default(), since: None, keys: None };
    let mut rows = Vec::new();
    source
        .scan(&read, &mut |row, _| {
            rows.push(program.map(&row));
            Ok(())
        })
        .await
        .unwrap();
    let rejects = rows.iter().filter(|row| row.is_err()).count() as u64;
    assert!(rejects <= file.budget.rows_of(rows.len() as u64), "{rejects} rejects\n{}", candidate.file);
    rows
}

fn find<'a>(found: &'a [Candidate], name: &str) -> &'a Candidate {
    found.iter().find(|candidate| candidate.table.trim_matches('"').ends_with(name)).unwrap()
}

fn at(text: &str) -> Option<Moment> {
    Some(Moment::from_timestamp(text.parse().unwrap()))
}

async fn sqlite_with(sql: &str) -> (tempfile::TempDir, sqlite::Sqlite) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("legacy.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let source = sqlite::open(&path).await.unwrap();
    (dir, source)
}

const GUIDE: &str = "create table agent_store (
        uid integer primary key, memoryText text, type text, properties text, run_id text, task_id int, ttl_seconds int, retain_until text,
        verification_status text, lifecycle_state text, agent text, project text, priority int, commit_ text, \"commit\" text, hash text,
        embedding text, created int, odd blob);
    insert into agent_store values
        (1, 'Rotate the keys.', 'security', '{\"a\": 1}', 'r-1', 7, 3600, null, 'verified', ' Active ', 'dev', 'apollo', 10, null, 'abc', 'sha256:1', '[1, 2]', 1780000000, x'00ff'),
        (2, 'Deploy on Mondays.', 'ops', null, '99999999999999999999', null, null, '2027-01-01 00:00:00', 'no', 'golden', 'ops', 'apollo', 1, null, null, null, null, 1780000001, null),
        (3, 'What was this?', null, null, null, null, null, null, null, 'mystery', null, 'zeus', null, null, null, null, null, 1780000002, null);";

#[tokio::test]
async fn a_table_never_seen_is_mapped_by_the_guide_s_words() {
    let (_dir, source) = sqlite_with(GUIDE).await;
    let found = detect(&source, "sqlite:legacy.db", None).await.unwrap();
    let candidate = &found[0];
    assert!(candidate.score >= 60, "{candidate:?}");
    assert_eq!((candidate.rows, candidate.preset.as_deref()), (Some(3), None));
    let rows: Vec<Mapped> = mapped(&source, candidate).await.into_iter().map(Result::unwrap).collect();
    let [first, second, third] = rows.as_slice() else { panic!("three rows") };
    let memory = &first.memory;
    assert_eq!((memory.content.as_str(), memory.kind.as_str()), ("Rotate the keys.", "fact"));
    assert_eq!((memory.topic.as_deref(), memory.role.as_deref()), (Some("security"), Some("dev")));
    assert_eq!(memory.namespace, "project:apollo");
    assert_eq!((memory.state.as_str(), memory.importance), ("candidate", 5));
    assert_eq!((memory.source_run_id.as_deref(), memory.source_task_id.as_deref()), (Some("r-1"), Some("7")));
    assert_eq!((memory.commit_sha.as_deref(), memory.artifact_hash.as_deref()), (Some("abc"), Some("sha256:1")));
    assert_eq!(memory.embedding.as_deref(), Some(&[1.0, 2.0][..]));
    assert_eq!(memory.created_at, at("2026-05-28T20:26:40Z"));
    assert_eq!(memory.expires_at, at("2026-05-28T21:26:40Z"));
    assert_eq!(memory.verified_at, memory.created_at);
    assert_eq!(memory.metadata, Some(serde_json::json!({ "a": 1, "type": "security" })));
    assert!(first.origin.contains("odd") && first.origin.contains("AP8="), "{}", first.origin);
    let memory = &second.memory;
    assert_eq!((memory.state.as_str(), memory.importance, memory.verified_at), ("canonical", 1, None));
    assert_eq!(memory.expires_at, at("2027-01-01T00:00:00Z"));
    assert_eq!(memory.source_run_id.as_deref(), Some("99999999999999999999"));
    assert_eq!(third.memory.metadata, Some(serde_json::json!({ "lifecycle_state": "mystery" })));
    assert_eq!(third.memory.namespace, "project:zeus");
    for said in
        ["UTC is a guess", "count s since 1970", "never from the day of the migration", "mystery", "scale = [1, 10]"]
    {
        assert!(candidate.file.contains(said), "{said}\n{}", candidate.file);
    }
}

#[tokio::test]
async fn rows_that_cannot_map_are_counted_and_let_pass() {
    let (_dir, source) = sqlite_with(
        "create table notes (body text, user_id int, ts text, deleted int, weird text);
         insert into notes values ('one', 1, '2026-01-01T00:00:00Z', 0, 'x'), ('  ', 1, '2026-01-02T00:00:00Z', 0, 'x'),
           ('three', 2, '2026-01-03T00:00:00Z', 1, 'y'), ('four', 2, 'soon', null, null), ('five', null, null, 0, null), ('six', 1, null, 0, null);
         create table orders (id integer primary key, customer text, total real, status text, created_at text, message text);
         create table settings (name text primary key, enabled int);
         create table facts_shared (id text primary key not null, fact text, owner text);
         insert into facts_shared values ('a', 'Water is wet.', 'ann@example.com'), ('b', 'Fire is hot.', 'bob@example.com');
         create table memories_empty (id integer primary key, content text, workspace text, ttl text, priority text, created_at text, expires int, verified int, embedding blob, tags text);",
    )
    .await;
    let found = detect(&source, "sqlite:legacy.db", None).await.unwrap();
    let notes = find(&found, "notes");
    let rows = mapped(&source, notes).await;
    assert_eq!(rows.iter().filter(|row| row.is_err()).count(), 2);
    for said in
        ["key = [\"rowid\"]", "budget = \"2\"", "empty-content", "namespace-missing", "template = \"user:{user_id}\""]
    {
        assert!(notes.file.contains(said), "{said}\n{}", notes.file);
    }
    let states: Vec<&str> = rows.iter().flatten().map(|row| row.memory.state.as_str()).collect();
    assert_eq!(states, ["candidate", "archived", "candidate", "candidate"]);
    let kept = rows[3].as_ref().unwrap();
    assert_eq!((kept.memory.created_at, &kept.memory.metadata), (None, &Some(serde_json::json!({ "ts": "soon" }))));

    let shared = find(&found, "facts_shared");
    assert_eq!(mapped(&source, shared).await.into_iter().flatten().count(), 2);
    assert!(shared.file.contains("custom:facts_shared"), "an address is no namespace\n{}", shared.file);
    assert!(mapped(&source, find(&found, "memories_empty")).await.is_empty());

    let orders = find(&found, "orders");
    assert!(orders.score < 40 && orders.file.is_empty(), "{orders:?}");
    assert_eq!((find(&found, "settings").score, found.last().unwrap().score), (0, 0));
}

#[tokio::test]
async fn a_password_is_never_written() {
    let (_dir, source) = sqlite_with(GUIDE).await;
    let found = detect(&source, "postgres://me:hunter2@host/db", None).await.unwrap();
    assert!(found[0].file.contains("url = \"env:LEGACY_DATABASE_URL\"") && !found[0].file.contains("hunter2"));
}

#[tokio::test]
async fn both_seeds_are_found_with_their_presets() {
    let test = TestDatabase::fresh().await;
    let database = test.database();
    {
        let client = database.client().await.unwrap();
        client
            .batch_execute(
                "create extension if not exists vector; create schema app; create schema mem; set search_path = app, public;",
            )
            .await
            .unwrap();
        // The embedded engine carries no English stop words.
        let legacy = include_str!("../../../heirloom/src/demo/sql/agent_memories.sql").replace("'english'", "'simple'");
        client.batch_execute(&legacy).await.unwrap();
        client
            .batch_execute(
                "insert into workspaces (id, name) values ('00000000-0000-7000-8000-000000000001', 'one');
                 insert into agent_memories (workspace_id, content, scope) values
                   ('00000000-0000-7000-8000-000000000001', 'A note.', 'LOCAL'), ('00000000-0000-7000-8000-000000000001', 'For the team.', 'TEAM'),
                   (null, 'Nobody''s.', 'LOCAL'), ('00000000-0000-7000-8000-000000000001', '   ', 'GLOBAL');
                 create table app.journal (id bigint generated always as identity primary key, note text not null, tenant text, retention interval, is_verified boolean,
                   status text, weight numeric, labels text[], made bytea, at timestamp, created timestamp default '2026-01-01 00:00:00', modified timestamptz);
                 insert into app.journal (note, tenant, retention, is_verified, status, labels) values ('Kept.', 't1', '30 days', true, 'STALE', '{a,b}');
                 create table app.orders (id bigint primary key, total numeric, status text, created_at timestamptz);
                 set search_path = mem, public;",
            )
            .await
            .unwrap();
        client.batch_execute(include_str!("../../../heirloom/src/demo/sql/mem_item.sql")).await.unwrap();
        client
            .batch_execute(
                "insert into mem_item (id, memory_text, layer, status, agent_role, project_id, priority, ttl_seconds, created_at, updated_at) values
                   (1, 'A lesson.', 'ops', 'Active', 'dev', 42, 7, 60, '2026-01-01', '2026-01-01'), (2, 'Another.', 'ops', 'unheard of', 'dev', 42, 7, null, '2026-01-01', '2026-01-01');
                 reset search_path;",
            )
            .await
            .unwrap();
    }
    let source = Postgres::in_target(database);
    let found = detect(&source, "store", None).await.unwrap();
    let molecule = find(&found, "agent_memories");
    assert_eq!((molecule.preset.as_deref(), molecule.score), (Some("molecule-v1"), 100), "{:?}", molecule.why);
    let rows = mapped(&source, molecule).await;
    assert_eq!((rows.len(), rows.iter().flatten().count()), (4, 2));
    assert!(molecule.file.contains("app.workspaces") && molecule.file.contains("budget = \"2\""), "{}", molecule.file);

    let guide = find(&found, "mem_item");
    assert_eq!(guide.preset.as_deref(), Some("pgmnemo-guide"), "{:?}", guide.why);
    assert_eq!(mapped(&source, guide).await.into_iter().flatten().count(), 1);
    assert!(guide.file.contains("unmapped-value of state"), "{}", guide.file);

    let journal = find(&found, "journal");
    let rows = mapped(&source, journal).await;
    let memory = &rows[0].as_ref().unwrap_or_else(|reject| panic!("{reject:?}\n{}", journal.file)).memory;
    assert_eq!((memory.namespace.as_str(), memory.state.as_str()), ("tenant:t1", "deprecated"));
    assert_eq!(memory.created_at, at("2026-01-01T00:00:00Z"));
    assert_eq!((memory.verified_at, memory.expires_at), (memory.created_at, at("2026-01-31T00:00:00Z")));
    assert!(find(&found, "orders").score < 40);
    assert!(!found.iter().any(|candidate| candidate.table.starts_with("heirloom")));
    test.close().await;
}
