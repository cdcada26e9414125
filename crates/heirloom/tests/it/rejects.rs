//! Rows that were set aside: listed without their content, exported with it, and handed down once they are mended.

use serde_json::{Value, json};

use crate::legacy::Legacy;

/// Rows 3 and 6 say a status that nobody listed, 5 is blank, 7 has no team, 9 an importance beyond the scale.
const NOTES: &str = r#"create table notes (id bigint primary key, team text, status text, body text, weight int, extra jsonb);
    insert into notes select g, 'team-' || g % 2, 'active', 'secret words ' || g, 3, '{"n": 1.00}'
      from generate_series(1, 40) g;
    update notes set status = 'Mystery' where id in (3, 6);
    update notes set body = E' \t\n' where id = 5;
    update notes set team = null where id = 7;
    update notes set weight = 9 where id = 9;"#;

const FILE: &str = r#"name = "notes"

[source]
url = "store"
table = "public.notes"
mark = "migrated_at"

[namespace]
template = "team:{team}"

[map]
content = "body"
kind = { value = "fact" }
state = { from = "status", values = { active = "candidate" }, otherwise = "reject" }
importance = "weight"
metadata = { merge = ["extra"] }

[reject]
budget = 5
"#;

async fn applied() -> Legacy {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    legacy.ends(0, "plan notes.toml --chunk-rows 8");
    let done = legacy.ends(0, "apply notes.plan.json --json").json();
    assert_eq!((&done["inserted"], &done["rejected"]), (&35.into(), &5.into()));
    legacy
}

/// Keys that are set aside with their reasons, as `rejects list` has them.
fn listed(legacy: &Legacy, words: &str) -> Vec<(String, String, String)> {
    let found = legacy.ends(0, &format!("rejects list --json {words}")).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rejects = found["rejects"].as_array().unwrap();
    rejects.iter().map(|one| (text(&one["key"][0]), text(&one["code"]), text(&one["field"]))).collect()
}

