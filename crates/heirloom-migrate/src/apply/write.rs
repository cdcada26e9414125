//! What happens to a row, given what the store knows of its id: insert, leave, overwrite, keep the store's edit, keep
//! forgotten, or set aside.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use heirloom_store::bulk::{self, Known};
use heirloom_store::{Origin, StoreError};
use uuid::Uuid;

use super::Work;
use super::item::Item;
use crate::digest::Digest;
use crate::error::Result;
use crate::ledger::{self, ChunkResult, NewReject};
use crate::mapping::{Mapped, Reject, RejectCode};
use crate::source::verbatim;
use crate::value::SourceRow;
use crate::verify::target;

/// A row that maps, before the store was asked about it.
struct Candidate {
    row: SourceRow,
    source_digest: Digest,
    digest: Digest,
    mapped: Mapped,
}

impl Candidate {
    fn id(&self) -> Uuid {
        self.mapped.memory.id
    }

    fn is_unchanged(&self, known: &Known) -> bool {
        known.source_digest == self.source_digest.0 && known.written_digest == self.digest.0
    }

    /// What is sent to the store, and what stays here until the store has answered.
    fn split(self, work: &Work<'_>) -> Result<(bulk::Row, Sent)> {
        let Self { row, source_digest, digest, mapped } = self;
        let origin = Origin {
            run_id: work.plan.run_id,
            source: work.origin_source.clone(),
            source_key: ledger::key_text(&row.key)?,
            source_row: mapped.origin,
            source_digest: source_digest.0,
            written_digest: digest.0,
        };
        let id = mapped.memory.id;
        Ok((bulk::Row { memory: mapped.memory, origin }, Sent { id, row, source_digest }))
    }
}

/// A row that was sent to the store.
struct Sent {
    id: Uuid,
    row: SourceRow,
    source_digest: Digest,
}

pub(super) fn rejected(work: &Work<'_>, row: SourceRow, source_digest: Digest, reject: Reject) -> NewReject {
    let source_row = verbatim::row(&work.plan.source.table, &row);
    NewReject { key: row.key, reject, source_row, source_digest }
}

/// Writes the rows of a chunk in the caller's transaction and returns the keys that are now in the store.
pub(super) async fn write(
    work: &Work<'_>,
    tx: &mut Transaction<'_>,
    items: Vec<Item>,
    result: &mut ChunkResult,
    ordinal: u32,
) -> Result<Vec<Vec<String>>> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
    let known = bulk::known(tx, &ids).await?;
    let forgotten = bulk::forgotten(tx, &ids).await?;
    // What was never handed down cannot have got lost.
    let lost = if known.is_empty() { HashSet::new() } else { bulk::lost(tx, &ids).await? };
    let (mut fresh, mut changed, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rejects, mut there) = (Vec::new(), Vec::new());
    for item in items {
        let Item { id, row, source_digest, outcome, .. } = item;
        let (mapped, digest) = match outcome {
            Ok(mapped) => mapped,
            Err(reject) => {
                rejects.push(rejected(work, row, source_digest, reject));
                continue;
            }
        };
        result.expected.add(digest);
        let candidate = Candidate { row, source_digest, digest, mapped };
        match known.get(&id) {
            _ if forgotten.contains(&id) => result.forgotten += 1,
            // Somebody else's row, whatever it says: the same key in two tables is no version of one memory.
            Some(known) if known.source != work.origin_source => {
                result.conflicts += 1;
                let key = &candidate.row.key;
                ledger::conflict(tx, work.plan.run_id, &work.origin_source, key, id, source_digest).await?;
            }
            None => fresh.push(candidate),
            // Handed down before, not forgotten, and not there: deleted past the store. It comes again.
            Some(_) if lost.contains(&id) => again.push(candidate),
            Some(known) if candidate.is_unchanged(known) => {
                result.present += 1;
                there.push(candidate.row.key);
            }
            Some(_) => changed.push(candidate),
        }
    }
    there.extend(insert(work, tx, fresh, result, &mut rejects).await?);
    there.extend(restore(work, tx, again, &known, result, &mut rejects).await?);
    there.extend(update(work, tx, changed, &known, result).await?);
    set_aside(work, tx, rejects, &there, result, ordinal).await?;
    Ok(there)
}

