//! A step that works for long: what it writes down is of the moment at which it does, and the database takes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use heirloom_migrate::clock::Clock;
use heirloom_migrate::ledger::{self, RunState, Stamp};
use heirloom_migrate::{audit, retire, soak};
use serde_json::json;

use crate::soak_ground::{DAY, Watched, legacy};

/// More than the ten minutes by which a program's clock may be off from the database's.
const LONG: i64 = 11 * 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_of_more_than_ten_minutes_enters_its_entry() {
    let mut watched = Watched::verified(&legacy(20), 7, 2).await;
    let verified = {
        let client = watched.ground.db.database().client().await.unwrap();
        ledger::entries(&client, watched.plan.run_id).await.unwrap().pop().unwrap()
    };
    // A machine's clock that is right, on a machine that began eleven minutes ago.
    let began = Arc::new(AtomicBool::new(true));
    let at_work = Arc::clone(&began);
    watched.clock = Clock::system(move || {
        let now = jiff::Timestamp::now();
        if at_work.load(Ordering::SeqCst) { now - jiff::SignedDuration::from_secs(LONG) } else { now }
    });
    {
        // Begun by the database's clock, because the machine's stands before its start.
        let mut client = watched.ground.db.database().client().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let payload = json!({ "proof": verified.hash, "begins": true, "days": 2, "written": 20 });
        ledger::append(&tx, watched.plan.run_id, &Stamp::database(ledger::PROGRAM), "soaking", &payload).await.unwrap();
        ledger::step(&tx, watched.plan.run_id, RunState::Soaking, &payload).await.unwrap();
        tx.commit().await.unwrap();
    }
    let sweep =
        soak::sweep(&watched.task(false), false, &mut |_, _| began.store(false, Ordering::SeqCst)).await.unwrap();
    assert!(sweep.record.clean && sweep.head.is_some());
    assert!(!began.load(Ordering::SeqCst), "it worked on");
    assert_eq!(sweep.calendar.counted, 1);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_entry_of_a_long_retirement_is_of_its_own_time() {
    let watched = Box::pin(Watched::soaked(&legacy(20), 7, 1)).await;
    let began = watched.seconds.load(Ordering::SeqCst);
    let seconds: Arc<AtomicI64> = Arc::clone(&watched.seconds);
    let done = retire::retire(&watched.task(false), &watched.manifest(), &mut |_, _| {
        seconds.fetch_add(LONG, Ordering::SeqCst);
    })
    .await
    .unwrap();
    assert!(done.holds, "{:#?}", done.gates);
    let entries = {
        let client = watched.ground.db.database().client().await.unwrap();
        ledger::entries(&client, watched.plan.run_id).await.unwrap()
    };
    let at = |what: &str| {
        let newest: Option<&audit::Entry> = entries.iter().rev().find(|entry| entry.what == what);
        newest.unwrap_or_else(|| panic!("{what}")).at.as_second()
    };
    // Three chunks were read before the sweep was written down, and the archive was made after it.
    assert_eq!(at("sweep"), began + 3 * LONG);
    assert!(at("archived") > at("sweep") && at("retired") >= at("archived"), "{entries:#?}");
    let drop_at = done.drop_at.unwrap().as_second();
    assert_eq!(drop_at, at("retired") + 7 * DAY, "the grace is counted from the rename");
    watched.close().await;
}
