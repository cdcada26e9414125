//! Leases: any number of runners drain one plan, and one that was frozen past its lease writes nothing.

use std::pin::Pin;
use std::time::Duration;

use heirloom_engine::{Database, Location, Options as Opening};
use heirloom_migrate::apply::{self, ApplyRequest, Options, Stop};
use heirloom_migrate::failpoint::{Action, Failpoints, Gate, Point};
use heirloom_migrate::ledger;
use heirloom_migrate::source;
use heirloom_store::Store;

use crate::support::Ground;

/// Sixty rows, the last two of which are set aside.
pub(crate) const LEGACY: &str = "
    create table note (id bigint primary key, author text, body text);
    insert into note select g, 'agent-' || g % 3, 'note ' || g from generate_series(1, 58) g;
    insert into note values (59, 'agent-1', ' '), (60, null, 'nobody wrote this');
";

pub(crate) const FILE: &str = r#"
name = "notes"
[source]
url = "store"
table = "note"
[namespace]
template = "custom:{author}"
[map]
content = "body"
kind = { value = "fact" }
[reject]
budget = "2"
"#;

/// A runner, and what happens beside it once it stands at its gate. One that ends before it gets there fails the test, which
/// would wait for ever otherwise.
fn beside<'a, R: 'a, T: 'a>(
    runner: impl Future<Output = R> + 'a,
    gate: &'a Gate,
    then: impl Future<Output = T> + 'a,
) -> Pin<Box<dyn Future<Output = (R, T)> + 'a>> {
    Box::pin(async move {
        let mut runner = Box::pin(runner);
        tokio::select! {
            _ = &mut runner => panic!("the runner ended before it came to its gate"),
            () = gate.reached() => {}
        }
        tokio::join!(runner, then)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_share_a_plan_and_every_chunk_is_done_once() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 5).await.unwrap();
    let options = || Options { workers: Some(2), ..Options::default() };
    let (one, other) = tokio::join!(ground.apply_with(&plan, options()), ground.apply_with(&plan, options()));
    let (one, other) = (one.unwrap(), other.unwrap());
    // The embedded engine lets in one process at a time, so that its runners do not expect each other.
    assert_eq!(ground.one("select sum(inserted) from heirloom_migrate.chunk").await, "58");
    if !ground.db.database().is_embedded() {
        assert_eq!(one.inserted + other.inserted, 58);
        assert_eq!(
            ground.one("select max(fence) from heirloom_migrate.chunk").await,
            "1",
            "no chunk was claimed twice"
        );
    }
    assert_eq!((one.chunks_done, other.chunks_done), (one.chunks, other.chunks));
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "58");
    assert_eq!(ground.one("select count(*) from heirloom_migrate.chunk where holder is not null").await, "0");
    assert_eq!(ground.one("select count(*) from heirloom_migrate.runner").await, "0");
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_frozen_past_its_lease_writes_nothing_when_it_thaws() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 7).await.unwrap();
    let (work, heart) = (Gate::default(), Gate::default());
    let frozen = Options {
        lease: Duration::from_millis(1),
        workers: Some(1),
        failpoints: Failpoints::at(Point::AfterDigest, 2, Action::Wait(work.clone())).and(
            Point::BeforeRenew,
            1,
            Action::Wait(heart.clone()),
        ),
        ..Options::default()
    };
    let (thawed, others) = beside(ground.apply_with(&plan, frozen), &work, async {
        let others = ground.apply(&plan).await;
        work.open();
        heart.open();
        others
    })
    .await;
    let (thawed, others) = (thawed.unwrap(), others.unwrap());
    assert_eq!(thawed.inserted + others.inserted, 58);
    assert_eq!(ground.one("select sum(inserted) from heirloom_migrate.chunk").await, "58");
    assert!(ground.one("select max(fence) from heirloom_migrate.chunk").await.parse::<i64>().unwrap() > 1);
    assert!(ground.verify(&plan).await.unwrap().holds);
    let before = ground.versions().await;
    assert_eq!(ground.apply(&plan).await.unwrap().written, 0);
    assert_eq!(ground.versions().await, before);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_frozen_in_its_transaction_is_ended_and_does_the_chunk_again_or_leaves_it() {
    let ground = Ground::new(LEGACY).await;
    // Only a server has a second session to go on with.
    if let Some(url) = ground.db.url() {
        let plan = ground.plan(FILE, 7).await.unwrap();
        let opening = Opening { pool_size: 2, ..Opening::default() };
        let database = Database::open(&Location::Server(url.to_owned()), &opening).await.unwrap();
        let (store, source) = (Store::open(&database).await.unwrap(), source::open("store", &database).await.unwrap());
        let (work, heart) = (Gate::default(), Gate::default());
        // Its heart stands still too, as that of a frozen process does: one that beats keeps what it holds.
        let options = Options {
            lease: Duration::from_millis(100),
            workers: Some(1),
            failpoints: Failpoints::at(Point::AfterRows, 2, Action::Wait(work.clone())).and(
                Point::BeforeRenew,
                1,
                Action::Wait(heart.clone()),
            ),
            ..Options::default()
        };
        let mut progress = |_| {};
        let frozen = apply::run(ApplyRequest {
            foreign: None,
            plan: &plan,
            source: source.as_ref(),
            store: &store,
            heirloom: "test",
            stop: Stop::default(),
            check_only: false,
            options,
            progress: &mut progress,
        });
        let (thawed, others) = beside(frozen, &work, async {
            // Waits for the rows of the frozen transaction until the server has ended it.
            let others = ground.apply(&plan).await;
            work.open();
            heart.open();
            others
        })
        .await;
        others.unwrap();
        assert_eq!(thawed.unwrap().chunks_done, plan.chunks.len() as u32);
        assert_eq!(ground.one("select sum(inserted) from heirloom_migrate.chunk").await, "58");
        assert!(ground.verify(&plan).await.unwrap().holds);
        drop((store, source));
        database.close().await.unwrap();
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_cut_costs_nothing_but_time() {
    let ground = Ground::new(LEGACY).await;
    if ground.db.url().is_some() && ground.db.database().pool_size() > 1 {
        let plan = ground.plan(FILE, 7).await.unwrap();
        let gate = Gate::default();
        let options = Options {
            workers: Some(1),
            failpoints: Failpoints::at(Point::AfterRows, 3, Action::Wait(gate.clone())),
            ..Options::default()
        };
        let (applied, ()) = beside(ground.apply_with(&plan, options), &gate, async {
            ground
                .sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'")
                .await;
            gate.open();
        })
        .await;
        let applied = applied.unwrap();
        assert_eq!((applied.inserted, applied.rejected, applied.chunks_done), (58, 2, applied.chunks));
        assert!(ground.verify(&plan).await.unwrap().holds);
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_until_somebody_else_claims() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 100).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let client = ground.db.database().client().await.unwrap();
    let (one, other) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let claim = async |runner, length| {
        ledger::claim(&client, plan.run_id, runner, Duration::from_secs(length), Some(0)).await.unwrap()
    };
    let first = claim(one, 600).await.unwrap();
    assert_eq!(claim(other, 600).await, None, "it is held, by a session that is there");
    assert!(ledger::holds(&client, &first).await.unwrap());
    assert_eq!(ledger::renew(&client, plan.run_id, one, Duration::ZERO).await.unwrap(), 1);
    let second = claim(other, 600).await.unwrap();
    assert!(second.fence > first.fence);
    assert!(!ledger::holds(&client, &first).await.unwrap());
    assert_eq!(ledger::renew(&client, plan.run_id, one, Duration::from_secs(600)).await.unwrap(), 0);
    // A session that is gone holds nothing, however long its lease.
    client.batch_execute("update heirloom_migrate.chunk set holder_backend = 0").await.unwrap();
    assert!(claim(one, 600).await.is_some());
    drop(client);
    ground.close().await;
}
