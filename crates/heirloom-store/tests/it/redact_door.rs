//! Writers of the SQL door: what the database redacts itself, with the same results as the store's own code.

use heirloom_store::redact::{redact, redact_json, rules_function, suspicion_function};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::door::Door;
use crate::installed;
use crate::redact_property::{pieces, secret};
use crate::redact_vectors::{LEFT, TAKEN};

const SECRET: &str = "sk-abcdefghijklmnop1234";

#[test]
fn the_rules_in_the_database_are_those_of_the_store() {
    for (name, made) in [("redaction_rules", rules_function()), ("may_hold_credential", suspicion_function())] {
        let path = format!("{}/sql/objects/functions/{name}.sql", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("HEIRLOOM_BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), made, "HEIRLOOM_BLESS=1 rewrites {name}.sql");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_redacts_as_the_store_does() {
    let (test, store) = installed().await;
    let mut texts: Vec<String> = TAKEN.iter().map(|(text, _)| (*text).to_owned()).collect();
    texts.extend(LEFT.iter().map(|text| (*text).to_owned()));
    let mut runner = TestRunner::deterministic();
    for _ in 0..300 {
        texts.push(pieces().new_tree(&mut runner).unwrap().current());
    }
    for _ in 0..100 {
        let (before, secret) = secret().new_tree(&mut runner).unwrap().current();
        let around = pieces().new_tree(&mut runner).unwrap().current();
        texts.push(format!("{around} {before}{secret} {around}"));
    }
    let client = store.database().client().await.unwrap();
    let rows = client
        .query(
            "select heirloom.redact(t.text), heirloom.may_hold_credential(t.text) \
             from unnest($1::text[]) with ordinality t (text, n) order by t.n",
            &[&texts],
        )
        .await
        .unwrap();
    for (text, row) in texts.iter().zip(&rows) {
        let ours = redact(text);
        assert_eq!(row.get::<_, &str>(0), ours, "{text:?}");
        assert!(row.get::<_, bool>(1) || ours == text.as_str(), "the first look passes {text:?}");
    }

    let mut values: Vec<Value> = texts.iter().map(|text| json!({ text.as_str(): [text], "password": text })).collect();
    values.push(json!({"ghp_abcdefghijklmnop1235": 2, "ghp_abcdefghijklmnop1234": 1, "[REDACTED:GITHUB_PAT]": 0}));
    values.push(json!([null, 1.50, true, [], {}, ""]));
    values.push(json!({"GITHUB_TOKEN": "abcdef99", "api_key": "9fKq27xLmZpW", "eos_token": "</s>"}));
    let rows = client
        .query(
            "select heirloom.redact_json(t.value) from unnest($1::jsonb[]) with ordinality t (value, n) order by t.n",
            &[&values],
        )
        .await
        .unwrap();
    for (value, row) in values.iter().zip(&rows) {
        let theirs: Value = row.get(0);
        assert_eq!(theirs, redact_json(value).unwrap_or_else(|| value.clone()), "{value}");
    }
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_the_sql_door_keeps_a_credential() {
    let door = Door::open().await;
    door.run(&format!(
        "insert into pgmnemo.agent_lesson (role, topic, lesson_text, importance, commit_sha, metadata)
         values ('r', 'about {SECRET}', 'the key is {SECRET}', 3, 'c1', '{{\"password\": \"hunter2\"}}');
         insert into heirloom.memory (id, namespace, kind, content) values (gen_random_uuid(), 'team:a', 'fact', '{SECRET}');
         insert into pgmnemo.agent_lesson (role, topic, lesson_text, importance, commit_sha) values ('r', 't', 'quiet', 3, 'c2');
         update pgmnemo.agent_lesson set lesson_text = 'now it is {SECRET}' where lesson_text = 'quiet';
         update heirloom.memory set metadata = '[\"{SECRET}\"]' where namespace = 'team:a';
         select pgmnemo.ingest('dev', 7, 'keys', 'Never write {SECRET} into a lesson.', 3, null, 'c3');
         select pgmnemo.ingest('dev', 7, 'keys', 'Never write {SECRET} into a lesson.', 3, null, 'c3')"
    ))
    .await;
    assert_eq!(
        door.rows("select content from heirloom.memory order by lesson_id").await,
        [
            "the key is [REDACTED:SK_TOKEN]",
            "[REDACTED:SK_TOKEN]",
            "now it is [REDACTED:SK_TOKEN]",
            "Never write [REDACTED:SK_TOKEN] into a lesson.",
        ],
        "and the second ingest found the first"
    );
    door.run(&format!(
        "select pgmnemo.transition_lesson((select min(id) from pgmnemo.agent_lesson), 'rejected', 'leaks {SECRET}', '{SECRET}')"
    ))
    .await;
    for table in ["memory", "revision", "state_transition", "activity"] {
        let kept = format!("select count(*) from heirloom.{table} t where t::text ~ 'abcdefghijklmnop|hunter2'");
        assert_eq!(door.rows(&kept).await, ["0"], "{table}");
    }
    // What recall ranks by is made of the redacted text.
    assert_eq!(
        door.rows("select count(*) from heirloom.memory where content_tsv::text ~ 'abcdefghijklmnop'").await,
        ["0"]
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_into_the_table_is_no_way_around() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    let sink = client.copy_in("copy heirloom.memory (id, namespace, kind, content) from stdin").await.unwrap();
    let line = format!("018f0000-0000-7000-8000-000000000001\tteam:a\tfact\tkey {SECRET}\n");
    let mut sink = Box::pin(sink);
    futures_util::SinkExt::send(&mut sink, bytes::Bytes::from(line)).await.unwrap();
    sink.as_mut().finish().await.unwrap();
    let kept: String = client.query_one("select content from heirloom.memory", &[]).await.unwrap().get(0);
    assert_eq!(kept, "key [REDACTED:SK_TOKEN]");
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_decided_elsewhere_says_so_in_the_transaction() {
    let door = Door::open().await;
    door.run(&format!(
        "begin; set local heirloom.redacted = 'on';
         insert into heirloom.memory (id, namespace, kind, content) values (gen_random_uuid(), 'team:a', 'fact', '{SECRET}');
         commit;
         insert into heirloom.memory (id, namespace, kind, content) values (gen_random_uuid(), 'team:b', 'fact', '{SECRET}')"
    ))
    .await;
    assert_eq!(
        door.rows("select content from heirloom.memory order by namespace").await,
        [SECRET, "[REDACTED:SK_TOKEN]"]
    );
    door.close().await;
}
