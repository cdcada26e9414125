//! SQLite files, read-only: each call opens the file, reads in one transaction, and closes it.
//!
//! Every value keeps the class it is stored with, whatever its column was declared as, so all columns are
//! [`super::Type::Dynamic`]. Deliberately absent: writing of any kind. A file in WAL mode that nobody has open is read
//! as immutable, because an ordinary connection, even a read-only one, would leave `-wal` and `-shm` files beside it.

mod connection;
mod describe;
mod key;
mod scan;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use heirloom_engine::Database;
use rusqlite::Connection;

use self::connection::Opened;
use super::{Identity, Read, Relation, Source, Table, TreeRows, Visit};
use crate::error::{MigrateError, Result};

/// A SQLite file as a source.
#[derive(Debug, Clone)]
pub struct Sqlite {
    /// As the user wrote it, for errors.
    shown: String,
    /// Canonical, so that the identity does not depend on the working directory.
    path: PathBuf,
}

/// Opens a SQLite file, and looks whether it is one.
///
/// # Errors
/// [`MigrateError::Source`] when the file is not there, is no SQLite database, or is locked, with what to do.
pub async fn open(path: impl AsRef<Path>) -> Result<Sqlite> {
    let shown = path.as_ref().display().to_string();
    let path = std::fs::canonicalize(path.as_ref()).map_err(|error| MigrateError::Source {
        source_name: format!("sqlite:{shown}"),
        what: format!("the file cannot be opened: {error}"),
        accepted: "write sqlite:FILE with the path of a database that is there; nothing is created".into(),
    })?;
    let source = Sqlite { shown, path };
    source.with(describe::probe).await?;
    Ok(source)
}

impl Sqlite {
    /// Runs `work` on a connection of its own in a thread that may block, within one read transaction.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let own = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let opened = Opened::new(&own)?;
            let found = work(&own, opened.connection())?;
            opened.close(&own)?;
            Ok(found)
        });
        task.await.unwrap_or_else(|error| Err(self.broken(&error.to_string())))
    }

    fn broken(&self, reason: &str) -> MigrateError {
        MigrateError::Read { source_name: self.display(), reason: reason.to_owned() }
    }

    fn refuse(&self, what: impl Into<String>, accepted: impl Into<String>) -> MigrateError {
        MigrateError::Source { source_name: self.display(), what: what.into(), accepted: accepted.into() }
    }
}

#[async_trait]
impl Source for Sqlite {
    fn display(&self) -> String {
        format!("sqlite:{}", self.shown)
    }

    fn database(&self) -> Option<&Database> {
        None
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }

    async fn describe(&self, relation: &Relation) -> Result<Table> {
        let relation = relation.clone();
        self.with(move |sqlite, connection| describe::relation(sqlite, connection, &relation)).await
    }

    async fn tables(&self) -> Result<Vec<Table>> {
        self.with(describe::tables).await
    }

    async fn identity(&self, _relation: &Relation) -> Result<Identity> {
        let writable = std::fs::metadata(&self.path).is_ok_and(|found| !found.permissions().readonly());
        Ok(Identity {
            role: "file".into(),
            superuser: false,
            bypass_rls: false,
            can_write: writable,
            filtered: false,
            server: format!("SQLite {}", rusqlite::version()),
            system: system(&self.path),
        })
    }

    async fn tree(&self, table: &str, id: &str, parent: &str) -> Result<TreeRows> {
        let (table, id, parent) = (table.to_owned(), id.to_owned(), parent.to_owned());
        self.with(move |sqlite, connection| describe::tree(sqlite, connection, &table, &id, &parent)).await
    }

    async fn misfit(&self, read: &Read, expression: &str) -> Result<Option<String>> {
        let (read, expression) = (read.clone(), expression.to_owned());
        self.with(move |sqlite, connection| scan::misfit(sqlite, connection, &read, &expression)).await
    }

    async fn scan(&self, read: &Read, visit: &mut Visit<'_>) -> Result<u64> {
        scan::run(self, read, visit).await
    }
}

/// Stable for a file however its rows change; the path itself stays out of plans and ids.
fn system(path: &Path) -> String {
    let digest = blake3::hash(path.as_os_str().as_encoded_bytes());
    format!("sqlite:{}", &digest.to_hex()[..32])
}
