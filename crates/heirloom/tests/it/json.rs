//! `--json`: every command prints exactly one JSON value, its result on stdout or its error on stderr, and nothing beside it.

use std::collections::BTreeSet;

use heirloom::ops::ALL;
use serde_json::Value;

use crate::legacy::Legacy;
use crate::support::{Home, Ran};

const NOTES: &str = "create table notes (id bigint primary key, content text, created_at timestamptz, user_id text);
    insert into notes select g, case g when 3 then ' ' else 'Note ' || g end, '2026-01-01', 'ann' from generate_series(1, 9) g;";

/// The one value that a text is.
#[track_caller]
fn one(text: &str, ran: &Ran) -> Value {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let first =
        values.next().unwrap_or_else(|| panic!("no JSON: {ran}")).unwrap_or_else(|error| panic!("{error}: {ran}"));
    assert!(values.next().is_none() && text.ends_with('\n'), "more than one value, or no end of line: {ran}");
    first
}

/// A result: one value on stdout, nothing on stderr.
#[track_caller]
fn result(ran: &Ran, code: i32) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{ran}");
    let value = one(&ran.stdout, ran);
    assert!(value.is_object() && value.get("error").is_none(), "{ran}");
    value
}

/// An error: one value on stderr, nothing on stdout.
#[track_caller]
fn error(ran: &Ran, code: i32) {
    assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{ran}");
    let value = one(&ran.stderr, ran);
    let error = &value["error"];
    assert_eq!(error["exit"], code, "{ran}");
    for text in ["code", "message"] {
        assert!(error[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {ran}");
    }
    assert!(error["hints"].is_array() && error["causes"].is_array(), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_one_value() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write(
        "e.toml",
        "[embedding]\nprovider = \"openai-compatible\"\nurl = \"http://127.0.0.1:1\"\nmodel = \"m\"\n",
    );
    // A table that comes back was retired before: tests/it/soak.rs.
    let mut tried =
        BTreeSet::from(["demo", "serve", "mcp serve", "plugin", "unretire", "compat memory-backfill", "mcp call"]);
    let mut run = |code: i32, words: &str| {
        let name = ALL.iter().map(|op| op.name).filter(|name| words.starts_with(name)).max_by_key(|name| name.len());
        tried.insert(name.unwrap_or_else(|| panic!("{words}")));
        result(&legacy.run(&format!("{words} --json")), code)
    };
    run(0, "doctor");
    run(0, "up --check-only");
    run(0, "up");
    run(0, "status");
    run(0, "rejects list");
    run(0, "detect store --out notes.toml");
    run(0, "plan notes.toml --check-only");
    run(0, "plan notes.toml");
    run(0, "apply notes.plan.json --check-only");
    run(0, "apply notes.plan.json");
    run(0, "verify notes.plan.json");
    run(0, "status");
    run(0, "rejects list");
    run(0, "rejects export --out aside.jsonl");
    run(3, "rejects retry notes.plan.json");
    run(0, "run show");
    run(0, "run compare");
    run(0, "run compare --target-only");
    run(0, "run evidence");
    run(3, "run retry");
    run(0, "report write");
    run(0, "report check heirloom-report/report.json");
    run(0, "verify notes.plan.json --target-only");
    run(0, "verify notes.plan.json --record");
    run(0, "soak start notes.plan.json --check-only");
    run(0, "soak start notes.plan.json");
    run(0, "soak sweep notes.plan.json --check-only");
    run(0, "soak sweep notes.plan.json");
    run(0, "soak status");
    run(3, "retire notes.plan.json --check-only");
    run(3, "retire notes.plan.json");
    run(0, "audit check notes.plan.json");
    std::fs::remove_file(legacy.home.path().join("notes.plan.audit")).unwrap();
    run(3, "audit check notes.plan.json");
    run(0, "audit anchor notes.plan.json");
    run(0, "audit list");
    let memory = run(0, "remember hello --namespace user:ann");
    let id = memory["id"].as_str().unwrap_or_else(|| panic!("{memory}")).to_owned();
    run(0, "recall hello --namespace user:ann");
    run(0, &format!("show {id} --namespace user:ann"));
    run(0, &format!("history {id} --namespace user:ann"));
    run(0, &format!("links {id} --namespace user:ann"));
    run(0, &format!("origin {id} --namespace user:ann"));
    run(0, &format!("keep {id} --namespace user:ann --pin true"));
    run(0, "list --namespace user:ann");
    run(0, "namespaces");
    run(0, "stats --namespace user:ann");
    run(0, "whoami");
    run(0, &format!("revise {id} --namespace user:ann --content goodbye"));
    run(0, &format!("transition {id} validated --namespace user:ann"));
    run(0, &format!("forget {id} --namespace user:ann"));
    // An agent is served as a login of its own.
    let login = legacy.login().await;
    let login: Vec<_> = login.iter().map(|login| ("DATABASE_URL", login.as_str())).collect();
    result(&legacy.run_with("mcp call -n user:ann recall {\"query\":\"hello\"} --json", &login), 0);
    run(0, "mcp install claude --file claude.json --yes");
    run(0, "token create ann --namespace user:ann");
    run(0, "token list");
    run(0, "token revoke ann");
    run(0, "workspace put w1");
    run(0, "workspace list");
    run(0, "workspace remove w1");
    run(0, "upkeep");
    run(0, "reembed --check-only --config e.toml");
    legacy.write("notes-template.toml", "[source]\nurl = \"store\"\ntable = \"notes\"\n[namespace]\ntemplate = \"user:{user_id}\"\n[map]\ncontent = \"content\"\nkind = { value = \"fact\" }\n");
    legacy.write(
        "tenants.toml",
        "[defaults]\nfile = \"notes-template.toml\"\nallow = [\"superuser\"]\nbudget = 1\n[[tenant]]\nname = \"ann\"\n",
    );
    run(0, "fleet plan tenants.toml");
    run(0, "fleet apply tenants.toml");
    run(0, "fleet verify tenants.toml");
    run(0, "fleet verify tenants.toml --record");
    run(0, "fleet soak tenants.toml");
    run(3, "fleet retire tenants.toml --check-only");
    run(0, "fleet status tenants.toml");
    run(0, "fleet report tenants.toml");
    run(0, "config");
    run(0, "completions bash");
    run(0, "man");
    assert_eq!(result(&legacy.run("rejects --json"), 0), run(0, "rejects list"), "a group alone means its first");
    // A difference that verify finds is a result too, with its own exit code.
    legacy.sql("update heirloom.memory set content = content || '!' where content = 'Note 7'").await;
    assert_eq!(result(&legacy.run("verify notes.plan.json --json"), 3)["holds"], false);
    let all: BTreeSet<&str> = ALL.iter().map(|op| op.name).collect();
    assert_eq!(tried, all, "a command that this test does not try");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_one_value_and_nothing_else() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("bad.toml", "name = ");
    std::fs::create_dir(legacy.home.path().join("letters")).unwrap();
    legacy.write("letters/dear.txt", "dear");
    let id = "00000000-0000-4000-8000-000000000001";
    for (code, words) in [
        (2, ""),
        (2, "recal"),
        (2, "show"),
        (2, "up --dimension none"),
        (1, "serve --listen nowhere"),
        (2, "mcp install emacs"),
        (1, "plugin --listen nowhere"),
        (1, "plan none.toml"),
        (1, "plan bad.toml"),
        (1, "apply none.plan.json"),
        (1, "apply bad.toml"),
        (1, "verify none.plan.json"),
        (1, "detect sqlite:none.db"),
        (1, "rejects retry none.plan.json"),
        (3, "report"),
        (1, "fleet plan none.toml"),
        (2, "fleet plan"),
        (1, "soak start none.plan.json"),
        (1, "soak sweep none.plan.json"),
        (1, "soak status none.plan.json"),
        (1, "retire none.plan.json"),
        (1, "unretire none.plan.json"),
        (1, "audit check none.plan.json"),
        (1, "audit anchor none.plan.json"),
        (1, "recall hello --namespace user:ann"),
        (1, "list --namespace user:ann"),
        (1, &*format!("show {id} --namespace user:ann")),
        (1, &*format!("forget {id} --namespace user:ann")),
        (1, "up --dimension 99999"),
        (2, "man nothing"),
        (1, "config --config none.toml"),
    ] {
        error(&legacy.run(&format!("{words} --json")), code);
    }
    assert!(legacy.untouched().await);
    let home = Home::new();
    error(&home.run_with("status --json", &[("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/db")]), 4);
    error(&home.run_with("doctor --json", &[("HEIRLOOM_LOG", "=/=")]), 1);
    legacy.close().await;
}

#[test]
fn the_demo_prints_one_value_and_leaves_every_other_store_alone() {
    let home = Home::new();
    let told = result(&home.run("demo --out shown --json"), 0);
    let tenants = told["tenants"].as_array().unwrap();
    for tenant in tenants {
        let count = |name: &str| tenant[name].as_u64().unwrap_or_else(|| panic!("{name}: {tenant}"));
        assert_eq!(count("source_rows"), count("migrated") + count("rejected") + count("skipped"), "{tenant}");
        assert_eq!((count("rerun_written"), &tenant["tamper_found"]), (0, &true.into()), "{tenant}");
    }
    assert!(tenants.len() >= 4);
    // The engine's own cache apart, which starts with a dot.
    let names = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    assert_eq!(left, ["shown"], "the store of the demo is thrown away");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_an_object_a_line_where_that_is_asked_for() {
    let legacy = Legacy::new(
        "create table note (id int primary key, body text);
         insert into note select g, 'what is remembered ' || g from generate_series(1, 9) g",
    )
    .await;
    legacy.write(
        "notes.toml",
        "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"note\"\n[namespace]\ntemplate = \"custom:notes\"\n\
         [map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n",
    );
    legacy.ends(0, "plan notes.toml --chunk-rows 4");
    let form = [("HEIRLOOM_LOG", "info"), ("HEIRLOOM_LOG_FORMAT", "json")];
    let ran = legacy.run_with("apply notes.plan.json --json", &form);
    assert_eq!(ran.code, 0, "{ran}");
    let lines: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |message: &str| lines.iter().filter(|line| line["message"] == message).collect::<Vec<_>>();
    let (claimed, committed) = (of("a chunk was claimed"), of("a chunk was committed"));
    assert_eq!((claimed.len(), committed.len()), (3, 3), "{}", ran.stderr);
    assert!(claimed.iter().all(|line| line["fence"] == 1));
    let inserted: u64 = committed.iter().map(|line| line["inserted"].as_u64().unwrap()).sum();
    assert_eq!(inserted, 9);
    assert!(!ran.stderr.contains("what is remembered"), "{}", ran.stderr);
    error(&legacy.run_with("status --json", &[("HEIRLOOM_LOG_FORMAT", "xml")]), 1);
    legacy.close().await;
}
