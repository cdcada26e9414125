//! Listing a scope page by page: newest first, rows without a time last, then by id; or the pinned ones first.
//!
//! The cursor is the place of the last row, not a count of rows: what is remembered or forgotten between two pages
//! neither repeats nor hides another row.

use heirloom_engine::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::check;
use crate::error::{Result, StoreError};
use crate::memory::{KINDS, Moment, SOURCES, STATES};
use crate::record::Record;
use crate::scope::{Access, Scope};
use crate::store::Store;

/// Most memories on one page, and most of what is told of one memory.
pub const MAX_PAGE: i64 = 1_000;

/// How many when nobody says.
const USUAL: i64 = 50;

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
    /// Only of this role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Only of this topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Only with this word among the `tags` of its metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Only lessons that nobody verified, or only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unverified: Option<bool>,
    /// Only what was handed down from another store, or only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migrated: Option<bool>,
    /// Only what expires before this instant (RFC 3339), what has expired already among it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiring_before: Option<Moment>,
    /// Only what recall would show.
    pub recallable: bool,
    /// Only with this text somewhere in the content, whatever its case; no character has another meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `newest` (default), or `pinned`: the pinned ones before the others, both newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Whether to count what is on all pages, too.
    pub total: bool,
    /// Give the cursor after each so many memories of all pages, 10 to 1,000, and their number: whoever has it may go to
    /// any page at once. Only in the order `newest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marks: Option<i64>,
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
    /// How many there are on all pages, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// Where that was asked for: the cursors of the pages after the first, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Vec<String>>,
}

/// The orders of a list.
pub const ORDERS: [&str; 2] = ["newest", "pinned"];

/// Longest text to look for, in bytes.
const MAX_TEXT_BYTES: usize = 1_024;

impl Store {
    /// Lists what the scope holds, whatever its state. Reads only.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] names the field; [`StoreError::Rights`] for a namespace outside the scope.
    pub async fn list(&self, scope: &Scope, request: &List) -> Result<Page> {
        let namespaces = scope.narrowed(&request.namespaces)?;
        let pattern = request.check()?;
        let limit = request.limit.unwrap_or(USUAL);
        let after = request.cursor.as_deref().map(Place::parse).transpose()?;
        let parts = request.parts(after.as_ref())?;
        let client = self.database().client().await?;
        let (total, marks) = match request.marks {
            Some(every) => {
                let (total, marks) = marks(&client, scope, request, &namespaces, &pattern, every).await?;
                (Some(total), Some(marks))
            }
            None if request.total => (Some(count(&client, scope, request, &namespaces, &pattern).await?), None),
            None => (None, None),
        };
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut items, mut after) = (Vec::new(), after);
        for part in parts {
            // One row more than asked for tells whether a page follows.
            let missing = limit + 1 - i64::try_from(items.len()).unwrap_or(limit);
            let rows = page(&client, scope, request, &namespaces, &pattern, part, after.take(), missing).await?;
            for row in &rows {
                items.push((part, Record::from_row(row)?));
            }
            if items.len() > wanted {
                break;
            }
        }
        let next =
            (items.len() > wanted).then(|| items.truncate(wanted)).and_then(|()| items.last()).map(|(part, last)| {
                let pinned = request.is_pinned_first().then_some(*part == Part::Pinned);
                Place { pinned, created_at: last.created_at, id: last.id }.to_string()
            });
        Ok(Page { items: items.into_iter().map(|(_, record)| record).collect(), next, total, marks })
    }
}

/// What one statement lists.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    /// Whatever the filter of pins says.
    All,
    /// The pinned ones, along their own index.
    Pinned,
    /// The others.
    Others,
}

impl List {
    fn is_pinned_first(&self) -> bool {
        self.order.as_deref() == Some("pinned")
    }

    /// Refuses what cannot be asked; the pattern of the text to look for.
    fn check(&self) -> Result<Option<String>> {
        for (field, words, known) in [
            ("kinds", &self.kinds, KINDS.as_slice()),
            ("states", &self.states, STATES.as_slice()),
            ("sources", &self.sources, SOURCES.as_slice()),
        ] {
            for word in words {
                check::one_of(field, word, known)?;
            }
        }
        for (field, text) in [("role", &self.role), ("topic", &self.topic), ("tag", &self.tag)] {
            check::label(field, text.as_deref())?;
        }
        check::moment("expiring_before", self.expiring_before)?;
        if let Some(order) = &self.order {
            check::one_of("order", order, &ORDERS)?;
        }
        check::page(self.limit, USUAL)?;
        if let Some(every) = self.marks {
            if !(10..=MAX_PAGE).contains(&every) {
                return Err(check::invalid("marks", every.to_string(), format!("10 to {MAX_PAGE}")));
            }
            if self.is_pinned_first() {
                return Err(check::invalid("marks", "given with another order", "only the order newest has marks"));
            }
        }
        let Some(text) = self.text.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        if text.contains('\0') || text.len() > MAX_TEXT_BYTES {
            let found = format!("{} bytes, a NUL among them or too many", text.len());
            return Err(check::invalid("text", found, format!("at most {MAX_TEXT_BYTES} bytes without NUL")));
        }
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Ok(Some(format!("%{escaped}%")))
    }

