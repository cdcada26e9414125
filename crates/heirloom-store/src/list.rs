//! Listing a scope page by page: newest first, rows without a time last, then by id.
//!
//! The cursor is the place of the last row, not a count of rows: what is remembered or forgotten between two pages
//! neither repeats nor hides another row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::check;
use crate::error::{Result, StoreError};
use crate::memory::{KINDS, Moment, SOURCES, STATES};
use crate::record::Record;
use crate::scope::{Access, Scope};
use crate::store::Store;

/// Most memories on one page.
pub const MAX_PAGE: i64 = 1_000;

/// What to list. A filter that is empty or absent lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct List {
    /// Only of these namespaces; all of the call's when empty.
    pub namespaces: Vec<String>,
    /// Only of these kinds.
    pub kinds: Vec<String>,
    /// Only in these states.
    pub states: Vec<String>,
    /// Only from these sources.
    pub sources: Vec<String>,
    /// Only pinned ones, or only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Only expired ones, or only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired: Option<bool>,
    /// How many at most, 1 to 1,000; 50 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// The memories, newest first.
    pub items: Vec<Record>,
    /// The cursor of the page that follows; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Store {
    /// Lists what the scope holds, whatever its state. Reads only.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] names the field; [`StoreError::Rights`] for a namespace outside the scope.
    pub async fn list(&self, scope: &Scope, request: &List) -> Result<Page> {
        let namespaces = scope.narrowed(&request.namespaces)?;
        for (field, words, known) in [
            ("kinds", &request.kinds, KINDS.as_slice()),
            ("states", &request.states, STATES.as_slice()),
            ("sources", &request.sources, SOURCES.as_slice()),
        ] {
            for word in words {
                check::one_of(field, word, known)?;
            }
        }
        let limit = request.limit.unwrap_or(50);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(check::invalid("limit", limit.to_string(), format!("1 to {MAX_PAGE}")));
        }
        let after = request.cursor.as_deref().map(Place::parse).transpose()?;
        let (created_at, id) = after.as_ref().map_or((None, None), |place| (place.created_at, Some(place.id)));
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Read).await?;
        // One row more than asked for tells whether a page follows.
        let rows = tx
            .query(
                include_str!("../sql/queries/list.sql"),
                &[
                    &namespaces,
                    &request.kinds,
                    &request.states,
                    &request.sources,
                    &request.pinned,
                    &request.expired,
                    &after.is_some(),
                    &created_at,
                    &id,
                    &(limit + 1),
                ],
            )
            .await?;
        tx.commit().await?;
        let mut items = rows.iter().map(Record::from_row).collect::<Result<Vec<_>>>()?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = (items.len() > wanted)
            .then(|| items.truncate(wanted))
            .and_then(|()| items.last().map(|last| Place { created_at: last.created_at, id: last.id }.to_string()));
        Ok(Page { items, next })
    }
}

/// A place in the order of the list.
#[derive(Debug, PartialEq)]
struct Place {
    created_at: Option<Moment>,
    id: Uuid,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.created_at {
            Some(at) => write!(f, "{at}~{}", self.id),
            None => write!(f, "~{}", self.id),
        }
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self> {
        let parsed = text.split_once('~').and_then(|(at, id)| {
            let created_at = if at.is_empty() { None } else { Some(at.parse().ok()?) };
            Some(Self { created_at, id: id.parse().ok()? })
        });
        parsed.ok_or_else(|| StoreError::Invalid {
            field: "cursor",
            found: "something no list gave".to_owned(),
            accepted: "`next` of the page before, unchanged".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back() {
        let id = Uuid::from_u128(7);
        for created_at in [None, Some(Moment::Infinity), Some(Moment::Micros(1_700_000_000_000_001))] {
            let place = Place { created_at, id };
            assert_eq!(Place::parse(&place.to_string()).expect("parses"), place);
        }
        for bad in ["", "~", "x", "yesterday~00000000-0000-0000-0000-000000000007", "2026-11-22T00:00:00Z~7"] {
            assert!(Place::parse(bad).is_err(), "{bad:?}");
        }
    }
}
