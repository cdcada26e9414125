//! Apply: chunk after chunk of a stored plan, each one transaction with its ledger row.
//!
//! A chunk is claimed, read and mapped first, with no connection held; then one transaction in the target checks the
//! fencing token, stages and inserts what is not there and not forgotten, sets rejects aside, and marks the chunk done
//! under the same token. A crash leaves all of it or nothing. A second run finds every chunk's source unchanged and
//! writes nothing. Any number of processes drain one plan; `crew` is one process's share of it.
//!
//! Deliberately absent: any decision that the plan has not announced.

mod chunk;
mod crew;
mod follow;
mod foreign;
mod foresee;
mod gone;
mod item;
mod mark;
mod options;
mod outbox;
mod pace;
mod preflight;
mod proven;
mod retry;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use heirloom_store::Store;
use serde::Serialize;
use tokio::sync::{OnceCell, watch};
use uuid::Uuid;

use crate::error::{MigrateError, Result};
use crate::failpoint::{Failpoints, Point};
use crate::file::Budget;
use crate::ledger::{self, ChunkResult, RunState};
use crate::plan::Plan;
use crate::source::Source;
use crate::target::Foreign;

pub use follow::{Follow, Followed};
pub use foresee::foresee_retry;
pub use gone::Gone;
pub use mark::{Marked, marked, stamp_verified};
pub use options::{LEASE, Manners, Note, Options, Rate, Seat, Waits};
pub(crate) use outbox::{Outbox, obstacles as outbox_obstacles};
pub use outbox::{OutboxSeen, outbox_seen, remove_outbox};
pub use pace::Together;
pub use proven::record_verified;
pub use retry::{Retried, retry};
pub(crate) use write::refused_by_data;

/// A request to stop after the chunk in hand. Clones share it.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Asks to stop.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was asked.
    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked, and no longer than this.
    pub async fn wait(&self, longest: Duration) {
        let mut asked = self.0.subscribe();
        // Whichever comes first: who waits looks himself.
        let _ = tokio::time::timeout(longest, asked.wait_for(|asked| *asked)).await;
    }
}

/// What to apply, from where, to where.
pub struct ApplyRequest<'a> {
    /// The plan, read from its file.
    pub plan: &'a Plan,
    /// The source, opened.
    pub source: &'a dyn Source,
    /// The store, installed.
    pub store: &'a Store,
    /// The target, where it is no store; the store then holds the ledger.
    pub foreign: Option<&'a dyn Foreign>,
    /// Version of this binary.
    pub heirloom: &'a str,
    /// To stop after the chunk in hand.
    pub stop: Stop,
    /// Check everything and write nothing.
    pub check_only: bool,
    /// How to go about it.
    pub options: Options,
    /// Called after each chunk.
    pub progress: &'a mut (dyn FnMut(Progress) + Send),
}

/// How far an apply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows dealt with in this pass.
    pub rows: u64,
    /// Rows the plan counted.
    pub planned_rows: u64,
    /// Rows written in this pass.
    pub written: u64,
    /// Rows set aside so far.
    pub rejected: u64,
    /// Chunks dealt with in this pass.
    pub chunks: u32,
    /// Chunks in the plan.
    pub planned_chunks: u32,
}

/// What an apply did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The run.
    pub run_id: Uuid,
    /// The migration's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// Where the run stands now.
    pub state: RunState,
    /// Rows of the source in the chunks dealt with.
    pub rows: u64,
    /// Rows written in this pass: inserted and updated.
    pub written: u64,
    /// Rows written that were not there.
    pub inserted: u64,
    /// Rows overwritten because the source changed and the store had not.
    pub updated: u64,
    /// Rows handed down again because the store had lost them: their memory was deleted past the store.
    pub restored: u64,
    /// Rows that were there and stay as they are.
    pub present: u64,
    /// Rows forgotten in the store; they stay forgotten.
    pub forgotten: u64,
    /// Rows changed on both sides, or held by the store under the same id for another reason; the store's row stays.
    pub conflicts: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Chunks of the plan.
    pub chunks: u32,
    /// Chunks that are done.
    pub chunks_done: u32,
    /// Whether it stopped because it was asked to.
    pub stopped: bool,
    /// What the source has no longer; looked for only where such rows are to be forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
    /// What came after everything was handed down, where the source was followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
}

