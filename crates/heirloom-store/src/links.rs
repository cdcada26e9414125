//! What a memory is linked to, and what was remembered beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::check;
use crate::error::Result;
use crate::memory::Moment;
use crate::scope::{Access, Scope};
use crate::show::Show;
use crate::store::Store;

/// How many links when nobody says.
const USUAL: i64 = 50;
/// Memories on each side in time.
const BESIDE: i64 = 3;

/// Whose surroundings are asked for, and which part of its links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinksOf {
    /// Which memory.
    pub id: Uuid,
    /// Its namespace; needed only when several namespaces of the call hold the id.
    pub namespace: Option<String>,
    /// How many links at most, 1 to 1,000; 50 when absent.
    pub limit: Option<i64>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// The surroundings of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    /// Its links, strongest first.
    pub links: Vec<Link>,
    /// The cursor of the links that follow; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What was remembered just after it, newest first; at most 3.
    pub after: Vec<Neighbour>,
    /// What was remembered just before it, newest first; at most 3.
    pub before: Vec<Neighbour>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Whether it leads from the memory to the other; false when the other points here.
    pub outward: bool,
    /// What it says, such as `supports`.
    pub relation: String,
    /// `semantic`, `temporal`, `causal` or `entity`.
    pub kind: String,
    /// 0 to 1.
    pub weight: f32,
    /// Since when it holds.
    pub valid_from: Moment,
    /// Until when; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Moment>,
    /// The other memory.
    pub memory: Neighbour,
}

/// A memory in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Neighbour {
    /// Its id.
    pub id: Uuid,
    /// Where it lives.
    pub namespace: String,
    /// Its kind.
    pub kind: String,
    /// Its state.
    pub state: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The first 280 characters of what it says.
    pub content: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Moment>,
}

impl Store {
    /// The surroundings of a memory of the scope, its links page by page. Reads only.
    ///
    /// # Errors
    /// As [`Store::show`]; [`crate::StoreError::Invalid`] names the field that is out of range.
    pub async fn links(&self, scope: &Scope, request: &LinksOf) -> Result<Links> {
        let limit = check::page(request.limit, USUAL)?;
        let after = request.cursor.as_deref().map(Place::parse).transpose()?;
        let asked = Show { id: request.id, namespace: request.namespace.clone() };
        let memory = self.show(scope, &asked).await?.memory;
        let client = self.database().client().await?;
        let (namespace, id) = (memory.namespace, memory.id);
        let (goes_on, place) = (after.is_some(), after.unwrap_or_default());
        // One more than is shown tells whether anything follows.
        let most = limit + 1;
        let edges = scope
            .ask(
                &client,
                Access::Read,
                include_str!("../sql/queries/links/edges.sql"),
                &[
                    &namespace,
                    &id,
                    &most,
                    &goes_on,
                    &place.weight,
                    &place.created_at,
                    &place.id,
                    &place.outward,
                    &place.relation,
                ],
            )
            .await?;
        let beside = include_str!("../sql/queries/links/beside.sql");
        let beside = scope.ask(&client, Access::Read, beside, &[&namespace, &id, &BESIDE]).await?;
        let mut all = edges.iter().map(Link::from_row).collect::<Result<Vec<_>>>()?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = all.len() > wanted;
        all.truncate(wanted);
        let next = all.last().filter(|_| more).map(|last| Place::of(last).to_string());
        let mut links = Links { links: all, next, after: vec![], before: vec![] };
        for row in &beside {
            let side = if row.try_get("later")? { &mut links.after } else { &mut links.before };
            side.push(Neighbour::from_row(row)?);
        }
        Ok(links)
    }
}

/// A place in the order of the links.
#[derive(Debug, PartialEq)]
struct Place {
    weight: f32,
    /// The earliest of all where the other memory has none.
    created_at: Moment,
    id: Uuid,
    outward: bool,
    relation: String,
}

impl Default for Place {
    fn default() -> Self {
        let (id, relation) = (Uuid::nil(), String::new());
        Self { weight: 0.0, created_at: Moment::NegativeInfinity, id, outward: false, relation }
    }
}

impl Place {
    fn of(link: &Link) -> Self {
        Self {
            weight: link.weight,
            created_at: link.memory.created_at.unwrap_or(Moment::NegativeInfinity),
            id: link.memory.id,
            outward: link.outward,
            relation: link.relation.clone(),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let parsed = || {
            let mut parts = text.split('~');
            let weight = parts.next()?.parse().ok()?;
            let created_at = parts.next()?.parse().ok()?;
            let id = parts.next()?.parse().ok()?;
            let outward = parts.next()?.parse().ok()?;
            let hex = parts.next().filter(|_| text.is_ascii())?;
            let byte = |at| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
            let relation = String::from_utf8(bytes?).ok().filter(|relation| !relation.contains('\0'))?;
            parts.next().is_none().then_some(Self { weight, created_at, id, outward, relation })
        };
        parsed()
            .ok_or_else(|| check::invalid("cursor", "something no list gave", "`next` of the page before, unchanged"))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}~{}~{}~", self.weight, self.created_at, self.id, self.outward)?;
        // A relation is any text: so it is a word that needs no quotes.
        self.relation.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Link {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            outward: row.try_get("outward")?,
            relation: row.try_get("relation")?,
            kind: row.try_get("link_kind")?,
            weight: row.try_get("weight")?,
            valid_from: row.try_get("valid_from")?,
            valid_to: row.try_get("valid_to")?,
            memory: Neighbour::from_row(row)?,
        })
    }
}

impl Neighbour {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            namespace: row.try_get("namespace")?,
            kind: row.try_get("kind")?,
            state: row.try_get("state")?,
            topic: row.try_get("topic")?,
            content: row.try_get("content")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back() {
        for (weight, relation, created_at) in [
            (0.1, "supports", Moment::NegativeInfinity),
            (1.0, "is ~ of\n\u{e9}", Moment::Micros(1_700_000_000_000_001)),
            (f32::MIN_POSITIVE, "", Moment::Infinity),
        ] {
            for outward in [true, false] {
                let place =
                    Place { weight, created_at, id: Uuid::from_u128(7), outward, relation: relation.to_owned() };
                assert_eq!(Place::parse(&place.to_string()).expect("parses"), place);
            }
        }
        let id = Uuid::nil();
        for bad in
            ["", "~~~~", "1~infinity~7~true~", &format!("1~infinity~{id}~true~0"), &format!("1~infinity~{id}~true~00")]
        {
            assert!(Place::parse(bad).is_err(), "{bad:?}");
        }
        let whole = format!("1~infinity~{id}~true~61");
        assert!(Place::parse(&whole).is_ok() && Place::parse(&format!("{whole}~")).is_err());
    }
}
