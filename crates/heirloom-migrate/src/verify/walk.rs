//! One chunk: sums first, rows only where they differ ([`super::judge`]).

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join;
use uuid::Uuid;

use super::again::Suspects;
use super::expected::{Expected, Work};
use super::judge::{Judge, Judged};
use super::target::{self, TargetRow};
use super::unmet::Ids;
use super::{ChunkVerdict, Verification, foreign};
use crate::batch::Worked;
use crate::digest::DigestSum;
use crate::error::Result;
use crate::plan::PlannedChunk;
use crate::source::Read;

/// Ids that are asked for in one statement.
pub(super) const ASKED: usize = 1_024;

/// Both sides of a chunk, or of a part of it.
#[derive(Default)]
pub(super) struct Sides {
    pub(super) rows: Vec<Expected>,
    pub(super) found: Vec<TargetRow>,
    sum: DigestSum,
    /// Ids among the rows that the records say were handed down.
    pub(super) recorded: Vec<Uuid>,
    /// What else is known of rows of a target that is no store.
    pub(super) aside: Option<foreign::Aside>,
}

/// Reads both sides of a chunk. Rows are looked for as they are read, where there is a connection for each side.
pub(super) async fn sides(work: &Work<'_>, read: &Read) -> Result<Sides> {
    let (batches, worked) = work.batches();
    let reading = work.read(read, batches);
    if let Some(target) = work.foreign {
        reading.await?;
        let mut rows = worked.all().await?;
        set_repeated_aside(work, &mut rows, &mut HashSet::new());
        let (found, recorded, aside) = foreign::rows(work, target, &rows).await?;
        let mut sum = DigestSum::default();
        found.iter().for_each(|row| sum.add(row.digest(&work.mapping.key)));
        return Ok(Sides { rows, found, sum, recorded, aside: Some(aside) });
    }
    if work.store.database().pool_size() > 2 {
        return Ok(try_join(reading, find(work, worked)).await?.1);
    }
    reading.await?;
    find(work, worked).await
}

/// Looks for rows in the store as they come.
async fn find(work: &Work<'_>, mut worked: Worked<Expected>) -> Result<Sides> {
    let (mut sides, mut seen) = (Sides::default(), HashSet::new());
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
        set_repeated_aside(work, rows, &mut seen);
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
            sides.recorded.extend(row.origin.as_ref().filter(|it| it.source == work.origin_source).map(|_| row.id));
            sides.found.push(row);
        }
    }
    Ok(sides)
}

/// Takes rows for repetitions: those whose id was seen before in their chunk, and those of which the plan says that a row of
/// another chunk has it.
fn set_repeated_aside(work: &Work<'_>, rows: &mut [Expected], seen: &mut HashSet<Uuid>) {
    for row in rows {
        if !seen.insert(row.id) || work.plan.is_respelt(&row.key) {
            row.repeats();
        }
    }
}

/// Compares one chunk and adds what it finds; rows that have to be looked at again are in no count yet. Gives back the sum
/// over its source rows as well.
pub(super) async fn chunk(
    work: &Work<'_>,
    chunk: &PlannedChunk,
    met: &mut Ids,
    suspects: &mut Suspects,
    verification: &mut Verification,
) -> Result<(DigestSum, ChunkVerdict)> {
    let Sides { rows, found, sum, recorded, aside } = sides(work, &work.reading(&chunk.range)).await?;
    recorded.into_iter().for_each(|id| met.add(id));
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
        if let Some(wished) = &row.memory {
            verdict.expected.add(wished.digest);
        }
    }
    let all_handed_down = found.iter().all(|row| row.origin.as_ref().is_some_and(|o| o.source == work.origin_source));
    let unchanged = rows_unchanged(&rows, &found);
    if verdict.expected == verdict.found && all_handed_down && unchanged {
        verification.source_rows += verdict.source_rows;
        verification.expected += verdict.expected.count;
        verification.rejected += verdict.source_rows - verdict.expected.count;
        verification.found += verdict.found.count;
        verification.equal += verdict.found.count;
    } else {
        let mut client = work.store.database().client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        let mut judge = Judge::new(work, &tx, Some(ordinal), &rows, found, aside).await?;
        for row in &rows {
            let judged = judge.row(row);
            let Judged { there, tally, .. } = &judged;
            let suspected = judged.may_pass() && suspects.has_room();
            if suspected {
                verdict.source_rows -= tally.source_rows;
                there.iter().for_each(|there| verdict.found.take(there.digest(&work.mapping.key)));
            }
            if let Some(wished) = row.memory.as_ref().filter(|_| suspected || tally.expected == 0) {
                verdict.expected.take(wished.digest);
            }
            match suspected {
                true => suspects.add(row, Some(ordinal), judged.glance),
                false => verification.add(judged.tally),
            }
        }
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