/// Everything a chunk needs, checked once.
pub(crate) struct Work<'a> {
    pub(crate) plan: &'a Plan,
    mapper: Arc<item::Mapper>,
    pub(crate) source: &'a dyn Source,
    /// The store; that of the ledger, where the target is another.
    pub(crate) store: &'a Store,
    /// The target, where it is no store.
    pub(crate) foreign: Option<&'a dyn Foreign>,
    pub(crate) origin_source: String,
    /// The expression that gives a source row's version.
    version: Option<String>,
    pub(crate) budget: Budget,
    pub(crate) mark: Option<crate::marker::Mark>,
    /// This process, as the leases name it.
    runner: Uuid,
    lease: Duration,
    waits: Option<Waits>,
    seat: Option<Arc<dyn Seat>>,
    failpoints: Failpoints,
    began: Instant,
    /// Whether the models have a centre, which is seen to once.
    centred: OnceCell<()>,
}

/// Applies a plan, or continues where an earlier apply stopped.
///
/// # Errors
/// [`MigrateError::Plan`] when the plan no longer matches its file, the source or the store; [`MigrateError::Refused`]
/// when the plan itself refuses or the rejects exceed the budget. What was committed before stays, chunk by chunk.
pub async fn run(request: ApplyRequest<'_>) -> Result<Applied> {
    let ApplyRequest { plan, source, store, foreign, heirloom, stop, check_only, options, progress } = request;
    let work = preflight::preflight(plan, source, store, foreign, &options).await?;
    if check_only {
        return check(&work).await;
    }
    if options.alone {
        ledger::ensure(store.database()).await?;
    }
    enter(&work, heirloom).await?;
    if let Some(mark) = &work.mark {
        mark.add_column(&work).await?;
    }
    let records = {
        let client = store.database().client().await?;
        if store.database().is_embedded() {
            // The directory has one owner, so whoever held a lease is gone.
            ledger::release(&client, plan.run_id, None).await?;
        }
        ledger::chunks(&client, plan.run_id).await?
    };
    let following = match &options.follow {
        Some(follow) => Some((follow, follow::Following::new(&work, follow).await?)),
        None => None,
    };
    let (result, mut applied) = crew::Crew::new(&work, &stop, &options, progress).knowing(&records).run(&records).await;
    result?;
    finish(&work, &options, &mut applied).await?;
    if let (Some(budget), false) = (&options.deletes, applied.stopped) {
        applied.gone = Some(gone::gone(&work, Some(budget)).await?);
    }
    if let Some((follow, following)) = following.filter(|_| !applied.stopped) {
        applied.followed = Some(following.keep_up(&work, &stop, &options, follow).await?);
    }
    Ok(applied)
}

/// What comes after rows were written: recall is made ready, and the run moves on.
async fn finish(work: &Work<'_>, options: &Options, applied: &mut Applied) -> Result<()> {
    // After somebody who was killed there may be something to do all the same.
    let idle = applied.written == 0 && work.foreign.is_none() && work.store.is_kept(&work.mapper.allowed).await?;
    if !idle {
        upkeep(work, options).await?;
    }
    move_on(work, applied).await
}

/// Recall ranks what was handed down as it will tomorrow, from the first question on. Nothing to do, nothing written.
async fn upkeep(work: &Work<'_>, options: &Options) -> Result<()> {
    if work.foreign.is_some() {
        return Ok(());
    }
    let kept = if options.alone {
        work.store.upkeep(Some(&work.mapper.allowed)).await?
    } else {
        work.store.upkeep_words(&work.mapper.allowed).await?
    };
    if let Some(note) = &options.note {
        kept.graphs_spilled.iter().for_each(|spilled| note(&format!("Note: {spilled}")));
    }
    Ok(())
}

