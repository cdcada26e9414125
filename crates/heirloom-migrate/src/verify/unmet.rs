//! What the target holds from here and the source has no longer, found without holding the ids of either side.
//!
//! While the chunks are compared, the ids that were met on both sides go into sums, one of many buckets each, and so do
//! afterwards all ids that the records name. Where the two sums of a bucket are the same there is nothing beyond the source's
//! rows, which is what is found nearly always. Only the ids of the buckets that differ are asked for again and
//! looked for among the source's keys, and where those are many, some buckets at a time.

use heirloom_store::Identity;
use uuid::Uuid;

use super::Verification;
use super::again::Suspects;
use super::difference::Difference;
use super::expected::Work;
use super::live::UNMET;
use super::walk::ASKED;
use crate::digest::{Digest, DigestSum, Key};
use crate::error::{MigrateError, Result};
use crate::ledger;
use crate::source::narrow;

/// Buckets: with 32 bytes each half a megabyte, however many rows there are.
const BUCKETS: usize = 1 << 14;

/// Ids that are held at a time: 17 bytes each.
const HELD: u64 = 1_000_000;

/// Sums of ids, by bucket.
pub(super) struct Ids {
    key: Key,
    sums: Vec<DigestSum>,
}

impl Ids {
    /// None yet. The key is of this run alone, so that nobody chooses ids that cancel each other out.
    pub(super) fn new(key: &Key) -> Self {
        Self { key: key.clone(), sums: vec![DigestSum::default(); BUCKETS] }
    }

    pub(super) fn add(&mut self, id: Uuid) {
        let digest = self.key.digest(id.as_bytes());
        self.sums[bucket(digest)].add(digest);
    }

    fn bucket_of(&self, id: Uuid) -> usize {
        bucket(self.key.digest(id.as_bytes()))
    }

    /// The buckets that hold others than `met` does, in groups that hold at most so many ids together, or one bucket.
    fn beyond(&self, met: &Self, held: u64) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut room = 0;
        let differing = (0..BUCKETS).filter(|&at| self.sums[at] != met.sums[at] && self.sums[at].count > 0);
        for at in differing {
            let count = self.sums[at].count;
            match groups.last_mut() {
                Some(group) if count <= room => group.push(at),
                _ => {
                    groups.push(vec![at]);
                    room = held;
                }
            }
            room = room.saturating_sub(count);
        }
        groups
    }
}

fn bucket(digest: Digest) -> usize {
    usize::from(u16::from_be_bytes([digest.0[0], digest.0[1]])) % BUCKETS
}

/// Finds rows that the records say were handed down from here, and whose key no source row has.
pub(super) async fn unmet(
    work: &Work<'_>,
    met: &Ids,
    suspects: &mut Suspects,
    verification: &mut Verification,
) -> Result<()> {
    let mut recorded = Ids::new(&met.key);
    each_recorded(work, &mut |id| recorded.add(id)).await?;
    for group in recorded.beyond(met, HELD) {
        let gone = gone(work, &recorded, &group).await?;
        if !gone.is_empty() {
            beyond(work, &gone, suspects, verification).await?;
        }
    }
    Ok(())
}

/// The ids of these buckets that the source has no longer, in their order.
async fn gone(work: &Work<'_>, recorded: &Ids, group: &[usize]) -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    each_recorded(work, &mut |id| {
        if group.binary_search(&recorded.bucket_of(id)).is_ok() {
            ids.push(id);
        }
    })
    .await?;
    ids.dedup();
    let mut there = vec![false; ids.len()];
    for planned in &work.plan.chunks {
        let read = narrow(&work.plan.reading(&planned.range, &[]), Vec::new());
        work.source
            .scan(&read, &mut |row, _bytes| {
                if let Ok(at) = ids.binary_search(&work.mapping.program.id(&row.key)) {
                    there[at] = true;
                }
                Ok(())
            })
            .await?;
    }
    Ok(ids.into_iter().zip(there).filter(|(_, there)| !there).map(|(id, _)| id).collect())
}

