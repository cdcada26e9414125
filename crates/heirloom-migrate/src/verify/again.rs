//! Rows that differ, looked at again before they count: the two sides are never read at one moment, and whoever follows the
//! source comes a little later.
//!
//! After all chunks were read, the rows that differed are read again on both sides by their keys, after a pause where a
//! process hands rows down just now. What is still the same difference of the same source row at two looks in a row is one;
//! one look is not enough, because a follower on a machine that is busy may be late. Where anything has moved meanwhile there
//! is another look after a longer pause, and none where nothing differs. A row that changes faster than that is no difference
//! as long as the store's record of it goes on as well: it is being caught up with.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use heirloom_store::Identity;
use uuid::Uuid;

use super::Verification;
use super::difference::{Class, Difference, Explanation};
use super::expected::{Expected, Work};
use super::judge::{Glance, Judge, Judged, Tally};
use super::live::UNMET;
use super::walk::{self, ASKED, Sides};
use crate::digest::DigestSum;
use crate::error::{MigrateError, Result};
use crate::ledger;
use crate::source::{KeyRange, Read};

/// Rows that are looked at again, at most: some seconds of a thousand changes each. Any more count as they were found.
const MOST: usize = 4_096;

/// What is waited before each look. The first is longer than the two seconds in which a follower has what changed.
const PAUSES: [Duration; 3] = [Duration::from_millis(2_500), Duration::from_secs(3), Duration::from_secs(4)];

/// Rows that differed, in no count yet.
#[derive(Default)]
pub(super) struct Suspects(Vec<Suspect>);

struct Suspect {
    key: Vec<String>,
    id: Uuid,
    chunk: Option<u32>,
    /// How it looked last.
    last: Glance,
    /// Whether the source side, or the kind of difference, was another one than at the look before.
    changed: bool,
    /// Whether the target's record of it has been another one since the first look.
    followed: bool,
    /// What the last look found.
    found: Option<Looked>,
}

/// What a look found of a row.
struct Looked {
    glance: Glance,
    tally: Tally,
    expected: DigestSum,
    there: DigestSum,
}

impl Suspects {
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn has_room(&self) -> bool {
        self.0.len() < MOST
    }

    pub(super) fn add(&mut self, row: &Expected, chunk: Option<u32>, last: Glance) {
        self.push(row.key.clone(), row.id, chunk, last);
    }

    /// A row that the target holds from here, and that was not met at the source.
    pub(super) fn add_unmet(&mut self, key: Vec<String>, id: Uuid, target: Option<[u8; 16]>) {
        let last = Glance { class: Some(Class::Unexpected), source: None, target };
        self.push(key, id, None, last);
    }

    fn push(&mut self, key: Vec<String>, id: Uuid, chunk: Option<u32>, last: Glance) {
        self.0.push(Suspect { key, id, chunk, last, changed: false, followed: false, found: None });
    }

    /// Looks again until nothing moves any more, or the last pause is over, and counts what each row came to.
    ///
    /// # Errors
    /// What reading either side gives.
    pub(super) async fn settle(self, work: &Work<'_>, verification: &mut Verification) -> Result<()> {
        let mut open = self.0;
        if open.is_empty() {
            return Ok(());
        }
        // Where nobody hands anything down there is nobody to come later.
        let somebody = {
            let client = work.store.database().client().await?;
            ledger::has_runners(&client).await? && ledger::somebody_at_work(&client).await?
        };
        let pauses = if somebody { &PAUSES[..] } else { &[Duration::ZERO] };
        for (at, &pause) in pauses.iter().enumerate() {
            if open.is_empty() {
                return Ok(());
            }
            // No connection is held meanwhile.
            tokio::time::sleep(pause).await;
            let looks = look(work, &open).await?;
            let mut moved = false;
            for (mut suspect, looked) in std::mem::take(&mut open).into_iter().zip(looks) {
                let Glance { class, source, target } = looked.glance;
                suspect.changed = (class, source) != (suspect.last.class, suspect.last.source);
                suspect.followed |= target != suspect.last.target;
                suspect.last = looked.glance;
                moved |= suspect.changed;
                match looked.tally.differences.is_empty() {
                    true => count(verification, suspect.chunk, looked),
                    false => open.push(Suspect { found: Some(looked), ..suspect }),
                }
            }
            if !moved && at > 0 {
                break;
            }
        }
        for Suspect { chunk, changed, followed, found, .. } in open {
            let Some(mut looked) = found else { continue };
            if changed && followed {
                looked.tally.differences.clear();
                looked.tally.explained = Some(Explanation::CatchingUp);
            }
            count(verification, chunk, looked);
        }
        Ok(())
    }
}