/// Records the rejects of a chunk and closes those of rows that are there now. What was set aside is kept once a key: of rows
/// that share one, the first.
pub(super) async fn set_aside(
    work: &Work<'_>,
    tx: &Transaction<'_>,
    mut rejects: Vec<NewReject>,
    there: &[Vec<String>],
    result: &mut ChunkResult,
    ordinal: u32,
) -> Result<()> {
    result.rejected += rejects.len() as u64;
    let mut aside = HashSet::with_capacity(rejects.len());
    rejects.retain(|reject| aside.insert(reject.key.clone()));
    ledger::put_rejects(tx, work.plan.run_id, ordinal, &work.origin_source, &rejects).await?;
    if ledger::any_open_reject(tx, &work.origin_source).await? {
        // A row may be there and another of its key not.
        let there: Vec<Vec<String>> = there.iter().filter(|key| !aside.contains(*key)).cloned().collect();
        ledger::resolve_rejects(tx, work.plan.run_id, &work.origin_source, &there).await?;
    }
    Ok(())
}

async fn insert(
    work: &Work<'_>,
    tx: &mut Transaction<'_>,
    fresh: Vec<Candidate>,
    result: &mut ChunkResult,
    rejects: &mut Vec<NewReject>,
) -> Result<Vec<Vec<String>>> {
    let (mut rows, mut sent) = (Vec::with_capacity(fresh.len()), Vec::with_capacity(fresh.len()));
    for row in fresh {
        let (row, kept) = row.split(work)?;
        rows.push(row);
        sent.push(kept);
    }
    let mut outcome = Outcome::default();
    load(work, tx, &rows, &mut outcome).await?;
    let mut there = Vec::new();
    drop(rows);
    for Sent { id, row, source_digest } in sent {
        if let Some(reject) = outcome.refused.remove(&id) {
            rejects.push(rejected(work, row, source_digest, reject));
        } else if let Some(why) = outcome.skipped.remove(&id) {
            match why {
                bulk::Outcome::Forgotten => result.forgotten += 1,
                bulk::Outcome::OtherWidth { found, kept } => {
                    let message =
                        format!("a vector of {found} where its model has vectors of {kept} in this namespace");
                    let field = Some("embedding".to_owned());
                    let reject = Reject { code: RejectCode::ModelWidth, field, column: None, message };
                    rejects.push(rejected(work, row, source_digest, reject));
                }
                // The id is taken by a row that was not handed down from here: the store's row stays.
                bulk::Outcome::Present | bulk::Outcome::Elsewhere(_) | bulk::Outcome::Repeated => {
                    result.conflicts += 1;
                    ledger::conflict(tx, work.plan.run_id, &work.origin_source, &row.key, id, source_digest).await?;
                }
            }
        } else {
            result.inserted += 1;
            there.push(row.key);
        }
    }
    Ok(there)
}

/// Rows that the store has lost. One that stands in another namespace by now was moved there by hand: an id lives in
/// one namespace, so it stays where it is, as a conflict.
async fn restore(
    work: &Work<'_>,
    tx: &mut Transaction<'_>,
    again: Vec<Candidate>,
    known: &HashMap<Uuid, Known>,
    result: &mut ChunkResult,
    rejects: &mut Vec<NewReject>,
) -> Result<Vec<Vec<String>>> {
    if again.is_empty() {
        return Ok(Vec::new());
    }
    let mut restored = ChunkResult::default();
    // What a row said of its origin goes when the file now gives it another namespace: one id has one origin.
    let moved: Vec<(Uuid, String)> = again
        .iter()
        .filter_map(|row| Some((row.id(), known.get(&row.id())?.namespace.clone(), &row.mapped.memory.namespace)))
        .filter(|(_, before, now)| before != *now)
        .map(|(id, before, _)| (id, before))
        .collect();
    let back: HashMap<Vec<String>, Uuid> = again.iter().map(|row| (row.row.key.clone(), row.id())).collect();
    let there = insert(work, tx, again, &mut restored, rejects).await?;
    let came: HashSet<Uuid> = there.iter().filter_map(|key| back.get(key).copied()).collect();
    let moved: Vec<(Uuid, String)> = moved.into_iter().filter(|(id, _)| came.contains(id)).collect();
    bulk::drop_lost_origins(tx, &moved).await?;
    result.restored += restored.inserted;
    result.conflicts += restored.conflicts;
    result.forgotten += restored.forgotten;
    Ok(there)
}

