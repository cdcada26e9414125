//! Manners: the pause file, the limits of a server that is busy, the budget among workers; and that a reason to wait can
//! be read from elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use heirloom_engine::{Database, Location, Options as Opening};
use heirloom_migrate::apply::{self, ApplyRequest, Manners, Options, Rate, Seat, Stop};
use heirloom_migrate::ledger;
use heirloom_migrate::source::Postgres;
use heirloom_store::Store;

use crate::leases::{FILE, LEGACY};
use crate::support::{Ground, said};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_begun_while_the_pause_file_is_there_and_the_reason_can_be_read_elsewhere() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pause");
    std::fs::write(&file, "").unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let options = Options {
        manners: Manners { pause_files: vec![file.clone()], ..Manners::default() },
        note: Some(Arc::new(move |sentence: &str| drop(tell.send(sentence.to_owned())))),
        workers: Some(1),
        ..Options::default()
    };
    let embedded = ground.db.database().is_embedded();
    let (applied, reason) = tokio::join!(ground.apply_with(&plan, options), async {
        let first = told.recv().await.unwrap();
        assert!(first.starts_with("Waiting: the file "), "{first}");
        assert_eq!(ground.one("select count(*) from heirloom.memory").await, "0");
        let mut reason = None;
        // The embedded engine cannot be looked at from elsewhere while it is open.
        while reason.is_none() && !embedded {
            let client = ground.db.database().client().await.unwrap();
            let runners = ledger::runners(&client, plan.run_id).await.unwrap();
            reason = runners.first().and_then(|runner| runner.waiting.clone());
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(told.recv().await.unwrap(), "Going on");
        reason
    });
    assert_eq!(applied.unwrap().inserted, 58);
    assert!(embedded || reason.unwrap().contains("pause is there"));
    ground.close().await;
}

/// A place that somebody else has until he says otherwise.
#[derive(Default)]
struct Taken {
    left: AtomicBool,
    free: AtomicBool,
}

