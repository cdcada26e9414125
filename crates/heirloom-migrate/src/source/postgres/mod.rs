//! PostgreSQL, read-only: each call is one transaction, repeatable read and read only, on one connection.

mod changes;
mod copy;
mod decode;
mod kind;
mod look;
mod numeric;
mod scan;

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use heirloom_engine::{Client, Database, Location, Options, Refusal};

use super::{Column, Examined, Identity, KeyRange, Read, Relation, Since, Source, Table, TreeRows, Visit, name};
use crate::error::{MigrateError, Result};

/// A PostgreSQL database as a source.
#[derive(Debug, Clone)]
pub struct Postgres {
    database: Database,
    is_target: bool,
}

/// Fixed for every read, so that text forms are the same whatever the server's defaults are.
const SETTINGS: &str = "set local datestyle = 'ISO'; set local timezone = 'UTC'; set local intervalstyle = 'postgres'; \
     set local extra_float_digits = 1; set local bytea_output = 'hex'; set local standard_conforming_strings = on";

/// Sessions on a server of its own: so many chunks can be read at a time.
const SESSIONS: usize = 4;

impl Postgres {
    /// The target's own database: a pool of one is shared, never waited for.
    pub fn in_target(target: &Database) -> Self {
        Self { database: target.clone(), is_target: true }
    }

    /// A server of its own.
    ///
    /// # Errors
    /// [`MigrateError::Engine`] when it does not answer.
    pub async fn open(url: &str) -> Result<Self> {
        Ok(Self::over(Database::open(&Location::Server(url.to_owned()), &Self::options()).await?))
    }

    /// How a server of its own is opened.
    pub fn options() -> Options {
        Options { pool_size: SESSIONS, application_name: "heirloom source".into(), ..Options::default() }
    }

    /// A server of its own that is open, as [`Self::options`] says.
    pub fn over(database: Database) -> Self {
        Self { database, is_target: false }
    }

    pub(super) async fn client(&self) -> Result<Client> {
        Ok(self.database.client().await?)
    }

    pub(super) fn failed(&self, error: &tokio_postgres::Error) -> MigrateError {
        failed(&self.database.display(), error)
    }
}

/// A read-only snapshot on a connection.
async fn snapshot(client: &mut Client) -> std::result::Result<Transaction<'_>, tokio_postgres::Error> {
    let tx = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    tx.batch_execute(SETTINGS).await?;
    Ok(tx)
}

/// The server's words where they cannot quote a row, otherwise the code and what it is called.
fn failed(source_name: &str, error: &tokio_postgres::Error) -> MigrateError {
    MigrateError::ReadRefused { source_name: source_name.to_owned(), refusal: Refusal::of(error) }
}

#[async_trait]
impl Source for Postgres {
    fn display(&self) -> String {
        self.database.display()
    }

    fn database(&self) -> Option<&Database> {
        self.is_target.then_some(&self.database)
    }

    fn marker(&self) -> Option<&Database> {
        Some(&self.database)
    }

    fn let_go(&self) {
        // The target's own pool serves others as well.
        if !self.is_target {
            self.database.let_go();
        }
    }

    async fn is_marker(&self, relation: &Relation, column: &str) -> Result<bool> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let is_marker = look::is_marker(&tx, relation, column, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        is_marker
    }

    async fn row_version(&self, relation: &Relation) -> Result<Option<String>> {
        let Relation::Table(written) = relation else { return Ok(None) };
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let version = async {
            let found = look::find(&tx, written, &self.display()).await?;
            look::row_version(&tx, Some(&found), &self.display()).await
        };
        let version = version.await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        version
    }

    async fn examine(&self, relation: &Relation) -> Result<Examined> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let examined = look::examine(&tx, relation, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        examined
    }

    async fn describe(&self, relation: &Relation) -> Result<Table> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let looked = look::relation(&tx, relation, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        Ok(looked?.table)
    }

    async fn tables(&self) -> Result<Vec<Table>> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let tables = look::tables(&tx, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        tables
    }

    async fn places(&self, read: &Read, keys: &[Vec<String>], ranges: &[&KeyRange]) -> Result<Vec<usize>> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let places = changes::places(&tx, read, keys, ranges, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        places
    }

    async fn identity(&self, relation: &Relation) -> Result<Identity> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let identity = look::identity(&tx, relation, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        identity
    }

    async fn misfit(&self, read: &Read, expression: &str) -> Result<Option<String>> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let misfit = scan::misfit(&tx, read, expression, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        misfit
    }

    async fn tree(&self, table: &str, id: &str, parent: &str) -> Result<TreeRows> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let tree = look::tree(&tx, table, id, parent, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        tree
    }

    async fn horizon(&self, relation: &Relation, column: &Column, overlap: Duration) -> Result<Option<Since>> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let horizon = changes::horizon(&tx, relation, column, overlap, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        horizon
    }

    async fn touched(&self, read: &Read, ranges: &[&KeyRange]) -> Result<Vec<usize>> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let touched = changes::touched(&tx, read, ranges, &self.display()).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        touched
    }

    async fn scan(&self, read: &Read, visit: &mut Visit<'_>) -> Result<u64> {
        let mut client = self.client().await?;
        let tx = snapshot(&mut client).await.map_err(|error| self.failed(&error))?;
        let rows = scan::rows(&tx, read, &self.display(), visit).await;
        tx.rollback().await.map_err(|error| self.failed(&error))?;
        rows
    }
}
