//! Into an existing pgmnemo: whole, twice, after a crash, after changes on either side; and what it does not take.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::apply::{Follow, Options};
use heirloom_migrate::failpoint::{Action, Failpoints, Point};
use heirloom_migrate::mapping::RejectCode;
use heirloom_migrate::target::{Foreign, Surface};
use heirloom_migrate::verify::{Class, Explanation};

use crate::pgmnemo_ground::{Beside, LEGACY, apply_into, file, plan_into, target, verify_against};
use crate::support::{Ground, said};

#[tokio::test(flavor = "multi_thread")]
async fn lessons_arrive_whole_and_a_second_time_nothing_is_written() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.plan(&file(""), 8).await.unwrap();
    assert_eq!(plan.refusals, Vec::<String>::new());
    assert_eq!((plan.counts.rows, plan.counts.accepted, plan.counts.rejected), (41, 40, 1));
    let found = plan.target.foreign.as_ref().unwrap();
    assert!(matches!(found.surface, Surface::Pgmnemo { is_ours: false, .. }));
    assert_eq!((found.dimension, plan.target.dimension), (1024, 4), "the width is that of the pgmnemo");
    let lost = plan.findings.iter().find(|finding| finding.id == "not-carried").unwrap();
    assert_eq!(lost.what, "the target has no place for embedding_model of 30 rows");

    let applied = beside.apply(&plan).await.unwrap();
    assert_eq!((applied.inserted, applied.rejected, applied.chunks_done), (40, 1, 6));
    assert_eq!(
        beside.ground.one("select count(*) from heirloom.memory").await,
        "0",
        "the store holds the ledger alone"
    );
    let open =
        "count(*) filter (where t_valid_to = 'infinity' and t_valid_from = created_at and source_type = 'imported')";
    assert_eq!(beside.one(&format!("select {open} from pgmnemo.agent_lesson")).await, "40");
    assert_eq!(
        beside.one("select sum(vector_dims(embedding)) from pgmnemo.agent_lesson").await,
        (30 * 1024).to_string()
    );
    assert_eq!(
        beside.one("select max(updated_at) from pgmnemo.agent_lesson where project_id = 1").await.get(..10),
        Some("2026-02-01")
    );

    let verification = beside.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    assert_eq!((verification.equal, verification.rejected, verification.live_rows), (40, 1, 0));
    assert_eq!(verification.not_shown, ["kind", "pin", "propagation", "embedding_model"]);

    let before = beside.versions().await;
    let again = beside.apply(&plan).await.unwrap();
    assert_eq!((again.written, again.present, again.rejected), (0, 40, 1));
    assert_eq!(beside.versions().await, before, "applying again wrote something");
    let replanned = beside.plan(&file(""), 8).await.unwrap();
    assert_eq!((replanned.refusals.len(), replanned.counts.present), (0, 40), "what is there collides with nothing");
    beside.apply(&replanned).await.unwrap();
    assert_eq!(beside.versions().await.2, before.2);
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_at_any_point_leaves_nothing_twice() {
    let beside = Beside::new(LEGACY).await;
    for &point in Point::ALL {
        let nth = match point.name().split_once('.') {
            Some(("chunk", _)) => 3,
            Some(("lease", step)) if !step.contains("renew") => 1,
            _ => continue,
        };
        beside.sql("truncate pgmnemo.agent_lesson").await;
        beside
                .ground
                .sql("do $$ begin if to_regclass('heirloom_migrate.delivered') is not null then delete from heirloom_migrate.delivered; end if; end $$")
                .await;
        let plan = beside.plan(&file(""), 7).await.unwrap();
        let case = format!("{} at pass {nth}", point.name());
        let failpoints = Failpoints::at(point, nth, Action::Error);
        let failed = beside.apply_with(&plan, Options { failpoints, ..Options::default() }).await;
        assert!(said(failed).contains(point.name()), "{case}");
        let resumed = beside.apply(&plan).await.unwrap();
        assert_eq!((resumed.rows, resumed.rejected, resumed.chunks_done), (41, 1, resumed.chunks), "{case}");
        let counts =
            "count(*) || ' ' || count(distinct doc_ref) || ' ' || count(*) filter (where t_valid_to = 'infinity')";
        assert_eq!(beside.one(&format!("select {counts} from pgmnemo.agent_lesson")).await, "40 40 40", "{case}");
        let found = beside.verify(&plan).await.unwrap();
        assert!(found.holds, "{case}: {:#?}", found.differences);
        assert_eq!(found.equal, 40, "{case}");
    }
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_hand_each_lesson_down_once() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.plan(&file(""), 3).await.unwrap();
    let options = || Options { workers: Some(2), ..Options::default() };
    let (one, other) = tokio::join!(beside.apply_with(&plan, options()), beside.apply_with(&plan, options()));
    one.unwrap();
    other.unwrap();
    assert_eq!(
        beside.one("select count(*) || ' ' || count(distinct doc_ref) from pgmnemo.agent_lesson").await,
        "40 40"
    );
    assert!(beside.verify(&plan).await.unwrap().holds);
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_s_changes_are_told_apart() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.handed_down(&file(""), 50).await;
    // At the source alone, over there alone, on both sides; and taken away over there.
    beside.ground.sql("update lesson set body = body || '!' where id in (1, 3)").await;
    beside.sql("update pgmnemo.agent_lesson set lesson_text = 'edited' where commit_sha in ('c2', 'c3')").await;
    beside.sql("delete from pgmnemo.agent_lesson where commit_sha in ('c4', 'c8')").await;
    beside.sql("update pgmnemo.agent_lesson set recall_count = 9 where commit_sha = 'c5'").await;
    let applied = beside.apply(&plan).await.unwrap();
    assert_eq!((applied.updated, applied.conflicts, applied.inserted), (1, 1, 0));
    let texts = "string_agg(left(lesson_text, 9), ' ' order by commit_sha) from pgmnemo.agent_lesson where commit_sha in ('c2', 'c3', 'c4')";
    assert_eq!(
        beside.one(&format!("select {texts}")).await,
        "edited edited",
        "nothing edited or taken away comes back"
    );

    let found = beside.verify(&plan).await.unwrap();
    assert!(!found.holds);
    let named: Vec<(Class, &str, Option<&str>)> =
        found.differences.iter().map(|one| (one.class, one.key[0].as_str(), one.column.as_deref())).collect();
    assert!(named.contains(&(Class::Altered, "2", Some("content"))), "{named:?}");
    assert!(named.contains(&(Class::SourceChanged, "3", None)), "{named:?}");
    assert!(named.contains(&(Class::Missing, "4", None)), "{named:?}");
    // The eighth had expired; the first and the fifth bear another time and say the same.
    assert_eq!(found.explained.get(&Explanation::Expired), Some(&1));
    assert_eq!(found.explained.get(&Explanation::Stamped), Some(&2));
    beside.close().await;
}

