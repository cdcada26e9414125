//! The store as a value: a database that holds one, and what it is.

use std::sync::Arc;

use futures_util::FutureExt;
use heirloom_engine::{Client, Database};

use crate::error::{Result, StoreError};
use crate::events::Horizon;
use crate::schema::{self, Meta, UpOptions};

/// A store. Clones are cheap and share the pool.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    meta: Arc<Meta>,
    horizon: Arc<Horizon>,
}

impl Store {
    /// Installs or upgrades the store and opens it. Holds one connection, and an advisory lock while it works.
    ///
    /// # Errors
    /// As [`schema::up`].
    pub async fn up(database: &Database, options: &UpOptions) -> Result<Self> {
        let mut guard = Guard(Some(database.client().await?));
        let done = match guard.0.as_mut() {
            Some(client) => schema::up(client, options).await,
            None => return Err(StoreError::NotInstalled(database.display())),
        };
        // It came to its end, so the lock is released and the connection may go back.
        drop(guard.0.take());
        Ok(Self { database: database.clone(), meta: Arc::new(done?), horizon: Arc::default() })
    }

    /// Opens the store of this database.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`] when there is none, [`StoreError::Older`] when it needs `up` first,
    /// [`StoreError::Newer`], [`StoreError::Altered`], [`StoreError::Rights`] when its roles are not safe.
    pub async fn open(database: &Database) -> Result<Self> {
        let client = database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        let Some(meta) = schema::inspect(pg).await? else {
            return Err(StoreError::NotInstalled(database.display()));
        };
        schema::refuse_older(&meta)?;
        schema::check_roles(pg).await?;
        Ok(Self { database: database.clone(), meta: Arc::new(meta), horizon: Arc::default() })
    }

    /// What the store of this database is, `None` when there is none. Reads only.
    pub async fn inspect(database: &Database) -> Result<Option<Meta>> {
        let client = database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        schema::inspect(pg).await
    }

    /// The policies, grants and owners that `up` would put back, as [`schema::Catalog::missing_rights`]. Reads only.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn missing_rights(database: &Database) -> Result<Vec<&'static str>> {
        let client = database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        schema::STORE.missing_rights(pg).await
    }

    /// Refuses to serve tenants as a login that no policy holds. Asked by a door on a server; holds one connection.
    ///
    /// # Errors
    /// As [`schema::check_serving`].
    pub async fn check_serving(&self) -> Result<()> {
        let client = self.database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        schema::check_serving(pg).await
    }

    /// The database it lives in.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// How far its activity is settled.
    pub(crate) fn horizon(&self) -> &Horizon {
        &self.horizon
    }

    /// Tells those who listen that something was committed. In a transaction of its own that writes nothing: within the
    /// write's, a notification would make all writers of the cluster commit one after the other. Nobody waits for it.
    pub(crate) fn tell(&self, client: &Client) {
        if !self.database.is_embedded() {
            let _ = client.batch_execute(&format!("notify {}", crate::events::CHANNEL)).now_or_never();
        }
    }

    /// What it is.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }
}

/// Keeps a connection that still holds the advisory lock, because its work was cancelled, from going back to the pool.
struct Guard(Option<Client>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Client::take(client));
        }
    }
}
