//! Follow: once everything is handed down, what changes at the source follows, until somebody asks to stop.
//!
//! A quick pass reads what changed by the column of change times, from a horizon that overlaps with the pass before. No
//! column tells everything: rows that were deleted, rows whose time was not set, transactions longer than the overlap. So
//! every now and then comes a whole look, which compares the version of every row with the one seen last, without reading
//! values, and deals again with the chunks that differ. Without a column of change times every pass is a whole look.
//!
//! Where the file lets it, triggers at the source note every key that is written (`outbox`), and a quick pass deals with what
//! they noted, deletes among it; the whole look then only guards against what goes past triggers.
//!
//! All go through the leases of `crew`, so several processes may follow one source. A database that does not answer is
//! waited for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use uuid::Uuid;

use super::crew::{Again, Crew, Keyed};
use super::gone::{Gone, gone, gone_of};
use super::outbox::{Batch, Outbox, trim};
use super::{Applied, Options, Progress, Stop, Work, move_on, upkeep};
use crate::digest::DigestSum;
use crate::error::Result;
use crate::file::MigrationFile;
use crate::ledger::{self, Beat, ChunkRecord};
use crate::source::{Column, KeyRange, Read, Since, narrow, versions};

/// Longest time between two tries while a database does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A whole look takes at most one part in so many of the time.
const SHARE: u32 = 4;

/// How to follow.
#[derive(Clone)]
pub struct Follow {
    /// Between two passes.
    pub every: Duration,
    /// Between two whole looks.
    pub look_every: Duration,
    /// How far a pass reaches back behind the newest change there was before it.
    pub overlap: Duration,
    /// Called after each pass with what all of them came to.
    pub told: Arc<dyn Fn(&Followed) + Send + Sync>,
}

/// What following came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Followed {
    /// Passes that nobody cut short, whole looks among them.
    pub passes: u64,
    /// Whole looks.
    pub looks: u64,
    /// Rows that were new.
    pub inserted: u64,
    /// Rows overwritten because the source changed and the store had not.
    pub updated: u64,
    /// Rows handed down again because the store had lost them.
    pub restored: u64,
    /// Rows that are set aside by now, in the whole migration.
    pub open_rejects: u64,
    /// What the source had no longer at the last whole look, and how many were forgotten for it in all.
    pub gone: Gone,
    /// Milliseconds from a change at the source to its row in the store, at most, in the last pass.
    pub lag_ms: u64,
    /// The same in the slowest pass.
    pub longest_lag_ms: u64,
}

/// What is known of the source before the first row is read, so that nothing falls in between.
pub(super) struct Following {
    /// Where the source notes its changes, when the file lets it.
    outbox: Option<Outbox>,
    column: Option<Column>,
    since: Option<Since>,
    /// How the rows look that changed since, a chunk; what looks as it did when it was dealt with is left alone.
    changes: HashMap<u32, DigestSum>,
    /// When the source was asked what `since` says.
    asked: Instant,
    looked: Instant,
    look_took: Duration,
    /// Whether the source has noted more than the last pass took.
    waiting: bool,
    /// Whether anything was written since the store was last kept up.
    written: bool,
    total: Followed,
}

impl Following {
    pub(super) async fn new(work: &Work<'_>, follow: &Follow) -> Result<Self> {
        let file = MigrationFile::parse(&work.plan.file.path, &work.plan.file.text)?;
        let named = file.source.changed_at.as_ref().map(|name| name.value.clone());
        let column = work.plan.source.table.columns.iter().find(|column| Some(&column.name) == named.as_ref()).cloned();
        let outbox = Outbox::of(&file, work.plan, work.store.meta().store_id);
        if let Some(outbox) = &outbox {
            outbox.begin(work.source, &work.failpoints).await?;
        }
        let mut following = Self {
            column: column.filter(|_| outbox.is_none()),
            outbox,
            since: None,
            changes: HashMap::new(),
            asked: Instant::now(),
            looked: Instant::now(),
            look_took: Duration::ZERO,
            waiting: false,
            written: false,
            total: Followed::default(),
        };
        following.since = following.horizon(work, follow).await?;
        if let Some(since) = &following.since {
            following.changes = changes(work, since).await?;
        }
        Ok(following)
    }

