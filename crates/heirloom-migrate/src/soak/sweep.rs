//! One sweep: both sides compared, read-only, and what was found appended to the chain.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::calendar::Calendar;
use super::record::{self, MAX_KEPT, SweepRecord};
use super::shadow;
use super::standing::{Standing, Task};
use crate::audit::Head;
use crate::error::{MigrateError, Result};
use crate::failpoint::Point;
use crate::ledger::{self, Leaf, RunState};
use crate::retire;
use crate::verify::{Difference, Found, Partial, Whole};

/// What a sweep found and where the soak stands after it.
#[derive(Debug, Clone, Serialize)]
pub struct Sweep {
    /// The migration's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// What was found, as the chain keeps it.
    #[serde(flatten)]
    pub record: SweepRecord,
    /// The differences behind the divergences, with sizes and digests of both sides.
    pub differences: Vec<Difference>,
    /// Where the run stands now.
    pub state: RunState,
    /// How far the soak is.
    pub calendar: Calendar,
    /// The end of the chain; what it was when nothing was written.
    pub head: Option<Head>,
}

/// A chunk that was read and is clean.
struct Clean {
    ordinal: u32,
    leaf: Leaf,
}

/// Compares old with new and records it. `full` reads every chunk; otherwise those are left out that look as they did when
/// a sweep last found them clean. `progress` is called after each chunk with rows compared and rows planned.
///
/// # Errors
/// [`MigrateError::Refused`] when the run does not soak, its chain does not hold, or somebody else took a step meanwhile;
/// what reading either side gives. Nothing is recorded then, and the day counts only if another sweep succeeds.
pub async fn sweep(task: &Task<'_>, full: bool, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Sweep> {
    let standing = Standing::of(task, true).await?;
    standing.require(&[RunState::Soaking, RunState::Soaked], "swept", "run `heirloom soak start PLAN` first")?;
    retire::none_pending(task, &standing).await?;
    let compared = compare(task, &standing, full, progress).await?;
    let Compared { mut record, differences, clean, dirty } = compared;
    let (rows, planned) = (record.source_rows, task.plan.counts.rows);
    record.shadow = shadow::shadow(task, &standing, &mut || progress(rows, planned)).await;
    let mut sweep = Sweep {
        name: standing.run.name.clone(),
        tenant: standing.run.tenant.clone(),
        record,
        differences,
        state: standing.run.state,
        calendar: Calendar::of(&standing.entries, standing.days(), standing.now)?,
        head: standing.head(),
    };
    if task.check_only {
        return Ok(sweep);
    }
    let run_id = task.plan.run_id;
    let mut client = task.store.database().client().await?;
    let tx = client.transaction().await?;
    ledger::lock_head_beside_a_follower(&tx, run_id, standing.head().as_ref()).await?;
    let by = standing.stamp(task);
    let entry = ledger::append(&tx, run_id, &by, "sweep", &sweep.record).await?;
    for Clean { ordinal, leaf } in &clean {
        ledger::put_leaf(&tx, run_id, *ordinal, entry.at, leaf).await?;
    }
    for ordinal in dirty {
        ledger::drop_leaf(&tx, run_id, ordinal).await?;
    }
    let mut entries = standing.entries;
    let (proof, at) = (entry.hash.clone(), entry.at);
    entries.push(entry);
    sweep.calendar = Calendar::of(&entries, standing.file.soak.days, at)?;
    let next = match (sweep.state, sweep.record.clean) {
        (RunState::Soaked, false) => Some(RunState::Soaking),
        (RunState::Soaking, true) if sweep.calendar.over => Some(RunState::Soaked),
        _ => None,
    };
    if let Some(next) = next {
        let payload = json!({ "proof": proof, "counted": sweep.calendar.counted });
        entries.push(ledger::append(&tx, run_id, &by, next.text(), &payload).await?);
        ledger::step(&tx, run_id, next, &payload).await?;
        sweep.state = next;
    }
    task.failpoints.pass(Point::BeforeSweep).await?;
    tx.commit().await?;
    task.failpoints.pass(Point::AfterSweep).await?;
    sweep.head = entries.last().map(crate::audit::Entry::head);
    Ok(sweep)
}

