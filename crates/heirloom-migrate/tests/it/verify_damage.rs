//! Every kind of damage planted in a verified target is found, and named to row and column.

use heirloom_migrate::canon::FIELDS;
use heirloom_migrate::verify::Class;

use crate::support::Ground;
use crate::verify_ground::{handed_down, only, place};

/// Field, and what it is set to; the list holds every field, so that one that is compared no more is noticed.
const FIELD_DAMAGE: &[(&str, &str)] = &[
    ("namespace", "'custom:thief'"),
    ("project_id", "7"),
    ("kind", "'summary'"),
    ("source", "'user'"),
    ("role", "''"),
    ("topic", "'somewhere else'"),
    ("content", "replace(content, 'note 10', 'note 1O')"),
    ("content", "replace(content, E'\\r\\n', E'\\n')"),
    ("content", "content || ' '"),
    ("content", "normalize('e' || U&'\\0301', NFC) || content"),
    ("importance", "importance + 1"),
    ("state", "'canonical'"),
    ("state_changed_at", "'-infinity'"),
    ("commit_sha", "'abc'"),
    ("artifact_hash", "'abc'"),
    ("verified_at", "now()"),
    ("source_run_id", "'99999999999999999998'"),
    ("source_run_id", "null"),
    ("source_task_id", "'1'"),
    ("pin", "not pin"),
    ("propagation", "'null'"),
    ("metadata", "'{\"n\": 2, \"b\": [1, null], \"a\": 0}'"),
    ("metadata", "'{\"n\": \"1\", \"b\": [1, null], \"a\": 0}'"),
    ("metadata", "'{\"n\": 1.0000000000000000000001, \"b\": [1, null], \"a\": 0}'"),
    ("metadata", "'{\"n\": 1, \"b\": [null, 1], \"a\": 0}'"),
    ("metadata", "'{\"n\": 1, \"b\": [1], \"a\": 0}'"),
    ("metadata", "metadata - 'a'"),
    ("metadata", "'null'"),
    ("metadata", "null"),
    ("metadata", "(repeat('[', 300) || repeat(']', 300))::jsonb"),
    ("embedding", "'[1,0,0.10000001,0]'"),
    ("embedding", "'[1,0,0.1,1e-45]'"),
    ("embedding", "null"),
    ("embedding_model", "'other'"),
    ("expires_at", "'infinity'"),
    ("valid_from", "now()"),
    ("valid_to", "'infinity'"),
    ("created_at", "created_at - interval '1 microsecond'"),
    ("created_at", "date_trunc('milliseconds', created_at)"),
    ("created_at", "null"),
    ("created_at", "'infinity'"),
    ("created_at", "'294276-12-31'"),
    ("updated_at", "'2026-01-01'"),
    ("confidence", "0.25"),
    ("is_active", "false"),
    ("content_type", "''"),
    ("item_kind", "'script'"),
    ("source_dag_id", "'dag'"),
];