/// Each id that the records name, in their order. No connection is held when this returns.
async fn each_recorded(work: &Work<'_>, visit: &mut (dyn FnMut(Uuid) + Send)) -> Result<()> {
    let mut client = work.store.database().client().await?;
    if work.foreign.is_none() {
        let tx = client.build_transaction().read_only(true).start().await?;
        return ledger::handed_down_between(&tx, &work.origin_source, Uuid::nil(), Uuid::max(), visit).await;
    }
    match ledger::exists(&client).await? {
        true => ledger::each_delivered(&client, &work.origin_source, visit).await,
        false => Ok(()),
    }
}

/// Those of these rows that the target holds are beyond the source's.
async fn beyond(
    work: &Work<'_>,
    gone: &[Uuid],
    suspects: &mut Suspects,
    verification: &mut Verification,
) -> Result<()> {
    let mut suspect = |key: Vec<String>, id: Uuid, target: Option<[u8; 16]>| match suspects.has_room() {
        true => suspects.add_unmet(key, id, target),
        false => verification.differs(Difference::unexpected(key, id)),
    };
    if let Some(foreign) = work.foreign {
        let namespaces = work.namespaces();
        let left = foreign.left(&namespaces, gone).await?;
        for ids in left.there.chunks(ASKED) {
            let client = work.store.database().client().await?;
            for (id, key) in ledger::delivered_keys(&client, &work.origin_source, ids).await? {
                suspect(key, id, None);
            }
        }
        verification.unseen += left.unseen;
        return Ok(());
    }
    let mut client = work.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    Identity::audit(&tx).await?;
    for ids in gone.chunks(ASKED) {
        for row in tx.query(UNMET, &[&work.origin_source, &ids]).await? {
            let key = serde_json::from_str(row.try_get(1)?)
                .map_err(|_| MigrateError::Ledger("a source key is not a JSON array of strings".into()))?;
            suspect(key, row.try_get(0)?, <[u8; 16]>::try_from(row.try_get::<_, &[u8]>(2)?).ok());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(key: &Key, of: std::ops::Range<u128>) -> Ids {
        let mut ids = Ids::new(key);
        of.for_each(|n| ids.add(Uuid::from_u128(n)));
        ids
    }

    #[test]
    fn only_the_buckets_that_hold_more_are_asked_again() {
        let key = Key::random();
        let met = ids(&key, 0..50_000);
        assert!(ids(&key, 0..50_000).beyond(&met, HELD).is_empty());
        assert!(Ids::new(&key).beyond(&met, HELD).is_empty(), "what is missing is not beyond");
        let more = ids(&key, 0..50_003);
        let groups = more.beyond(&met, HELD);
        let asked: u64 = groups.iter().flatten().map(|&at| more.sums[at].count).sum();
        assert!(groups.len() == 1 && (3..50).contains(&asked), "{groups:?} hold {asked}");
        for extra in 50_000..50_003 {
            assert!(groups[0].binary_search(&more.bucket_of(Uuid::from_u128(extra))).is_ok());
        }
        // One for another in the same bucket: as many, and not the same.
        let other = (50_000..).find(|&n| met.bucket_of(Uuid::from_u128(n)) == met.bucket_of(Uuid::nil())).unwrap();
        let mut exchanged = ids(&key, 1..50_000);
        exchanged.add(Uuid::from_u128(other));
        assert_eq!(exchanged.beyond(&met, HELD), [[met.bucket_of(Uuid::nil())]]);
    }

    #[test]
    fn no_group_holds_more_than_it_may() {
        let key = Key::random();
        let (all, none) = (ids(&key, 0..200_000), Ids::new(&key));
        let groups = all.beyond(&none, 1_000);
        let held = |group: &Vec<usize>| group.iter().map(|&at| all.sums[at].count).sum::<u64>();
        assert!(groups.len() >= 200 && groups.iter().all(|group| held(group) <= 1_000), "{}", groups.len());
        assert_eq!(groups.iter().map(held).sum::<u64>(), 200_000, "and every id is in one");
    }
}
