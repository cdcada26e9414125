//! One chunk: sums first, rows only where they differ, fields only where the rows differ.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use futures_util::future::try_join;
use heirloom_store::Identity;
use uuid::Uuid;

use super::difference::{Class, Difference, Explanation, Side};
use super::expected::{Expected, Wished, Work};
use super::explain::Records;
use super::target::{self, TargetRow};
use super::{ChunkVerdict, Verification, aside, foreign};
use crate::batch::Worked;
use crate::canon::FIELDS;
use crate::digest::DigestSum;
use crate::error::Result;
use crate::frames::Frames;
use crate::plan::PlannedChunk;

/// Ids that are asked for in one statement.
const ASKED: usize = 1_024;

/// Both sides of a chunk, or of a part of it.
#[derive(Default)]
struct Sides {
    rows: Vec<Expected>,
    found: Vec<TargetRow>,
    sum: DigestSum,
    /// What else is known of rows of a target that is no store.
    aside: Option<foreign::Aside>,
}

/// Reads both sides of a chunk. Rows are looked for as they are read, where there is a connection for each side.
async fn sides(work: &Work<'_>, chunk: &PlannedChunk, seen: &mut HashSet<Uuid>) -> Result<Sides> {
    let (batches, worked) = work.batches();
    let reading = work.read(chunk, batches);
    if let Some(target) = work.foreign {
        reading.await?;
        let mut rows = worked.all().await?;
        rows.iter_mut().for_each(|row| row.seen(seen));
        let (found, aside) = foreign::rows(work, target, &rows).await?;
        let mut sum = DigestSum::default();
        found.iter().for_each(|row| sum.add(row.digest(&work.mapping.key)));
        return Ok(Sides { rows, found, sum, aside: Some(aside) });
    }
    if work.store.database().pool_size() > 2 {
        return Ok(try_join(reading, find(work, worked, seen)).await?.1);
    }
    reading.await?;
    find(work, worked, seen).await
}

/// Looks for rows in the store as they come.
async fn find(work: &Work<'_>, mut worked: Worked<Expected>, seen: &mut HashSet<Uuid>) -> Result<Sides> {
    let mut sides = Sides::default();
    let mut more = true;
    while more {
        let asked = sides.rows.len();
        while more && sides.rows.len() < asked + ASKED {
            match worked.next().await? {
                Some(batch) => sides.rows.extend(batch),
                None => more = false,
            }
        }
        let rows = &mut sides.rows[asked..];
        rows.iter_mut().for_each(|row| row.seen(seen));
        // Of rows with one identity the first was asked for, maybe in the statement before.
        let ids: Vec<Uuid> = rows.iter().filter(|row| !row.repeated).map(|row| row.id).collect();
        if ids.is_empty() {
            continue;
        }
        // Not held while it waits for the source.
        let mut client = work.store.database().client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        let key = work.mapping.key.clone();
        for (digest, row) in target::each(&tx, &ids, move |row| (row.digest(&key), row)).await? {
            sides.sum.add(digest);
            sides.found.push(row);
        }
    }
    Ok(sides)
}

/// Compares one chunk and adds what it finds. Gives back the sum over its source rows as well.
pub(super) async fn chunk(
    work: &Work<'_>,
    chunk: &PlannedChunk,
    seen: &mut HashSet<Uuid>,
    verification: &mut Verification,
) -> Result<(DigestSum, ChunkVerdict)> {
    let Sides { rows, found, sum, aside } = sides(work, chunk, seen).await?;
    let ordinal = chunk.ordinal;
    let before = verification.difference_count;
    let mut verdict = ChunkVerdict {
        ordinal,
        source_rows: rows.len() as u64,
        expected: DigestSum::default(),
        found: sum,
        differences: 0,
    };
    let mut source = DigestSum::default();
    for row in &rows {
        source.add(row.source_digest);
        match &row.memory {
            Some(wished) => verdict.expected.add(wished.digest),
            None => verification.rejected += 1,
        }
    }
    verification.source_rows += verdict.source_rows;
    verification.expected += verdict.expected.count;
    let all_handed_down = found.iter().all(|row| row.origin.as_ref().is_some_and(|o| o.source == work.origin_source));
    let unchanged = rows_unchanged(&rows, &found);
    if verdict.expected == verdict.found && all_handed_down && unchanged {
        verification.found += verdict.found.count;
        verification.equal += verdict.found.count;
    } else {
        let mut client = work.store.database().client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        let records = Records::of(&tx, &found).await?;
        Walk { work, tx: &tx, ordinal, records, aside, verification }.rows(&rows, found).await?;
    }
    verdict.differences = verification.difference_count - before;
    Ok((source, verdict))
}

/// Whether each source row is the one that was handed down, by the digest its origin recorded.
fn rows_unchanged(rows: &[Expected], found: &[TargetRow]) -> bool {
    let recorded: HashMap<Uuid, [u8; 16]> =
        found.iter().filter_map(|row| Some((row.id, row.origin.as_ref()?.source_digest))).collect();
    rows.iter()
        .filter(|row| row.memory.is_some())
        .all(|row| recorded.get(&row.id).is_none_or(|digest| *digest == row.source_digest.0))
}

struct Walk<'w, 'a, 't, 'c> {
    work: &'w Work<'a>,
    tx: &'t Transaction<'c>,
    ordinal: u32,
    records: Records,
    /// What else is known of rows of a target that is no store.
    aside: Option<foreign::Aside>,
    verification: &'w mut Verification,
}

