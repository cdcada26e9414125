//! Whether the store's own records say why a memory differs. A record explains only what it speaks of: a state that no
//! transition led to, or a text that no revision wrote, stays a difference however often the row was touched before.
//!
//! Beyond its reach: the records keep no digest of role, topic, metadata and embedding, so a change made to those by
//! somebody who also forged `updated_at` passes for part of the last recorded revision.

use deadpool_postgres::Transaction;

use super::difference::Explanation;
use super::target::{self, TargetRow};
use crate::canon::FIELDS;
use crate::error::Result;

const RECORDS: &str = include_str!("../../sql/queries/verify_explain.sql");

/// What `revise` may change, apart from `verified_at`.
const EDITABLE: [&str; 9] = [
    "content",
    "role",
    "topic",
    "metadata",
    "embedding",
    "embedding_model",
    "commit_sha",
    "artifact_hash",
    "updated_at",
];

/// What a transition changes, apart from `verified_at`.
const TRANSITIONAL: [&str; 2] = ["state", "state_changed_at"];

/// The reason for exactly these fields (numbers in [`FIELDS`]), if there is one.
pub(super) async fn explanation(
    tx: &Transaction<'_>,
    there: &TargetRow,
    differing: &[usize],
) -> Result<Option<Explanation>> {
    if there.revisions == 0 && there.transitions == 0 {
        return Ok(None);
    }
    target::as_audit(tx).await?;
    let records = tx.query_one(RECORDS, &[&there.namespace, &there.id]).await?;
    target::as_self(tx).await?;
    let (said, moved, verified): (bool, bool, bool) = (records.try_get(0)?, records.try_get(1)?, records.try_get(2)?);
    let (pinned, ends): (bool, bool) = (records.try_get(3)?, records.try_get(4)?);
    let mut edited = false;
    for &field in differing {
        let name = FIELDS[field];
        let by_edit = said && there.revisions > 0 && (EDITABLE.contains(&name) || (name == "verified_at" && verified));
        let by_move = moved && (TRANSITIONAL.contains(&name) || (name == "verified_at" && verified));
        let by_edit = by_edit || (name == "pin" && pinned) || (name == "expires_at" && ends);
        if !by_edit && !by_move {
            return Ok(None);
        }
        edited |= by_edit && !by_move;
    }
    Ok(Some(if edited { Explanation::Edited } else { Explanation::Transitioned }))
}