#[test]
fn every_field_is_damaged_at_least_once() {
    for field in FIELDS {
        assert!(FIELD_DAMAGE.iter().any(|(damaged, _)| *damaged == field), "{field} is never damaged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_value_is_named_to_row_and_column() {
    let (ground, plan) = handed_down().await;
    for (field, value) in FIELD_DAMAGE {
        let damage = format!("update heirloom.memory set {field} = {value} where id = :id");
        ground.damage(&damage).await;
        let class = if *field == "namespace" { Class::WrongTenant } else { Class::Altered };
        let found = ground.verify(&plan).await.unwrap();
        assert_eq!(place(&found, &damage), (class, (*field).to_owned(), vec!["10".to_owned()]), "{damage}");
        assert_eq!(found.chunks.iter().filter(|chunk| chunk.differences > 0).count(), 1, "{damage}");
        ground.mend().await;
    }
    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_set_of_rows_is_named_by_class() {
    let (ground, plan) = handed_down().await;
    for (damage, class) in [
        ("delete from heirloom.memory where id = :id", Class::Missing),
        ("delete from heirloom.memory where id = :id; delete from heirloom.origin where id = :id", Class::Missing),
        ("delete from heirloom.origin where id = :id", Class::Foreign),
        ("update heirloom.origin set source = 'elsewhere' where id = :id", Class::Foreign),
        // Handed down twice: the same row under another id, with an origin that says it is ours.
        (
            "insert into heirloom.memory (id, namespace, kind, content) select '00000000-0000-5000-8000-000000000001', namespace, kind, content from heirloom.memory where id = :id;
             insert into heirloom.origin select '00000000-0000-5000-8000-000000000001', namespace, run_id, source, source_key, source_row, source_digest, written_digest, handed_down_at from heirloom.origin where id = :id",
            Class::Unexpected,
        ),
        // The same id shown to a second tenant.
        (
            "insert into heirloom.memory (id, namespace, kind, content) select id, 'custom:thief', kind, content from heirloom.memory where id = :id",
            Class::Unexpected,
        ),
        // And to one that sorts before the right one.
        (
            "insert into heirloom.memory (id, namespace, kind, content) select id, 'custom:a', kind, content from heirloom.memory where id = :id",
            Class::Unexpected,
        ),
        // A row that was set aside stands in the target all the same.
        (
            "update legacy.note set body = '' where id = 10",
            Class::NotRejected,
        ),
        ("update legacy.note set body = 'said otherwise' where id = 10", Class::SourceChanged),
        ("update legacy.note set run = null where id = 10", Class::SourceChanged),
        ("delete from legacy.note where id = 10", Class::Unexpected),
    ] {
        ground.damage("create table kept.note as select * from legacy.note").await;
        ground.damage(damage).await;
        let found = ground.verify(&plan).await.unwrap();
        let difference = only(&found, damage);
        assert_eq!((difference.class, difference.key), (class, vec!["10".to_owned()]), "{damage}");
        ground.mend().await;
        ground.damage("delete from legacy.note; insert into legacy.note select * from kept.note; drop table kept.note").await;
    }
    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rows_that_swap_a_value_do_not_cancel_out() {
    let (ground, plan) = handed_down().await;
    ground
        .damage(
            "update heirloom.memory m set content = other.content from kept.memory other, kept.origin mine, kept.origin theirs
             where mine.source_key in ('[\"1\"]', '[\"2\"]') and theirs.source_key in ('[\"1\"]', '[\"2\"]')
             and mine.id <> theirs.id and m.id = mine.id and other.id = theirs.id",
        )
        .await;
    let found = ground.verify(&plan).await.unwrap();
    let places: Vec<_> = found.differences.iter().map(|d| (d.class, d.column.as_deref(), d.key[0].as_str())).collect();
    assert_eq!(places, [(Class::Altered, Some("content"), "1"), (Class::Altered, Some("content"), "2")]);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_shows_digests_and_lengths_but_no_content() {
    let (ground, plan) = handed_down().await;
    ground.damage("update heirloom.memory set content = 'sesame opens' where id = :id").await;
    let found = ground.verify(&plan).await.unwrap();
    let difference = only(&found, "content");
    let (expected, found_side) = (difference.expected.unwrap(), difference.found.unwrap());
    assert_eq!(found_side.bytes, Some(12));
    assert_ne!(expected.digest, found_side.digest);
    let json = serde_json::to_string(&found).unwrap();
    assert!(!json.contains("sesame") && !json.contains("note 10"), "{json}");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_side_is_an_error() {
    let (ground, plan) = handed_down().await;
    ground.damage("delete from heirloom.memory; delete from heirloom.origin").await;
    let error = ground.verify(&plan).await.unwrap_err().to_string();
    assert!(error.contains("The target has no rows"), "{error}");
    ground.mend().await;
    ground.damage("delete from legacy.note").await;
    let error = ground.verify(&plan).await.unwrap_err().to_string();
    assert!(error.contains("The source has no rows"), "{error}");
    ground.close().await;
}

#[tokio::test]
async fn rows_of_one_identity_are_one_wherever_the_next_is_asked_for() {
    // The second of them is the first that the second statement would ask for.
    let ground = Ground::new(
        "create table item (code text, body text);
         insert into item select lpad(g::text, 5, '0'), 'item ' || g from generate_series(1, 1100) g;
         insert into item values ('01024', 'item 1024')",
    )
    .await;
    let file = "name = \"items\"\n[source]\nurl = \"store\"\ntable = \"item\"\nkey = [\"code\"]\n[namespace]\n\
                template = \"custom:items\"\n[map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n[reject]\nbudget = \"1\"\n";
    let plan = ground.plan(file, 5_000).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let found = ground.verify(&plan).await.unwrap();
    assert!(found.holds, "{:#?}", found.differences);
    assert_eq!((found.source_rows, found.equal, found.rejected), (1_101, 1_100, 1));
    ground.close().await;
}