/// What is done to one lesson, and the column it shows in; none where the row as a whole is concerned.
const DAMAGE: [(&str, Class, Option<&str>); 20] = [
    ("lesson_text = replace(lesson_text, E'\\r\\n', E'\\n')", Class::Altered, Some("content")),
    ("role = 'another'", Class::Altered, Some("role")),
    ("topic = topic || ' '", Class::Altered, Some("topic")),
    ("importance = 4", Class::Altered, Some("importance")),
    ("metadata = jsonb_set(metadata, '{n}', '2')", Class::Altered, Some("metadata")),
    ("metadata = 'null'", Class::Altered, Some("metadata")),
    ("source_run_id = ''", Class::Altered, Some("source_run_id")),
    ("source_task_id = null", Class::Altered, Some("source_task_id")),
    ("commit_sha = upper(commit_sha)", Class::Altered, Some("commit_sha")),
    ("artifact_hash = ''", Class::Altered, Some("artifact_hash")),
    ("verified_at = now()", Class::Altered, Some("verified_at")),
    ("embedding = null", Class::Altered, Some("embedding")),
    ("is_active = false", Class::Altered, Some("is_active")),
    ("state = 'canonical'", Class::Altered, Some("state")),
    ("state_changed_at = now()", Class::Altered, Some("state_changed_at")),
    ("expires_at = 'infinity'", Class::Altered, Some("expires_at")),
    ("t_valid_from = now()", Class::Altered, Some("valid_from")),
    ("t_valid_to = now()", Class::Altered, Some("valid_to")),
    ("created_at = date_trunc('milliseconds', created_at)", Class::Altered, Some("created_at")),
    ("confidence = 0.50000006", Class::Altered, Some("confidence")),
];

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_and_named() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.handed_down(&file(""), 8).await;
    beside.sql("alter table pgmnemo.agent_lesson disable trigger updated_at; create table kept as select id, doc_ref from pgmnemo.agent_lesson").await;
    beside.sql("create table whole as select * from pgmnemo.agent_lesson where commit_sha = 'c13'").await;
    for (damage, class, column) in DAMAGE {
        beside.sql(&format!("update pgmnemo.agent_lesson set {damage} where commit_sha = 'c13'")).await;
        let found = beside.verify(&plan).await.unwrap();
        let named: Vec<_> =
            found.differences.iter().map(|one| (one.class, one.key.join("/"), one.column.clone())).collect();
        assert_eq!(named, [(class, "13".to_owned(), column.map(str::to_owned))], "{damage}");
        let back = "role = w.role, topic = w.topic, lesson_text = w.lesson_text, importance = w.importance, \
            metadata = w.metadata, source_run_id = w.source_run_id, source_task_id = w.source_task_id, \
            commit_sha = w.commit_sha, artifact_hash = w.artifact_hash, verified_at = w.verified_at, \
            embedding = w.embedding, is_active = w.is_active, state = w.state, state_changed_at = w.state_changed_at, \
            expires_at = w.expires_at, t_valid_from = w.t_valid_from, t_valid_to = w.t_valid_to, \
            created_at = w.created_at, confidence = w.confidence";
        beside.sql(&format!("update pgmnemo.agent_lesson l set {back} from whole w where l.id = w.id")).await;
    }
    assert!(beside.verify(&plan).await.unwrap().holds, "all was put back");
    for (damage, class) in [
        ("update pgmnemo.agent_lesson set project_id = 9 where commit_sha = 'c13'", Class::WrongTenant),
        ("update pgmnemo.agent_lesson set doc_ref = null where commit_sha = 'c13'", Class::Missing),
        (
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, doc_ref, project_id)
             select 'x', 'y', 'twice', 'z', doc_ref, 1 from kept where id = (select id from whole)",
            Class::Unexpected,
        ),
    ] {
        beside.sql(damage).await;
        let found = beside.verify(&plan).await.unwrap();
        assert!(found.differences.iter().any(|one| one.class == class), "{damage}: {:?}", found.differences);
        beside.sql("delete from pgmnemo.agent_lesson where role = 'x'").await;
        beside.sql("update pgmnemo.agent_lesson l set project_id = w.project_id, doc_ref = w.doc_ref from whole w where l.id = w.id").await;
        assert!(beside.verify(&plan).await.unwrap().holds, "{damage} was put back");
    }
    beside.ground.sql("delete from lesson where id = 20").await;
    let found = beside.verify(&plan).await.unwrap();
    assert_eq!(found.differences.iter().map(|one| one.class).collect::<Vec<_>>(), [Class::Unexpected]);
    beside.sql("insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id) values ('a', 'b', 'live', 'c', 1)").await;
    assert_eq!(beside.verify(&plan).await.unwrap().live_rows, 1);
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_provenance_the_file_says_what_happens() {
    let beside = Beside::new(LEGACY).await;
    beside.ground.sql("update lesson set sha = null, layer = 'layer ' || id where id <= 5").await;
    let refused = beside.plan(&file(""), 50).await.unwrap();
    assert_eq!(refused.counts.rejected, 6, "predicted");
    assert!(refused.refusals[0].contains("field-missing in commit_sha"), "{:?}", refused.refusals);

    let plan = beside.handed_down(&file("gate = \"warn\""), 50).await;
    assert_eq!(plan.counts.rejected, 1);
    assert_eq!(beside.one("select count(*) from pgmnemo.agent_lesson where commit_sha is null").await, "5");
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pgmnemo_cannot_say_is_set_aside_as_predicted() {
    let beside = Beside::new(LEGACY).await;
    beside
        .ground
        .sql(
            "update lesson set task = 'T-' || task where id = 1;
             update lesson set made = null where id = 2;
             update lesson set author = null where id = 3;
             update lesson set emb = '[' || repeat('1,', 1024) || '1]' where id = 5;
             update lesson set extra = '{\"canonical_name\": \"Postgres\"}' where id = 6;
             update lesson set extra = '{\"canonical_name\": \"PGlite\"}' where id = 8;
             alter table lesson add column type text;
             update lesson set type = 'entity' where id in (6, 8)",
        )
        .await;
    let toml =
        file("").replace("budget = \"1\"", "budget = \"6\"").replace("[reject]", "content_type = \"type\"\n[reject]");
    let plan = beside.plan(&toml, 8).await.unwrap();
    assert_eq!(plan.refusals, Vec::<String>::new());
    let reasons: Vec<(RejectCode, Option<&str>)> =
        plan.rejects.iter().map(|reject| (reject.code, reject.field.as_deref())).collect();
    for expected in [
        (RejectCode::NotCarried, Some("source_task_id")),
        (RejectCode::FieldMissing, Some("created_at")),
        (RejectCode::FieldMissing, Some("role")),
        (RejectCode::Dimension, Some("embedding")),
    ] {
        assert!(reasons.contains(&expected), "{expected:?} is not among {reasons:?}");
    }
    // And one that only its unique index sees, because it came into being since.
    beside.ground.sql("update lesson set extra = '{\"canonical_name\": \"POSTGRES\"}' where id = 8").await;
    let applied = beside.apply(&plan).await.unwrap();
    assert_eq!((plan.counts.rejected, applied.rejected, applied.inserted), (5, 6, 35));
    assert!(beside.verify(&plan).await.unwrap().holds);
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_target_or_none_is_refused() {
    let beside = Beside::new(LEGACY).await;
    let toml = file("");
    let elsewhere = TestDatabase::fresh().await;
    let none = target(elsewhere.database(), &toml);
    assert!(said(plan_into(&beside.ground, &none, &toml, 50).await).contains("has no table pgmnemo.agent_lesson"));
    let plan = beside.plan(&toml, 50).await.unwrap();
    let own = target(beside.ground.db.database(), &toml);
    let other = said(apply_into(&beside.ground, &own, &plan, Options::default()).await);
    assert!(other.contains("is not the target that was planned"), "{other}");
    let spread = target(beside.there.database(), &file("collisions = \"spread\""));
    assert!(said(apply_into(&beside.ground, &spread, &plan, Options::default()).await).contains("not the target"));
    assert!(said(beside.ground.apply(&plan).await).contains("is for rows in a Heirloom store"));
    assert!(said(beside.ground.verify(&plan).await).contains("is for rows in a Heirloom store"));
    let second = std::time::Duration::from_secs(1);
    let follow = Follow { every: second, look_every: second, overlap: second, told: std::sync::Arc::new(|_| {}) };
    let follow = Options { follow: Some(follow), ..Options::default() };
    assert!(said(beside.apply_with(&plan, follow).await).contains("following is for rows"));
    assert_eq!(beside.one("select count(*) from pgmnemo.agent_lesson").await, "0");
    elsewhere.close().await;
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heirloom_s_own_door_is_a_pgmnemo_too() {
    let ground = Ground::new(LEGACY).await;
    ground.sql("update lesson set sha = null where id = 2; update lesson set emb = null").await;
    let toml = file("gate = \"warn\"");
    let door = target(ground.db.database(), &toml);
    let found = door.look().await.unwrap();
    assert!(matches!(found.surface, Surface::Pgmnemo { is_ours: true, .. }));
    let plan = plan_into(&ground, &door, &toml, 8).await.unwrap();
    assert_eq!(plan.refusals, Vec::<String>::new());
    let applied = apply_into(&ground, &door, &plan, Options::default()).await.unwrap();
    assert_eq!((applied.inserted, applied.rejected), (40, 1));
    let verification = verify_against(&ground, &door, &plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    assert_eq!(verification.equal, 40);
    assert_eq!(
        ground.one("select count(*) from heirloom.memory where namespace in ('project:1', 'project:2')").await,
        "40"
    );
    assert_eq!(apply_into(&ground, &door, &plan, Options::default()).await.unwrap().written, 0);
    ground.close().await;
}