/// Rows, migrated and set aside as `status` has the newest run; they add up, and `rejects list` agrees.
fn status(legacy: &Legacy) -> (u64, u64, u64) {
    let run = &legacy.ends(0, "status --json").json()["runs"][0];
    let count = |name: &str| run[name].as_u64().unwrap();
    let migrated = count("inserted") + count("present");
    assert_eq!(count("rows"), migrated + count("forgotten") + count("conflicts") + count("rejected"), "{run}");
    assert_eq!(count("open"), count("rejected"), "{run}");
    assert_eq!(listed(legacy, "").len() as u64, count("open"), "{run}");
    (count("rows"), migrated, count("rejected"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_key_and_reason_and_no_content() {
    let legacy = applied().await;
    let reasons: Vec<(String, String, String)> = [
        ("3", "unmapped-value", "state"),
        ("5", "empty-content", "content"),
        ("6", "unmapped-value", "state"),
        ("7", "namespace-missing", "namespace"),
        ("9", "out-of-range", "importance"),
    ]
    .map(|(key, code, field)| (key.to_owned(), code.to_owned(), field.to_owned()))
    .into();
    assert_eq!(listed(&legacy, ""), reasons);
    assert_eq!(listed(&legacy, "notes"), reasons);
    assert_eq!(listed(&legacy, "--limit 2"), reasons[..2]);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let words = format!("--limit 2{cursor}");
        paged.extend(listed(&legacy, &words));
        match legacy.ends(0, &format!("rejects list --json {words}")).json()["next"].as_str() {
            Some(next) => cursor = format!(" --cursor {next}"),
            None => break,
        }
    }
    assert_eq!(paged, reasons, "page by page in the same order");
    legacy.ends(2, "rejects list --cursor elsewhere");
    assert_eq!(listed(&legacy, "others"), []);
    for words in ["rejects", "rejects list", "rejects list --json", "status", "verify notes.plan.json"] {
        let ran = legacy.ends(0, words);
        assert!(!ran.stdout.contains("secret") && !ran.stdout.contains("Mystery"), "`{words}`: {ran}");
    }
    assert_eq!(status(&legacy), (40, 35, 5));
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_has_key_reason_and_the_row_as_it_was() {
    let legacy = applied().await;
    legacy.ends(0, "rejects export --out aside.jsonl");
    let path = legacy.home.path().join("aside.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5);
    for line in &lines {
        let said = line["message"].as_str().unwrap();
        assert!(line["key"][0].is_string() && line["code"].is_string() && !said.contains("Mystery"), "{line}");
    }
    assert_eq!(lines[0]["row"]["status"], "Mystery");
    assert_eq!((&lines[1]["row"]["body"], &lines[1]["code"]), (&" \t\n".into(), &"empty-content".into()));
    assert_eq!((&lines[3]["row"]["team"], &lines[3]["column"]), (&Value::Null, &"team".into()));
    assert!(text.lines().all(|line| line.contains("1.00")), "a number keeps its digits: {text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "content is its owner's");
    }
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_mended_in_the_source_is_handed_down_by_a_retry() {
    let legacy = applied().await;
    legacy.ends(0, "verify notes.plan.json --record");
    let ran = legacy.ends(3, "rejects retry notes.plan.json");
    assert!(ran.stdout.starts_with("5 rows tried: 0 handed down, 5 still set aside"), "{ran}");
    assert_eq!(legacy.ends(0, "status --json").json()["runs"][0]["state"], "verified", "nothing was written");

    legacy.sql("update notes set status = 'Active' where id = 3; update notes set weight = 5 where id = 9;").await;
    let tried = legacy.ends(3, "rejects retry notes.plan.json --json").json();
    assert_eq!(tried, json!({ "tried": 5, "handed_down": 2, "still_rejected": 3, "left": 0 }));
    assert_eq!(status(&legacy), (40, 37, 3));
    assert_eq!(listed(&legacy, "").iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["5", "6", "7"]);
    assert_eq!(listed(&legacy, "--all").len(), 5);
    assert_eq!(legacy.one("select count(*) from notes where migrated_at is not null").await, "37");
    let run = &legacy.ends(0, "status --json").json()["runs"][0];
    assert_eq!(run["state"], "applied", "what was written after the proof is not proven");
    let proof = legacy.ends(0, "verify notes.plan.json --record --json").json();
    assert_eq!((&proof["equal"], &proof["rejected"], &proof["holds"]), (&37.into(), &3.into(), &true.into()));

    legacy
        .sql("update notes set status = 'active', body = 'mended', team = 'team-1', weight = 3 where migrated_at is null")
        .await;
    let ran = legacy.ends(0, "rejects retry notes.plan.json");
    assert!(ran.stdout.starts_with("3 rows tried: 3 handed down, 0 still set aside"), "{ran}");
    assert_eq!(status(&legacy), (40, 40, 0));
    assert!(legacy.ends(0, "rejects").stdout.starts_with("Nothing is set aside."));
    assert_eq!(legacy.ends(0, "verify notes.plan.json --json").json()["equal"], 40);
    assert_eq!(legacy.ends(0, "apply notes.plan.json --json").json()["written"], 0);
    assert!(legacy.ends(0, "rejects retry notes.plan.json").stdout.starts_with("0 rows tried"));
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_mended_file_can_map_is_handed_down_from_the_source_or_from_its_kept_bytes() {
    let legacy = applied().await;
    // One of the two rows of that status is gone from the source; its bytes are in the ledger alone.
    legacy.sql("delete from notes where id = 6").await;
    legacy.write(
        "notes.toml",
        &FILE.replace("{ active = \"candidate\" }", "{ active = \"candidate\", mystery = \"draft\" }"),
    );
    let ran = legacy.ends(1, "rejects retry notes.plan.json");
    assert!(ran.stderr.contains("notes.toml changed since the plan was made"), "{ran}");
    legacy.ends(0, "plan notes.toml --chunk-rows 8");
    let ran = legacy.ends(1, "rejects retry notes.plan.json");
    assert!(ran.stderr.contains("it was not applied yet"), "{ran}");
    let done = legacy.ends(0, "apply notes.plan.json --json").json();
    assert_eq!((&done["inserted"], &done["present"], &done["rejected"]), (&1.into(), &35.into(), &3.into()));
    assert_eq!(listed(&legacy, "").iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["5", "6", "7", "9"]);

    let tried = legacy.ends(3, "rejects retry notes.plan.json --json").json();
    assert_eq!(tried, json!({ "tried": 4, "handed_down": 1, "still_rejected": 3, "left": 0 }));
    assert_eq!(status(&legacy), (39, 36, 3));
    let kept = legacy.one("select content || ' ' || state from heirloom.memory where content like '% 6'").await;
    assert_eq!(kept, "secret words 6 draft");
    assert!(legacy.ends(0, "status").stdout.contains("a later run dealt with them"));
    // A memory whose row the source has no longer is named for what it is, as after any deletion there.
    let proof = legacy.ends(3, "verify notes.plan.json --json").json();
    assert_eq!((&proof["equal"], &proof["difference_count"]), (&36.into(), &1.into()));
    assert_eq!(
        (&proof["differences"][0]["class"], &proof["differences"][0]["key"][0]),
        (&"unexpected".into(), &"6".into())
    );
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_only_the_database_refuses_is_handed_down_once_it_no_longer_does() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    legacy.ends(0, "up");
    legacy.sql("alter table heirloom.memory add constraint no_twelve check (content not like '% 12') not valid").await;
    legacy.ends(0, "plan notes.toml --chunk-rows 8");
    // The plan could not foresee it, and the file's budget is spent.
    let ran = legacy.ends(3, "apply notes.plan.json");
    assert!(ran.stderr.contains("6 rows would be set aside, the budget of the file allows 5"), "{ran}");
    legacy.write("notes.toml", &FILE.replace("budget = 5", "budget = 6"));
    legacy.ends(0, "plan notes.toml --chunk-rows 8");
    legacy.ends(0, "apply notes.plan.json");
    assert_eq!(status(&legacy), (40, 34, 6));
    let ran = legacy.ends(0, "rejects list");
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("constraint no_twelve"), "{ran}");
    legacy.sql("alter table heirloom.memory drop constraint no_twelve").await;
    let tried = legacy.ends(3, "rejects retry notes.plan.json --json").json();
    assert_eq!(tried, json!({ "tried": 6, "handed_down": 1, "still_rejected": 5, "left": 0 }));
    assert_eq!(status(&legacy), (40, 35, 5));
    assert_eq!(legacy.one("select count(*) from notes where id = 12 and migrated_at is not null").await, "1");
    legacy.ends(0, "verify notes.plan.json");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_of_another_width_than_its_models_is_set_aside_until_it_fits() {
    let legacy = Legacy::new(
        "create extension if not exists vector;
         create table notes (id bigint primary key, body text, emb vector);
         insert into notes
         select g, 'note ' || g, case when g in (3, 7) then '[1,2,3,4]' else '[1,2,3]' end::vector
         from generate_series(1, 8) g",
    )
    .await;
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "team:a"
[map]
content = "body"
kind = { value = "fact" }
embedding = { from = "emb", model = "m" }
[reject]
budget = 2
"#;
    legacy.write("notes.toml", file);
    let plan = legacy.ends(0, "plan notes.toml --chunk-rows 4").stdout;
    assert!(plan.contains("model-widths") && plan.contains("m in team:a (3 and 4)"), "{plan}");
    let done = legacy.ends(0, "apply notes.plan.json --json").json();
    assert_eq!((&done["inserted"], &done["rejected"]), (&6.into(), &2.into()));
    let aside = |key: &str| (key.to_owned(), "model-width".to_owned(), "embedding".to_owned());
    assert_eq!(listed(&legacy, ""), [aside("3"), aside("7")]);
    legacy.ends(0, "verify notes.plan.json");
    // A row that was handed down does not change to another width either.
    legacy.sql("update notes set emb = '[1,2,3,4]' where id = 1").await;
    legacy.ends(0, "plan notes.toml --chunk-rows 4");
    let refused = legacy.ends(1, "apply notes.plan.json").stderr;
    assert!(refused.contains("embedding: 4 dimensions (row ") && refused.contains("the 3 that vectors"), "{refused}");
    legacy.sql("update notes set emb = '[3,2,1]' where id in (1, 3, 7)").await;
    let plan = legacy.ends(0, "plan notes.toml --chunk-rows 4").stdout;
    assert!(!plan.contains("model-widths"), "{plan}");
    let done = legacy.ends(0, "apply notes.plan.json --json").json();
    assert_eq!((&done["inserted"], &done["updated"], &done["rejected"]), (&2.into(), &1.into(), &0.into()));
    assert_eq!(listed(&legacy, ""), []);
    legacy.ends(0, "verify notes.plan.json");
    legacy.close().await;
}
