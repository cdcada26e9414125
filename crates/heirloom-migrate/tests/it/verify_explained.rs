//! A difference is explained by the store's own records and by nothing else; another form of the same value is none.

use heirloom_migrate::verify::{Class, Explanation, Standing, standing};
use heirloom_store::{Forget, Keep, Revise, Scope, Show, Transition};
use serde_json::json;

use crate::support::Ground;
use crate::verify_ground::{handed_down, place};

fn scope() -> Scope {
    Scope::new(["custom:agent-0", "custom:agent-1", "custom:agent-2"]).unwrap()
}

impl Ground {
    async fn memory_of(&self, note: u32) -> String {
        self.one(&format!("select id from kept.origin where source_key = '[\"{note}\"]'")).await
    }

    async fn revise_note(&self, note: u32, mut change: serde_json::Value) {
        change["id"] = json!(self.memory_of(note).await);
        let change: Revise = serde_json::from_value(change).unwrap();
        self.store.revise(&scope(), &change).await.unwrap();
    }

    async fn move_note(&self, note: u32, to: &str, verify: bool) {
        let step: Transition =
            serde_json::from_value(json!({ "id": self.memory_of(note).await, "to": to, "verify": verify })).unwrap();
        self.store.transition(&scope(), &step).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_did_itself_is_explained() {
    let (ground, plan) = handed_down().await;
    ground.revise_note(1, json!({ "content": "said better" })).await;
    ground.revise_note(2, json!({ "topic": "a topic", "metadata": { "n": 3 } })).await;
    ground.revise_note(3, json!({ "commit_sha": "abc123" })).await;
    ground.move_note(4, "validated", false).await;
    ground.move_note(5, "validated", true).await;
    ground.revise_note(6, json!({ "content": "said better" })).await;
    ground.move_note(6, "validated", true).await;
    ground.move_note(7, "validated", false).await;
    ground.revise_note(7, json!({ "content": "said better after that" })).await;
    let forget: Forget = serde_json::from_value(json!({ "id": ground.memory_of(8).await })).unwrap();
    ground.store.forget(&scope(), &forget).await.unwrap();

    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    assert_eq!(verification.explained.get(&Explanation::Edited), Some(&5));
    assert_eq!(verification.explained.get(&Explanation::Transitioned), Some(&2));
    assert_eq!(verification.explained.get(&Explanation::Forgotten), Some(&1));
    assert_eq!(verification.equal, 32);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_and_an_end_are_explained_by_their_record_and_by_nothing_else() {
    let (ground, plan) = handed_down().await;
    for (note, change) in [
        (10, json!({ "pin": true })),
        (11, json!({ "expires_at": "2999-01-01T00:00:00.123456Z" })),
        (12, json!({ "pin": true, "never_expires": true })),
    ] {
        let mut change = change;
        change["id"] = json!(ground.memory_of(note).await);
        let keep: Keep = serde_json::from_value(change).unwrap();
        ground.store.keep(&scope(), &keep).await.unwrap();
    }
    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    assert_eq!(verification.explained.get(&Explanation::Edited), Some(&3));
    // Another value than the recorded one is a difference, and so is an end that nobody set.
    for (note, damage, column) in [
        (11, "expires_at = '2998-01-01Z'", "expires_at"),
        (11, "expires_at = 'infinity'", "expires_at"),
        (12, "pin = false, content = 'other'", "content"),
        (10, "expires_at = '2998-01-01Z'", "expires_at"),
    ] {
        let id = ground.memory_of(note).await;
        let client = ground.store.database().client().await.unwrap();
        client
            .batch_execute(&format!("create table kept.now as select * from heirloom.memory where id = '{id}'"))
            .await
            .unwrap();
        client.batch_execute(&format!("update heirloom.memory set {damage} where id = '{id}'")).await.unwrap();
        drop(client);
        let found = ground.verify(&plan).await.unwrap();
        assert!(found.differences.iter().any(|one| one.column.as_deref() == Some(column)), "{damage}: {found:#?}");
        let client = ground.store.database().client().await.unwrap();
        client
            .batch_execute(&format!(
                "update heirloom.memory m set content = k.content, pin = k.pin, expires_at = k.expires_at from kept.now k where m.id = '{id}' and k.id = m.id; drop table kept.now"
            ))
            .await
            .unwrap();
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_memory_stands_as_the_whole_comparison_says() {
    let (ground, _) = handed_down().await;
    ground.revise_note(1, json!({ "content": "said better" })).await;
    ground.move_note(4, "validated", false).await;
    let changed = ground.memory_of(9).await;
    let client = ground.store.database().client().await.unwrap();
    client.batch_execute(&format!("update heirloom.memory set importance = 5 where id = '{changed}'")).await.unwrap();
    drop(client);
    for (note, wanted) in
        [(1, Standing::Edited), (2, Standing::AsWritten), (4, Standing::Transitioned), (9, Standing::Altered)]
    {
        let id: uuid::Uuid = ground.memory_of(note).await.parse().unwrap();
        let (memory, origin) = ground.store.origin(&scope(), &Show { id, namespace: None }).await.unwrap();
        let written = origin.unwrap().0.written_digest;
        assert_eq!(standing(&ground.store, &memory.namespace, id, &written).await.unwrap(), wanted, "note {note}");
        assert_eq!(standing(&ground.store, "custom:elsewhere", id, &written).await.unwrap(), Standing::Missing);
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_behind_the_store_s_back_does_not_hide_behind_a_recorded_one() {
    let (ground, plan) = handed_down().await;
    ground.revise_note(10, json!({ "content": "said better" })).await;
    ground.move_note(10, "validated", false).await;
    assert!(ground.verify(&plan).await.unwrap().holds);
    for damage in [
        "content = 'said worse'",
        "state = 'canonical'",
        "state_changed_at = now()",
        "verified_at = now()",
        "importance = 5",
        "created_at = now()",
        "is_active = false",
        "metadata = '{\"n\": 9}', updated_at = clock_timestamp()",
    ] {
        ground.damage("create table kept.now as select * from heirloom.memory where id = :id").await;
        ground.damage(&format!("update heirloom.memory set {damage} where id = :id")).await;
        let found = ground.verify(&plan).await.unwrap();
        assert!(!found.holds && found.differences.iter().all(|d| d.key == ["10"]), "not found: {damage}");
        assert!(
            found.differences.iter().any(|d| damage.starts_with(d.column.as_deref().unwrap_or("?"))),
            "{damage}: {found:#?}"
        );
        ground
            .damage(
                "update heirloom.memory m set content = k.content, state = k.state, state_changed_at = k.state_changed_at,
                 verified_at = k.verified_at, importance = k.importance, created_at = k.created_at, is_active = k.is_active,
                 metadata = k.metadata, updated_at = k.updated_at from kept.now k where k.id = m.id; drop table kept.now",
            )
            .await;
    }
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_s_update_of_the_time_explains_nothing() {
    let (ground, plan) = handed_down().await;
    ground.sql("update heirloom.memory set content = 'by hand' where id = (select id from kept.origin where source_key = '[\"10\"]')").await;
    let found = ground.verify(&plan).await.unwrap();
    let columns: Vec<_> =
        found.differences.iter().map(|d| (d.class, d.column.as_deref().unwrap_or_default())).collect();
    assert_eq!(columns, [(Class::Altered, "content"), (Class::Altered, "updated_at")]);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_form_of_the_same_value_is_no_difference() {
    let (ground, plan) = handed_down().await;
    for same in [
        "metadata = '{\"a\": 0.0, \"n\": 1, \"b\": [1.000, null]}'",
        "metadata = '{\"n\": 5, \"b\": [1e0, null], \"n\": 10e-1, \"a\": -0.00}'",
        "embedding = '[1,0,0.1,0]'",
        "embedding = '[1,-0,0.1,-0]'",
        "embedding = '[1.0,0,0.100000001490116,0]'",
        "created_at = (created_at::text)::timestamptz at time zone 'Asia/Tokyo' at time zone 'Asia/Tokyo'",
    ] {
        ground.damage(&format!("update heirloom.memory set {same} where metadata ? 'n'")).await;
        let verification = ground.verify(&plan).await.unwrap();
        assert!(verification.holds, "{same}: {:#?}", verification.differences);
        assert_eq!(verification.equal, 40, "{same}");
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_null_and_no_value_are_apart_in_both_directions() {
    let (ground, plan) = handed_down().await;
    for (note, value) in [("11", "'{}'"), ("12", "'null'"), ("12", "'{}'")] {
        ground
            .damage(&format!(
                "update heirloom.memory set metadata = {value} where id = (select id from kept.origin where source_key = '[\"{note}\"]')"
            ))
            .await;
        let found = ground.verify(&plan).await.unwrap();
        assert_eq!(place(&found, value), (Class::Altered, "metadata".to_owned(), vec![note.to_owned()]));
        ground.mend().await;
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_writes_nothing_on_either_side() {
    let (ground, plan) = handed_down().await;
    ground.damage("update heirloom.memory set content = 'x' where id = :id").await;
    let source = "select string_agg(xmin::text || ctid::text, ',' order by id) from legacy.note";
    let objects =
        "select string_agg(oid::text || relfilenode::text, ',' order by oid) from pg_class where relpersistence = 'p'";
    let before = (ground.versions().await, ground.one(source).await, ground.one(objects).await);
    // Any write is now an error of the server, also one that would leave no row version behind.
    let name = ground.one("select quote_ident(current_database())").await;
    ground.sql(&format!("alter database {name} set default_transaction_read_only = on")).await;
    ground.sql("set default_transaction_read_only = on").await;
    let sequences =
        "select string_agg(coalesce(last_value, 0)::text, ',' order by schemaname, sequencename) from pg_sequences";
    let counted = ground.one(sequences).await;
    let found = ground.verify(&plan).await.unwrap();
    assert_eq!(found.difference_count, 1);
    assert_eq!(ground.one(sequences).await, counted);
    assert_eq!((ground.versions().await, ground.one(source).await, ground.one(objects).await), before);
    ground.sql("set default_transaction_read_only = off").await;
    ground.close().await;
}

/// A run id that no index of the store can hold: nothing in it repeats, so it does not get shorter.
const UNSTORABLE: &str = "create table runs (id bigint primary key, run text, body text); \
    insert into runs select 1, 'run-1', 'the first note'; \
    insert into runs select 2, string_agg(md5(g::text), ''), 'the second note' from generate_series(1, 400) g;";

const RUNS: &str = r#"
name = "runs"
[source]
url = "store"
table = "runs"
[namespace]
template = "custom:runs"
[map]
kind = { value = "fact" }
content = "body"
source_run_id = "run"
[reject]
budget = 1
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_only_the_database_refuses_is_rightly_absent_while_it_says_the_same() {
    let ground = Ground::new(UNSTORABLE).await;
    let plan = ground.plan(RUNS, 10).await.unwrap();
    let applied = ground.apply(&plan).await.unwrap();
    assert_eq!((applied.inserted, applied.rejected), (1, 1));
    let verified = ground.verify(&plan).await.unwrap();
    assert!(verified.holds, "{:#?}", verified.differences);
    assert_eq!((verified.expected, verified.equal, verified.rejected), (1, 1, 1));

    // With other bytes it is another row, which nobody refused.
    ground.sql("update runs set run = 'run-2' where id = 2").await;
    let verified = ground.verify(&plan).await.unwrap();
    assert_eq!((verified.difference_count, verified.differences[0].class), (1, Class::Missing));
    assert_eq!(ground.apply(&plan).await.unwrap().inserted, 1);
    assert_eq!(ground.verify(&plan).await.unwrap().equal, 2);

    // A row that was handed down is missed, whatever was once said of it.
    ground.sql("delete from heirloom.memory where content = 'the second note'").await;
    assert_eq!(ground.verify(&plan).await.unwrap().differences[0].class, Class::Missing);
    ground.close().await;
}
