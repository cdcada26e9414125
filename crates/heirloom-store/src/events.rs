//! What happened, in order: the activity of all tenants, for a door that hands it on as events.
//!
//! Ids are given out before transactions commit, so a later id may be seen before an earlier one. A gap is therefore
//! waited for until every transaction that was at work when the gap was first looked at has ended; who goes on from an
//! id loses nothing and gets nothing twice. What the waiting is measured by lives in this process alone: transaction
//! ids mean nothing after a restore. Deliberately absent: who may hear of what; a door asks its tokens.

use std::sync::Mutex;

use futures_util::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::Result;
use crate::memory::Moment;
use crate::store::Store;
use crate::trip;

/// The channel a server is told on that something happened.
pub const CHANNEL: &str = "heirloom_activity";

/// Most events of one call.
pub const MAX_EVENTS: i64 = 10_000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Its place in the order of all.
    pub id: i64,
    /// When its transaction began.
    pub at: Moment,
    /// Who acted.
    pub actor: String,
    /// `remember`, `revise`, `forget`, `transition` and the like.
    pub action: String,
    /// Where; absent for what concerns several namespaces or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Which memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_id: Option<Uuid>,
    /// The sha256 of its content, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
    /// Numbers and words of closed lists; no content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// What happened after an id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// In order, without a gap that somebody might still fill.
    pub events: Vec<Event>,
    /// Up to here nothing is missing: go on from this id.
    pub horizon: i64,
}

/// How far the activity is settled, as this process knows.
#[derive(Debug, Default)]
pub(crate) struct Horizon(Mutex<Known>);

#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Known {
    /// Every id up to here is decided,
    settled: i64,
    /// as whoever's oldest transaction at work is this one or a later one sees it.
    since: i64,
    /// Ids up to the first were given out when the second was the next transaction to begin.
    waiting: Option<(i64, i64)>,
}

impl Known {
    /// Takes in what a look tells: ids given out before it, the oldest transaction at work, and the next to begin, which
    /// is above whoever took one of those ids. Returns up to which id this very look sees all there is.
    fn look(&mut self, given_out: i64, oldest: i64, next: i64) -> i64 {
        let is_ahead = |id: i64| id > next;
        if given_out < self.settled || is_ahead(self.since) || self.waiting.is_some_and(|(_, then)| is_ahead(then)) {
            // Another database stands where this one stood, or this look is older than another's: knowing less is safe.
            *self = Self::default();
        }
        if let Some((upto, then)) = self.waiting
            && oldest >= then
        {
            *self = Self { settled: self.settled.max(upto), since: self.since.max(then), waiting: None };
        }
        if oldest == next {
            *self = Self { settled: self.settled.max(given_out), since: self.since.max(next), waiting: None };
        } else if self.waiting.is_none() && given_out > self.settled {
            self.waiting = Some((given_out, next));
        }
        if oldest >= self.since { self.settled } else { 0 }
    }
}

impl Store {
    /// Activity after an id, oldest first, 1 to [`MAX_EVENTS`]; of all tenants. An id that may still come is waited for:
    /// ask again. Two round trips.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`] or [`crate::StoreError::Engine`] when the database cannot be asked.
    pub async fn activity_after(&self, after: i64, limit: i64) -> Result<Activity> {
        let limit = limit.clamp(1, MAX_EVENTS);
        let client = self.database().client().await?;
        // Before the snapshot: every id of this number or a lower one was then taken by somebody who is in it or over.
        let given_out =
            trip::ask(&client, trip::AUDIT, include_str!("../sql/queries/events/given_out.sql"), &[]).await?;
        let given_out: i64 = given_out.first().map_or(Ok(0), |row| row.try_get("given_out"))?;
        let undecided = self.horizon().is_short_of(given_out);
        let after_sql = include_str!("../sql/queries/events/after.sql");
        let rows = trip::ask(&client, trip::AUDIT, after_sql, &[&after, &limit, &undecided]).await?;
        drop(client);
        let Some(first) = rows.first() else { return Ok(Activity { events: Vec::new(), horizon: after }) };
        let (oldest, next) = (first.try_get("oldest")?, first.try_get("next")?);
        let settled = self.horizon().look(given_out, oldest, next);
        let mut events = Vec::with_capacity(rows.len());
        let mut horizon = after;
        for row in &rows {
            let Some(id) = row.try_get::<_, Option<i64>>("id")? else { break };
            if id != horizon + 1 && id > settled {
                break;
            }
            events.push(Event::from_row(id, row)?);
            horizon = id;
        }
        let is_full = i64::try_from(events.len()).is_ok_and(|found| found == limit);
        if !is_full {
            horizon = horizon.max(settled.min(given_out));
        }
        Ok(Activity { events, horizon })
    }

