//! The whole way: plan, apply, apply again, verify; and what each kind of change afterwards leads to.

use heirloom_migrate::apply;
use heirloom_migrate::failpoint::Failpoints;
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::ledger::{self, RejectFilter, RunState};
use heirloom_migrate::verify::{Class, Explanation};
use heirloom_store::{Forget, Revise, Scope};

use crate::support::{Ground, said};

const LEGACY: &str = "
    create schema legacy;
    create table legacy.note (
        id bigint primary key, author text, body text, mood text, extra jsonb, made timestamptz, emb vector(3), odd interval
    );
    insert into legacy.note
    select g, 'agent-' || g % 3, 'note ' || g || E'\\r\\n' || chr(20000 + g), (array['new', ' Active ', 'GOLDEN'])[1 + g % 3],
           case g % 4 when 0 then null when 1 then 'null' when 2 then '{\"n\": 1.00}' else '[1, 2]' end::jsonb,
           case when g % 7 = 0 then null else timestamptz '2026-01-01' + g * interval '1.000001 s' end,
           case when g % 2 = 0 then '[1,-0,0.1]'::vector end, g * interval '1 day 2 s'
      from generate_series(1, 50) g;
    insert into legacy.note (id, author, body, mood) values (51, 'agent-1', E' \\t ', 'new'), (52, null, 'nobody wrote this', 'new');
";

const FILE: &str = r#"
name = "notes"

[source]
url = "store"
table = "legacy.note"

[namespace]
template = "custom:{author}"

[map]
content = "body"
kind = { value = "fact" }
state = { from = "mood", values = { new = "draft", active = "candidate", golden = "canonical" }, otherwise = "reject" }
metadata = { merge = ["extra"] }
created_at = "made"
embedding = { from = "emb", model = "tiny" }

