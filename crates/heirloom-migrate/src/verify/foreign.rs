//! The rows of a target that is no store, as the comparison takes them: what it shows, with what the ledger recorded when
//! they were handed down in place of an origin.

use std::collections::HashSet;

use heirloom_store::Moment;
use uuid::Uuid;

use super::difference::Explanation;
use super::expected::{Expected, Work};
use super::target::{TargetOrigin, TargetRow};
use super::walk::ASKED;
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
/// The second are the ids of those that were handed down, shown or not.
pub(super) async fn rows(
    work: &Work<'_>,
    foreign: &dyn Foreign,
    rows: &[Expected],
) -> Result<(Vec<TargetRow>, Vec<Uuid>, Aside)> {
    let Some(surface) = work.mapping.program.surface() else { return Ok(Default::default()) };
    let wanted: Vec<Wanted<'_>> = rows.iter().map(Expected::wanted).collect();
    let Seen { rows: shown, unseen } = foreign.rows(surface, &wanted).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let client = work.store.database().client().await?;
    let mut known = match ledger::exists(&client).await? {
        true => ledger::delivered(&client, &work.origin_source, &ids).await?,
        false => Default::default(),
    };
    let recorded = known.keys().copied().collect();
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
    Ok((rows, recorded, Aside { superseded, unseen }))
}

/// Which fields the target does not show, and how many rows are there that no migration brought.
pub(super) async fn beyond(work: &Work<'_>, foreign: &dyn Foreign, verification: &mut Verification) -> Result<()> {
    let found = foreign.beyond(&work.namespaces()).await?;
    verification.live_rows = found.live;
    for ids in found.shown.chunks(ASKED) {
        let client = work.store.database().client().await?;
        let known = match ledger::exists(&client).await? {
            true => ledger::delivered(&client, &work.origin_source, ids).await?,
            false => Default::default(),
        };
        verification.live_rows += ids.iter().filter(|id| !known.contains_key(id)).count() as u64;
    }
    verification.partly_shown = found.partly;
    if let Some(surface) = work.mapping.program.surface() {
        verification.not_shown =
            FIELDS.iter().filter(|field| !surface.shows(field)).map(|field| (*field).to_owned()).collect();
    }
    Ok(())
}
