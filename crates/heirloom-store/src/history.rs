//! The history of one memory: what it said before, through which states it went, what was done to it and by whom. Of one
//! that was forgotten, what is left: its tombstone and the lines of activity, without content.

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::Result;
use crate::locate;
use crate::memory::Moment;
use crate::namespace;
use crate::scope::{Access, Scope};
use crate::show::{Show, Step};
use crate::store::Store;

/// Most revisions and most lines of activity that are shown, the newest of each.
const MOST: i64 = 200;

/// What happened to a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The memory's id.
    pub id: Uuid,
    /// Where it lives, or lived.
    pub namespace: String,
    /// What it said before, newest first; the latest 200.
    pub revisions: Vec<Revision>,
    /// Its steps from state to state, oldest first.
    pub transitions: Vec<Step>,
    /// What was done to it, newest first; the latest 200.
    pub activity: Vec<Act>,
    /// When it was forgotten; absent while it is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Tombstone>,
}

/// What a memory said before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// The version that said it.
    pub version: i32,
    /// The role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The text.
    pub content: String,
    /// Anything else, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Who replaced it.
    pub actor: String,
    /// When it was replaced.
    pub replaced_at: Moment,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Act {
    /// When.
    pub at: Moment,
    /// By whom.
    pub actor: String,
    /// `remember`, `revise`, `keep`, `transition`, `forget` and the like.
    pub action: String,
    /// Numbers and words of closed lists; no content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// What is left of a memory that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tombstone {
    /// When.
    pub at: Moment,
    /// By whom.
    pub actor: String,
    /// Why, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Store {
    /// What happened to a memory of the scope, forgotten ones among them. Reads only.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`] when the scope never had it, [`crate::StoreError::Conflict`] when several
    /// namespaces of the scope hold the id and none was named.
    pub async fn history(&self, scope: &Scope, request: &Show) -> Result<History> {
        let asked = request.namespace.as_deref();
        if let Some(name) = asked {
            namespace::validate(name)?;
        }
        let id = request.id;
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Read).await?;
        let there = tx.query(include_str!("../sql/queries/history/whereabouts.sql"), &[&id, &asked]).await?;
        let (namespace, forgotten) = match there.as_slice() {
            [row] => (row.try_get("namespace")?, None),
            [] => {
                let statement = include_str!("../sql/queries/history/tombstone.sql");
                match tx.query_opt(statement, &[&id, &asked]).await? {
                    Some(row) => (row.try_get("namespace")?, Some(Tombstone::from_row(&row)?)),
                    None => return Err(locate::missing(&tx, scope, id, asked).await?),
                }
            }
            _ => return Err(locate::ambiguous(id)),
        };
        let history = read(&tx, id, namespace, forgotten).await?;
        tx.commit().await?;
        Ok(history)
    }
}

async fn read(tx: &Transaction<'_>, id: Uuid, namespace: String, forgotten: Option<Tombstone>) -> Result<History> {
    let revisions = tx.query(include_str!("../sql/queries/history/revisions.sql"), &[&namespace, &id, &MOST]).await?;
    let steps = tx.query(include_str!("../sql/queries/transitions.sql"), &[&namespace, &id]).await?;
    let activity = tx.query(include_str!("../sql/queries/history/activity.sql"), &[&namespace, &id, &MOST]).await?;
    Ok(History {
        id,
        revisions: revisions.iter().map(Revision::from_row).collect::<Result<_>>()?,
        transitions: steps.iter().map(Step::from_row).collect::<Result<_>>()?,
        activity: activity.iter().map(Act::from_row).collect::<Result<_>>()?,
        namespace,
        forgotten,
    })
}

impl Revision {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            version: row.try_get("version_n")?,
            role: row.try_get("role")?,
            topic: row.try_get("topic")?,
            content: row.try_get("content")?,
            metadata: row.try_get("metadata")?,
            actor: row.try_get("actor")?,
            replaced_at: row.try_get("replaced_at")?,
        })
    }
}

impl Act {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            at: row.try_get("at")?,
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            details: row.try_get("details")?,
        })
    }
}

impl Tombstone {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self { at: row.try_get("forgotten_at")?, actor: row.try_get("actor")?, reason: row.try_get("reason")? })
    }
}
