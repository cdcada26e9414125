//! A second command on an embedded store that `heirloom serve` has open: sent to the owner, told as if it ran here.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::agent::{Server, World};
use crate::served::Served;

const FILE: &str = r#"name = "notes"
[source]
url = "env:OLD_NOTES"
table = "notes"
[namespace]
template = "team:{team}"
[map]
kind = { value = "fact" }
content = "body"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn commands_go_to_whoever_has_the_store_open() {
    let served = Served::new().await;
    let ran = served.run("remember --namespace team:a tabs_over_spaces");
    assert!(ran.code == 0 && ran.stdout.starts_with("Remembered, in team:a"), "{ran}");
    let ran = served.run("recall --namespace team:a tabs");
    assert!(ran.stdout.contains("tabs_over_spaces"), "{ran}");
    let ran = served.run("recall --namespace team:a tabs --json");
    assert_eq!(ran.json()["hits"].as_array().unwrap().len(), 1, "{ran}");
    // What is wrong is told with the code and the hint it has here.
    let ran = served.run("show 00000000-0000-4000-8000-000000000000 --namespace team:a");
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("No memory 0000") && ran.stderr.contains("heirloom list"), "{ran}");

    // A migration: relative paths and variables are meant where the command was given, not where the owner stands.
    let work = served.home.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let old = rusqlite::Connection::open(work.join("old.db")).unwrap();
    old.execute_batch(
        "create table notes (id integer primary key, team text, body text); \
         insert into notes values (1, 'a', 'one'), (2, 'a', 'two');",
    )
    .unwrap();
    drop(old);
    std::fs::write(work.join("notes.toml"), FILE).unwrap();
    let run = |words: &[&str]| {
        let mut command = served.home.command();
        command.current_dir(&work).env("OLD_NOTES", "sqlite:old.db").args(words);
        if let Some(url) = served.database_url() {
            command.env("DATABASE_URL", url);
        }
        let done = command.output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    run(&["plan", "notes.toml"]);
    assert!(work.join("notes.plan.json").is_file());
    run(&["apply", "notes.plan.json"]);
    run(&["verify", "notes.plan.json"]);
    run(&["report", "notes.plan.json"]);
    assert!(work.join("heirloom-report").is_dir());
    assert_eq!(served.stop().await, Some(0));
}

/// An apply that owns the embedded store lets others see how far it is, and nobody write.
#[tokio::test(flavor = "multi_thread")]
async fn who_hands_rows_down_is_asked_meanwhile() {
    let world = World::embedded();
    let old = rusqlite::Connection::open(world.home.path().join("old.db")).unwrap();
    old.execute_batch(
        "create table notes (id integer primary key, team text, body text);
         insert into notes select value, 'a', case when value = 7 then ' ' else 'note ' || value end from
             (with recursive n(value) as (select 1 union all select value + 1 from n where value < 400) select value from n)",
    )
    .unwrap();
    drop(old);
    let file = FILE.replace("env:OLD_NOTES", "sqlite:old.db") + "[reject]\nbudget = \"1\"\n";
    std::fs::write(world.home.path().join("notes.toml"), file).unwrap();
    world.ends(0, "plan notes.toml --chunk-rows 20");
    let mut apply = world.command("apply notes.plan.json --rate 50").stderr(Stdio::piped()).spawn().unwrap();
    // Who asks before it has the store open has it open himself.
    let mut told = BufReader::new(apply.stderr.take().unwrap());
    told.read_line(&mut String::new()).unwrap();
    let began = Instant::now();
    let rows = |ran: &crate::support::Ran| ran.json()["runs"][0]["rows"].as_u64().unwrap_or(0);
    let seen = loop {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody was told how far it is");
        let ran = world.run("status --json");
        if ran.code == 0 && rows(&ran) > 20 {
            break rows(&ran);
        }
    };
    assert!(seen < 400 && apply.try_wait().unwrap().is_none(), "{seen} rows, while it is at work");
    assert!(world.ends(0, "rejects").stdout.contains("empty-content"));
    let ran = world.ends(4, "remember -n team:a something");
    assert!(ran.stderr.contains("lets others read meanwhile: `heirloom remember` may write"), "{ran}");
    assert!(apply.wait().unwrap().success());
    assert_eq!(rows(&world.ends(0, "status --json")), 400);
    world.ends(0, "remember -n team:a something");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_asks_the_owner_and_shows_its_own_settings() {
    let world = World::embedded();
    let server = Server::start(&world);
    let ran = world.run("doctor --json");
    assert_eq!(ran.code, 0, "{ran}");
    let report = ran.json();
    let checks = report["checks"].as_array().unwrap();
    let found = |name: &str| {
        let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"));
        (check["verdict"].as_str().unwrap().to_owned(), check["found"].as_str().unwrap().to_owned())
    };
    let owner = found("owner");
    assert!(owner.0 == "note" && owner.1.ends_with(&format!("process {}", server.id())), "{owner:?}");
    for name in ["database", "postgresql", "pgvector", "roles", "tenants", "schema"] {
        assert_eq!(found(name).0, "ok", "{name}");
    }
    assert!(world.ends(0, "doctor").stdout.ends_with("Nothing is wrong.\n"));
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_hangs_is_told_of() {
    let world = World::embedded();
    world.ends(0, "remember -n team:a tabs_over_spaces");
    let server = Server::start(&world);
    world.ends(0, "recall -n team:a tabs");
    server.signal("STOP");
    let began = Instant::now();
    let ran = world.run("recall -n team:a tabs");
    assert_eq!(ran.code, 4, "{ran}");
    let words = format!("the process {} that has the store open has said nothing for 10 seconds", server.id());
    assert!(ran.stderr.contains(&words), "{ran}");
    assert!(began.elapsed() < Duration::from_secs(60));
    server.signal("CONT");
    world.ends(0, "recall -n team:a tabs");
    assert!(server.stop().success());
}
