//! A comparison chunk by chunk, for a soak: what still looks as it did when it was last found equal is not read again.
//!
//! How a chunk looks is the version of each of its rows on both sides: at the source the place and writing transaction of
//! each row under its key, in the store the same of memory and origin. Whatever a statement of SQL does to a row makes
//! another version of it. A source that keeps no such versions (a view, a query, a file) is read whole every time.

use std::collections::HashSet;

use heirloom_store::Identity;
use heirloom_store::Store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

use super::again::Suspects;
use super::difference::{Class, Explanation};
use super::expected::Work;
use super::unmet::{self, Ids};
use super::{Verification, walk};
use crate::digest::DigestSum;
use crate::error::Result;
use crate::plan::{Plan, PlannedChunk};
use crate::source::{Source, versions};

const TARGET: &str = include_str!("../../sql/queries/leaf_target.sql");

/// How a chunk looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// Count and sum over the versions of the source's rows.
    pub(crate) source: DigestSum,
    /// Rows of the store with these ids.
    pub(crate) target_rows: u64,
    /// Sum over their versions.
    pub(crate) target_mark: String,
    /// Those of its ids that the records say were handed down.
    recorded: Vec<Uuid>,
}

/// What the comparison of a chunk found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Count and digest sum of the source rows, under the store's key: comparable between sweeps.
    pub(crate) source: DigestSum,
    pub(crate) expected: u64,
    pub(crate) rejected: u64,
    pub(crate) found: u64,
    pub(crate) equal: u64,
    pub(crate) explained: BTreeMap<Explanation, u64>,
    pub(crate) differences: u64,
}

/// A comparison under way.
pub(crate) struct Partial<'a> {
    work: Work<'a>,
    verification: Verification,
    met: Ids,
    suspects: Suspects,
    /// The expression that gives a source row's version.
    version: Option<String>,
}

impl<'a> Partial<'a> {
    pub(crate) async fn new(plan: &'a Plan, source: &'a dyn Source, store: &'a Store) -> Result<Self> {
        let work = Work::new(plan, source, store, None, false).await?;
        let version = source.row_version(&plan.source.relation).await?;
        let (met, suspects) = (Ids::new(&work.mapping.key), Suspects::default());
        Ok(Self { work, verification: Verification::of(plan), met, suspects, version })
    }

    /// How a chunk looks now; `None` when its source keeps no versions.
    pub(crate) async fn look(&self, chunk: &PlannedChunk) -> Result<Option<Look>> {
        let Some(version) = &self.version else { return Ok(None) };
        let read = self.work.plan.reading(&chunk.range, &[]);
        let mut ids = Vec::new();
        let sum = versions(self.work.source, &read, version, &self.work.mapping.origin_key, &mut |key| {
            ids.push(self.work.mapping.program.id(key));
        })
        .await?;
        let mut client = self.work.store.database().client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        Identity::audit(&tx).await?;
        let row = tx.query_one(TARGET, &[&ids, &self.work.origin_source]).await?;
        let rows: i64 = row.try_get(0)?;
        let target_rows = u64::try_from(rows).unwrap_or(0);
        Ok(Some(Look { source: sum, target_rows, target_mark: row.try_get(1)?, recorded: row.try_get(2)? }))
    }

    /// Compares a chunk. Rows that have to be looked at again count as differences of it, and are in no other count yet.
    pub(crate) async fn compare(&mut self, chunk: &PlannedChunk) -> Result<Found> {
        let Self { work, verification, met, suspects, .. } = self;
        let before = Found::so_far(verification, suspects);
        let (source, _) = walk::chunk(work, chunk, met, suspects, verification).await?;
        Ok(before.until(&Found::so_far(verification, suspects), source))
    }

    /// Takes a chunk as it was found before, because it still looks the same.
    pub(crate) fn skip(&mut self, look: &Look, found: &Found) {
        look.recorded.iter().for_each(|id| self.met.add(*id));
        let verification = &mut self.verification;
        verification.source_rows += found.source.count;
        verification.expected += found.expected;
        verification.rejected += found.rejected;
        verification.found += found.found;
        verification.equal += found.equal;
        for (why, rows) in &found.explained {
            *verification.explained.entry(*why).or_default() += rows;
        }
    }

    /// What the store holds beyond the chunks, and everything that was found.
    pub(crate) async fn finish(mut self, now: Timestamp) -> Result<Whole> {
        let Self { work, verification, met, suspects, .. } = &mut self;
        unmet::unmet(work, met, suspects, verification).await?;
        Box::pin(std::mem::take(suspects).settle(work, verification)).await?;
        self.verification.holds = self.verification.difference_count == 0;
        let missing: Vec<Uuid> = self
            .verification
            .differences
            .iter()
            .filter(|difference| difference.class == Class::Missing)
            .map(|difference| difference.id)
            .collect();
        let mut client = self.work.store.database().client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        Identity::audit(&tx).await?;
        let source = &self.work.origin_source;
        let recorded = tx.query(include_str!("../../sql/queries/origin_of.sql"), &[source, &missing]).await?;
        let recorded = recorded.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<HashSet<Uuid>>>()?;
        let expired: i64 =
            tx.query_one(include_str!("../../sql/queries/expired.sql"), &[source, &now]).await?.try_get(0)?;
        Ok(Whole { verification: self.verification, recorded, expired: u64::try_from(expired).unwrap_or(0) })
    }
}

/// Everything that was found.
pub(crate) struct Whole {
    pub(crate) verification: Verification,
    /// Missing rows of which a record says that they were handed down.
    pub(crate) recorded: HashSet<Uuid>,
    /// Rows that are there and have expired.
    pub(crate) expired: u64,
}

impl Found {
    /// What was counted until now.
    fn so_far(verification: &Verification, suspects: &Suspects) -> Self {
        Self {
            source: DigestSum::default(),
            expected: verification.expected,
            rejected: verification.rejected,
            found: verification.found,
            equal: verification.equal,
            explained: verification.explained.clone(),
            differences: verification.difference_count + suspects.len(),
        }
    }

    /// What was added to it by a chunk whose source rows sum up to this.
    fn until(&self, now: &Self, source: DigestSum) -> Self {
        let explained = now
            .explained
            .iter()
            .map(|(why, rows)| (*why, rows - self.explained.get(why).copied().unwrap_or(0)))
            .filter(|(_, rows)| *rows > 0)
            .collect();
        Self {
            source,
            expected: now.expected - self.expected,
            rejected: now.rejected - self.rejected,
            found: now.found - self.found,
            equal: now.equal - self.equal,
            explained,
            differences: now.differences - self.differences,
        }
    }
}