[reject]
budget = "2"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn rows_move_once_and_are_proven() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 8).await.unwrap();
    assert_eq!(plan.refusals, Vec::<String>::new());
    assert_eq!((plan.counts.rows, plan.counts.accepted, plan.counts.rejected), (52, 50, 2));
    assert!(plan.chunks.len() >= 6, "{} chunks", plan.chunks.len());
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "0", "plan writes nothing");

    let applied = ground.apply(&plan).await.unwrap();
    assert_eq!((applied.rows, applied.inserted, applied.rejected, applied.state), (52, 50, 2, RunState::Applied));
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "50");

    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    assert_eq!((verification.equal, verification.rejected, verification.live_rows), (50, 2, 0));

    let before = ground.versions().await;
    let again = ground.apply(&plan).await.unwrap();
    assert_eq!((again.written, again.rejected, again.present), (0, 2, 50));
    assert_eq!(ground.versions().await, before, "applying again writes nothing at all");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_behind_the_store_s_back_is_named_to_row_and_column() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    for (damage, class, column) in [
        ("update heirloom.memory set content = content || ' ' where content like 'note 7%'", Class::Altered, "content"),
        (
            "update heirloom.memory set created_at = created_at + interval '1 microsecond' where content like 'note 9%'",
            Class::Altered,
            "created_at",
        ),
        (
            "update heirloom.memory set metadata = '{\"n\": 2}' where content like 'note 10%'",
            Class::Altered,
            "metadata",
        ),
        ("update heirloom.memory set metadata = 'null' where content like 'note 9%'", Class::Altered, "metadata"),
        (
            "update heirloom.memory set embedding = '[1,0,0.1000001,0]' where content like 'note 10%'",
            Class::Altered,
            "embedding",
        ),
        (
            "update heirloom.memory set namespace = 'custom:thief' where content like 'note 10%'",
            Class::WrongTenant,
            "namespace",
        ),
        ("delete from heirloom.memory where content like 'note 10%'", Class::Missing, ""),
    ] {
        ground.sql(damage).await;
        let found = ground.verify(&plan).await.unwrap();
        assert!(!found.holds, "{damage}");
        let first = &found.differences[0];
        assert_eq!((first.class, first.column.as_deref().unwrap_or_default()), (class, column), "{damage}: {first:?}");
        // With the triggers off: the chain of a run is not removed otherwise.
        ground
            .sql(
                "begin; set local session_replication_role = replica; truncate heirloom.memory cascade;
                 truncate heirloom.origin; truncate heirloom_migrate.chunk, heirloom_migrate.run cascade; commit",
            )
            .await;
        ground.apply(&plan).await.unwrap();
        assert!(ground.verify(&plan).await.unwrap().holds, "after {damage}");
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_deleted_past_the_store_is_handed_down_again() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let (lost, gone, moved) = (ground.one_id(4).await, ground.one_id(5).await, ground.one_id(7).await);
    let scope = Scope::new(["custom:agent-0", "custom:agent-1", "custom:agent-2"]).unwrap();
    let forget: Forget = serde_json::from_value(serde_json::json!({ "id": gone })).unwrap();
    ground.store.forget(&scope, &forget).await.unwrap();
    ground.sql(&format!("delete from heirloom.memory where id = '{lost}'")).await;
    assert_eq!(ground.verify(&plan).await.unwrap().differences[0].class, Class::Missing);

    let again = ground.apply(&plan).await.unwrap();
    assert_eq!((again.restored, again.written, again.inserted, again.forgotten), (1, 1, 0, 1));
    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    assert_eq!(ground.one(&format!("select count(*) from heirloom.memory where id = '{gone}'")).await, "0");
    let client = ground.db.database().client().await.unwrap();
    assert_eq!(ledger::find_run(&client, plan.run_id).await.unwrap().unwrap().restored, 1);
    drop(client);
    let before = ground.versions().await;
    assert_eq!(ground.apply(&plan).await.unwrap().written, 0);
    assert_eq!(ground.versions().await, before, "nothing is lost any more, so nothing is written");

    // One that stands in another namespace was moved by hand: it is not doubled, and it is shown.
    ground.sql("insert into heirloom.namespace (name) values ('custom:thief')").await;
    ground.sql(&format!("update heirloom.memory set namespace = 'custom:thief' where id = '{moved}'")).await;
    let again = ground.apply(&plan).await.unwrap();
    assert_eq!((again.restored, again.conflicts), (0, 1));
    assert_eq!(ground.one(&format!("select count(*) from heirloom.memory where id = '{moved}'")).await, "1");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_memory_comes_again_in_the_namespace_the_file_gives_it_now() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let lost = ground.one_id(4).await;
    ground.sql(&format!("delete from heirloom.memory where id = '{lost}'")).await;
    ground.sql("update legacy.note set author = 'agent-9' where id = 4").await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    let again = ground.apply(&plan).await.unwrap();
    assert_eq!((again.restored, again.conflicts), (1, 0));
    for table in ["memory", "origin"] {
        let sql = format!("select string_agg(namespace, ',') from heirloom.{table} where id = '{lost}'");
        assert_eq!(ground.one(&sql).await, "custom:agent-9", "{table}");
    }
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_value_in_another_form_is_no_difference() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    ground.sql("update heirloom.memory set metadata = '{\"n\": 1}' where metadata = '{\"n\": 1.00}'").await;
    ground.sql("update heirloom.memory set embedding = '[1,0,0.1,-0]' where embedding is not null").await;
    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_and_forgetting_in_the_store_are_explained_and_stay() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let id = |n: u32| ground.one_id(n);
    let (edited, gone) = (id(4).await, id(5).await);
    let scope = Scope::new(["custom:agent-0", "custom:agent-1", "custom:agent-2"]).unwrap();
    let revise: Revise =
        serde_json::from_value(serde_json::json!({ "id": edited, "content": "a better note" })).unwrap();
    ground.store.revise(&scope, &revise).await.unwrap();
    let forget: Forget = serde_json::from_value(serde_json::json!({ "id": gone })).unwrap();
    ground.store.forget(&scope, &forget).await.unwrap();

    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    assert_eq!(verification.explained.get(&Explanation::Edited), Some(&1));
    assert_eq!(verification.explained.get(&Explanation::Forgotten), Some(&1));

    // The source changes underneath both: the edit stays, the forgotten row stays forgotten.
    ground.sql("update legacy.note set body = body || ' (changed)' where id in (4, 5, 6)").await;
    let again = ground.apply(&plan).await.unwrap();
    assert_eq!((again.updated, again.conflicts, again.forgotten, again.inserted), (1, 1, 1, 0));
    assert_eq!(
        ground.one(&format!("select content from heirloom.memory where id = '{edited}'")).await,
        "a better note"
    );
    assert_eq!(ground.one(&format!("select count(*) from heirloom.memory where id = '{gone}'")).await, "0");
    assert_eq!(ground.one("select count(*) from heirloom.memory where content like 'note 6%(changed)'").await, "1");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_rows_are_explained_and_deleted_source_rows_are_found() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    ground
        .sql("insert into heirloom.memory (id, namespace, kind, content) values (gen_random_uuid(), 'custom:agent-1', 'fact', 'live one'), (gen_random_uuid(), 'custom:agent-2', 'fact', 'live two')")
        .await;
    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds);
    assert_eq!((verification.live_rows, verification.live.len()), (2, 2));

    ground.sql("delete from legacy.note where id = 8").await;
    let verification = ground.verify(&plan).await.unwrap();
    assert_eq!(verification.differences[0].class, Class::Unexpected);
    assert_eq!(verification.differences[0].key, ["8"]);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_keep_their_bytes_and_are_handed_down_once_mended() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let client = ground.db.database().client().await.unwrap();
    let rejects =
        ledger::list_rejects(&client, &RejectFilter { open_only: true, ..RejectFilter::default() }).await.unwrap();
    drop(client);
    let codes: Vec<String> = rejects.iter().map(|r| format!("{} {:?}", r.key[0], r.code)).collect();
    assert_eq!(codes, ["51 EmptyContent", "52 NamespaceMissing"]);
    assert!(rejects[0].source_row.contains(r#""body":" \t ""#), "{}", rejects[0].source_row);

    // The file is mended: a row without author has a place now.
    let mended = FILE.replace("template = \"custom:{author}\"", "from = \"author\"\nvalues = { agent-0 = \"custom:agent-0\", agent-1 = \"custom:agent-1\", agent-2 = \"custom:agent-2\" }\notherwise = \"custom:nobody\"");
    let plan = ground.plan(&mended, 20).await.unwrap();
    let applied = ground.apply(&plan).await.unwrap();
    assert_eq!((applied.inserted, applied.rejected, applied.present), (1, 1, 50));
    let client = ground.db.database().client().await.unwrap();
    let open =
        ledger::list_rejects(&client, &RejectFilter { open_only: true, ..RejectFilter::default() }).await.unwrap();
    drop(client);
    assert_eq!(open.len(), 1);
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_exceeded_leaves_nothing_of_the_chunk() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(&FILE.replace("\"2\"", "\"1\""), 100).await.unwrap();
    assert_eq!(plan.refusals.len(), 1, "{:?}", plan.refusals);
    assert!(said(ground.apply(&plan).await).contains("refuses"));
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "0");

    // Rows that went bad after the plan are met by apply itself.
    let plan = ground.plan(FILE, 100).await.unwrap();
    ground.sql("update legacy.note set body = '' where id in (1, 2)").await;
    let error = said(ground.apply(&plan).await);
    assert!(error.contains("4 rows would be set aside, the budget of the file allows 2"), "{error}");
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "0");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_no_longer_fits_is_refused() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 100).await.unwrap();
    let mut tampered = plan.clone();
    tampered.namespaces.pop();
    assert!(said(ground.apply(&tampered).await).contains("digest"));
    ground.sql("alter table legacy.note add column late text").await;
    let error = said(ground.apply(&plan).await);
    assert!(error.contains("changed its columns, key or tree of parents"), "{error}");
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "0");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_marker_is_additive_and_says_which_rows_were_handed_down() {
    let ground = Ground::new(LEGACY).await;
    let file = FILE.replace("table = \"legacy.note\"", "table = \"legacy.note\"\nmark = \"migrated_at\"");
    let plan = ground.plan(&file, 20).await.unwrap();
    assert_eq!(
        ground.one("select count(*) from information_schema.columns where column_name = 'migrated_at'").await,
        "0"
    );
    ground.apply(&plan).await.unwrap();
    assert_eq!(ground.one("select count(*) from legacy.note where migrated_at is not null").await, "50");
    assert_eq!(
        ground.one("select string_agg(id::text, ',' order by id) from legacy.note where migrated_at is null").await,
        "51,52"
    );
    // The marker itself is no change of the source.
    assert_eq!(ground.apply(&plan).await.unwrap().written, 0);
    assert!(ground.verify(&plan).await.unwrap().holds);
    let later = ground.plan(&file, 20).await.unwrap();
    assert_eq!(ground.apply(&later).await.unwrap().written, 0);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_without_a_record_is_a_difference_and_goes_from_rows_that_are_forgotten() {
    let ground = Ground::new(LEGACY).await;
    let toml = FILE.replace("table = \"legacy.note\"", "table = \"legacy.note\"\nmark = \"migrated_at\"");
    let file = MigrationFile::parse("case.toml", &toml).unwrap();
    let plan = ground.plan(&toml, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    // As many marks as records, and one of each is at the wrong row.
    ground.sql("update legacy.note set migrated_at = now() where id = 51").await;
    ground.sql("update legacy.note set migrated_at = null where id = 3").await;
    let found = ground.verify(&plan).await.unwrap();
    let named: Vec<_> = found.differences.iter().map(|one| (one.class, one.key.concat(), one.chunk)).collect();
    assert_eq!(named, [(Class::MarkedOnly, "51".to_owned(), Some(2))]);
    assert_eq!((found.holds, found.chunks[2].differences), (false, 1));
    // A record without a mark claims nothing.
    ground.sql("update legacy.note set migrated_at = null where id = 51").await;
    assert!(ground.verify(&plan).await.unwrap().holds);

    let marks = "select string_agg(id::text, ',' order by id) from legacy.note where migrated_at is null";
    let (namespace, id) = (
        ground.one("select namespace from heirloom.origin where source_key = '[\"10\"]'").await,
        ground.one_id(10).await,
    );
    let forget = Forget { id: id.parse().unwrap(), namespace: Some(namespace.clone()), reason: None };
    ground.store.forget(&Scope::one(&namespace).unwrap(), &forget).await.unwrap();
    assert!(ground.verify(&plan).await.unwrap().holds);
    let stamp = async || {
        let target = ground.db.database();
        apply::stamp_verified(&plan, &file, ground.source.as_ref(), target, &Failpoints::default()).await.unwrap()
    };
    assert_eq!((ground.one(marks).await.as_str(), stamp().await), ("3,51,52", 0));
    assert_eq!(ground.one(marks).await, "3,10,51,52");
    assert_eq!(stamp().await, 0);
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_that_is_a_column_of_another_use_is_refused() {
    let ground = Ground::new(LEGACY).await;
    ground.sql("alter table legacy.note add deleted_at timestamptz").await;
    for column in ["id", "body", "made", "deleted_at"] {
        let file = FILE.replace("table = \"legacy.note\"", &format!("table = \"legacy.note\"\nmark = \"{column}\""));
        let error = said(ground.plan(&file, 20).await);
        assert!(error.contains(&format!("mark = \"{column}\" is a column that legacy.note has already")), "{error}");
    }
    // One that was made for us, by somebody who may alter the table, says so as the error told.
    let file = FILE.replace("table = \"legacy.note\"", "table = \"legacy.note\"\nmark = \"deleted_at\"");
    let error = said(ground.plan(&file, 20).await);
    let (_, cure) = error.split_once("say so: ").unwrap();
    ground.sql(cure).await;
    let plan = ground.plan(&file, 20).await.unwrap();
    assert!(plan.columns.iter().all(|column| column.column != "deleted_at"));
    ground.apply(&plan).await.unwrap();
    assert_eq!(ground.one("select count(deleted_at) from legacy.note").await, "50");
    // A query has no column of ours.
    let query = file.replace("table = \"legacy.note\"", "query = \"select * from legacy.note\"\nkey = [\"id\"]");
    assert!(said(ground.plan(&query, 20).await).contains("is a column that query has already"));
    ground.close().await;
}

impl Ground {
    /// The memory of a legacy note.
    async fn one_id(&self, note: u32) -> String {
        self.one(&format!("select id from heirloom.origin where source_key = '[\"{note}\"]'")).await
    }
}
