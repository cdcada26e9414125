//! The crew of one process: workers that drain the plan's chunks side by side, and the heartbeat of their leases.
//!
//! Every worker claims a chunk, reads and maps it, and commits it; a lone worker reads the next chunk while it writes the
//! one before, and of those that were done before it looks at two at a time. Other processes do the same on the same
//! ledger. A worker that finds nothing to claim while others still hold chunks waits, so that it can take over what they
//! leave behind.
//!
//! Nobody here holds a connection while waiting for another.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::sync::Notify;

use super::chunk::{self, Only, Prepared};
use super::options::{Manners, Note};
use super::pace::Pace;
use super::{Applied, Progress, Stop, Work, count};
use crate::error::{MigrateError, Result};
use crate::failpoint::Point;
use crate::ledger::{self, Beat, ChunkRecord, ChunkResult, Lease};
use crate::plan::PlannedChunk;
use crate::source::Since;

/// How often one worker tries again after losing its connection, in a row.
const ATTEMPTS: u32 = 7;

/// How long to look away while others work, or while something makes us wait.
pub(super) const LOOK: Duration = Duration::from_millis(250);

/// How often a process says how far it is.
const BEAT: Duration = Duration::from_secs(1);

/// The workers of one process.
pub(super) struct Crew<'a> {
    work: &'a Work<'a>,
    stop: &'a Stop,
    manners: &'a Manners,
    note: Option<&'a Note>,
    workers: usize,
    pace: Mutex<Pace>,
    state: Mutex<State<'a>>,
    again: Again<'a>,
    /// A worker failed: the others finish what they have in hand.
    failed: AtomicBool,
    /// Something was claimed, so that there is something to tell.
    at_work: AtomicBool,
    /// The next of the chunks that were done before.
    next_done: AtomicUsize,
    /// A chunk of this process ended, well or not: who waits for it looks again at once.
    ended: Notify,
    /// How many chunks were not done when this began; absent where nobody counted them all.
    undone: Option<usize>,
    /// Of these, how many this process claimed, and how many it committed.
    claimed: AtomicUsize,
    committed: AtomicUsize,
}

struct State<'a> {
    applied: Applied,
    progress: &'a mut (dyn FnMut(Progress) + Send),
    bytes: u64,
    chunks: u32,
    waiting: Option<String>,
}

