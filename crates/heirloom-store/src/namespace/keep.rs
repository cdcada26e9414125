//! Namespaces as things of their own: what kind they are, when they end, what is said of them.
//!
//! A namespace comes into being with its first memory and needs none of this. One that has come to its end keeps what it
//! holds, shows none of it in recall and takes nothing new. Deliberately absent: moving a memory between namespaces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::Row;

use super::kind;
use crate::check;
use crate::error::{Result, StoreError, missing};
use crate::locate;
use crate::memory::Moment;
use crate::redact::redact_json;
use crate::scope::{Access, Scope};
use crate::store::Store;
use crate::trip;

/// The kinds a caller may give a namespace.
pub const GIVEN_KINDS: [&str; 4] = ["workspace", "team", "org", "custom"];

/// A namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Namespace {
    /// Such as `team:research`.
    pub name: String,
    /// What its caller said it is; else `workspace`, `team`, `org`, `project` or `custom` by its prefix.
    pub kind: String,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Whether that instant has come.
    pub expired: bool,
    /// Anything said of it, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// When it was first described; absent for one that only a raw statement wrote to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Moment>,
    /// How many memories it holds, whatever their state; absent where nobody counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memories: Option<i64>,
}

impl Store {
    /// Describes a namespace, and makes it where it is not there. What is not mentioned (`None`) stays, but for a
    /// namespace that is to be of another kind; `Some(None)` clears. Where all of it is so already it is read and no more:
    /// the platform says it before each of its writes, and even a write that changes nothing holds the row.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] names the field; [`crate::StoreError::Rights`] for a namespace outside the scope.
    pub async fn put_namespace(
        &self,
        scope: &Scope,
        name: &str,
        given_kind: Option<&str>,
        expires_at: Option<Option<Moment>>,
        metadata: Option<Option<Value>>,
    ) -> Result<Namespace> {
        scope.require(name)?;
        if let Some(given) = given_kind {
            check::one_of("kind", given, &GIVEN_KINDS)?;
        }
        let other = given_kind.filter(|given| *given != kind(name));
        check::moment("expires_at", expires_at.flatten())?;
        let metadata = metadata.map(|given| given.map(|json| redact_json(&json).unwrap_or(json)));
        let said = check::json("metadata", metadata.as_ref().and_then(Option::as_ref))?;
        let client = self.database().client().await?;
        match get(&client, scope, name).await {
            Ok(found)
                if found.created_at.is_some()
                    && given_kind.is_none_or(|given| given == found.kind)
                    && expires_at.is_none_or(|end| end == found.expires_at)
                    && (metadata.is_none() || said == found.metadata.as_ref()) =>
            {
                return Ok(found);
            }
            Ok(_) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        scope
            .ask(
                &client,
                Access::Write,
                include_str!("../../sql/queries/namespace/put.sql"),
                &[
                    &name,
                    &given_kind.is_some(),
                    &other,
                    &expires_at.is_some(),
                    &expires_at.flatten(),
                    &metadata.is_some(),
                    &said,
                    &scope.actor(),
                ],
            )
            .await?;
        self.tell(&client);
        get(&client, scope, name).await
    }

    /// Changes what is said of a namespace that is there. `None` leaves it, `Some(None)` clears it.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] when nothing is to change; [`crate::StoreError::NotFound`] when there is no such
    /// namespace; [`crate::StoreError::Rights`] for one outside the scope.
    pub async fn patch_namespace(
        &self,
        scope: &Scope,
        name: &str,
        expires_at: Option<Option<Moment>>,
        metadata: Option<Option<Value>>,
    ) -> Result<Namespace> {
        scope.require(name)?;
        if expires_at.is_none() && metadata.is_none() {
            return Err(check::invalid("expires_at", "absent, and metadata too", "at least one of the two"));
        }
        check::moment("expires_at", expires_at.flatten())?;
        let metadata = metadata.map(|given| given.map(|json| redact_json(&json).unwrap_or(json)));
        let said = check::json("metadata", metadata.as_ref().and_then(Option::as_ref))?;
        let client = self.database().client().await?;
        scope
            .ask(
                &client,
                Access::Write,
                include_str!("../../sql/queries/namespace/patch.sql"),
                &[&name, &expires_at.is_some(), &expires_at.flatten(), &metadata.is_some(), &said, &scope.actor()],
            )
            .await?;
        self.tell(&client);
        get(&client, scope, name).await
    }

    /// What is known of a namespace, without counting what it holds.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`] when nobody described it and nothing is in it; [`crate::StoreError::Rights`] for
    /// one outside the scope.
    pub async fn get_namespace(&self, scope: &Scope, name: &str) -> Result<Namespace> {
        scope.require(name)?;
        let client = self.database().client().await?;
        get(&client, scope, name).await
    }

    /// The namespaces of the scope that somebody described or wrote to, by name, with how many memories they hold.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`] or [`crate::StoreError::Engine`] when the database cannot be asked.
    pub async fn list_namespaces(&self, scope: &Scope) -> Result<Vec<Namespace>> {
        let client = self.database().client().await?;
        let statement = include_str!("../../sql/queries/namespace/list.sql");
        let rows = scope.ask(&client, Access::Read, statement, &[&scope.namespaces()]).await?;
        rows.iter().map(Namespace::from_row).collect()
    }

    /// The names of all namespaces that hold a memory, whosever they are: for an administrator, who then reads them one
    /// by one.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`] or [`crate::StoreError::Engine`] when the database cannot be asked.
    pub async fn name_namespaces(&self) -> Result<Vec<String>> {
        let client = self.database().client().await?;
        let statement = include_str!("../../sql/queries/namespace/all.sql");
        let rows = trip::ask(&client, trip::AUDIT, statement, &[]).await?;
        rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
    }

    /// Forgets every memory of a namespace, each with its tombstone and its line of activity, and removes the namespace.
    /// Returns how many there were.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`] when there is no such namespace; [`crate::StoreError::Rights`] for one outside
    /// the scope.
    pub async fn delete_namespace(&self, scope: &Scope, name: &str) -> Result<u64> {
        scope.require(name)?;
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        locate::hold_all_ids(&tx).await?;
        let forgotten =
            tx.execute(include_str!("../../sql/queries/namespace/forget_all.sql"), &[&name, &scope.actor()]).await?;
        let removed = tx.execute(include_str!("../../sql/queries/namespace/delete.sql"), &[&name]).await?;
        if forgotten + removed == 0 {
            return Err(missing("namespace", name));
        }
        let (nothing, nobody) = (None::<Vec<u8>>, None::<uuid::Uuid>);
        tx.execute(
            include_str!("../../sql/queries/activity.sql"),
            &[&scope.actor(), &"namespace_delete", &name, &nobody, &nothing, &json!({ "memories": forgotten })],
        )
        .await?;
        tx.commit().await?;
        self.tell(&client);
        Ok(forgotten)
    }
}

async fn get(client: &heirloom_engine::Client, scope: &Scope, name: &str) -> Result<Namespace> {
    let statement = include_str!("../../sql/queries/namespace/get.sql");
    let rows = scope.ask(client, Access::Read, statement, &[&name]).await?;
    rows.first().map(Namespace::from_row).transpose()?.ok_or_else(|| missing("namespace", name))
}

impl Namespace {
    fn from_row(row: &Row) -> Result<Self> {
        let name: String = row.try_get("name")?;
        let given: Option<String> = row.try_get("given_kind")?;
        Ok(Self {
            kind: given.unwrap_or_else(|| kind(&name).to_owned()),
            name,
            expires_at: row.try_get("expires_at")?,
            expired: row.try_get("expired")?,
            metadata: row.try_get("metadata")?,
            created_at: row.try_get("created_at")?,
            memories: row.try_get("memories")?,
        })
    }
}
