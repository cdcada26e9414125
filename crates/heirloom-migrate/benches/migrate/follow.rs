//! How far following lags behind a source that is written to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heirloom_migrate::apply::{self, ApplyRequest, Follow, Followed, Options, Stop};

use tokio::sync::mpsc;

use crate::Line;
use crate::ground::Ground;

/// Changes a second, and for how long.
const CHANGES: u64 = 1_000;
const SECONDS: u64 = 20;

/// Follows a table of so many rows while a thousand of them change each second, in ten statements: by the column of change
/// times, or by an outbox.
pub(crate) async fn line(rows: u64, outbox: bool) -> Line {
    let ground = Ground::changing(rows, outbox).await;
    let plan = ground.plan().await;
    let (stop, (told, mut passes)) = (Stop::default(), mpsc::unbounded_channel::<Followed>());
    let follow = Follow {
        every: Duration::from_secs(1),
        look_every: Duration::from_secs(60),
        overlap: Duration::from_secs(1),
        told: Arc::new(move |now| {
            let _ = told.send(*now);
        }),
    };
    let mut progress = |_| {};
    let following = apply::run(ApplyRequest {
        foreign: None,
        plan: &plan,
        source: ground.source.as_ref(),
        store: &ground.store,
        heirloom: "bench",
        stop: stop.clone(),
        check_only: false,
        options: Options { follow: Some(follow), ..Options::default() },
        progress: &mut progress,
    });
    let writing = async {
        // What it was handed down for is not its lag.
        passes.recv().await.unwrap();
        let client = ground.db.database().client().await.unwrap();
        let began = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        for tenth in 0..SECONDS * 10 {
            tick.tick().await;
            let some = CHANGES / 10;
            let sql = format!(
                "update bench.item set body = 'changed {tenth} ' || body, changed = now()
                  where id in (select 1 + (random() * {rows})::bigint from generate_series(1, {some}))"
            );
            client.batch_execute(&sql).await.unwrap();
        }
        tick.tick().await;
        let took = began.elapsed().as_secs_f64();
        stop.ask();
        took
    };
    let (done, took) = tokio::join!(following, writing);
    let followed = done.unwrap().followed.unwrap();
    let lags: Vec<u64> = std::iter::from_fn(|| passes.try_recv().ok()).map(|pass| pass.lag_ms).collect();
    let longest = lags.iter().copied().max().unwrap_or(0);
    ground.close().await;
    let rate = (CHANGES * SECONDS) as f64 / took;
    Line {
        what: if outbox { "lag of --follow, by an outbox" } else { "lag of --follow, by changed_at" },
        found: format!(
            "{:.1} s at most in {} passes, {rate:.0} changes/s, {} rows written, {rows} rows",
            longest as f64 / 1_000.0,
            lags.len(),
            followed.updated
        ),
        bar: "<= 2 s at 1,000 changes/s",
        holds: longest <= 2_000 && rate >= 990.0 && lags.len() >= 5,
    }
}