    /// The statements of a page, from the place of the last row on.
    fn parts(&self, after: Option<&Place>) -> Result<Vec<Part>> {
        if after.is_some_and(|place| place.pinned.is_some() != self.is_pinned_first()) {
            return Err(check::invalid("cursor", "that of another order", "`next` of the page before, unchanged"));
        }
        if !self.is_pinned_first() {
            return Ok(vec![if self.pinned == Some(true) { Part::Pinned } else { Part::All }]);
        }
        let mut parts = vec![Part::Pinned, Part::Others];
        if after.is_some_and(|place| place.pinned == Some(false)) {
            parts.remove(0);
        }
        parts.retain(|part| self.pinned.is_none_or(|pinned| pinned == (*part == Part::Pinned)));
        Ok(parts)
    }
}

#[expect(clippy::too_many_arguments, reason = "one statement and all it is told")]
async fn page(
    client: &Client,
    scope: &Scope,
    request: &List,
    namespaces: &[String],
    pattern: &Option<String>,
    part: Part,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Row>> {
    let (mode, created_at, id) = match after {
        None => (0, Moment::Infinity, Uuid::nil()),
        Some(Place { created_at: Some(at), id, .. }) => (1, at, id),
        Some(Place { created_at: None, id, .. }) => (2, Moment::Infinity, id),
    };
    let statement = include_str!("../sql/queries/list/page.sql");
    // The index of the pinned ones is of use only where the statement itself says so.
    let narrow = (part == Part::Pinned).then(|| statement.replace("true /* pinned */", "m.pin"));
    let pinned = if part == Part::Others { Some(false) } else { request.pinned };
    scope
        .ask(
            client,
            Access::Read,
            narrow.as_deref().unwrap_or(statement),
            &[
                &namespaces,
                &request.kinds,
                &request.states,
                &request.sources,
                &pinned,
                &request.expired,
                &mode,
                &created_at,
                &id,
                &limit,
                &request.role,
                &request.topic,
                &request.tag,
                &request.unverified,
                &request.migrated,
                &request.expiring_before,
                &request.recallable,
                pattern,
            ],
        )
        .await
}

async fn count(
    client: &Client,
    scope: &Scope,
    request: &List,
    namespaces: &[String],
    pattern: &Option<String>,
) -> Result<i64> {
    let rows = scope
        .ask(
            client,
            Access::Read,
            include_str!("../sql/queries/list/count.sql"),
            &[
                &namespaces,
                &request.kinds,
                &request.states,
                &request.sources,
                &request.pinned,
                &request.expired,
                &request.role,
                &request.topic,
                &request.tag,
                &request.unverified,
                &request.migrated,
                &request.expiring_before,
                &request.recallable,
                pattern,
            ],
        )
        .await?;
    rows.first().map_or(Ok(0), |row| Ok(row.try_get("total")?))
}

/// The cursors after each so many rows, but for the last one, and how many rows there are.
async fn marks(
    client: &Client,
    scope: &Scope,
    request: &List,
    namespaces: &[String],
    pattern: &Option<String>,
    every: i64,
) -> Result<(i64, Vec<String>)> {
    let statement = include_str!("../sql/queries/list/marks.sql");
    let rows = scope
        .ask(
            client,
            Access::Read,
            statement,
            &[
                &namespaces,
                &request.kinds,
                &request.states,
                &request.sources,
                &request.pinned,
                &request.expired,
                &request.role,
                &request.topic,
                &request.tag,
                &request.unverified,
                &request.migrated,
                &request.expiring_before,
                &request.recallable,
                pattern,
                &every,
            ],
        )
        .await?;
    let mut total = 0;
    let mut marks = Vec::with_capacity(rows.len());
    for row in &rows {
        total = row.try_get("total")?;
        if row.try_get::<_, i64>("place")? < total {
            let place = Place { pinned: None, created_at: row.try_get("created_at")?, id: row.try_get("id")? };
            marks.push(place.to_string());
        }
    }
    Ok((total, marks))
}

/// A place in the order of the list.
#[derive(Debug, PartialEq)]
struct Place {
    /// In the order that puts the pinned ones first: among which of the two.
    pinned: Option<bool>,
    created_at: Option<Moment>,
    id: Uuid,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.pinned {
            None => "",
            Some(true) => "pinned~",
            Some(false) => "others~",
        })?;
        match self.created_at {
            Some(at) => write!(f, "{at}~{}", self.id),
            None => write!(f, "~{}", self.id),
        }
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self> {
        let (pinned, place) = match text.split_once('~') {
            Some(("pinned", place)) => (Some(true), place),
            Some(("others", place)) => (Some(false), place),
            _ => (None, text),
        };
        let parsed = place.split_once('~').and_then(|(at, id)| {
            let created_at = if at.is_empty() { None } else { Some(at.parse().ok()?) };
            Some(Self { pinned, created_at, id: id.parse().ok()? })
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
            for pinned in [None, Some(true), Some(false)] {
                let place = Place { pinned, created_at, id };
                assert_eq!(Place::parse(&place.to_string()).expect("parses"), place);
            }
        }
        for bad in ["", "~", "x", "yesterday~00000000-0000-0000-0000-000000000007", "2026-11-22T00:00:00Z~7"] {
            assert!(Place::parse(bad).is_err(), "{bad:?}");
        }
    }
}
