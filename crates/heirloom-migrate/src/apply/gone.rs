//! What the source has no longer: rows that were handed down before and whose key is not read any more.
//!
//! Both sides are asked for ids alone, and where they are many, one stretch of all ids after the other, so that what is held
//! has a bound: 17 bytes an id. Forgetting them is asked for, never assumed: a source that shows less than it has (a policy, another
//! database, a table emptied by mistake) looks like one whose rows were deleted, so there is a budget as for rejects.

use heirloom_store::{Forget, Scope, StoreError};
use serde::Serialize;
use uuid::Uuid;

use super::Work;
use crate::error::{MigrateError, Result};
use crate::failpoint::Point;
use crate::file::Budget;
use crate::ledger;
use crate::source::narrow;

/// Ids that are held at a time.
const HELD: u64 = 1_000_000;

/// Ids that the store is asked for in one statement.
const ASKED: usize = 1_024;

/// Why these memories were forgotten, as their tombstones say.
const REASON: &str = "deleted at the source";

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Gone {
    /// Rows handed down before that the source has no longer.
    pub rows: u64,
    /// Of those, the ones that were forgotten for it.
    pub forgotten: u64,
}

/// Looks for what is gone, and forgets it where a budget says how much of that may be.
///
/// # Errors
/// [`MigrateError::Refused`] when more is gone than the budget allows; nothing was forgotten then.
pub(super) async fn gone(work: &Work<'_>, budget: Option<&Budget>) -> Result<Gone> {
    let (held, found) = find(work).await?;
    forget(work, held, found, budget).await
}

/// Forgets those of these ids that were handed down and are there, as far as the budget allows.
///
/// # Errors
/// As [`gone`].
pub(super) async fn gone_of(work: &Work<'_>, ids: &[Uuid], budget: &Budget) -> Result<Gone> {
    let (held, found) = {
        let mut client = work.store.database().client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        let found = ledger::handed_down_of(&tx, &work.origin_source, ids).await?;
        (ledger::handed_down_count(&tx, &work.origin_source).await?, found)
    };
    let mut ids: Vec<Uuid> = found.into_iter().map(|(id, _)| id).collect();
    ids.dedup();
    forget(work, held, ids, Some(budget)).await
}

async fn forget(work: &Work<'_>, held: u64, found: Vec<Uuid>, budget: Option<&Budget>) -> Result<Gone> {
    let mut gone = Gone { rows: found.len() as u64, forgotten: 0 };
    let Some(budget) = budget.filter(|_| !found.is_empty()) else { return Ok(gone) };
    let allowed = budget.rows_of(held);
    if gone.rows > allowed {
        return Err(MigrateError::Refused {
            what: format!(
                "{} of {held} rows handed down are gone from the source, and {allowed} of them may be forgotten",
                gone.rows
            ),
            cure: "see that the source shows every row it has; if they were deleted, allow more with \
                   `--propagate-deletes N` or `N%`; nothing was forgotten"
                .into(),
        });
    }
    for ids in found.chunks(ASKED) {
        let rows = {
            let mut client = work.store.database().client().await?;
            let tx = client.build_transaction().read_only(true).start().await?;
            ledger::handed_down_of(&tx, &work.origin_source, ids).await?
        };
        for (id, namespace) in rows {
            let scope = Scope::one(&namespace)?;
            let forget = Forget { id, namespace: Some(namespace), reason: Some(REASON.to_owned()) };
            work.failpoints.pass(Point::BeforeForget).await?;
            match work.store.forget(&scope, &forget).await {
                Ok(_) => gone.forgotten += 1,
                // Somebody was faster.
                Err(StoreError::Forgotten { .. } | StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            work.failpoints.pass(Point::AfterForget).await?;
        }
    }
    Ok(gone)
}

/// How many rows of this source the store holds, and which of them are gone from it.
async fn find(work: &Work<'_>) -> Result<(u64, Vec<Uuid>)> {
    let stretches = work.plan.counts.rows.div_ceil(HELD).max(1);
    let (mut held, mut gone) = (0, Vec::new());
    for at in 0..stretches {
        let (first, last) = stretch(at, stretches);
        // Asked of the store first: what is handed down in between is not missed at the source.
        let recorded = recorded(work, first, last).await?;
        if recorded.is_empty() {
            continue;
        }
        let mut there = vec![false; recorded.len()];
        for planned in &work.plan.chunks {
            let read = narrow(&work.reading(&planned.range), Vec::new());
            work.source
                .scan(&read, &mut |row, _bytes| {
                    if let Ok(at) = recorded.binary_search(&work.mapper.program.id(&row.key)) {
                        there[at] = true;
                    }
                    Ok(())
                })
                .await?;
        }
        held += recorded.len() as u64;
        gone.extend(recorded.into_iter().zip(there).filter(|(_, there)| !there).map(|(id, _)| id));
    }
    Ok((held, gone))
}

/// The ids of a stretch that the store holds, in their order, each once.
async fn recorded(work: &Work<'_>, first: Uuid, last: Uuid) -> Result<Vec<Uuid>> {
    let mut client = work.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let mut ids = Vec::new();
    ledger::handed_down_between(&tx, &work.origin_source, first, last, &mut |id| ids.push(id)).await?;
    ids.dedup();
    Ok(ids)
}

/// The first and the last id of a stretch, of so many that are equally long.
fn stretch(at: u64, of: u64) -> (Uuid, Uuid) {
    let edge = |n: u64| u128::from(n) * (u128::MAX / u128::from(of));
    let last = if at + 1 == of { u128::MAX } else { edge(at + 1) - 1 };
    (Uuid::from_u128(edge(at)), Uuid::from_u128(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_hold_every_id_once() {
        for of in [1, 2, 3, 7, 1_000] {
            let all: Vec<_> = (0..of).map(|at| stretch(at, of)).collect();
            assert_eq!((all[0].0, all[all.len() - 1].1), (Uuid::nil(), Uuid::max()));
            for pair in all.windows(2) {
                assert_eq!(pair[0].1.as_u128() + 1, pair[1].0.as_u128());
            }
        }
    }
}
