//! Bad input to a migration: each mistake is named with its place and what to write instead, and leaves nothing behind.

use crate::legacy::Legacy;

const NOTES: &str = "create table notes (id bigint primary key, team text not null, body text, flag boolean); \
    insert into notes select g, 'team-' || (g % 3), 'Note ' || g, g % 2 = 0 from generate_series(1, 12) g; \
    create table keyless (id bigint, team text, body text, flag boolean); \
    insert into keyless values (1, 'a', 'b', true);";

const FILE: &str = r#"name = "notes"

[source]
url = "store"
table = "public.notes"

[namespace]
template = "team:{team}"

[map]
kind = { value = "fact" }
content = "body"
"#;

/// What `plan` says of the file with one line changed. Nothing is written, neither file nor store.
async fn planned(legacy: &Legacy, from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "{from}");
    legacy.write("notes.toml", &FILE.replace(from, to));
    let ran = legacy.run("plan notes.toml");
    assert_ne!(ran.code, 0, "{to}: {ran}");
    assert_eq!(ran.stdout, "", "{to}");
    assert!(!legacy.home.path().join("notes.plan.json").exists(), "{to}");
    format!("{to}\n{ran}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_file_that_does_not_fit() {
    let legacy = Legacy::new(NOTES).await;
    let body = "content = \"body\"";
    let mut said = Vec::new();
    for (from, to) in [
        (body, "content = \"bodi\""),
        (body, "content = \"body\"\ncreated_at = \"flag\""),
        (body, "content = \"body\"\nimportant = \"flag\""),
        (body, "content = \"body"),
        ("team:{team}", "team:{tem}"),
        ("team:{team}", "Team {team}"),
        ("public.notes", "public.keyless"),
        ("public.notes", "public.note"),
        ("url = \"store\"", "url = \"mysql://localhost/db\""),
        ("url = \"store\"", "url = \"postgres://me:hunter2@localhost/db\""),
        ("url = \"store\"", "url = \"postgres://me@127.0.0.1:1/db\""),
        ("url = \"store\"", "url = \"env:LEGACY_URL\""),
        ("[map]", "[mapp]"),
    ] {
        said.push(planned(&legacy, from, to).await);
    }
    assert!(legacy.untouched().await);
    let said = said.join("\n\n");
    assert!(!said.replace("url = \"postgres://me:hunter2", "").contains("hunter2"), "{said}");
    insta::assert_snapshot!(said);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_refused_is_shown_and_not_applied() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", &format!("{FILE}\n[keep]\nrest = \"nowhere\"\n"));
    let ran = legacy.ends(3, "plan notes.toml");
    assert!(ran.stdout.contains("Column flag would be lost"), "{ran}");
    insta::assert_snapshot!(legacy.ends(3, "apply notes.plan.json"));
    legacy.ends(3, "apply notes.plan.json --check-only");
    assert!(legacy.untouched().await);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_no_longer_holds() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    let mut said =
        vec![legacy.run("apply notes.plan.json"), legacy.run("plan none.toml"), legacy.run("apply notes.toml")];
    legacy.ends(0, "plan notes.toml");
    let path = legacy.home.path().join("notes.plan.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.replace("\"accepted\": 12", "\"accepted\": 13")).unwrap();
    said.push(legacy.run("apply notes.plan.json"));
    std::fs::write(&path, &whole).unwrap();
    legacy.write("notes.toml", &FILE.replace("team:", "user:"));
    said.push(legacy.run("apply notes.plan.json"));
    legacy.write("notes.toml", FILE);
    legacy.sql("alter table notes add column extra text").await;
    said.push(legacy.run("apply notes.plan.json"));
    legacy.sql("alter table notes drop column extra").await;
    said.push(legacy.run("verify notes.plan.json"));
    assert!(legacy.untouched().await);
    for ran in &said {
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran}");
    }
    legacy.ends(0, "apply notes.plan.json");
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n\n"));
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_newer_is_left_alone() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    legacy.ends(0, "plan notes.toml");
    legacy.ends(0, "up");
    legacy.sql("insert into heirloom.schema_version (ordinal, name, sha256) values (9999, 'later', '')").await;
    let said: Vec<String> = ["plan notes.toml", "apply notes.plan.json", "verify notes.plan.json"]
        .iter()
        .map(|words| {
            let ran = legacy.ends(1, words);
            assert_eq!(ran.stdout, "", "{ran}");
            ran.to_string()
        })
        .collect();
    insta::assert_snapshot!(said.join("\n\n"));
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "0");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pgvector_that_is_too_old_is_named_before_anything_is_written() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    legacy.ends(0, "plan notes.toml");
    legacy.sql("create extension if not exists vector; update pg_extension set extversion = '0.6.2' where extname = 'vector'").await;
    for words in ["up", "apply notes.plan.json"] {
        let ran = legacy.ends(1, words);
        assert_eq!(ran.stdout, "", "{words}");
        for said in ["pgvector 0.7 or newer; this database has 0.6.2", "run `alter extension vector update`"] {
            assert!(ran.stderr.contains(said), "`{words}`: {said}: {ran}");
        }
        assert!(legacy.untouched().await, "{words}");
    }
    legacy.sql("update pg_extension set extversion = '0.8.0' where extname = 'vector'").await;
    legacy.ends(0, "apply notes.plan.json");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_pgvector_is_told_what_to_install() {
    // Since PostgreSQL 18 a database can be told to look for extensions elsewhere; the embedded engine brings its own.
    let legacy = Legacy::new(NOTES).await;
    if std::env::var_os("HEIRLOOM_TEST_URL").is_some()
        && legacy.one("select current_setting('server_version_num')::int >= 180000").await == "true"
    {
        legacy.write("notes.toml", FILE);
        legacy.ends(0, "plan notes.toml");
        let alter = "do $$ begin execute format('alter database %I', current_database())";
        legacy.sql(&format!("{alter} || ' set extension_control_path = ''/nowhere'''; end $$")).await;
        for words in ["up", "apply notes.plan.json"] {
            let ran = legacy.ends(1, words);
            assert_eq!(ran.stdout, "", "{words}");
            for said in ["pgvector (0.7 or newer), which is not installed on the server", "postgresql-NN-pgvector"] {
                assert!(ran.stderr.contains(said), "`{words}`: {said}: {ran}");
            }
            assert!(legacy.untouched().await, "{words}");
        }
        legacy.sql(&format!("{alter} || ' reset extension_control_path'; end $$")).await;
        legacy.ends(0, "apply notes.plan.json");
    }
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_install_is_told_what_an_administrator_runs() {
    // The embedded engine has one role, which may do everything.
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let legacy = Legacy::new(NOTES).await;
    let role = format!("notes_reader_{}", std::process::id());
    legacy.sql(&format!("create role {role} login; grant select on notes to {role}")).await;
    let variables = legacy.variables();
    let url = variables[0].1.to_owned();
    let (_, rest) = url.split_once("://").unwrap();
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    let theirs = [("DATABASE_URL", format!("postgres://{role}@{host}"))];
    let theirs = [(theirs[0].0, theirs[0].1.as_str())];
    let run = |code: i32, words: &str| {
        let ran = legacy.home.run_with(words, &theirs);
        assert_eq!((ran.code, ran.stdout.is_empty()), (code, code != 0), "`{words}`: {ran}");
        ran.stderr
    };
    legacy.write("notes.toml", FILE);
    run(0, "plan notes.toml");
    let mut said = Vec::new();
    for words in ["up", "apply notes.plan.json"] {
        said.push(format!("without the extension: {words}\n{}", run(1, words)));
    }
    legacy.sql("create extension vector").await;
    for words in ["up", "apply notes.plan.json"] {
        said.push(format!("without any right: {words}\n{}", run(1, words)));
    }
    assert!(legacy.untouched().await);
    legacy.ends(0, "up");
    for words in ["up", "list --namespace team:team-1", "apply notes.plan.json"] {
        said.push(format!("on a store of another's: {words}\n{}", run(1, words)));
    }
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "0");
    legacy.sql(&format!("drop owned by {role}; drop role {role}")).await;
    let database = url.rsplit_once('/').unwrap().1.split('?').next().unwrap();
    insta::assert_snapshot!(said.join("\n").replace(&role, "notes_reader").replace(database, "[DATABASE]"));
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_not_there_is_not_made() {
    let legacy = Legacy::new(NOTES).await;
    let mut said = vec![planned(&legacy, "url = \"store\"", "url = \"sqlite:none.db\"").await];
    legacy.write("letters.db", "dear reader");
    said.push(planned(&legacy, "url = \"store\"", "url = \"sqlite:letters.db\"").await);
    said.push(legacy.run("detect sqlite:none.db --out found.toml").to_string());
    said.push(legacy.run("detect mysql://localhost/db --out found.toml").to_string());
    said.push(legacy.run("detect store --table nothing --out found.toml").to_string());
    assert!(!legacy.home.path().join("none.db").exists() && !legacy.home.path().join("found.toml").exists());
    assert_eq!(std::fs::read_to_string(legacy.home.path().join("letters.db")).unwrap(), "dear reader");
    assert!(legacy.untouched().await);
    insta::assert_snapshot!(said.join("\n\n"));
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_cannot_be_written_leaves_no_half_of_one() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    let there = || {
        // The engine's own cache starts with a dot.
        let names = std::fs::read_dir(legacy.home.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| !name.to_string_lossy().starts_with('.')).count()
    };
    let before = there();
    let ran = legacy.ends(1, "plan notes.toml --out none/notes.plan.json");
    assert_eq!(ran.stderr, "Error: none/notes.plan.json: there is no directory none; make it first\n");
    legacy.ends(1, "plan notes.toml --out .");
    legacy.ends(0, "plan notes.toml --out none/notes.plan.json --check-only");
    // What was there before a plan that fails is there after it, and is no plan of this file.
    legacy.ends(0, "plan notes.toml");
    let whole = std::fs::read(legacy.home.path().join("notes.plan.json")).unwrap();
    legacy.write("notes.toml", &FILE.replace("\"body\"", "\"bodi\""));
    legacy.ends(1, "plan notes.toml");
    assert_eq!(std::fs::read(legacy.home.path().join("notes.plan.json")).unwrap(), whole);
    assert_eq!(there(), before + 1);
    assert!(legacy.untouched().await);
    legacy.close().await;
}

#[test]
fn planning_for_an_embedded_store_that_is_not_there_makes_none() {
    let home = crate::support::Home::new();
    std::fs::write(home.path().join("notes.toml"), FILE).unwrap();
    let ran = home.run("plan notes.toml --data store");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran}");
    assert!(!home.path().join("store").exists() && !home.path().join("notes.plan.json").exists());
}
