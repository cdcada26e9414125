//! Whether the store's own records say why a memory differs. A record explains only what it speaks of: a state that no
//! transition led to, or a text that no revision wrote, stays a difference however often the row was touched before.
//!
//! Beyond its reach: the records keep no digest of role, topic, metadata and embedding, so a change made to those by
//! somebody who also forged `updated_at` passes for part of the last recorded revision.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::Transaction;
use heirloom_store::Identity;
use tokio_postgres::Row;
use uuid::Uuid;

use super::difference::Explanation;
use super::target::TargetRow;
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

/// What the records say of one memory.
#[derive(Debug, Clone, Copy)]
struct Said {
    said: bool,
    moved: bool,
    verified: bool,
    superseded: bool,
    consolidated: bool,
    pinned: bool,
    ends: bool,
}

/// What the records say of the memories of a chunk that were touched since they came.
#[derive(Debug, Default)]
pub(super) struct Records(HashMap<(String, Uuid), Said>);

impl Records {
    /// Asks for all of them at once: a memory each would be three round trips each.
    pub(super) async fn of(tx: &Transaction<'_>, rows: &[TargetRow]) -> Result<Self> {
        let touched = || rows.iter().filter(|row| row.revised || row.moved);
        let (namespaces, ids): (Vec<&str>, Vec<Uuid>) = touched().map(|row| (row.namespace.as_str(), row.id)).unzip();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let each: Vec<&str> = namespaces.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let identity = Identity::audit(tx).await?;
        let rows = tx.query(RECORDS, &[&namespaces, &ids, &each]).await?;
        identity.give_back(tx).await?;
        let said = |row: &Row| -> Result<((String, Uuid), Said)> {
            let said = Said {
                said: row.try_get("said")?,
                moved: row.try_get("moved")?,
                verified: row.try_get("verified")?,
                superseded: row.try_get("superseded")?,
                consolidated: row.try_get("consolidated")?,
                pinned: row.try_get("pinned")?,
                ends: row.try_get("ends")?,
            };
            Ok(((row.try_get("namespace")?, row.try_get("id")?), said))
        };
        Ok(Self(rows.iter().map(said).collect::<Result<_>>()?))
    }

    /// The reason for exactly these fields (numbers in [`FIELDS`]), if there is one.
    pub(super) fn explanation(&self, there: &TargetRow, differing: &[usize]) -> Option<Explanation> {
        let Said { said, moved, verified, superseded, consolidated, pinned, ends } =
            *self.0.get(&(there.namespace.clone(), there.id))?;
        let mut edited = false;
        for &field in differing {
            let name = FIELDS[field];
            let by_edit = said && there.revised && (EDITABLE.contains(&name) || (name == "verified_at" && verified));
            let by_move = moved
                && (TRANSITIONAL.contains(&name)
                    || (name == "verified_at" && verified)
                    || (name == "is_active" && consolidated));
            let by_edit = by_edit || (name == "pin" && pinned) || (name == "expires_at" && ends);
            if !by_edit && !by_move {
                return None;
            }
            edited |= by_edit && !by_move;
        }
        Some(match (edited, consolidated, superseded) {
            (true, ..) => Explanation::Edited,
            (false, true, _) => Explanation::Consolidated,
            (false, false, true) => Explanation::Superseded,
            (false, false, false) => Explanation::Transitioned,
        })
    }
}