impl Seat for Taken {
    fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
    }

    fn take(&self) -> bool {
        self.free.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_paused_has_neither_a_place_nor_a_session_and_waits_until_there_is_one_again() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pause");
    std::fs::write(&file, "").unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let seat = Arc::new(Taken::default());
    let options = Options {
        manners: Manners { pause_files: vec![file.clone()], ..Manners::default() },
        note: Some(Arc::new(move |sentence: &str| drop(tell.send(sentence.to_owned())))),
        seat: Some(Arc::clone(&seat) as Arc<dyn Seat>),
        workers: Some(1),
        ..Options::default()
    };
    // A server of its own, as far as the source knows.
    let source = match ground.db.url() {
        Some(url) => Postgres::open(url).await.unwrap(),
        None => Postgres::in_target(ground.db.database()),
    };
    let stop = Stop::default();
    let (applied, ()) = tokio::join!(ground.apply_until(&stop, &source, &plan, options), async {
        assert!(told.recv().await.unwrap().starts_with("Waiting: the file "));
        assert!(seat.left.load(Ordering::SeqCst));
        let sessions = "select count(*)::text from pg_stat_activity where application_name = 'heirloom source' \
                            and datname = current_database()";
        // The server notices that a session has ended a moment later.
        while !ground.db.database().is_embedded() && ground.one(sessions).await != "0" {}
        std::fs::remove_file(&file).unwrap();
        assert_eq!(told.recv().await.unwrap(), "Waiting: as many as may be are at work");
        assert_eq!(ground.one("select count(*) from heirloom.memory").await, "0");
        seat.free.store(true, Ordering::SeqCst);
        assert_eq!(told.recv().await.unwrap(), "Going on");
    });
    assert_eq!(applied.unwrap().inserted, 58);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_at_work_or_in_wait_of_a_lock_are_let_go_first() {
    let ground = Ground::new(LEGACY).await;
    if let Some(url) = ground.db.url().filter(|_| ground.db.database().pool_size() > 1) {
        let plan = ground.plan(FILE, 20).await.unwrap();
        ground.sql("create table held (); ").await;
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let (waiter, other) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let tasks = [tokio::spawn(connection), tokio::spawn(other)];
        client.batch_execute("begin; lock table held").await.unwrap();
        let waiting = tokio::spawn(async move { waiter.batch_execute("begin; lock table held; commit").await });
        while ground.one("select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())").await == "0" {}
        let notes = Arc::new(Mutex::new(Vec::new()));
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let seen = Arc::clone(&notes);
        let options = Options {
            manners: Manners { lock_waits: Some(0), ..Manners::default() },
            note: Some(Arc::new(move |sentence: &str| {
                seen.lock().unwrap().push(sentence.to_owned());
                let _sent = tell.send(());
            })),
            ..Options::default()
        };
        let (applied, ()) = tokio::join!(ground.apply_with(&plan, options), async {
            told.recv().await.unwrap();
            client.batch_execute("commit").await.unwrap();
        });
        assert_eq!(applied.unwrap().inserted, 58);
        assert!(notes.lock().unwrap()[0].contains("wait for a lock"), "{notes:?}");
        drop(waiting.await.unwrap());

        // Others at work, who are let go first as well.
        ground.sql("update note set body = body || '!'").await;
        let again = ground.plan(FILE, 20).await.unwrap();
        let sleeper = client.cancel_token();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let options = Options {
            manners: Manners { active: Some(0), ..Manners::default() },
            note: Some(Arc::new(move |sentence: &str| drop(tell.send(sentence.to_owned())))),
            ..Options::default()
        };
        let slept = tokio::spawn(async move { client.batch_execute("select pg_sleep(600)").await });
        let at_work = "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active' \
             and datname = current_database()";
        while ground.one(at_work).await == "0" {}
        // Sessions of other databases of the server count as well, so it is asked to stop and not waited for.
        let stop = Stop::default();
        let (applied, first) =
            tokio::join!(ground.apply_until(&stop, ground.source.as_ref(), &again, options), async {
                let first = told.recv().await.unwrap();
                stop.ask();
                first
            });
        assert!(first.contains("at work"), "{first}");
        assert_eq!(applied.unwrap().updated, 0);
        sleeper.cancel_query(tokio_postgres::NoTls).await.unwrap();
        assert!(slept.await.unwrap().is_err());
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_sees_no_other_session_is_told_so() {
    let ground = Ground::new(LEGACY).await;
    if let Some(url) = ground.db.url() {
        let plan = ground.plan(FILE, 20).await.unwrap();
        let role = format!("writer_{}", uuid::Uuid::new_v4().simple());
        ground.sql(&format!("create role {role}; grant heirloom_serve, heirloom_audit to {role}")).await;
        let url = format!("{url}?options=-c%20role%3D{role}");
        let database = Database::open(&Location::Server(url), &Opening::default()).await.unwrap();
        let store = Store::open(&database).await.unwrap();
        for manners in [
            Manners { active: Some(3), ..Manners::default() },
            Manners { lock_waits: Some(3), ..Manners::default() },
            Manners { lag_bytes: Some(3), ..Manners::default() },
        ] {
            let refused = said(
                apply::run(ApplyRequest {
                    foreign: None,
                    plan: &plan,
                    source: ground.source.as_ref(),
                    store: &store,
                    heirloom: "test",
                    stop: Stop::default(),
                    check_only: false,
                    options: Options { manners, ..Options::default() },
                    progress: &mut |_| {},
                })
                .await,
            );
            assert!(refused.contains(&format!("grant pg_read_all_stats to {role}")), "{refused}");
        }
        drop(store);
        database.close().await.unwrap();
        ground.sql(&format!("drop owned by {role}; drop role {role}")).await;
    }
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_together_keep_the_budget() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(&FILE.replace("budget = \"2\"", "budget = \"4\""), 2).await.unwrap();
    // Dirtied after the plan: one row in each of twenty chunks, where two more may be set aside.
    ground.sql("update note set body = ' ' where id % 2 = 0 and id <= 40").await;
    let options = Options { workers: Some(4), ..Options::default() };
    let refused = said(ground.apply_with(&plan, options).await);
    assert!(refused.contains("the budget of the file allows 4"), "{refused}");
    let kept: u64 = ground.one("select count(*) from heirloom_migrate.reject").await.parse().unwrap();
    assert!(kept <= 4, "{kept} rows were set aside");
    let counted = ground.one("select sum(rejected) from heirloom_migrate.chunk").await;
    assert_eq!(counted, kept.to_string());
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_changes_the_pace_and_nothing_else() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    let options = Options { rate: Rate { rows: Some(100), bytes: Some(1_000_000) }, ..Options::default() };
    let applied = ground.apply_with(&plan, options).await.unwrap();
    assert_eq!((applied.rows, applied.inserted, applied.rejected), (60, 58, 2));
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}