/// Adds what a row came to. One that no chunk showed has come since, and is in no chunk's counts.
fn count(verification: &mut Verification, chunk: Option<u32>, looked: Looked) {
    let Looked { mut tally, expected, there, .. } = looked;
    let Some(ordinal) = chunk else {
        let (explained, differences) = (tally.explained, std::mem::take(&mut tally.differences));
        verification.add(Tally { explained, differences, ..Tally::default() });
        return;
    };
    if let Some(verdict) = verification.chunks.iter_mut().find(|verdict| verdict.ordinal == ordinal) {
        verdict.source_rows += tally.source_rows;
        verdict.expected.merge(expected);
        verdict.found.merge(there);
        verdict.differences += tally.differences.len() as u64;
    }
    verification.add(tally);
}

/// What each of these rows looks like now, in their order.
async fn look(work: &Work<'_>, suspects: &[Suspect]) -> Result<Vec<Looked>> {
    let mut found: HashMap<usize, Looked> = HashMap::new();
    let mut chunks: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
    suspects.iter().enumerate().for_each(|(at, suspect)| chunks.entry(suspect.chunk).or_default().push(at));
    let all = KeyRange::default();
    for (ordinal, of_chunk) in chunks {
        let planned = work.plan.chunks.iter().find(|chunk| Some(chunk.ordinal) == ordinal);
        let range = planned.map_or(&all, |chunk| &chunk.range);
        for some in of_chunk.chunks(ASKED) {
            let keys = some.iter().map(|&at| suspects[at].key.clone()).collect();
            let read = Read { keys: Some(keys), ..work.reading(range) };
            for (key, id, looked) in rows(work, &read, ordinal).await? {
                if let Some(&at) = some.iter().find(|&&at| suspects[at].id == id && suspects[at].key == key) {
                    found.entry(at).or_insert(looked);
                }
            }
        }
    }
    let away: Vec<usize> = (0..suspects.len()).filter(|at| !found.contains_key(at)).collect();
    let held = held(work, suspects, &away).await?;
    let one = |at: usize| match found.remove(&at) {
        Some(looked) => looked,
        None => {
            let Suspect { key, id, .. } = &suspects[at];
            away_from_source(key, *id, held.get(id).copied())
        }
    };
    Ok((0..suspects.len()).map(one).collect())
}

/// The rows of a read, each with its key and id.
async fn rows(work: &Work<'_>, read: &Read, ordinal: Option<u32>) -> Result<Vec<(Vec<String>, Uuid, Looked)>> {
    let Sides { rows, found, aside, .. } = walk::sides(work, read).await?;
    let mut client = work.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let mut judge = Judge::new(work, &tx, ordinal, &rows, found, aside).await?;
    let looked = |row: Expected| {
        let Judged { glance, tally, there } = judge.row(&row);
        let (mut expected, mut sum) = (DigestSum::default(), DigestSum::default());
        there.iter().for_each(|there| sum.add(there.digest(&work.mapping.key)));
        if let Some(wished) = row.memory.filter(|_| tally.expected > 0) {
            expected.add(wished.digest);
        }
        (row.key, row.id, Looked { glance, tally, expected, there: sum })
    };
    Ok(rows.into_iter().map(looked).collect())
}

/// Those of these rows that the target holds, with the source row that its record of each speaks of.
async fn held(work: &Work<'_>, suspects: &[Suspect], away: &[usize]) -> Result<HashMap<Uuid, Option<[u8; 16]>>> {
    let away = || away.iter().map(|&at| &suspects[at]);
    if work.foreign.is_some() {
        // It cannot be asked without saying where a row is looked for.
        let there = away().filter(|one| one.last.target.is_some() || one.last.class == Some(Class::Unexpected));
        return Ok(there.map(|one| (one.id, one.last.target)).collect());
    }
    let ids: Vec<Uuid> = away().map(|one| one.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut client = work.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    Identity::audit(&tx).await?;
    let digest = |bytes: &[u8]| {
        <[u8; 16]>::try_from(bytes).map_err(|_| MigrateError::Ledger("a digest is not 16 bytes long".into()))
    };
    let rows = tx.query(UNMET, &[&work.origin_source, &ids]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, Some(digest(row.try_get(2)?)?)))).collect()
}

/// A row that the source has no longer: a difference where the target holds it.
fn away_from_source(key: &[String], id: Uuid, held: Option<Option<[u8; 16]>>) -> Looked {
    let mut tally = Tally::default();
    if held.is_some() {
        tally.differences.push(Difference::unexpected(key.to_vec(), id));
    }
    let class = tally.differences.first().map(|difference| difference.class);
    let glance = Glance { class, source: None, target: held.flatten() };
    Looked { glance, tally, expected: DigestSum::default(), there: DigestSum::default() }
}