    async fn horizon(&self, work: &Work<'_>, follow: &Follow) -> Result<Option<Since>> {
        match &self.column {
            Some(column) => work.source.horizon(&work.plan.source.relation, column, follow.overlap).await,
            None => Ok(None),
        }
    }

    /// Passes until it is asked to stop. What the first hand-down came to is not in the result.
    ///
    /// # Errors
    /// As [`super::run`], but for a database that does not answer.
    pub(super) async fn keep_up(
        self,
        work: &Work<'_>,
        stop: &Stop,
        options: &Options,
        follow: &Follow,
    ) -> Result<Followed> {
        let followed = self.passes(work, stop, options, follow).await;
        let left = async {
            let client = work.store.database().client().await?;
            ledger::leave(&client, work.plan.run_id, work.runner).await
        };
        if let Err(error) = left.await {
            tracing::warn!(%error, "that following has ended could not be written down; it will be seen by its silence");
        }
        followed
    }

    /// Says that somebody follows, so that a comparison knows whom to wait for, and `status` shows it.
    async fn beat(&self, work: &Work<'_>) -> Result<()> {
        let rows = self.total.inserted + self.total.updated + self.total.restored;
        let (runner, run_id) = (work.runner, work.plan.run_id);
        let client = work.store.database().client().await?;
        ledger::beat(&client, &Beat { runner, run_id, workers: 1, rows, bytes: 0, waiting: None }).await
    }

    async fn passes(mut self, work: &Work<'_>, stop: &Stop, options: &Options, follow: &Follow) -> Result<Followed> {
        let mut failures = 0_u32;
        self.beat(work).await?;
        while !stop.asked() {
            let began = Instant::now();
            let passed = match self.pass(work, stop, options, follow).await {
                // Its crew leaves when it is done.
                Ok(()) => self.beat(work).await,
                Err(error) => Err(error),
            };
            let pause = match passed {
                Ok(()) => {
                    if let (true, Some(note)) = (failures > 0, &options.note) {
                        note("Going on");
                    }
                    failures = 0;
                    (follow.told)(&self.total);
                    // From one beginning to the next, because what comes meanwhile waits for both.
                    let rest = follow.every.saturating_sub(began.elapsed());
                    match (&self.outbox, &self.since) {
                        _ if self.waiting => Duration::ZERO,
                        (None, None) => follow.every.max(self.look_took * (SHARE - 1)),
                        _ => rest,
                    }
                }
                Err(error) if error.is_transient() => {
                    if let (0, Some(note)) = (failures, &options.note) {
                        note(&format!("Waiting: {error}"));
                    }
                    failures += 1;
                    PATIENCE.min(Duration::from_millis(250 << failures.min(10)))
                }
                Err(error) => return Err(error),
            };
            stop.wait(pause).await;
        }
        self.keep_up_the_store(work, options).await?;
        Ok(self.total)
    }

    /// Counting words and looking at the planner's statistics takes longer than a pass.
    async fn keep_up_the_store(&mut self, work: &Work<'_>, options: &Options) -> Result<()> {
        if std::mem::take(&mut self.written) {
            upkeep(work, options).await?;
        }
        Ok(())
    }