/// What a comparison of both sides came to.
struct Compared {
    record: SweepRecord,
    differences: Vec<Difference>,
    clean: Vec<Clean>,
    dirty: Vec<u32>,
}

async fn compare(
    task: &Task<'_>,
    standing: &Standing,
    full: bool,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Compared> {
    let (plan, mut read, mut rows) = (task.plan, 0, 0);
    let mut leaves = {
        let client = task.store.database().client().await?;
        if full { std::collections::HashMap::new() } else { ledger::leaves(&client, plan.run_id).await? }
    };
    let mut partial = Partial::new(plan, task.source, task.store).await?;
    let (mut clean, mut dirty, mut root) = (Vec::new(), Vec::new(), blake3::Hasher::new());
    for chunk in &plan.chunks {
        // Looked at first: a change between the look and the reading makes the next look another one.
        let look = partial.look(chunk).await?;
        let known = leaves.remove(&chunk.ordinal);
        let same = look.as_ref().zip(known).filter(|(look, leaf)| {
            leaf.source == look.source && leaf.target_rows == look.target_rows && leaf.target_mark == look.target_mark
        });
        let found = match same.map(|(look, leaf)| (look, serde_json::from_value::<Found>(leaf.verdict))) {
            Some((look, Ok(found))) => {
                partial.skip(look, &found);
                found
            }
            _ => {
                read += 1;
                let found = partial.compare(chunk).await?;
                match look.filter(|_| found.differences == 0) {
                    Some(look) => clean.push(Clean {
                        ordinal: chunk.ordinal,
                        leaf: Leaf {
                            source: look.source,
                            target_rows: look.target_rows,
                            target_mark: look.target_mark,
                            verdict: serde_json::to_value(&found)
                                .map_err(|error| MigrateError::Ledger(error.to_string()))?,
                        },
                    }),
                    None => dirty.push(chunk.ordinal),
                }
                found
            }
        };
        root.update(&chunk.ordinal.to_be_bytes());
        root.update(&found.source.count.to_be_bytes());
        root.update(&found.source.sum_bytes());
        rows += found.source.count;
        progress(rows, plan.counts.rows);
    }
    let whole = partial.finish(standing.now).await?;
    let record = record(standing, &whole, plan.chunks.len() as u64, read, &root.finalize());
    Ok(Compared { record, differences: whole.verification.differences, clean, dirty })
}

fn record(standing: &Standing, whole: &Whole, chunks: u64, read: u64, root: &blake3::Hash) -> SweepRecord {
    let verification = &whole.verification;
    let mut explained: BTreeMap<String, u64> = BTreeMap::new();
    for (why, rows) in &verification.explained {
        let word = serde_json::to_value(why).ok().and_then(|word| word.as_str().map(str::to_owned));
        explained.insert(word.unwrap_or_default(), *rows);
    }
    let caught_up = standing.run.written().saturating_sub(standing.written_at_start());
    for (word, rows) in [("expired", whole.expired), ("caught-up", caught_up)] {
        if rows > 0 {
            explained.insert(word.to_owned(), rows);
        }
    }
    let gone = standing.run.rows.saturating_sub(verification.source_rows);
    let mut divergences = record::divergences(&verification.differences, &whole.recorded, gone);
    divergences.truncate(MAX_KEPT);
    SweepRecord {
        clean: verification.difference_count == 0,
        full: read == chunks,
        source_rows: verification.source_rows,
        expected: verification.expected,
        equal: verification.equal,
        rejected: Some(verification.rejected),
        chunks,
        read,
        explained,
        divergence_count: verification.difference_count,
        divergences,
        source_root: root.to_hex().to_string(),
        shadow: None,
    }
}
