//! The rows of a target that is no store, as the comparison takes them: what it shows, with what the ledger recorded when
//! they were handed down in place of an origin.

use std::collections::HashSet;

use heirloom_store::Moment;
use uuid::Uuid;

use super::again::Suspects;
use super::difference::{Difference, Explanation};
use super::expected::{Expected, Work};
use super::target::{TargetOrigin, TargetRow};
use super::{Verification, wire};
use crate::canon::FIELDS;
use crate::error::Result;
use crate::frames::Frames;
use crate::ledger;
use crate::target::{Foreign, Seen, Wanted};

/// What a trigger that closes a row changes.
const CLOSING: [&str; 2] = ["valid_to", "updated_at"];

/// What is known of rows beyond what they say.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Closed, and a newer one of their kind is open.
    superseded: HashSet<Uuid>,
    /// Nobody shows whether they are there.
    unseen: HashSet<Uuid>,
}

impl Aside {
    /// Whether the target does not show if it is there.
    pub(super) fn is_unseen(&self, id: Uuid) -> bool {
        self.unseen.contains(&id)
    }

    /// The reason for exactly these fields, if the target itself is one.
    pub(super) fn explanation(&self, there: &TargetRow, expected: &Frames, differing: &[usize]) -> Option<Explanation> {
        let named = |at: &usize| FIELDS.get(*at).copied().unwrap_or_default();
        let later = |at: usize| match (micros(&expected[at]), micros(&there.frames[at])) {
            (Some(expected), Some(found)) => found > expected,
            _ => false,
        };
        if differing.iter().all(|at| named(at) == "updated_at" && later(*at)) {
            return Some(Explanation::Stamped);
        }
        let closes = |at: &usize| match named(at) {
            // Closed by the trigger: it was open, and ends at some moment.
            "valid_to" => expected[*at].get(1) == Some(&0) && there.frames[*at].get(1) == Some(&1),
            name => CLOSING.contains(&name) && later(*at),
        };
        (self.superseded.contains(&there.id) && differing.iter().all(closes)).then_some(Explanation::Closed)
    }
}

/// The moment in a frame, where it holds one that is no infinity.
fn micros(frame: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(wire::body(frame)?.try_into().ok()?))
}

/// Whether a time of expiry is over at this moment.
pub(super) fn is_over(expires_at: Option<Moment>, now: jiff::Timestamp) -> bool {
    expires_at.is_some_and(|at| at <= Moment::from_timestamp(now))
}

/// Reads these rows over there, then what the ledger says of them; no connection of one is held while the other is asked.
pub(super) async fn rows(work: &Work<'_>, foreign: &dyn Foreign, rows: &[Expected]) -> Result<(Vec<TargetRow>, Aside)> {
    let Some(surface) = work.mapping.program.surface() else { return Ok(Default::default()) };
    let wanted: Vec<Wanted<'_>> = rows.iter().map(Expected::wanted).collect();
    let Seen { rows: shown, unseen } = foreign.rows(surface, &wanted).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let client = work.store.database().client().await?;
    let mut known = match ledger::exists(&client).await? {
        true => ledger::delivered(&client, &work.origin_source, &ids).await?,
        false => Default::default(),
    };
    let superseded = shown.iter().filter(|row| row.superseded).map(|row| row.id).collect();
    let rows = shown
        .into_iter()
        .map(|row| TargetRow {
            id: row.id,
            namespace: row.namespace,
            frames: row.frames.into_iter().collect(),
            origin: known.remove(&row.id).map(|known| TargetOrigin {
                source: work.origin_source.clone(),
                source_digest: known.source_digest,
                written_digest: known.written_digest,
            }),
            revised: false,
            moved: false,
        })
        .collect();
    Ok((rows, Aside { superseded, unseen }))
}

/// Rows that were handed down, are there, and have no source row any more; and how many are there that no migration
/// brought.
pub(super) async fn beyond(
    work: &Work<'_>,
    foreign: &dyn Foreign,
    seen: &HashSet<Uuid>,
    suspects: &mut Suspects,
    verification: &mut Verification,
) -> Result<()> {
    let all = {
        let client = work.store.database().client().await?;
        match ledger::exists(&client).await? {
            true => ledger::delivered_from(&client, &work.origin_source).await?,
            false => Vec::new(),
        }
    };
    let ours: HashSet<Uuid> = all.iter().map(|(id, _)| *id).collect();
    let orphans: Vec<(Uuid, Vec<String>)> = all.into_iter().filter(|(id, _)| !seen.contains(id)).collect();
    let gone: Vec<Uuid> = orphans.iter().map(|(id, _)| *id).collect();
    let namespaces: Vec<&str> = work.plan.namespaces.iter().map(|namespace| namespace.namespace.as_str()).collect();
    let found = foreign.beyond(&namespaces, &ours, &gone).await?;
    let left: HashSet<Uuid> = found.left.into_iter().collect();
    for (id, key) in orphans.iter().filter(|(id, _)| left.contains(id)) {
        match suspects.has_room() {
            true => suspects.add_unmet(key.clone(), *id, None),
            false => verification.differs(Difference::unexpected(key.clone(), *id)),
        }
    }
    if let Some(surface) = work.mapping.program.surface() {
        verification.not_shown =
            FIELDS.iter().filter(|field| !surface.shows(field)).map(|field| (*field).to_owned()).collect();
    }
    verification.live_rows = found.live;
    verification.unseen += found.unseen;
    verification.partly_shown = found.partly;
    Ok(())
}
