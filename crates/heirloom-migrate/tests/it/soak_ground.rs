//! The ground of the soak tests: a legacy table handed down and verified, and a clock that is moved by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use heirloom_migrate::Result;
use heirloom_migrate::audit::Head;
use heirloom_migrate::audit::anchor::Outside;
use heirloom_migrate::clock::Clock;
use heirloom_migrate::failpoint::Failpoints;
use heirloom_migrate::ledger::{self, RunState};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::retire::{self, Retirement, Unretired};
use heirloom_migrate::soak::{self, Started, Sweep, Task};
use serde_json::json;

use crate::support::Ground;

pub(crate) const DAY: i64 = 86_400;

pub(crate) fn legacy(rows: u32) -> String {
    format!(
        "create table note (id bigint primary key, author text, body text, made timestamptz not null);
         insert into note select g, 'agent-' || g % 3, 'note ' || g, timestamptz '2026-01-01' + g * interval '1 minute'
         from generate_series(1, {rows}) g;"
    )
}

const FILE: &str = r#"
name = "notes"
[source]
url = "store"
table = "note"
changed_at = "made"
[namespace]
template = "custom:{author}"
[map]
content = "body"
kind = { value = "fact" }
state = { value = "candidate" }
created_at = "made"
[reject]
budget = "1"
[soak]
days = DAYS
[retire]
grace = 7
"#;

/// The migration file, with a soak of so many days.
pub(crate) fn file(days: u32) -> String {
    FILE.replace("DAYS", &days.to_string())
}

/// A migration under watch.
pub(crate) struct Watched {
    pub(crate) ground: Ground,
    pub(crate) plan: Plan,
    pub(crate) clock: Clock,
    pub(crate) seconds: Arc<AtomicI64>,
    pub(crate) anchor: Option<Head>,
    /// The file of the head, where it should be and is not.
    pub(crate) lost: Option<PathBuf>,
    pub(crate) program: &'static str,
    pub(crate) failpoints: Failpoints,
    dir: tempfile::TempDir,
}

impl Watched {
    /// Handed down, verified, not soaking yet.
    pub(crate) async fn verified(legacy: &str, chunk_rows: u64, days: u32) -> Self {
        let ground = Ground::new(legacy).await;
        let plan = ground.plan(&file(days), chunk_rows).await.unwrap();
        ground.apply(&plan).await.unwrap();
        let watched = Self::of(ground, plan);
        watched.record().await;
        watched
    }

    /// The same with a file of queries.
    pub(crate) async fn with_shadow(legacy: &str, queries: &std::path::Path) -> Self {
        let ground = Ground::new(legacy).await;
        let days = format!("2\nshadow = '{}'", queries.display());
        let plan = ground.plan(&FILE.replace("DAYS", &days), 7).await.unwrap();
        ground.apply(&plan).await.unwrap();
        let watched = Self::of(ground, plan);
        watched.record().await;
        watched
    }

    pub(crate) fn of(ground: Ground, plan: Plan) -> Self {
        // After everything that the database's own clock has stamped, at the same time of every day.
        let noon = (jiff::Timestamp::now().as_second() / DAY + 1) * DAY + DAY / 2;
        let seconds = Arc::new(AtomicI64::new(noon));
        let clock = Clock::simulated(seconds.clone());
        let dir = tempfile::tempdir().unwrap();
        let (program, failpoints) = (ledger::PROGRAM, Failpoints::default());
        Self { ground, plan, clock, seconds, anchor: None, lost: None, program, failpoints, dir }
    }

    /// Soaking, with a clean first sweep.
    pub(crate) async fn soaking(legacy: &str, chunk_rows: u64, days: u32) -> Self {
        let mut watched = Self::verified(legacy, chunk_rows, days).await;
        watched.start(false).await.unwrap();
        assert!(watched.sweep(false).await.unwrap().record.clean);
        watched
    }

