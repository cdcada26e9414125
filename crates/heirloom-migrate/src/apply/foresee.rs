//! What a retry of rejects would come to, found by reading alone: the rows as the source has them now where it changed since,
//! else the bytes that were kept, mapped again and held against what the store knows of their ids.
//!
//! Deliberately absent: what only the database would refuse. That is found by trying.

use std::collections::{BTreeMap, HashMap};

use heirloom_store::{Store, bulk};
use uuid::Uuid;

use super::chunk::{self, Only};
use super::item::Item;
use super::options::Options;
use super::retry::{BATCH, Retried, filter, may_be_tried_alone, own_chunk, require_run};
use super::{Work, preflight};
use crate::error::Result;
use crate::ledger::{self, ChunkRecord, Lease, RejectRecord};
use crate::plan::Plan;
use crate::source::{Source, verbatim};
use crate::target::Foreign;
use crate::verify::target;

/// No lease has this token, so that nothing could be written under it.
const NOBODY: i64 = -1;

/// What [`super::retry`] would do. Writes nothing.
///
/// # Errors
/// As [`super::retry`].
pub async fn foresee_retry(
    plan: &Plan,
    source: &dyn Source,
    store: &Store,
    foreign: Option<&dyn Foreign>,
) -> Result<Retried> {
    let work = preflight::preflight(plan, source, store, foreign, &Options::default()).await?;
    require_run(&work).await?;
    let chunks = {
        let client = store.database().client().await?;
        ledger::chunks(&client, plan.run_id).await?
    };
    let (mut foreseen, mut after, mut changed, mut buffer) = (Retried::default(), 0, BTreeMap::new(), Vec::new());
    loop {
        let records = {
            let client = store.database().client().await?;
            ledger::list_rejects(&client, &filter(&work, after, BATCH)).await?
        };
        let Some(last) = records.last() else { return Ok(foreseen) };
        after = last.reject_id;
        let mut now = as_the_source_has_them(&work, &records, &chunks, &mut changed).await?;
        let mut mapped = Vec::new();
        for record in &records {
            let item = match now.remove(&record.key) {
                Some(item) => Some(item),
                None if may_be_tried_alone(record) => {
                    let row = verbatim::restore(&work.plan.source.table, &record.key, &record.source_row)?;
                    Some(work.mapper.map(row, record.source_row.len() as u64, &mut buffer))
                }
                None => None,
            };
            mapped.extend(item.filter(|item| item.outcome.is_ok()));
        }
        let left = left(&work, &mapped).await?;
        foreseen.tried += records.len() as u64;
        foreseen.handed_down += mapped.len() as u64 - left;
        foreseen.still_rejected += (records.len() - mapped.len()) as u64;
        foreseen.left += left;
    }
}

/// The rows of these rejects in chunks of this run that changed since they were done.
async fn as_the_source_has_them(
    work: &Work<'_>,
    records: &[RejectRecord],
    chunks: &[ChunkRecord],
    changed: &mut BTreeMap<u32, bool>,
) -> Result<HashMap<Vec<String>, Item>> {
    let mut keys: BTreeMap<u32, Vec<Vec<String>>> = BTreeMap::new();
    for record in records {
        if let Some(ordinal) = own_chunk(work, record) {
            keys.entry(ordinal).or_default().push(record.key.clone());
        }
    }
    let mut found = HashMap::new();
    for (ordinal, keys) in keys {
        let at = ordinal as usize;
        let (Some(planned), Some(record)) = (work.plan.chunks.get(at), chunks.get(at)) else { continue };
        let is_changed = match changed.get(&ordinal) {
            Some(known) => *known,
            // A chunk that was never done is for `apply`.
            None => record.done && chunk::unchanged(work, planned, record).await?.is_none(),
        };
        changed.insert(ordinal, is_changed);
        if is_changed {
            let lease = Lease { run_id: work.plan.run_id, ordinal, fence: NOBODY };
            for item in chunk::prepare(work, lease, Only::Keys(&keys)).await?.items {
                found.entry(item.row.key.clone()).or_insert(item);
            }
        }
    }
    Ok(found)
}

/// How many of these rows the store would keep as it has them: forgotten there, changed on both sides, or another's.
async fn left(work: &Work<'_>, items: &[Item]) -> Result<u64> {
    if work.foreign.is_some() || items.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
    let mut client = work.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let forgotten = bulk::forgotten(&tx, &ids).await?;
    let (known, lost) = (bulk::known(&tx, &ids).await?, bulk::lost(&tx, &ids).await?);
    let current = target::digests(&tx, &ids, &work.mapper.key).await?;
    let mut left = bulk::taken(&tx, &ids, &work.origin_source).await?;
    for Item { id, source_digest, outcome, .. } in items {
        let Ok((mapped, digest)) = outcome else { continue };
        let conflicts = known.get(id).filter(|known| known.source == work.origin_source).is_some_and(|known| {
            let is_unchanged = known.source_digest == source_digest.0 && known.written_digest == digest.0;
            let is_untouched = current.get(id).is_some_and(|digest| digest.0 == known.written_digest)
                && known.namespace == mapped.memory.namespace;
            !lost.contains(id) && !is_unchanged && !is_untouched
        });
        left += u64::from(forgotten.contains(id) || conflicts);
    }
    Ok(left.min(items.len() as u64))
}
