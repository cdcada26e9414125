//! Another version of the binary, or of the store, while a plan is being applied: it goes on where it was, or says why not.

use heirloom_migrate::apply::{self, Applied, ApplyRequest, Options, Stop};
use heirloom_migrate::failpoint::{Action, Failpoints, Point};
use heirloom_migrate::plan::{Plan, target_fingerprint};
use heirloom_migrate::{MigrateError, Result};

use crate::leases::{FILE, LEGACY};
use crate::support::Ground;

/// Sixty rows in chunks of seven, of which some are handed down.
async fn half_way() -> (Ground, Plan, i64) {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 7).await.unwrap();
    let failpoints = Failpoints::at(Point::BeforeCommit, 4, Action::Error);
    let stopped = Options { workers: Some(1), failpoints, ..Options::default() };
    ground.apply_with(&plan, stopped).await.unwrap_err();
    let there: i64 = ground.one("select count(*) from heirloom.memory").await.parse().unwrap();
    assert!(there > 0 && there < 58, "{there}");
    (ground, plan, there)
}

async fn apply_as(ground: &Ground, version: &str, plan: &Plan) -> Result<Applied> {
    let (source, store) = (ground.source.as_ref(), &ground.store);
    let (stop, options) = (Stop::default(), Options::default());
    let progress = &mut |_| {};
    let heirloom = version;
    apply::run(ApplyRequest {
        foreign: None,
        plan,
        source,
        store,
        heirloom,
        stop,
        check_only: false,
        options,
        progress,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_version_began_another_ends() {
    let (ground, plan, there) = half_way().await;
    let done = apply_as(&ground, "99.0.0", &plan).await.unwrap();
    assert_eq!((done.inserted as i64, done.chunks_done), (58 - there, done.chunks));
    assert_eq!(ground.one("select sum(inserted) from heirloom_migrate.chunk").await, "58");
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_upgraded_on_the_way_wants_a_new_plan_and_no_row_is_written_twice() {
    let (ground, mut plan, there) = half_way().await;
    // As it was made before the store was upgraded.
    let target = &mut plan.target;
    target.schema_version -= 1;
    target.fingerprint = target_fingerprint(target.store_id, target.schema_version, target.dimension);
    plan.seal();
    let refused = ground.apply(&plan).await.unwrap_err();
    let MigrateError::Plan { what, cure, .. } = &refused else { panic!("{refused:?}") };
    assert!(what.contains("the store is another one, or changed its schema"), "{what}");
    assert!(cure.contains("heirloom plan case.toml"), "{cure}");
    let versions =
        "select string_agg(xmin || ' ' || ctid, ',' order by id) from heirloom.memory where xmin::text::bigint <= ";
    let newest = ground.one("select max(xmin::text::bigint) from heirloom.memory").await;
    let before = ground.one(&format!("{versions}{newest}")).await;
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, there.to_string());

    let again = ground.plan(FILE, 7).await.unwrap();
    let done = ground.apply(&again).await.unwrap();
    assert_eq!((done.written as i64, done.present as i64), (58 - there, there));
    assert!(ground.verify(&again).await.unwrap().holds);
    assert_eq!(ground.one(&format!("{versions}{newest}")).await, before);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_says_more_than_this_version_knows_names_the_version_that_made_it() {
    let (ground, plan, there) = half_way().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.plan.json");
    let mut json = serde_json::to_value(&plan).unwrap();
    json["heirloom"] = "99.0.0".into();
    json["forecast"] = serde_json::json!({ "rain": true });
    std::fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
    let refused = Plan::read(&path).unwrap_err().to_string();
    assert!(refused.contains("or is of Heirloom 99.0.0, and this is "), "{refused}");

    // One of this version was edited, and one of another form is of no interest whatever made it.
    json["heirloom"] = env!("CARGO_PKG_VERSION").into();
    std::fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
    let refused = Plan::read(&path).unwrap_err().to_string();
    assert!(refused.contains("it was edited after it was made") && !refused.contains("is of Heirloom"), "{refused}");
    json["format"] = 2.into();
    std::fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
    let refused = Plan::read(&path).unwrap_err().to_string();
    assert!(refused.contains("it has form 2, this binary knows form 1"), "{refused}");
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, there.to_string());
    ground.close().await;
}
