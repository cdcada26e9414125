//! The history of one memory: what it said before, through which states it went, what was done to it and by whom. Of one
//! that was forgotten, what is left: its tombstone and the lines of activity, without content.

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::check;
use crate::error::Result;
use crate::locate;
use crate::memory::Moment;
use crate::namespace;
use crate::scope::{Access, Scope};
use crate::show::Step;
use crate::store::Store;

/// How many revisions, steps and lines of activity of each when nobody says.
const USUAL: i64 = 200;

/// Whose past is asked for, and which part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastOf {
    /// Which memory.
    pub id: Uuid,
    /// Its namespace; needed only when several namespaces of the call hold the id.
    pub namespace: Option<String>,
    /// How many revisions, steps and lines of activity at most of each, 1 to 1,000; 200 when absent.
    pub limit: Option<i64>,
    /// `next` of the page before.
    pub after: PastPlace,
}

/// Where a page of a past ended: the last item of each of its lists, none where nothing of the list was shown yet. Numbers of
/// steps and of activity count all tenants' together, so a door enciphers them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PastPlace {
    /// The version of the last revision.
    pub version: Option<i32>,
    /// The number of the last step.
    pub step: Option<i64>,
    /// The number of the last line of activity.
    pub act: Option<i64>,
}

/// What happened to a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The memory's id.
    pub id: Uuid,
    /// Where it lives, or lived.
    pub namespace: String,
    /// What it said before, newest first.
    pub revisions: Vec<Revision>,
    /// Its steps from state to state, oldest first.
    pub transitions: Vec<Step>,
    /// What was done to it, newest first.
    pub activity: Vec<Act>,
    /// When it was forgotten; absent while it is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Tombstone>,
    /// Where the page that follows begins, when one of the lists goes on.
    #[serde(skip)]
    pub next: Option<PastPlace>,
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
    /// What happened to a memory of the scope, forgotten ones among them, page by page. Reads only.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`] when the scope never had it, [`crate::StoreError::Conflict`] when several
    /// namespaces of the scope hold the id and none was named, [`crate::StoreError::Invalid`] for a limit out of range.
    pub async fn history(&self, scope: &Scope, request: &PastOf) -> Result<History> {
        let limit = check::page(request.limit, USUAL)?;
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
        let history = read(&tx, id, namespace, forgotten, request.after, limit).await?;
        tx.commit().await?;
        Ok(history)
    }
}

async fn read(
    tx: &Transaction<'_>,
    id: Uuid,
    namespace: String,
    forgotten: Option<Tombstone>,
    after: PastPlace,
    limit: i64,
) -> Result<History> {
    // One more than is shown tells whether anything follows.
    let most = limit + 1;
    let (version, step) = (after.version.unwrap_or(i32::MAX), after.step.unwrap_or(0));
    let act = after.act.unwrap_or(i64::MAX);
    let statement = include_str!("../sql/queries/history/revisions.sql");
    let mut revisions = tx.query(statement, &[&namespace, &id, &most, &version]).await?;
    let statement = include_str!("../sql/queries/history/transitions.sql");
    let mut steps = tx.query(statement, &[&namespace, &id, &most, &step]).await?;
    let statement = include_str!("../sql/queries/history/activity.sql");
    let mut activity = tx.query(statement, &[&namespace, &id, &most, &act]).await?;
    let (mut goes_on, mut next) = (false, after);
    for rows in [&mut revisions, &mut steps, &mut activity] {
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        goes_on |= rows.len() > shown;
        rows.truncate(shown);
    }
    if let Some(last) = revisions.last() {
        next.version = Some(last.try_get("version_n")?);
    }
    if let Some(last) = steps.last() {
        next.step = Some(last.try_get("id")?);
    }
    if let Some(last) = activity.last() {
        next.act = Some(last.try_get("id")?);
    }
    Ok(History {
        id,
        revisions: revisions.iter().map(Revision::from_row).collect::<Result<_>>()?,
        transitions: steps.iter().map(Step::from_row).collect::<Result<_>>()?,
        activity: activity.iter().map(Act::from_row).collect::<Result<_>>()?,
        namespace,
        forgotten,
        next: goes_on.then_some(next),
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