    async fn pass(&mut self, work: &Work<'_>, stop: &Stop, options: &Options, follow: &Follow) -> Result<()> {
        let asked = Instant::now();
        let due = self.looked.elapsed() >= follow.look_every;
        let batch = match &self.outbox {
            Some(outbox) => Some(outbox.read(work.source, &work.failpoints).await?),
            None => None,
        };
        self.waiting = batch.as_ref().is_some_and(|batch| batch.full);
        match batch {
            Some(batch) if !due && !batch.whole => self.by_outbox(work, stop, options, batch).await?,
            batch => {
                self.by_comparing(work, stop, options, follow, due).await?;
                if let (Some(batch), false) = (batch, stop.asked()) {
                    trim(work.source, &batch.outbox, &batch.all(), &work.failpoints).await?;
                }
            }
        }
        if !stop.asked() {
            self.total.passes += 1;
        }
        self.total.lag_ms = u64::try_from(self.asked.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.total.longest_lag_ms = self.total.longest_lag_ms.max(self.total.lag_ms);
        if !self.waiting {
            self.asked = asked;
        }
        Ok(())
    }

    /// Deals with the rows whose keys the source has noted, and removes what was dealt with from there.
    async fn by_outbox(&mut self, work: &Work<'_>, stop: &Stop, options: &Options, batch: Batch) -> Result<()> {
        let Batch { outbox, entries, deleted, .. } = batch;
        if entries.is_empty() {
            return Ok(());
        }
        let mut numbers: HashMap<Vec<String>, Vec<i64>> = HashMap::new();
        for (number, key) in entries {
            numbers.entry(key.unwrap_or_default()).or_default().push(number);
        }
        let keys: Vec<Vec<String>> = numbers.keys().cloned().collect();
        let all = KeyRange::default();
        let ranges: Vec<&KeyRange> = work.plan.chunks.iter().map(|chunk| &chunk.range).collect();
        let places = work.source.places(&work.reading(&all), &keys, &ranges).await?;
        let (mut keyed, mut of) = (Keyed::default(), HashMap::new());
        for (key, place) in keys.into_iter().zip(places) {
            let Some(chunk) = work.plan.chunks.get(place) else { continue };
            of.insert(key.clone(), chunk.ordinal);
            keyed.keys.entry(chunk.ordinal).or_default().push(key);
        }
        let records = self.records(work).await?;
        let chosen: Vec<ChunkRecord> =
            records.into_iter().filter(|record| keyed.keys.contains_key(&record.ordinal)).collect();
        self.deal(work, stop, options, Again::Keys(&keyed), &chosen).await?;
        if let Some(budget) = options.deletes.as_ref().filter(|_| !deleted.is_empty()) {
            let ids = missing(work, deleted).await?;
            self.total.gone.forgotten += gone_of(work, &ids, budget).await?.forgotten;
        }
        let dealt = keyed.dealt();
        let done: Vec<i64> = numbers
            .into_iter()
            .filter(|(key, _)| of.get(key).is_none_or(|ordinal| dealt.contains(ordinal)))
            .flat_map(|(_, numbers)| numbers)
            .collect();
        trim(work.source, &outbox, &done, &work.failpoints).await
    }

    /// Deals with what changed by the column of change times, or with what looks otherwise than it did.
    async fn by_comparing(
        &mut self,
        work: &Work<'_>,
        stop: &Stop,
        options: &Options,
        follow: &Follow,
        due: bool,
    ) -> Result<()> {
        let asked = Instant::now();
        let next = self.horizon(work, follow).await?;
        let records = self.records(work).await?;
        let since = self.since.clone().filter(|_| !due);
        let changes = match &since {
            Some(since) => Some(changes(work, since).await?),
            None => None,
        };
        let chosen = match &changes {
            Some(changes) => self.changed(changes, records),
            None => differing(work, records).await?,
        };
        if !chosen.is_empty() {
            let again = match &since {
                Some(since) => Again::Since(since),
                None if work.version.is_some() => Again::Whole,
                None => Again::Compare,
            };
            self.deal(work, stop, options, again, &chosen).await?;
        }
        if since.is_none() && !stop.asked() {
            self.keep_up_the_store(work, options).await?;
            if !chosen.is_empty() || self.total.looks == 0 {
                let found = gone(work, options.deletes.as_ref()).await?;
                self.total.gone.rows = found.rows - found.forgotten;
                self.total.gone.forgotten += found.forgotten;
            }
            self.total.looks += 1;
            self.look_took = asked.elapsed();
            self.looked = Instant::now();
        }
        self.since = next;
        self.changes = changes.unwrap_or_else(|| std::mem::take(&mut self.changes));
        Ok(())
    }

    async fn records(&self, work: &Work<'_>) -> Result<Vec<ChunkRecord>> {
        let client = work.store.database().client().await?;
        ledger::chunks(&client, work.plan.run_id).await
    }

    async fn deal(
        &mut self,
        work: &Work<'_>,
        stop: &Stop,
        options: &Options,
        again: Again<'_>,
        chosen: &[ChunkRecord],
    ) -> Result<()> {
        let mut unseen = |_: Progress| {};
        let (result, mut applied) = Crew::new(work, stop, options, &mut unseen).dealing(again).run(chosen).await;
        // What was done before it failed stays done.
        self.add(&applied);
        result?;
        let client = work.store.database().client().await?;
        self.total.open_rejects = ledger::find_run(&client, work.plan.run_id).await?.map_or(0, |run| run.open);
        drop(client);
        if applied.written > 0 {
            move_on(work, &mut applied).await?;
        }
        Ok(())
    }

    /// The chunks in which rows changed that were not dealt with as they look now.
    fn changed(&self, changes: &HashMap<u32, DigestSum>, records: Vec<ChunkRecord>) -> Vec<ChunkRecord> {
        let is_new = |record: &ChunkRecord| {
            changes.get(&record.ordinal).is_some_and(|now| self.changes.get(&record.ordinal) != Some(now))
        };
        records.into_iter().filter(is_new).collect()
    }

    fn add(&mut self, applied: &Applied) {
        let total = &mut self.total;
        total.inserted += applied.inserted;
        total.updated += applied.updated;
        total.restored += applied.restored;
        self.written |= applied.written > 0;
    }
}

/// How the rows look that changed since, a chunk that has any: by their versions, or by their values where the source keeps
/// none.
async fn changes(work: &Work<'_>, since: &Since) -> Result<HashMap<u32, DigestSum>> {
    let all = KeyRange::default();
    let ranges: Vec<&KeyRange> = work.plan.chunks.iter().map(|chunk| &chunk.range).collect();
    let touched = work.source.touched(&Read { since: Some(since.clone()), ..work.reading(&all) }, &ranges).await?;
    let mut changes = HashMap::with_capacity(touched.len());
    for chunk in touched.into_iter().filter_map(|at| work.plan.chunks.get(at)) {
        let read = Read { since: Some(since.clone()), ..work.reading(&chunk.range) };
        let looks = match &work.version {
            Some(version) => versions(work.source, &read, version, &work.mapper.key, &mut |_key| {}).await?,
            None => work.values(&read, &mut |_key| {}).await?,
        };
        changes.insert(chunk.ordinal, looks);
    }
    Ok(changes)
}

/// The chunks that do not look as they did when they were done: all of them where the source keeps no versions of its rows.
async fn differing(work: &Work<'_>, records: Vec<ChunkRecord>) -> Result<Vec<ChunkRecord>> {
    let Some(version) = &work.version else { return Ok(records) };
    let mut differing = Vec::new();
    for (planned, record) in work.plan.chunks.iter().zip(records) {
        let read = work.reading(&planned.range);
        let looks = versions(work.source, &read, version, &work.mapper.key, &mut |_key| {}).await?;
        if record.look != Some(looks) {
            differing.push(record);
        }
    }
    Ok(differing)
}

/// The ids of these keys that the source does not show.
async fn missing(work: &Work<'_>, keys: Vec<Vec<String>>) -> Result<Vec<Uuid>> {
    let mut missing: HashSet<Uuid> = keys.iter().map(|key| work.mapper.program.id(key)).collect();
    let read = Read { keys: Some(keys), ..narrow(&work.reading(&KeyRange::default()), Vec::new()) };
    work.source
        .scan(&read, &mut |row, _bytes| {
            missing.remove(&work.mapper.program.id(&row.key));
            Ok(())
        })
        .await?;
    Ok(missing.into_iter().collect())
}