impl Walk<'_, '_, '_, '_> {
    async fn rows(&mut self, rows: &[Expected], found: Vec<TargetRow>) -> Result<()> {
        let mut by_id: HashMap<Uuid, Vec<TargetRow>> = HashMap::new();
        for row in found {
            by_id.entry(row.id).or_default().push(row);
        }
        let absent: Vec<&Expected> = rows.iter().filter(|row| !by_id.contains_key(&row.id)).collect();
        let forgotten = self.forgotten(&absent.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
        let mapped: Vec<&Expected> = absent.into_iter().filter(|row| row.memory.is_some()).collect();
        let refused = aside::refused(self.tx, &self.work.origin_source, &mapped).await?;
        // Only over there does a row that is over go without a trace.
        let now: Option<jiff::Timestamp> = match self.aside {
            None => None,
            Some(_) => Some(self.tx.query_one("select now()", &[]).await?.try_get(0)?),
        };
        for row in rows {
            let there = by_id.remove(&row.id).unwrap_or_default();
            match (&row.memory, there.as_slice()) {
                (None, []) => {}
                // Its first row was compared, or will be, under the same id.
                (None, _) if row.repeated => drop(by_id.insert(row.id, there)),
                (None, there) => {
                    if let Some(there) = there.iter().find(|there| self.is_ours(there)) {
                        self.row_differs(Class::NotRejected, row, Some(there));
                    }
                }
                (Some(_), []) if forgotten.contains(&row.id) => self.verification.explains(Explanation::Forgotten),
                (Some(_), []) if refused.contains(&row.key) => {
                    self.verification.expected -= 1;
                    self.verification.rejected += 1;
                }
                (Some(_), []) if now.is_some_and(|now| foreign::is_over(row.expires_at, now)) => {
                    self.verification.explains(Explanation::Expired);
                }
                (Some(_), []) if self.aside.as_ref().is_some_and(|aside| aside.is_unseen(row.id)) => {
                    self.verification.unseen += 1;
                }
                (Some(_), []) => self.row_differs(Class::Missing, row, None),
                (Some(Wished { namespace, frames, .. }), there) => {
                    self.verification.found += 1;
                    // The row of the right namespace is the row; the same id anywhere else is one too many.
                    let at = there.iter().position(|there| there.namespace == *namespace).unwrap_or(0);
                    for (_, extra) in there.iter().enumerate().filter(|(i, _)| *i != at) {
                        self.row_differs(Class::Unexpected, row, Some(extra));
                    }
                    self.row(row, namespace, frames, &there[at]);
                }
            }
        }
        Ok(())
    }

    fn is_ours(&self, there: &TargetRow) -> bool {
        there.origin.as_ref().is_some_and(|origin| origin.source == self.work.origin_source)
    }

    fn row(&mut self, row: &Expected, namespace: &str, frames: &Frames, there: &TargetRow) {
        if there.namespace != namespace {
            self.field_differs(Class::WrongTenant, row, 0, &frames[0], &there.frames[0]);
            return;
        }
        let Some(origin) = there.origin.as_ref().filter(|origin| origin.source == self.work.origin_source) else {
            self.row_differs(Class::Foreign, row, Some(there));
            return;
        };
        if origin.source_digest != row.source_digest.0 {
            self.row_differs(Class::SourceChanged, row, Some(there));
            return;
        }
        let differing: Vec<usize> = (0..FIELDS.len()).filter(|&i| frames[i] != there.frames[i]).collect();
        if differing.is_empty() {
            self.verification.equal += 1;
            return;
        }
        let aside = self.aside.as_ref().and_then(|aside| aside.explanation(there, frames, &differing));
        match self.records.explanation(there, &differing).or(aside) {
            Some(explanation) => self.verification.explains(explanation),
            None => {
                for i in differing {
                    self.field_differs(Class::Altered, row, i, &frames[i], &there.frames[i]);
                }
            }
        }
    }

    async fn forgotten(&self, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let identity = Identity::audit(self.tx).await?;
        let rows = self.tx.query("select id from heirloom.tombstone where id = any ($1)", &[&ids]).await?;
        identity.give_back(self.tx).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    fn row_differs(&mut self, class: Class, row: &Expected, there: Option<&TargetRow>) {
        let side = |frames: &Frames| Side {
            bytes: Some(frames.bytes().len()),
            digest: self.work.mapping.key.digest(frames.bytes()).to_string(),
            value: None,
        };
        let difference = Difference {
            class,
            key: row.key.clone(),
            id: row.id,
            chunk: Some(self.ordinal),
            column: None,
            expected: row.memory.as_ref().map(|wished| side(&wished.frames)),
            found: there.map(|there| side(&there.frames)),
        };
        self.verification.differs(difference);
    }

    fn field_differs(&mut self, class: Class, row: &Expected, field: usize, expected: &[u8], found: &[u8]) {
        let side = |frame: &[u8]| Some(Side::of(frame, self.work.mapping.key.digest(frame), self.work.show_content));
        let difference = Difference {
            class,
            key: row.key.clone(),
            id: row.id,
            chunk: Some(self.ordinal),
            column: Some(FIELDS[field].to_owned()),
            expected: side(expected),
            found: side(found),
        };
        self.verification.differs(difference);
    }
}
