//! A comparison beside a follower: what it is about to catch up with is no difference, and what it will not is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use heirloom_engine::Database;
use heirloom_migrate::apply::{Follow, Followed, Options, Stop};
use heirloom_migrate::ledger;
use heirloom_migrate::soak::DivergenceKind;
use heirloom_migrate::verify::{Class, Explanation, Verification};

use crate::outbox::settled;
use crate::soak_ground::{Watched, legacy};

/// Every statement writes ten rows, one of them new; rows up to 100 are left alone, and row 101 is always among them.
async fn write(database: Database, stop: Arc<AtomicBool>) {
    let sql = "with changed as (update note set body = 'again ' || clock_timestamp(), made = clock_timestamp()
                   where id = 101 or id = any (array(select 102 + (random() * 1800)::int from generate_series(1, 8))))
               insert into note select max(id) + 1, 'agent-1', 'new ' || max(id), clock_timestamp() from note";
    while !stop.load(Ordering::SeqCst) {
        database.client().await.unwrap().batch_execute(sql).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
}

/// Runs `story` while somebody writes to the source and somebody follows it.
async fn beside_a_follower(watched: &mut Watched, story: impl AsyncFnOnce(&mut Watched)) {
    let (stop, still) = (Stop::default(), Arc::new(AtomicBool::new(false)));
    let (told, mut passes) = tokio::sync::mpsc::unbounded_channel();
    let follow = Follow {
        every: Duration::from_secs(1),
        look_every: Duration::from_secs(3_600),
        overlap: Duration::from_secs(2),
        told: Arc::new(move |now: &Followed| {
            let _ = told.send(*now);
        }),
    };
    let options = Options { follow: Some(follow), ..Options::default() };
    let database = watched.ground.db.database().clone();
    let writer = tokio::spawn(write(database.clone(), still.clone()));
    let follower = tokio::spawn({
        let (stop, plan, store) = (stop.clone(), watched.plan.clone(), watched.ground.store.clone());
        async move {
            let source = heirloom_migrate::source::open("store", &database).await.unwrap();
            heirloom_migrate::apply::run(heirloom_migrate::apply::ApplyRequest {
                foreign: None,
                plan: &plan,
                source: source.as_ref(),
                store: &store,
                heirloom: "test",
                stop,
                check_only: false,
                options,
                progress: &mut |_| {},
            })
            .await
            .unwrap()
        }
    });
    settled(&mut passes).await;
    story(watched).await;
    still.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    settled(&mut passes).await;
    stop.ask();
    let followed = follower.await.unwrap().followed.unwrap();
    let client = watched.ground.db.database().client().await.unwrap();
    assert!(!ledger::somebody_at_work(&client).await.unwrap(), "and that it has gone");
    drop(client);
    assert!(followed.inserted > 0 && followed.updated > 0, "{followed:?}");
}

fn named(found: &Verification) -> Vec<(Class, String)> {
    let mut all: Vec<_> = found.differences.iter().map(|one| (one.class, one.key.concat())).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_caught_up_with_alarms_nobody_and_what_is_damaged_does() {
    let mut watched = Watched::soaking(&legacy(2_000), 100, 3).await;
    beside_a_follower(&mut watched, async |watched| {
        {
            let client = watched.ground.db.database().client().await.unwrap();
            assert!(ledger::somebody_at_work(&client).await.unwrap(), "a follower shows that it is there");
        }
        let sweep = watched.sweep(false).await.unwrap();
        assert!(sweep.record.clean, "{:#?}", sweep.differences);
        // Behind the store's back: one is lost, one altered, and one is kept that the source has no longer.
        let of = |key: u32| format!("(select id from heirloom.origin where source_key = '[\"{key}\"]')");
        watched
            .tamper(&format!(
                "delete from heirloom.memory where id = {}; \
                 update heirloom.memory set content = 'forged' where id = {}; delete from note where id = 9",
                of(7),
                of(8)
            ))
            .await;
        let found = watched.ground.verify(&watched.plan).await.unwrap();
        let wanted = [(Class::Missing, "7"), (Class::Altered, "8"), (Class::Unexpected, "9")];
        assert_eq!(named(&found), wanted.map(|(class, key)| (class, key.to_owned())));
        assert!(found.explained.keys().all(|why| *why == Explanation::CatchingUp), "{:?}", found.explained);
    })
    .await;
    let found = watched.ground.verify(&watched.plan).await.unwrap();
    assert_eq!(found.difference_count, 3, "{:#?}", found.differences);
    let rows = watched.ground.one("select count(*) from note").await;
    assert_eq!(
        (found.source_rows.to_string(), found.expected, found.found),
        (rows, found.source_rows, found.source_rows - 1)
    );
    assert_eq!((found.equal, found.explained.len()), (found.source_rows - 2, 0));
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_changes_all_the_time_and_that_nobody_follows_is_a_difference() {
    let mut watched = Watched::soaking(&legacy(20), 5, 3).await;
    let stop = Arc::new(AtomicBool::new(false));
    let database = watched.ground.db.database().clone();
    let writer = tokio::spawn({
        let stop = stop.clone();
        async move {
            while !stop.load(Ordering::SeqCst) {
                let sql = "update note set body = 'again ' || clock_timestamp() where id = 3";
                database.client().await.unwrap().batch_execute(sql).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    });
    while watched.ground.one("select body like 'again%' from note where id = 3").await != "true" {}
    let found = watched.ground.verify(&watched.plan).await.unwrap();
    assert_eq!(named(&found), [(Class::SourceChanged, "3".to_owned())]);
    assert_eq!((found.source_rows, found.expected, found.found, found.equal), (20, 20, 20, 19));
    let leak = watched.sweep(false).await.unwrap();
    assert_eq!(leak.record.divergences[0].kind, DivergenceKind::Leak);
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_waited_for_where_nobody_hands_rows_down() {
    let watched = Watched::verified(&legacy(60), 10, 3).await;
    let client = watched.ground.db.database().client().await.unwrap();
    assert!(!ledger::somebody_at_work(&client).await.unwrap());
    drop(client);
    assert_eq!(watched.ground.verify(&watched.plan).await.unwrap().difference_count, 0);
    watched.tamper("delete from heirloom.memory where id in (select id from heirloom.origin limit 20)").await;
    assert_eq!(watched.ground.verify(&watched.plan).await.unwrap().difference_count, 20);
    watched.close().await;
}
