//! An error at every named point, at its first pass and a later one: what is there is whole, and going on ends as an
//! undisturbed run does. The same with the process killed: `.ci/kill_and_resume.py`.

use std::time::Duration;

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::MigrateError;
use heirloom_migrate::apply::{self, Options, Rate, Stop};
use heirloom_migrate::failpoint::{Action, Failpoints, Point};
use heirloom_migrate::file::{Budget, MigrationFile};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source::{self, Source};

use crate::failpoints_retire;
use crate::leases::{FILE, LEGACY};
use crate::outbox::{following, settled};
use crate::support::Ground;

/// The last of the chunks, by seven rows, of sixty.
const LAST: u64 = 9;

/// Points that an apply passes by itself, each at least once. The others have tests of their own below.
fn is_of_apply(point: Point) -> bool {
    !["lease.before-renew", "lease.after-renew"].contains(&point.name())
        && ["register", "lease", "chunk", "run"].iter().any(|what| point.name().starts_with(what))
}

pub(crate) fn named(prefix: &str) -> Vec<Point> {
    Point::ALL.iter().copied().filter(|point| point.name().starts_with(prefix)).collect()
}

pub(crate) fn armed(point: Point, nth: u64) -> Failpoints {
    Failpoints::at(point, nth, Action::Error)
}

/// That it failed at this point and nowhere else.
pub(crate) fn failed_at<T: std::fmt::Debug>(point: Point, failpoints: &Failpoints, result: Result<T, MigrateError>) {
    let said = result.unwrap_err().to_string();
    assert!(failpoints.went_off() && said.contains(point.name()), "{}: {said}", point.name());
}

