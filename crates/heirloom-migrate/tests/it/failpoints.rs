//! An error at every named point, at its first pass and a later one: what is there is whole, and going on ends as an
//! undisturbed run does. The same with the process killed: `.ci/kill_and_resume.py`.

use heirloom_migrate::apply::{Action, Failpoints, Options, Point};

use crate::leases::{FILE, LEGACY};
use crate::support::Ground;

/// The last of the chunks, by seven rows, of sixty.
const LAST: u64 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn an_error_at_any_point_leaves_whole_chunks_and_can_be_resumed() {
    for &point in Point::ALL {
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
    let failpoints = Failpoints::at(point, nth, Action::Error);
    let case = format!("{} at pass {nth}", point.name());
    let failed = ground.apply_with(&plan, Options { failpoints, ..Options::default() }).await;
    // Passed once a run, or only while a lease is renewed or another database is marked.
    let rare = ["register", "run", "marker"].iter().any(|what| point.name().starts_with(what)) && nth > 1;
    let elsewhere = ["lease.before-renew", "lease.after-renew", "marker.before-stamp", "marker.after-stamp"];
    if rare || elsewhere.contains(&point.name()) {
        failed.unwrap();
    } else {
        let said = failed.unwrap_err().to_string();
        assert!(said.contains(point.name()), "{case}: {said}");
    }
    let chunks = "select count(*) from heirloom_migrate.chunk where state = 'done'";
    let done: u64 = ground.one(chunks).await.parse().unwrap();
    let written = "coalesce(sum(inserted), 0) from heirloom_migrate.chunk";
    let written: String = ground.one(&format!("select {written}")).await;
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, written, "{case}: {done} chunks are whole");

    let resumed = ground.apply(&plan).await.unwrap();
    assert_eq!((resumed.rows, resumed.rejected, resumed.chunks_done), (60, 2, resumed.chunks), "{case}");
    assert_eq!(ground.one("select sum(inserted) from heirloom_migrate.chunk").await, "58", "{case}");
    assert_eq!(ground.one("select sum(documents) from heirloom.frequency").await, "58", "{case}: words are counted");
    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{case}: {:#?}", verification.differences);
    let before = ground.versions().await;
    assert_eq!(ground.apply(&plan).await.unwrap().written, 0, "{case}");
    assert_eq!(ground.versions().await, before, "{case}: applying again wrote something");
    ground.close().await;
}
