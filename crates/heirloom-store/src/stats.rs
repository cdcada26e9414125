//! Numbers about a scope, for a page that gives an overview. Counted when asked for; nothing is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::scope::{Access, Scope};
use crate::store::Store;

/// Numbers about a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// How many memories there are, whatever their state.
    pub memories: i64,
    /// Lessons that nobody verified.
    pub ghosts: i64,
    /// Memories that have expired.
    pub expired: i64,
    /// Memories that expire within seven days.
    pub expiring: i64,
    /// Pinned ones.
    pub pinned: i64,
    /// Memories with an embedding.
    pub embedded: i64,
    /// Memories that were handed down from another store.
    pub migrated: i64,
    /// By namespace, kind and state, in this order; a scope has at most 1,024 namespaces.
    pub counts: Vec<Count>,
    /// By day of creation, kind and state, newest first; the last 366 days that have any.
    pub days: Vec<Day>,
    /// By day of expiry, the nearest first; the next 60 days.
    pub ahead: Vec<Ahead>,
    /// What a list can be narrowed by: sources, and the 20 most frequent roles, topics and tags.
    pub facets: Vec<Facet>,
}

/// The memories of one namespace, kind and state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// Where they live.
    pub namespace: String,
    /// Their kind.
    pub kind: String,
    /// Their state.
    pub state: String,
    /// How many.
    pub memories: i64,
    /// How many of them have an embedding.
    pub embedded: i64,
}

/// The memories of one day, kind and state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    /// The day in UTC: `2026-11-27`.
    pub day: String,
    /// Their kind.
    pub kind: String,
    /// Their state.
    pub state: String,
    /// How many.
    pub memories: i64,
}

/// The memories that expire on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ahead {
    /// The day in UTC.
    pub day: String,
    /// How many.
    pub memories: i64,
}

/// A word that memories can be told apart by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facet {
    /// `role`, `source`, `tag` or `topic`.
    pub facet: String,
    /// The word.
    pub word: String,
    /// How many memories have it.
    pub memories: i64,
}

impl Store {
    /// Counts what the scope holds. Reads only.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`] or [`crate::StoreError::Engine`] when the database cannot be asked.
    pub async fn stats(&self, scope: &Scope) -> Result<Stats> {
        let client = self.database().client().await?;
        let names = scope.namespaces();
        let counts =
            scope.ask(&client, Access::Read, include_str!("../sql/queries/stats/counts.sql"), &[&names]).await?;
        let days = scope.ask(&client, Access::Read, include_str!("../sql/queries/stats/days.sql"), &[&names]).await?;
        let ahead = scope.ask(&client, Access::Read, include_str!("../sql/queries/stats/ahead.sql"), &[&names]).await?;
        let facets =
            scope.ask(&client, Access::Read, include_str!("../sql/queries/stats/facets.sql"), &[&names]).await?;
        let mut stats = Stats::default();
        for row in &counts {
            let memories: i64 = row.try_get("memories")?;
            stats.memories += memories;
            for (sum, column) in [
                (&mut stats.ghosts, "ghosts"),
                (&mut stats.expired, "expired"),
                (&mut stats.expiring, "expiring"),
                (&mut stats.pinned, "pinned"),
                (&mut stats.embedded, "embedded"),
                (&mut stats.migrated, "migrated"),
            ] {
                *sum += row.try_get::<_, i64>(column)?;
            }
            stats.counts.push(Count {
                namespace: row.try_get("namespace")?,
                kind: row.try_get("kind")?,
                state: row.try_get("state")?,
                memories,
                embedded: row.try_get("embedded")?,
            });
        }
        for row in &days {
            stats.days.push(Day {
                day: row.try_get("day")?,
                kind: row.try_get("kind")?,
                state: row.try_get("state")?,
                memories: row.try_get("memories")?,
            });
        }
        for row in &ahead {
            stats.ahead.push(Ahead { day: row.try_get("day")?, memories: row.try_get("memories")? });
        }
        for row in &facets {
            stats.facets.push(Facet {
                facet: row.try_get("facet")?,
                word: row.try_get("word")?,
                memories: row.try_get("memories")?,
            });
        }
        Ok(stats)
    }
}
