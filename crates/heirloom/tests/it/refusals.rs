//! What PostgreSQL refuses is named with its SQLSTATE and what to do about it, and never with a value of a row.

use crate::legacy::Legacy;
use crate::support::Ran;

const NOTES: &str = "create table notes (id bigint primary key, team text not null, body text); \
    insert into notes select g, 'team-1', 'the launch code is ' || g from generate_series(1, 3) g;";

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

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "{word}: {ran}");
    }
    let shown = ran.to_string();
    assert!(!shown.contains("db error") && !shown.contains("launch code"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_target_names_its_sqlstate_and_what_to_do() {
    let legacy = Legacy::new(NOTES).await;
    legacy.write("notes.toml", FILE);
    legacy.ends(0, "plan notes.toml");
    legacy.ends(0, "up");
    legacy
        .sql(
            "create function tell() returns trigger language plpgsql as \
             $$ begin raise exception 'saw %', new.content; end $$; \
             create trigger tell before insert on heirloom.memory for each row execute function tell()",
        )
        .await;
    let ran = legacy.ends(1, "apply notes.plan.json");
    says(&ran, &["SQLSTATE P0001, raise_exception", "the server's sentence is left out", "hint: the constraint"]);
    legacy.sql("drop trigger tell on heirloom.memory; alter table heirloom_migrate.event rename to elsewhere").await;
    let ran = legacy.ends(1, "apply notes.plan.json");
    says(&ran, &["event", "SQLSTATE 42P01, undefined_table", "hint: for a source compare the migration file"]);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_source_names_its_sqlstate_and_what_to_do() {
    // Roles belong to the whole server.
    let nobody = format!("heirloom_nobody_{}", std::process::id());
    let legacy = Legacy::new(&format!(
        "{NOTES} create view casts as select id, team, body::bigint::text as body from notes; \
         create role {nobody} nologin; alter view casts owner to {nobody};"
    ))
    .await;
    let file = FILE.replace("public.notes\"", "public.casts\"\nkey = [\"id\"]");
    legacy.write("notes.toml", &file);
    let ran = legacy.ends(1, "plan notes.toml");
    says(
        &ran,
        &["permission denied for table notes", "SQLSTATE 42501, insufficient_privilege", "hint: grant that right"],
    );
    legacy.sql(&format!("alter view casts owner to current_user; drop role {nobody}")).await;
    let ran = legacy.ends(1, "plan notes.toml");
    says(&ran, &["SQLSTATE 22P02, invalid_text_representation", "hint: the constraint, column or condition"]);
    legacy.close().await;
}
