//! A chunk into a target that is no store: first over there, then in the ledger.
//!
//! Nothing of the ledger is held while the target is talked to. What is committed there and not yet here is found by its
//! id on the next attempt, and counts as present; a runner that lost its lease meanwhile records nothing, and what it
//! wrote is what the one after it finds.

use std::collections::HashMap;
use std::sync::Mutex;

use deadpool_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use super::item::Item;
use super::pace::Pace;
use super::{Work, chunk, write};
use crate::digest::Digest;
use crate::error::{MigrateError, Result};
use crate::ledger::{self, ChunkResult, Delivered, Lease, NewDelivered, NewReject};
use crate::target::{Fate, Foreign, Parcel, Terms};

/// What became of a chunk over there, for the ledger.
#[derive(Default)]
pub(super) struct Settled {
    there: Vec<NewDelivered>,
    rejects: Vec<NewReject>,
    conflicts: Vec<(Vec<String>, Uuid, Digest)>,
    result: ChunkResult,
}

/// Hands the rows of a chunk down; `None` when another runner has taken it, and then nothing was written.
pub(super) async fn hand_down(
    work: &Work<'_>,
    foreign: &dyn Foreign,
    lease: &Lease,
    items: Vec<Item>,
    pace: &Mutex<Pace>,
) -> Result<Option<Settled>> {
    let rejected = items.iter().filter(|item| item.outcome.is_err()).count() as u64;
    let known = {
        let mut client = work.store.database().client().await?;
        let tx = client.transaction().await?;
        if !ledger::holds(&tx, lease).await? {
            return Ok(None);
        }
        // Over there nothing is rolled back, so what is known beforehand is judged beforehand.
        chunk::check_budget(work, &tx, lease, rejected).await?;
        let known = known(work, &tx, &items).await?;
        tx.rollback().await?;
        known
    };
    let mut settled = Settled::default();
    let mut rest = items;
    while !rest.is_empty() {
        let (now, after) = chunk::next_slice(work, rest, pace).await;
        deliver(work, foreign, now, &known, &mut settled).await?;
        rest = after;
    }
    Ok(Some(settled))
}

/// What was handed down of these before.
pub(super) async fn known(
    work: &Work<'_>,
    client: &impl GenericClient,
    items: &[Item],
) -> Result<HashMap<Uuid, Delivered>> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
    ledger::delivered(client, &work.origin_source, &ids).await
}

/// Hands rows down and notes what became of each.
pub(super) async fn deliver(
    work: &Work<'_>,
    foreign: &dyn Foreign,
    items: Vec<Item>,
    known: &HashMap<Uuid, Delivered>,
    settled: &mut Settled,
) -> Result<()> {
    let Some(surface) = work.mapper.program.surface() else {
        return Err(MigrateError::Ledger("a plan for a foreign target maps for a store".into()));
    };
    let (mut parcels, mut sent) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for Item { id, row, source_digest, outcome, .. } in items {
        match outcome {
            Err(reject) => settled.rejects.push(write::rejected(work, row, source_digest, reject)),
            Ok((mapped, digest)) => {
                settled.result.expected.add(digest);
                let written = known.get(&id).map(|known| known.written_digest);
                // It is as it was when it was handed down; what was done to it over there since stays.
                if known.get(&id).is_some_and(|k| k.source_digest == source_digest.0 && k.written_digest == digest.0) {
                    settled.result.present += 1;
                    settled.there.push(NewDelivered { id, key: row.key, source_digest, written_digest: digest });
                    continue;
                }
                parcels.push(Parcel { memory: mapped.memory, digest, written });
                sent.push((id, row, source_digest, digest));
            }
        }
    }
    if parcels.is_empty() {
        return Ok(());
    }
    let terms = Terms { surface, key: &work.mapper.key, dimension: work.mapper.dimension };
    let fates = foreign.deliver(terms, &parcels).await?;
    drop(parcels);
    for ((id, row, source_digest, written_digest), fate) in sent.into_iter().zip(fates) {
        let result = &mut settled.result;
        match fate {
            Fate::Inserted => result.inserted += 1,
            Fate::Present => result.present += 1,
            Fate::Updated => result.updated += 1,
            // Nobody there keeps tombstones, so whatever is gone was taken away.
            Fate::Gone => {
                result.forgotten += 1;
                continue;
            }
            Fate::Conflict => {
                result.conflicts += 1;
                settled.conflicts.push((row.key, id, source_digest));
                continue;
            }
            Fate::Refused(reject) => {
                settled.rejects.push(write::rejected(work, row, source_digest, reject));
                continue;
            }
        }
        settled.there.push(NewDelivered { id, key: row.key, source_digest, written_digest });
    }
    Ok(())
}

/// Records what became of a chunk, in the transaction that marks it done; gives back the keys that are there now.
pub(super) async fn record(
    work: &Work<'_>,
    tx: &Transaction<'_>,
    settled: Settled,
    result: &mut ChunkResult,
    ordinal: u32,
) -> Result<Vec<Vec<String>>> {
    let Settled { there, rejects, conflicts, result: came } = settled;
    ledger::put_delivered(tx, work.plan.run_id, &work.origin_source, &there).await?;
    for (key, id, digest) in &conflicts {
        ledger::conflict(tx, work.plan.run_id, &work.origin_source, key, *id, *digest).await?;
    }
    result.inserted += came.inserted;
    result.present += came.present;
    result.updated += came.updated;
    result.forgotten += came.forgotten;
    result.conflicts += came.conflicts;
    result.expected = came.expected;
    let keys: Vec<Vec<String>> = there.into_iter().map(|row| row.key).collect();
    write::set_aside(work, tx, rejects, &keys, result, ordinal).await?;
    Ok(keys)
}
