//! The main job through the binary: plan, apply, verify, and what is told on the way.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use crate::legacy::Legacy;

const NOTES: &str = "create table notes (id bigint primary key, team text, status text, body text, weight text, \
    created_at timestamptz); \
    insert into notes select g, 'team-' || (g % 3), (array['Active', 'ARCHIVED', 'active', 'candidate'])[g % 4 + 1], \
    'Note ' || g || ': deploy with the flag --force', (g % 10)::text, '2025-01-01'::timestamptz + g * interval '1 hour' \
    from generate_series(1, 120) g; \
    insert into notes values (121, 'team-1', 'Active', '   ', '1', null), (122, null, 'Active', 'whose?', '1', null);";

const FILE: &str = r#"name = "notes"

[source]
url = "store"
table = "public.notes"

[namespace]
template = "team:{team}"

[map]
kind = { value = "fact" }
content = "body"
created_at = "created_at"
state = { from = "status", values = { active = "validated", archived = "archived", candidate = "candidate" } }

[reject]
budget = 2
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);

    let ran = legacy.ends(0, "plan notes.toml --check-only");
    assert!(!legacy.home.path().join("notes.plan.json").exists(), "{ran}");
    let ran = legacy.ends(0, "plan notes.toml --chunk-rows 50");
    for word in
        ["122 rows read", "ARCHIVED", "kept in origin", "empty-content", "Next: `heirloom apply notes.plan.json`"]
    {
        assert!(ran.stdout.contains(word), "{word}: {ran}");
    }
    legacy.ends(0, "apply notes.plan.json --check-only");
    assert!(legacy.untouched().await, "plan and a check write nothing");

    let done = legacy.ends(0, "apply notes.plan.json --json").json();
    assert_eq!((&done["inserted"], &done["rejected"], &done["state"]), (&120.into(), &2.into(), &"applied".into()));
    assert_eq!(done["chunks_done"], 3);
    let again = legacy.ends(0, "apply notes.plan.json --json").json();
    assert_eq!((&again["written"], &again["present"]), (&0.into(), &120.into()), "a second run writes nothing");
    insta::assert_snapshot!(legacy.run("apply notes.plan.json"));
    insta::assert_snapshot!(legacy.run("apply notes.plan.json --check-only"));

    insta::assert_snapshot!(legacy.run("verify notes.plan.json"));
    assert_eq!(legacy.ends(0, "status --json").json()["runs"][0]["state"], "applied", "verify alone records nothing");
    assert_eq!(legacy.ends(0, "verify notes.plan.json --record --json").json()["recorded"], true);
    let runs = legacy.ends(0, "status --json").json();
    assert_eq!((&runs["runs"][0]["state"], &runs["runs"][0]["inserted"]), (&"verified".into(), &120.into()));
    assert!(legacy.ends(0, "status").stdout.starts_with("notes: verified, 3 of 3 chunks, 20"));

    legacy.ends(0, "report");
    let evidence = legacy.ends(0, "report notes.plan.json --out proof --json").json();
    assert_eq!((&evidence["holds"], &evidence["migrations"][0]["counts"]["equal"]), (&true.into(), &120.into()));
    for file in ["heirloom-report/report.html", "heirloom-report/report.json", "proof/report.html", "proof/report.json"]
    {
        let text = std::fs::read_to_string(legacy.home.path().join(file)).unwrap();
        assert!(text.contains("notes") && !text.contains("deploy with the flag"), "{file}");
    }

    insta::assert_snapshot!(legacy.run("rejects"));
    legacy.ends(0, "rejects export --out aside.jsonl");
    let rows = std::fs::read_to_string(legacy.home.path().join("aside.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    assert_eq!((&first["key"][0], &first["row"]["body"]), (&"121".into(), &"   ".into()));
    insta::assert_snapshot!(legacy.run("rejects export --out aside.jsonl"));
    insta::assert_snapshot!(legacy.run("rejects retry notes.plan.json"));
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_changed_behind_the_stores_back_is_named() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    legacy.ends(0, "plan notes.toml");
    legacy.ends(0, "apply notes.plan.json");
    legacy.sql("update heirloom.memory set content = content || '!' where content like 'Note 17:%'").await;
    let ran = legacy.ends(3, "verify notes.plan.json --record");
    assert!(ran.stdout.contains("altered  17   content"), "{ran}");
    assert!(!ran.stdout.contains("deploy"), "content is not shown unasked: {ran}");
    let found = legacy.ends(3, "verify notes.plan.json --show-content --json").json();
    let values: Vec<_> =
        found["differences"].as_array().unwrap().iter().map(|one| one["found"]["value"].to_string()).collect();
    assert!(values.contains(&"\"Note 17: deploy with the flag --force!\"".to_owned()), "{values:?}");
    assert_eq!(legacy.ends(0, "status --json").json()["runs"][0]["state"], "applied", "nothing is recorded");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_set_aside_are_handed_down_by_a_mended_plan() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    legacy.ends(0, "plan notes.toml");
    legacy.ends(0, "apply notes.plan.json");
    let mended = FILE.replace(
        "template = \"team:{team}\"",
        "from = \"team\"\nvalues = { team-0 = \"team:{team}\", team-1 = \"team:{team}\", team-2 = \"team:{team}\" }\n\
         otherwise = \"custom:unassigned\"",
    );
    legacy.write("mended.toml", &mended);
    legacy.ends(0, "plan mended.toml");
    let done = legacy.ends(0, "apply mended.plan.json --json").json();
    assert_eq!((&done["inserted"], &done["rejected"]), (&1.into(), &1.into()));
    assert!(legacy.ends(3, "rejects retry mended.plan.json").stdout.starts_with("1 row tried: 0 handed down, 1 still"));
    legacy.ends(0, "verify mended.plan.json");
    legacy.close().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_stops_between_two_chunks_and_says_how_to_go_on() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    legacy.ends(0, "plan notes.toml --chunk-rows 1");
    let mut command = legacy.home.command();
    command.args(["apply", "notes.plan.json"]).envs(legacy.variables());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert!(line.starts_with("notes: 1 of 122 rows"), "{line}");
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stdout}{rest}");
    assert!(rest.contains("Stopping: what has begun is finished first. Once more to abort."), "{rest}");
    assert!(stdout.contains("Stopped. Go on with `heirloom apply notes.plan.json`"), "{stdout}");

    let run = &legacy.ends(0, "status --json").json()["runs"][0];
    assert_eq!(run["state"], "applying");
    let before = run["inserted"].as_u64().unwrap();
    let done = legacy.ends(0, "apply notes.plan.json --json").json();
    assert_eq!((&done["stopped"], &done["state"]), (&false.into(), &"applied".into()));
    assert_eq!(done["inserted"].as_u64().unwrap() + before, 120, "what was done is not done again");
    legacy.ends(0, "verify notes.plan.json");
    legacy.close().await;
}