#[test]
fn every_point_is_tried() {
    let tried: Vec<Point> = ["lease.before-renew", "lease.after-renew", "gone", "outbox", "retry", "verify", "marker"]
        .into_iter()
        .flat_map(named)
        .chain(failpoints_retire::tried())
        .collect();
    for &point in Point::ALL {
        assert!(is_of_apply(point) != tried.contains(&point), "{} is tried nowhere, or twice", point.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_at_any_point_leaves_whole_chunks_and_can_be_resumed() {
    for &point in Point::ALL.iter().filter(|point| is_of_apply(**point)) {
        fail_and_resume(point, 1).await;
        if point.name().starts_with("chunk") {
            fail_and_resume(point, 4).await;
        }
    }
    // Everything is there, and nobody has looked after it: whoever resumes writes nothing and has that left to do.
    fail_and_resume(Point::AfterCommit, LAST).await;
}

async fn fail_and_resume(point: Point, nth: u64) {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 7).await.unwrap();
    let failpoints = armed(point, nth);
    let case = format!("{} at pass {nth}", point.name());
    let options = Options { failpoints: failpoints.clone(), ..Options::default() };
    failed_at(point, &failpoints, ground.apply_with(&plan, options).await);
    let chunks = "select count(*) from heirloom_migrate.chunk where state = 'done'";
    let done: u64 = ground.one(chunks).await.parse().unwrap();
    let written = "coalesce(sum(inserted), 0) from heirloom_migrate.chunk";
    let written: String = ground.one(&format!("select {written}")).await;
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, written, "{case}: {done} chunks are whole");

    let resumed = ground.apply(&plan).await.unwrap();
    assert_eq!((resumed.rows, resumed.rejected, resumed.chunks_done), (60, 2, resumed.chunks), "{case}");
    is_as_undisturbed(&ground, &plan, &case).await;
    ground.close().await;
}

async fn is_as_undisturbed(ground: &Ground, plan: &Plan, case: &str) {
    assert_eq!(ground.one("select sum(inserted) from heirloom_migrate.chunk").await, "58", "{case}");
    assert_eq!(ground.one("select sum(documents) from heirloom.frequency").await, "58", "{case}: words are counted");
    let verification = ground.verify(plan).await.unwrap();
    assert!(verification.holds, "{case}: {:#?}", verification.differences);
    let before = ground.versions().await;
    assert_eq!(ground.apply(plan).await.unwrap().written, 0, "{case}");
    assert_eq!(ground.versions().await, before, "{case}: applying again wrote something");
}

/// A heartbeat that fails is tried again at the next; where the lease ran out meanwhile, the token decides.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_while_a_lease_is_renewed_loses_nothing() {
    for point in named("lease").into_iter().filter(|point| !is_of_apply(*point)) {
        let ground = Ground::new(LEGACY).await;
        // The embedded engine has one owner and renews nothing.
        if ground.db.database().is_embedded() {
            return ground.close().await;
        }
        let plan = ground.plan(FILE, 20).await.unwrap();
        let failpoints = armed(point, 1);
        let rate = Rate { rows: Some(40), bytes: None };
        let lease = Duration::from_millis(600);
        let options = Options { failpoints: failpoints.clone(), lease, rate, ..Options::default() };
        let applied = ground.apply_with(&plan, options).await.unwrap();
        assert!(failpoints.went_off(), "{} was not passed", point.name());
        assert_eq!((applied.rows, applied.rejected, applied.chunks_done), (60, 2, 3), "{}", point.name());
        is_as_undisturbed(&ground, &plan, point.name()).await;
        ground.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_while_rows_are_forgotten_leaves_the_rest_for_the_next() {
    for point in named("gone") {
        for nth in [1, 2] {
            let ground = Ground::new(LEGACY).await;
            let plan = ground.plan(FILE, 20).await.unwrap();
            ground.apply(&plan).await.unwrap();
            ground.sql("delete from note where id in (3, 30, 44)").await;
            let deletes = || Some(Budget::Rows(3));
            let failpoints = armed(point, nth);
            let options = Options { failpoints: failpoints.clone(), deletes: deletes(), ..Options::default() };
            failed_at(point, &failpoints, ground.apply_with(&plan, options).await);
            let forgotten: u64 = ground.one("select count(*) from heirloom.tombstone").await.parse().unwrap();
            assert_eq!(forgotten, nth - u64::from(point == Point::BeforeForget), "{} {nth}", point.name());
            let again = ground.apply_with(&plan, Options { deletes: deletes(), ..Options::default() }).await.unwrap();
            assert_eq!(again.gone.unwrap().forgotten, 3 - forgotten, "{} {nth}", point.name());
            assert_eq!(ground.one("select count(*) from heirloom.memory").await, "55");
            assert!(ground.verify(&plan).await.unwrap().holds);
            ground.close().await;
        }
    }
}

/// Everything of ours that stands at a source.
const LEFT: &str = "(select count(*) from pg_class where relname like 'heirloom\\_outbox%')
    + (select count(*) from pg_proc where proname like 'heirloom\\_outbox%')
    + (select count(*) from pg_trigger where tgname like 'heirloom\\_outbox%')";

/// Follows until a change was dealt with, or until it fails.
async fn follow(ground: &Ground, plan: &Plan, failpoints: Failpoints, change: &str) -> Result<(), MigrateError> {
    let (options, mut passes) = following(None);
    let stop = Stop::default();
    let options = Options { failpoints, ..options };
    let running = ground.apply_until(&stop, ground.source.as_ref(), plan, options);
    let telling = async {
        passes.recv().await?;
        ground.sql(change).await;
        settled(&mut passes).await;
        Some(())
    };
    tokio::pin!(running);
    tokio::select! {
        done = &mut running => return done.map(drop),
        _ = telling => stop.ask(),
    }
    running.await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_the_outbox_loses_no_change() {
    let file = FILE.replace("table = \"note\"", "table = \"note\"\noutbox = true");
    let change = "update note set body = body || '!' where id in (3, 30)";
    let goes = [Point::BeforeOutboxGoes, Point::AfterOutboxWent];
    for point in named("outbox").into_iter().filter(|point| !goes.contains(point)) {
        let ground = Ground::new(LEGACY).await;
        let plan = ground.plan(&file, 20).await.unwrap();
        let failpoints = armed(point, 1);
        failed_at(point, &failpoints, follow(&ground, &plan, failpoints.clone(), change).await);
        let is_made = ground.one(LEFT).await != "0";
        assert_eq!(is_made, point != Point::BeforeOutbox, "{}", point.name());
        follow(&ground, &plan, Failpoints::default(), change).await.unwrap();
        let marked = if point.name().ends_with("commit") { "note 3!" } else { "note 3!!" };
        assert_eq!(ground.one("select content from heirloom.memory where content like 'note 3!%'").await, marked);
        let name = ground.one("select relname from pg_class where relname like 'heirloom\\_outbox%' and relkind = 'r'");
        let name = name.await;
        assert_eq!(ground.one(&format!("select count(*) from {name}")).await, "0", "{}", point.name());
        assert!(ground.verify(&plan).await.unwrap().holds);
        ground.close().await;
    }
    for point in goes {
        let ground = Ground::new(LEGACY).await;
        let plan = ground.plan(&file, 20).await.unwrap();
        follow(&ground, &plan, Failpoints::default(), change).await.unwrap();
        let (source, id) = (ground.source.as_ref(), ground.store.meta().store_id);
        let failpoints = armed(point, 1);
        failed_at(point, &failpoints, apply::remove_outbox(&plan, source, id, &failpoints).await);
        let was_there = apply::remove_outbox(&plan, source, id, &Failpoints::default()).await.unwrap().is_some();
        assert_eq!((was_there, ground.one(LEFT).await.as_str()), (point == Point::BeforeOutboxGoes, "0"));
        ground.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_while_rejects_are_tried_leaves_each_where_it_was_or_handed_down() {
    for point in named("retry") {
        let ground = Ground::new(LEGACY).await;
        let table = "alter table heirloom.memory add constraint seven check (content <> 'note 7') not valid";
        ground.sql(table).await;
        let plan = ground.plan(&FILE.replace("budget = \"2\"", "budget = \"3\""), 20).await.unwrap();
        assert_eq!(ground.apply(&plan).await.unwrap().rejected, 3);
        record(&ground, ground.source.as_ref(), &plan, &Failpoints::default()).await.unwrap();
        ground.sql("alter table heirloom.memory drop constraint seven").await;
        let failpoints = armed(point, 1);
        let retry =
            async |failpoints| apply::retry(&plan, ground.source.as_ref(), &ground.store, None, failpoints).await;
        failed_at(point, &failpoints, retry(failpoints.clone()).await);
        let state = ground.one("select state from heirloom_migrate.run").await;
        let there = ground.one("select count(*) from heirloom.memory where content = 'note 7'").await;
        match point {
            Point::BeforeRetry => assert_eq!((there.as_str(), state.as_str()), ("0", "verified")),
            // A proof that has not seen the row is none.
            _ => assert_eq!((there.as_str(), state.as_str()), ("1", "applied"), "{}", point.name()),
        }
        let again = retry(Failpoints::default()).await.unwrap();
        assert_eq!(again.still_rejected, 2, "{}", point.name());
        assert_eq!(ground.one("select state from heirloom_migrate.run").await, "applied");
        assert_eq!(ground.one("select count(*) from heirloom_migrate.reject where state = 'open'").await, "2");
        // It looks after the words too, which a retry leaves to whoever comes next.
        assert_eq!(ground.apply(&plan).await.unwrap().written, 0);
        is_as_undisturbed(&ground, &plan, point.name()).await;
        ground.close().await;
    }
}

/// Whoever is stopped right after rows were written leaves no proof behind that speaks of rows it has not seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_falls_with_the_first_chunk_that_is_written_after_it() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    record(&ground, ground.source.as_ref(), &plan, &Failpoints::default()).await.unwrap();
    ground.sql("update note set body = body || '!' where id = 30").await;
    for (point, state) in [(Point::BeforeCommit, "verified"), (Point::AfterCommit, "applied")] {
        let failpoints = armed(point, 1);
        let options = Options { failpoints: failpoints.clone(), ..Options::default() };
        failed_at(point, &failpoints, ground.apply_with(&plan, options).await);
        assert_eq!(ground.one("select state from heirloom_migrate.run").await, state, "{}", point.name());
    }
    assert_eq!(ground.apply(&plan).await.unwrap().written, 0);
    assert_eq!(ground.one("select state from heirloom_migrate.run").await, "applied");
    ground.close().await;
}

/// Verifies and records it.
async fn record(
    ground: &Ground,
    source: &dyn Source,
    plan: &Plan,
    failpoints: &Failpoints,
) -> Result<u64, MigrateError> {
    let found = ground.verify_from(source, plan).await.unwrap();
    assert!(found.holds, "{:#?}", found.differences);
    let file = MigrationFile::parse(&plan.file.path, &plan.file.text).unwrap();
    apply::record_verified(plan, &file, source, ground.db.database(), &found, failpoints).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_while_a_proof_is_recorded_or_the_source_marked_can_be_made_good() {
    let legacy = TestDatabase::fresh().await;
    // The embedded engine has no address under which it could be a source of another store.
    let url = legacy.url().unwrap_or("store").to_owned();
    let is_elsewhere = url != "store";
    for point in named("verify").into_iter().chain(named("marker").into_iter().filter(|_| is_elsewhere)) {
        let ground = Ground::new(if is_elsewhere { "select 1" } else { LEGACY }).await;
        if is_elsewhere {
            let again = format!("drop table if exists note; {LEGACY}");
            legacy.database().client().await.unwrap().batch_execute(&again).await.unwrap();
        }
        let file = FILE
            .replace("url = \"store\"", &format!("url = \"{url}\""))
            .replace("table = \"note\"", "table = \"note\"\nmark = \"migrated_at\"");
        let source = source::open(&url, ground.db.database()).await.unwrap();
        let plan = ground.plan_from(source.as_ref(), &file, 20).await.unwrap();
        ground.apply_from(source.as_ref(), &plan).await.unwrap();
        let failpoints = armed(point, 1);
        failed_at(point, &failpoints, record(&ground, source.as_ref(), &plan, &failpoints).await);
        let state = ground.one("select state from heirloom_migrate.run").await;
        assert_eq!(state, if point == Point::BeforeProven { "applied" } else { "verified" }, "{}", point.name());
        let stamped = record(&ground, source.as_ref(), &plan, &Failpoints::default()).await.unwrap();
        assert_eq!(ground.one("select state from heirloom_migrate.run").await, "verified");
        if is_elsewhere {
            assert_eq!(stamped, if point == Point::AfterStamp { 0 } else { 58 }, "{}", point.name());
            let client = legacy.database().client().await.unwrap();
            let marked = client.query_one("select count(migrated_at) from note", &[]).await.unwrap();
            assert_eq!(marked.get::<_, i64>(0), 58, "{}", point.name());
        }
        drop(source);
        ground.close().await;
    }
    legacy.close().await;
}