    /// The id up to which everything that happened is decided: who begins to listen now goes on from here.
    ///
    /// # Errors
    /// As [`Store::activity_after`].
    pub async fn last_activity_id(&self) -> Result<i64> {
        let mut last = 0;
        let client = self.database().client().await?;
        let rows = trip::ask(&client, trip::AUDIT, "select max(a.id) as last from heirloom.activity a", &[]).await?;
        drop(client);
        if let Some(row) = rows.first() {
            last = row.try_get::<_, Option<i64>>("last")?.unwrap_or(0);
        }
        Ok(self.activity_after(last, 1).await?.horizon)
    }

    /// Something happened, perhaps: a tick for each time this server says so, and one for each new connection to it,
    /// because what happened in between was not heard. On a connection of its own, which is made anew when it is lost.
    /// `None` on the embedded engine, where nobody else writes.
    pub fn listen(&self) -> Option<impl Stream<Item = ()> + Send + Unpin + 'static> {
        self.database().listen(CHANNEL)
    }
}

impl Horizon {
    /// Whether some id of those that were given out is not known to be decided.
    fn is_short_of(&self, given_out: i64) -> bool {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).settled < given_out
    }

    fn look(&self, given_out: i64, oldest: i64, next: i64) -> i64 {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.look(given_out, oldest, next)
    }
}

impl Event {
    fn from_row(id: i64, row: &Row) -> Result<Self> {
        let digest: Option<&[u8]> = row.try_get("content_sha256")?;
        Ok(Self {
            id,
            at: row.try_get("at")?,
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            namespace: row.try_get("namespace")?,
            memory_id: row.try_get("memory_id")?,
            content_sha256: digest.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            details: row.try_get("details")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_database_is_settled_at_once() {
        assert_eq!(Known::default().look(7, 100, 100), 7);
    }

    #[test]
    fn the_newest_transaction_at_work_is_waited_for() {
        let mut known = Known::default();
        // 100 took the id 7 and is the newest of all, so no snapshot has heard of it; the asker is 101.
        assert_eq!(known.look(7, 100, 101), 0);
        assert_eq!(known.look(7, 102, 102), 7);
    }

    #[test]
    fn a_gap_waits_for_those_who_were_at_work_when_it_was_seen() {
        let mut known = Known::default();
        assert_eq!(known.look(7, 90, 100), 0);
        // Others come and go; 90 is still there.
        assert_eq!(known.look(9, 90, 130), 0);
        assert_eq!(known.look(12, 99, 150), 0);
        // Everybody of the first look is gone: what was given out then is decided, what came later is not.
        assert_eq!(known.look(15, 100, 160), 7);
        assert_eq!(known.look(15, 159, 170), 7);
        assert_eq!(known.look(15, 160, 170), 15);
    }

    #[test]
    fn an_older_look_is_told_nothing_that_a_newer_one_found_out() {
        let mut known = Known::default();
        assert_eq!(known.look(7, 120, 120), 7);
        assert_eq!(known.look(7, 90, 120), 0, "it does not see what 90 wrote");
    }

    #[test]
    fn another_database_begins_anew() {
        let mut known = Known::default();
        known.look(1_000, 5_000, 5_001);
        assert_eq!(known.look(10, 700, 700), 10);
    }
}
