//! What a memory is linked to, and what was remembered beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::Result;
use crate::memory::Moment;
use crate::scope::{Access, Scope};
use crate::show::Show;
use crate::store::Store;

/// Most links that are shown.
const MOST_LINKS: i64 = 50;
/// Memories on each side in time.
const BESIDE: i64 = 3;

/// The surroundings of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    /// Its links, strongest first; the first 50.
    pub links: Vec<Link>,
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
    /// The surroundings of a memory of the scope. Reads only.
    ///
    /// # Errors
    /// As [`Store::show`].
    pub async fn links(&self, scope: &Scope, request: &Show) -> Result<Links> {
        let memory = self.show(scope, request).await?.memory;
        let client = self.database().client().await?;
        let (namespace, id) = (memory.namespace, memory.id);
        let edges = include_str!("../sql/queries/links/edges.sql");
        let edges = scope.ask(&client, Access::Read, edges, &[&namespace, &id, &MOST_LINKS]).await?;
        let beside = include_str!("../sql/queries/links/beside.sql");
        let beside = scope.ask(&client, Access::Read, beside, &[&namespace, &id, &BESIDE]).await?;
        let mut links =
            Links { links: edges.iter().map(Link::from_row).collect::<Result<_>>()?, after: vec![], before: vec![] };
        for row in &beside {
            let side = if row.try_get("later")? { &mut links.after } else { &mut links.before };
            side.push(Neighbour::from_row(row)?);
        }
        Ok(links)
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