/// What becomes of chunks that are done.
#[derive(Clone, Copy)]
pub(super) enum Again<'a> {
    /// They are compared, and dealt with again where something changed.
    Compare,
    /// They are dealt with again: something changed.
    Whole,
    /// What changed in them since is dealt with.
    Since(&'a Since),
    /// Their rows of these keys are dealt with.
    Keys(&'a Keyed),
}

/// Keys by the chunk they lie in, and which of these chunks were dealt with.
#[derive(Default)]
pub(super) struct Keyed {
    pub(super) keys: HashMap<u32, Vec<Vec<String>>>,
    dealt: Mutex<HashSet<u32>>,
}

impl Keyed {
    /// The chunks that were dealt with; others were at work on the rest.
    pub(super) fn dealt(self) -> HashSet<u32> {
        self.dealt.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a worker has next.
enum Next {
    Chunk(Prepared),
    /// Others hold what is left.
    Others,
    Nothing,
}

/// A step that failed, and the lease it was under, which is still ours.
struct Failed {
    error: MigrateError,
    lease: Option<Lease>,
}

impl<'a> Crew<'a> {
    pub(super) fn new(
        work: &'a Work<'a>,
        stop: &'a Stop,
        options: &'a super::Options,
        progress: &'a mut (dyn FnMut(Progress) + Send),
    ) -> Self {
        Self {
            work,
            stop,
            manners: &options.manners,
            note: options.note.as_ref(),
            workers: workers(work, options.workers),
            pace: Mutex::new(Pace::of(options)),
            state: Mutex::new(State { applied: Applied::new(work.plan), progress, bytes: 0, chunks: 0, waiting: None }),
            again: Again::Compare,
            failed: AtomicBool::new(false),
            at_work: AtomicBool::new(false),
            next_done: AtomicUsize::new(0),
            ended: Notify::new(),
            undone: None,
            claimed: AtomicUsize::new(0),
            committed: AtomicUsize::new(0),
        }
    }

    /// Knows every chunk of the plan: the ledger is not asked for more of them than there are.
    pub(super) fn knowing(self, all: &[ChunkRecord]) -> Self {
        Self { undone: Some(all.iter().filter(|record| !record.done).count()), ..self }
    }

    /// Whether so many of the chunks that were not done are all of them.
    fn are_all(&self, counted: &AtomicUsize) -> bool {
        self.undone.is_some_and(|undone| counted.load(Ordering::SeqCst) >= undone)
    }

    /// How it deals with chunks that are done.
    pub(super) fn dealing(self, again: Again<'a>) -> Self {
        Self { again, ..self }
    }

    /// Drains what is not done, then looks again at what was done before this began.
    pub(super) async fn run(self, records: &[ChunkRecord]) -> (Result<()>, Applied) {
        let done: Vec<&ChunkRecord> = records.iter().filter(|record| record.done).collect();
        let work = async {
            let all = join_all((0..self.workers).map(|_| self.worker(&done))).await;
            all.into_iter().find(Result::is_err).unwrap_or(Ok(()))
        };
        let result = tokio::select! {
            result = work => result,
            never = self.heartbeat() => match never {},
        };
        self.leave().await;
        let stopped = self.stop.asked();
        let mut applied = self.state.into_inner().unwrap_or_else(PoisonError::into_inner).applied;
        applied.stopped = stopped;
        (result, applied)
    }

    async fn worker(&self, done: &[&ChunkRecord]) -> Result<()> {
        self.told(self.drain()).await?;
        let dealing = tokio::sync::Mutex::new(());
        let look = || Box::pin(self.told(self.look_again(done, &dealing)));
        match self.alone() {
            true => {
                let (one, other) = join(look(), look()).await;
                one.and(other)
            }
            false => look().await,
        }
    }

    /// A failure stops the others as well, once they are done with what they have in hand.
    async fn told(&self, step: impl Future<Output = Result<()>>) -> Result<()> {
        let result = step.await;
        if result.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        result
    }

    /// Whether one worker has connections for two things at a time.
    fn alone(&self) -> bool {
        self.workers == 1 && self.work.store.database().pool_size() > 2
    }

    fn halted(&self) -> bool {
        self.stop.asked() || self.failed.load(Ordering::SeqCst)
    }

    /// Claims, reads and commits until nothing is left. A lone worker reads ahead.
    async fn drain(&self) -> Result<()> {
        let ahead = self.alone();
        let (mut ready, mut owed, mut failures): (Option<Prepared>, Vec<Lease>, u32) = (None, Vec::new(), 0);
        loop {
            // Made before the ledger is asked, so that what ends in between is not missed.
            let ended = self.ended.notified();
            let (written, next) = match ready.take() {
                Some(prepared) if ahead && !self.halted() && owed.is_empty() && !self.are_all(&self.claimed) => {
                    let (written, next) = join(self.commit(prepared), self.next(None)).await;
                    (Some(written), Some(next))
                }
                Some(prepared) => (Some(self.commit(prepared).await), None),
                None if self.halted() => return Ok(()),
                None => (None, Some(self.next(owed.pop()).await)),
            };
            if let Some(Err(failed)) = written {
                self.forgive(failed, &mut owed, &mut failures).await?;
            }
            match next {
                None => {}
                Some(Ok(Next::Chunk(prepared))) => {
                    failures = 0;
                    ready = Some(prepared);
                }
                // Other processes do not tell us: they are looked at.
                Some(Ok(Next::Others)) => drop(tokio::time::timeout(LOOK, ended).await),
                Some(Ok(Next::Nothing)) if owed.is_empty() => return Ok(()),
                Some(Ok(Next::Nothing)) => {}
                Some(Err(failed)) => self.forgive(failed, &mut owed, &mut failures).await?,
            }
        }
    }

    /// After a lost connection: waits a little longer each time, and keeps the lease to do the chunk again.
    async fn forgive(&self, failed: Failed, owed: &mut Vec<Lease>, failures: &mut u32) -> Result<()> {
        if !failed.error.is_transient() || *failures >= ATTEMPTS || self.stop.asked() {
            return Err(failed.error);
        }
        *failures += 1;
        tracing::warn!(attempt = *failures, error = %failed.error, "a chunk is tried again");
        tokio::time::sleep(Duration::from_millis(100 << *failures)).await;
        owed.extend(failed.lease);
        Ok(())
    }

    /// The next chunk, read and mapped: the one that is owed, else one that can be claimed.
    async fn next(&self, owed: Option<Lease>) -> std::result::Result<Next, Failed> {
        let bare = |error| Failed { error, lease: None };
        let lease = match owed {
            Some(lease) => lease,
            None => {
                if self.are_all(&self.committed) {
                    return Ok(Next::Nothing);
                }
                self.wait_for_others().await.map_err(bare)?;
                if self.halted() {
                    return Ok(Next::Nothing);
                }
                match self.claim().await.map_err(bare)? {
                    Some(lease) => lease,
                    None => return self.nothing_to_claim().await.map_err(bare),
                }
            }
        };
        chunk::prepare(self.work, lease, Only::Every)
            .await
            .map(Next::Chunk)
            .map_err(|error| Failed { error, lease: Some(lease) })
    }

    async fn claim(&self) -> Result<Option<Lease>> {
        self.work.failpoints.pass(Point::BeforeClaim).await?;
        let lease = {
            let client = self.work.store.database().client().await?;
            ledger::claim(&client, self.work.plan.run_id, self.work.runner, self.work.lease, None).await?
        };
        if let Some(lease) = lease {
            tracing::info!(chunk = lease.ordinal, fence = lease.fence, "a chunk was claimed");
            self.at_work.store(true, Ordering::SeqCst);
            self.claimed.fetch_add(1, Ordering::SeqCst);
            self.work.failpoints.pass(Point::AfterClaim).await?;
        }
        Ok(lease)
    }

    async fn nothing_to_claim(&self) -> Result<Next> {
        let client = self.work.store.database().client().await?;
        let left = ledger::pending(&client, self.work.plan.run_id).await?;
        Ok(if left > 0 { Next::Others } else { Next::Nothing })
    }

    async fn commit(&self, prepared: Prepared) -> std::result::Result<(), Failed> {
        let (lease, bytes) = (prepared.lease, prepared.items.iter().map(|item| item.bytes).sum());
        let committed = chunk::commit(self.work, prepared, &self.pace).await;
        self.ended.notify_waiters();
        match committed {
            Ok(Some(result)) => {
                self.committed.fetch_add(1, Ordering::SeqCst);
                let ChunkResult { rows, inserted, updated, present, rejected, conflicts, .. } = result;
                let chunk = lease.ordinal;
                tracing::info!(chunk, rows, inserted, updated, present, rejected, conflicts, "a chunk was committed");
                self.done(&result, bytes);
            }
            Ok(None) => {
                tracing::warn!(chunk = lease.ordinal, "another runner has taken the chunk; nothing was written")
            }
            Err(error) => return Err(Failed { error, lease: Some(lease) }),
        }
        Ok(())
    }

    /// Chunks that were done before: read again, written only where something changed. A lone worker looks at two at a
    /// time and deals with one.
    async fn look_again(&self, done: &[&ChunkRecord], dealing: &tokio::sync::Mutex<()>) -> Result<()> {
        let mut failures = 0;
        while let Some(record) = done.get(self.next_done.fetch_add(1, Ordering::SeqCst)) {
            let Some(chunk) = self.work.plan.chunks.get(record.ordinal as usize) else { continue };
            loop {
                if self.halted() {
                    return Ok(());
                }
                self.wait_for_others().await?;
                match self.once_more(chunk, record, dealing).await {
                    Ok(result) => {
                        self.done(&result.unwrap_or_default(), chunk.bytes);
                        break;
                    }
                    Err(error) => self.forgive(Failed { error, lease: None }, &mut Vec::new(), &mut failures).await?,
                }
            }
        }
        Ok(())
    }

    async fn once_more(
        &self,
        chunk: &PlannedChunk,
        record: &ChunkRecord,
        dealing: &tokio::sync::Mutex<()>,
    ) -> Result<Option<ChunkResult>> {
        let only = match self.again {
            Again::Compare => {
                if let Some(result) = chunk::unchanged(self.work, chunk, record).await? {
                    return Ok(Some(result));
                }
                Only::Every
            }
            Again::Whole => Only::Every,
            Again::Since(since) => Only::Since(since),
            Again::Keys(keyed) => Only::Keys(keyed.keys.get(&chunk.ordinal).map_or(&[], Vec::as_slice)),
        };
        let _one = dealing.lock().await;
        self.at_work.store(true, Ordering::SeqCst);
        let result = chunk::again(self.work, chunk, only, &self.pace).await?;
        if let (Again::Keys(keyed), Some(_)) = (self.again, &result) {
            keyed.dealt.lock().unwrap_or_else(PoisonError::into_inner).insert(chunk.ordinal);
        }
        Ok(result)
    }

    fn done(&self, result: &ChunkResult, bytes: u64) {
        let mut state = self.state();
        state.applied.add(result);
        state.bytes += bytes;
        state.chunks += 1;
        let progress = Progress {
            rows: state.applied.rows,
            planned_rows: self.work.plan.counts.rows,
            written: state.applied.written,
            rejected: state.applied.rejected,
            chunks: state.chunks,
            planned_chunks: state.applied.chunks,
        };
        (state.progress)(progress);
    }

    fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the file or the server says so, and lets it be known why.
    async fn wait_for_others(&self) -> Result<()> {
        while !self.halted() {
            let reason = self.reason_to_wait().await?.or_else(|| self.has_no_seat());
            let changed = {
                let mut state = self.state();
                let changed = state.waiting != reason;
                state.waiting.clone_from(&reason);
                changed
            };
            if changed {
                tracing::info!(reason = reason.as_deref(), "waiting, or going on where there is no reason");
            }
            if let (true, Some(note)) = (changed, self.note) {
                note(reason.as_deref().map_or_else(|| "Going on".to_owned(), |why| format!("Waiting: {why}")).as_str());
            }
            if let (true, Some(waits)) = (changed || reason.is_some(), &self.work.waits) {
                waits(reason.as_deref());
            }
            match reason {
                None => return Ok(()),
                Some(_) => tokio::time::sleep(LOOK).await,
            }
        }
        Ok(())
    }

    /// A reason to wait that goes when others at work come to their end; none for who left no place.
    fn has_no_seat(&self) -> Option<String> {
        let seat = self.work.seat.as_ref().filter(|_| self.waits())?;
        (!seat.take()).then(|| "as many as may be are at work".to_owned())
    }

    /// A pause may last for as long as somebody likes: others have the place meanwhile, and sessions of the source as well.
    fn pauses(&self) {
        if let Some(seat) = &self.work.seat {
            seat.leave();
            self.work.source.let_go();
        }
    }

    async fn reason_to_wait(&self) -> Result<Option<String>> {
        if let Some(reason) = self.manners.pauses() {
            self.pauses();
            return Ok(Some(reason));
        }
        if !self.manners.asks() || self.work.store.database().is_embedded() {
            return Ok(None);
        }
        let client = self.work.store.database().client().await?;
        let busy = ledger::busy(&client).await?;
        let over = |found: u64, most: Option<u64>| most.is_some_and(|most| found > most);
        Ok(if over(busy.lag, self.manners.lag_bytes) {
            Some(format!("a replica lags {} bytes behind", busy.lag))
        } else if over(busy.waiting, self.manners.lock_waits) {
            Some(format!("{} sessions wait for a lock", busy.waiting))
        } else if over(busy.active, self.manners.active) {
            Some(format!("{} other sessions are at work", busy.active))
        } else {
            None
        })
    }

    /// Renews the leases and says how far this process is, for as long as it is polled.
    async fn heartbeat(&self) -> std::convert::Infallible {
        let renewal = self.work.lease / 3;
        let mut renewed = std::time::Instant::now();
        loop {
            tokio::time::sleep(BEAT.min(renewal)).await;
            if self.work.store.database().is_embedded() || !(self.at_work.load(Ordering::SeqCst) || self.waits()) {
                continue;
            }
            let renew = renewed.elapsed() >= renewal;
            if let Err(error) = self.beat(renew).await {
                tracing::warn!(%error, "a heartbeat was missed");
            } else if renew {
                renewed = std::time::Instant::now();
            }
        }
    }

    fn waits(&self) -> bool {
        self.state().waiting.is_some()
    }

    async fn beat(&self, renew: bool) -> Result<()> {
        let beat = {
            let state = self.state();
            Beat {
                runner: self.work.runner,
                run_id: self.work.plan.run_id,
                workers: self.workers,
                rows: state.applied.rows,
                bytes: state.bytes,
                waiting: state.waiting.clone(),
            }
        };
        if renew {
            self.work.failpoints.pass(Point::BeforeRenew).await?;
        }
        let client = self.work.store.database().client().await?;
        if renew {
            ledger::renew(&client, self.work.plan.run_id, self.work.runner, self.work.lease).await?;
            self.work.failpoints.pass(Point::AfterRenew).await?;
        }
        ledger::beat(&client, &beat).await
    }

    /// Gives back what is still held. What cannot be given back runs out.
    async fn leave(&self) {
        if !self.at_work.load(Ordering::SeqCst) && self.work.store.database().is_embedded() {
            return;
        }
        let left = async {
            let client = self.work.store.database().client().await?;
            if ledger::knows_runner(&client, self.work.plan.run_id, self.work.runner).await? {
                ledger::release(&client, self.work.plan.run_id, Some(self.work.runner)).await?;
                ledger::leave(&client, self.work.plan.run_id, self.work.runner).await?;
            }
            Ok::<(), MigrateError>(())
        };
        if let Err(error) = left.await {
            tracing::warn!(%error, "the leases were not given back and will run out");
        }
    }
}

/// How many chunks at a time: what was asked for, else as many as keep the processors busy. The embedded engine has a single
/// connection.
fn workers(work: &Work<'_>, asked: Option<usize>) -> usize {
    let database = work.store.database();
    if database.is_embedded() {
        return 1;
    }
    let workers = asked.unwrap_or_else(|| database.at_once());
    workers.clamp(1, count(work.plan.chunks.len()).max(1) as usize)
}