    /// Swept every day until it is over.
    pub(crate) async fn soaked(legacy: &str, chunk_rows: u64, days: u32) -> Self {
        let mut watched = Self::soaking(legacy, chunk_rows, days).await;
        for _ in 0..days {
            watched.pass(DAY);
            assert!(watched.sweep(false).await.unwrap().record.clean);
        }
        watched
    }

    /// Verifies and writes that down.
    pub(crate) async fn record(&self) {
        let verification = self.ground.verify(&self.plan).await.unwrap();
        assert!(verification.holds, "{:#?}", verification.differences);
        let mut client = self.ground.db.database().client().await.unwrap();
        let tx = client.transaction().await.unwrap();
        let details = json!({ "equal": verification.equal });
        ledger::set_state(&tx, self.plan.run_id, RunState::Verified, &details).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn task(&self, check_only: bool) -> Task<'_> {
        Task {
            plan: &self.plan,
            source: self.ground.source.as_ref(),
            store: &self.ground.store,
            clock: &self.clock,
            program: self.program,
            anchor: self.outside(),
            check_only,
            shadow: None,
            failpoints: &self.failpoints,
        }
    }

    fn outside(&self) -> Outside<'_> {
        match (&self.anchor, &self.lost) {
            (Some(head), _) => Outside::Known(head),
            (None, Some(path)) => Outside::Missing(path),
            (None, None) => Outside::Elsewhere,
        }
    }

    pub(crate) async fn start(&mut self, restart: bool) -> Result<Started> {
        let started = soak::start(&self.task(false), restart).await?;
        self.anchor.clone_from(&started.head);
        Ok(started)
    }

    pub(crate) async fn sweep(&mut self, full: bool) -> Result<Sweep> {
        let sweep = soak::sweep(&self.task(false), full, &mut |_, _| {}).await?;
        self.anchor.clone_from(&sweep.head);
        Ok(sweep)
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        retire::path_for(&self.dir.path().join("notes.plan.json"), &self.plan, None)
    }

    pub(crate) async fn retire(&mut self) -> Result<Retirement> {
        let done = retire::retire(&self.task(false), &self.manifest(), &mut |_, _| {}).await?;
        self.anchor.clone_from(&done.head);
        Ok(done)
    }

    /// What `retire` would do.
    pub(crate) async fn would_retire(&self) -> Result<Retirement> {
        retire::retire(&self.task(true), &self.manifest(), &mut |_, _| {}).await
    }

    pub(crate) async fn unretire(&mut self) -> Result<Unretired> {
        self.unretire_without(&[]).await
    }

    /// The same, without what roles that are gone had.
    pub(crate) async fn unretire_without(&mut self, without: &[String]) -> Result<Unretired> {
        let back = retire::unretire(&self.task(false), &self.manifest(), without).await?;
        self.anchor.clone_from(&back.head);
        Ok(back)
    }

    /// The names of the gates that are short.
    pub(crate) async fn short(&self) -> Vec<String> {
        let would = self.would_retire().await.unwrap();
        would.gates.into_iter().filter(|gate| !gate.met).map(|gate| gate.id).collect()
    }

    /// Behind the store's back, with no trigger of ours to see it.
    pub(crate) async fn tamper(&self, sql: &str) {
        self.ground.sql(&format!("begin; set local session_replication_role = replica; {sql}; commit")).await;
    }

    /// The days of the calendar, as of now.
    pub(crate) async fn days(&self) -> Vec<soak::Day> {
        let client = self.ground.db.database().client().await.unwrap();
        let run = ledger::find_run(&client, self.plan.run_id).await.unwrap().unwrap();
        soak::status(&client, &run, self.clock.now()).await.unwrap().calendar.days
    }

    pub(crate) async fn state(&self) -> String {
        self.ground.one("select state from heirloom_migrate.run").await
    }

    pub(crate) async fn close(self) {
        self.ground.close().await;
    }
}