/// The run moves on.
async fn move_on(work: &Work<'_>, applied: &mut Applied) -> Result<()> {
    applied.chunks_done = {
        let client = work.store.database().client().await?;
        let pending = ledger::pending(&client, work.plan.run_id).await?;
        applied.chunks.saturating_sub(count(usize::try_from(pending).unwrap_or(0)))
    };
    work.failpoints.pass(Point::BeforeSettle).await?;
    applied.state = settle(work, applied).await?;
    work.failpoints.pass(Point::AfterSettle).await
}

/// What [`run`] would check and could while there is no store yet: the plan, its file and its source. Writes nothing.
///
/// # Errors
/// As [`run`].
pub async fn check_without_store(plan: &Plan, source: &dyn Source) -> Result<Applied> {
    preflight::check(plan, source, plan.target.dimension).await?;
    Ok(Applied::new(plan))
}

async fn enter(work: &Work<'_>, heirloom: &str) -> Result<()> {
    let mut client = work.store.database().client().await?;
    let tx = client.transaction().await?;
    ledger::register(&tx, work.plan, heirloom).await?;
    work.failpoints.pass(Point::BeforeRegister).await?;
    tx.commit().await?;
    drop(client);
    work.failpoints.pass(Point::AfterRegister).await
}

/// Moves the run on when its last chunk is done. A verified run that wrote nothing stays verified.
async fn settle(work: &Work<'_>, applied: &Applied) -> Result<RunState> {
    let mut client = work.store.database().client().await?;
    let before = ledger::state_of(&client, work.plan.run_id)
        .await?
        .ok_or_else(|| MigrateError::Ledger(format!("run {} is gone", work.plan.run_id)))?;
    let state = match (applied.chunks_done == applied.chunks, before, applied.written) {
        (true, RunState::Verified, 0) => RunState::Verified,
        (true, _, _) => RunState::Applied,
        (false, _, _) => RunState::Applying,
    };
    let soaks = before.is_soaked_or_later();
    if state != before && (!soaks || applied.written > 0) {
        let tx = client.transaction().await?;
        let details = serde_json::json!({ "written": applied.written, "rejected": applied.rejected });
        ledger::set_state(&tx, work.plan.run_id, state, &details).await?;
        tx.commit().await?;
    }
    // What is caught up with while old and new are watched is told, and no step back.
    Ok(if soaks { before } else { state })
}

/// What is left to do, read-only.
async fn check(work: &Work<'_>) -> Result<Applied> {
    let mut applied = Applied::new(work.plan);
    let client = work.store.database().client().await?;
    if ledger::exists(&client).await?
        && let Some(run) = ledger::find_run(&client, work.plan.run_id).await?
    {
        applied.state = run.state;
        applied.rows = run.rows;
        applied.rejected = run.rejected;
        applied.forgotten = run.forgotten;
        applied.conflicts = run.conflicts;
        // Not inserted and present added up: what one pass inserted is present in the next.
        applied.present = run.rows.saturating_sub(run.rejected + run.forgotten + run.conflicts);
        applied.chunks_done = u32::try_from(run.chunks_done).unwrap_or(u32::MAX);
    }
    Ok(applied)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Applied {
    fn new(plan: &Plan) -> Self {
        Self {
            run_id: plan.run_id,
            name: plan.name.clone(),
            tenant: plan.tenant.clone(),
            state: RunState::Applying,
            rows: 0,
            written: 0,
            inserted: 0,
            updated: 0,
            restored: 0,
            present: 0,
            forgotten: 0,
            conflicts: 0,
            rejected: 0,
            chunks: count(plan.chunks.len()),
            chunks_done: 0,
            stopped: false,
            gone: None,
            followed: None,
        }
    }

    fn add(&mut self, result: &ChunkResult) {
        self.rows += result.rows;
        self.written += result.written();
        self.inserted += result.inserted;
        self.updated += result.updated;
        self.restored += result.restored;
        self.present += result.present;
        self.forgotten += result.forgotten;
        self.conflicts += result.conflicts;
        self.rejected += result.rejected;
    }
}