#[derive(Default)]
struct Outcome {
    refused: HashMap<Uuid, Reject>,
    skipped: HashMap<Uuid, bulk::Outcome>,
}

/// Loads rows; when only the database sees what is wrong with one, halves the set until that row stands alone.
async fn load(work: &Work<'_>, tx: &mut Transaction<'_>, rows: &[bulk::Row], outcome: &mut Outcome) -> Result<()> {
    let mut waiting = vec![rows];
    while let Some(part) = waiting.pop() {
        if part.is_empty() {
            continue;
        }
        let savepoint = tx.savepoint("chunk_part").await?;
        match bulk::load(&savepoint, work.store.meta(), part, &work.mapper.allowed).await {
            Ok(loaded) => {
                savepoint.commit().await?;
                outcome.skipped.extend(loaded.skipped);
            }
            Err(error) => {
                savepoint.rollback().await?;
                let Some(message) = data_error(&error) else { return Err(error.into()) };
                if let [one] = part {
                    let reject = Reject { code: RejectCode::Database, field: None, column: None, message };
                    outcome.refused.insert(one.memory.id, reject);
                } else {
                    let (left, right) = part.split_at(part.len() / 2);
                    waiting.push(right);
                    waiting.push(left);
                }
            }
        }
    }
    Ok(())
}

/// What is wrong with the one row that can cause such an error, by field or by SQLSTATE and constraint; never the
/// server's message, which may quote the row.
fn data_error(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Invalid { field, accepted, .. } => Some(format!("the store refused {field}; {accepted}")),
        StoreError::Database(error) => refused_by_data(error),
        _ => None,
    }
}

/// The same of an error of PostgreSQL.
pub(crate) fn refused_by_data(error: &tokio_postgres::Error) -> Option<String> {
    let db = error.as_db_error()?;
    let code = db.code().code();
    let caused_by_data = ["22", "23", "54"].iter().any(|class| code.starts_with(class));
    caused_by_data.then(|| {
        let constraint = db.constraint().map(|name| format!(", constraint {name}")).unwrap_or_default();
        format!("the database refused the row (SQLSTATE {code}, {}{constraint})", heirloom_engine::condition(code))
    })
}

/// Rows handed down before whose source or mapping changed: overwritten when the store still holds what was written.
async fn update(
    work: &Work<'_>,
    tx: &mut Transaction<'_>,
    changed: Vec<Candidate>,
    known: &HashMap<Uuid, Known>,
    result: &mut ChunkResult,
) -> Result<Vec<Vec<String>>> {
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = changed.iter().map(Candidate::id).collect();
    let current = target::digests(tx, &ids, &work.mapper.key).await?;
    let (mut rows, mut there) = (Vec::new(), Vec::new());
    for row in changed {
        let id = row.id();
        let untouched = known.get(&id).is_some_and(|known| {
            current.get(&id).is_some_and(|digest| digest.0 == known.written_digest)
                && known.namespace == row.mapped.memory.namespace
        });
        if untouched {
            there.push(row.row.key.clone());
            rows.push(row.split(work)?.0);
        } else {
            result.conflicts += 1;
            ledger::conflict(tx, work.plan.run_id, &work.origin_source, &row.row.key, id, row.source_digest).await?;
        }
    }
    result.updated += bulk::replace(tx, work.store.meta(), &rows, &work.mapper.allowed).await?;
    Ok(there)
}
