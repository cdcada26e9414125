//! Showing one memory with where it came from and what happened to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Result;
use crate::locate;
use crate::memory::Moment;
use crate::namespace;
use crate::record::Record;
use crate::scope::{Access, Scope};
use crate::store::Store;

/// Most steps that are shown with a memory.
const MOST_STEPS: i64 = 50;

/// What to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// Which memory.
    pub id: Uuid,
    /// Its namespace; needed only when several namespaces of the call hold the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// A memory and its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// The memory.
    pub memory: Record,
    /// Where it was handed down from; absent for a memory that was born here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginSummary>,
    /// How many earlier versions are kept.
    pub revisions: i64,
    /// Its latest steps from state to state, at most 50, oldest first; [`Store::history`] has them all.
    pub transitions: Vec<Step>,
}

/// Where a migrated memory came from, without its source row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OriginSummary {
    /// The run that brought it.
    pub run_id: Uuid,
    /// The source system and table.
    pub source: String,
    /// The source key: a JSON array of strings, one a key column.
    pub source_key: String,
    /// When it was handed down.
    pub handed_down_at: Moment,
}

/// One step of a memory's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The state it left.
    pub from: String,
    /// The state it entered.
    pub to: String,
    /// Who moved it.
    pub actor: String,
    /// Why, when that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Moment,
}

impl Store {
    /// Shows one memory of the scope, whatever its state. Reads only.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`] or [`crate::StoreError::Forgotten`] when the scope has none,
    /// [`crate::StoreError::Conflict`] when several namespaces of the scope hold the id and none was named.
    pub async fn show(&self, scope: &Scope, request: &Show) -> Result<Shown> {
        let namespace = request.namespace.as_deref();
        if let Some(name) = namespace {
            namespace::validate(name)?;
        }
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Read).await?;
        let rows = tx.query(include_str!("../sql/queries/show.sql"), &[&request.id, &namespace]).await?;
        let row = match rows.as_slice() {
            [] => return Err(locate::missing(&tx, scope, request.id, namespace).await?),
            [row] => row,
            _ => return Err(locate::ambiguous(request.id)),
        };
        let memory = Record::from_row(row)?;
        let origin = match row.try_get::<_, Option<Uuid>>("origin_run_id")? {
            None => None,
            Some(run_id) => Some(OriginSummary {
                run_id,
                source: row.try_get("origin_source")?,
                source_key: row.try_get("origin_key")?,
                handed_down_at: row.try_get("handed_down_at")?,
            }),
        };
        let steps = include_str!("../sql/queries/transitions.sql");
        let steps = tx.query(steps, &[&memory.namespace, &request.id, &MOST_STEPS]).await?;
        let transitions = steps.iter().map(Step::from_row).collect::<Result<_>>()?;
        let revisions = row.try_get("revisions")?;
        tx.commit().await?;
        Ok(Shown { memory, origin, revisions, transitions })
    }
}

impl Step {
    pub(crate) fn from_row(row: &tokio_postgres::Row) -> Result<Self> {
        Ok(Self {
            from: row.try_get("from_state")?,
            to: row.try_get("to_state")?,
            actor: row.try_get("actor")?,
            reason: row.try_get("reason")?,
            at: row.try_get("at")?,
        })
    }
}
