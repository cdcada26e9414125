//! The functions of the SQL door for callers who have no SQL: one query a function, all of its arguments in one JSON.
//!
//! Deliberately absent: what the functions do (`sql/objects/pgmnemo`), and what of their results a door shows.

use serde_json::Value;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::error::{Result, StoreError, missing};
use crate::scope::{Access, Scope};
use crate::store::Store;

/// A function of the SQL door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlDoor {
    /// `pgmnemo.ingest`.
    Ingest,
    /// `pgmnemo.recall_lessons`.
    Recall,
    /// `pgmnemo.remember_fact`.
    RememberFact,
    /// `pgmnemo.remember_event`.
    RememberEvent,
    /// `pgmnemo.remember_relation`.
    RememberRelation,
    /// `pgmnemo.reinforce`.
    Reinforce,
    /// `pgmnemo.stats`.
    Params,
}

impl SqlDoor {
    fn statement(self) -> &'static str {
        match self {
            Self::Ingest => include_str!("../sql/queries/pgmnemo/ingest.sql"),
            Self::Recall => include_str!("../sql/queries/pgmnemo/recall.sql"),
            Self::RememberFact => include_str!("../sql/queries/pgmnemo/remember_fact.sql"),
            Self::RememberEvent => include_str!("../sql/queries/pgmnemo/remember_event.sql"),
            Self::RememberRelation => include_str!("../sql/queries/pgmnemo/remember_relation.sql"),
            Self::Reinforce => include_str!("../sql/queries/pgmnemo/reinforce.sql"),
            Self::Params => include_str!("../sql/queries/pgmnemo/params.sql"),
        }
    }

    fn access(self) -> Access {
        if matches!(self, Self::Recall | Self::Params) { Access::Read } else { Access::Write }
    }
}

impl Store {
    /// Calls a function of the SQL door for a scope. `question` is the vector to recall by.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] with the function's own words for what it refuses; what else keeps the database from it.
    pub async fn sql_door(
        &self,
        scope: &Scope,
        function: SqlDoor,
        arguments: &Value,
        question: Option<&[f32]>,
    ) -> Result<Value> {
        let client = self.database().client().await?;
        let rows = if function == SqlDoor::Recall {
            let question = question
                .map(|vector| crate::check::embedding("embedding", vector, self.meta().dimension))
                .transpose()?;
            scope.ask(&client, function.access(), function.statement(), &[arguments, &question]).await
        } else {
            scope.ask(&client, function.access(), function.statement(), &[arguments]).await
        };
        let rows = rows.map_err(said)?;
        self.tell(&client);
        rows.first().map_or(Ok(Value::Null), |row| Ok(row.try_get("answer")?))
    }

    /// The memory behind an integer handle of the SQL door, and its namespace.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the scope has none.
    pub async fn lesson(&self, scope: &Scope, lesson_id: i64) -> Result<(Uuid, String)> {
        let client = self.database().client().await?;
        let statement = include_str!("../sql/queries/pgmnemo/lesson.sql");
        let rows = scope.ask(&client, Access::Read, statement, &[&lesson_id]).await?;
        let row = rows.first().ok_or_else(|| missing("lesson", &lesson_id.to_string()))?;
        Ok((row.try_get("id")?, row.try_get("namespace")?))
    }
}

/// What a function refuses it refuses in words made for its callers; those, and no others, are handed on.
fn said(error: StoreError) -> StoreError {
    let StoreError::Database(refusal) = &error else { return error };
    let told = refusal.as_db_error().filter(|told| {
        let ours = [&SqlState::RAISE_EXCEPTION, &SqlState::CHECK_VIOLATION, &SqlState::NOT_NULL_VIOLATION];
        ours.contains(&told.code()) && told.where_().is_some_and(|place| place.contains("pgmnemo."))
    });
    let Some(told) = told else { return error };
    StoreError::Invalid {
        field: "arguments",
        found: told.message().to_owned(),
        accepted: told.hint().unwrap_or("see the schema of the tool").to_owned(),
    }
}
