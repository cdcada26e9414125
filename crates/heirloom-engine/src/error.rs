//! What can go wrong between a location and a live connection.

use std::path::PathBuf;

use crate::owner::OwnerRecord;
use crate::refusal::Refusal;

/// The engine's result.
pub type Result<T> = std::result::Result<T, EngineError>;

/// Why a database could not be opened or reached. No variant carries a password.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The URL could not be read.
    #[error("The database URL {url} cannot be read: {reason}")]
    Url {
        /// The URL with its password removed.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server did not answer, or refused the connection.
    #[error("The database at {url} does not answer: {reason}")]
    Unreachable {
        /// The URL with its password removed.
        url: String,
        /// The server's or the network's own words.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<tokio_postgres::Error>,
    },
    /// Another process has the data directory open.
    #[error("The data directory {} is open in another process{}", dir.display(), owner.as_ref().map(|o| format!(" (pid {}, since {})", o.pid, o.since)).unwrap_or_default())]
    Owned {
        /// The data directory.
        dir: PathBuf,
        /// Who owns it, when the record could be read.
        owner: Option<OwnerRecord>,
    },
    /// The directory exists and is not a data directory of Heirloom.
    #[error("{} is not an Heirloom data directory: {reason}", dir.display())]
    NotADataDirectory {
        /// The directory.
        dir: PathBuf,
        /// What was found there.
        reason: String,
    },
    /// The data directory was in use before and has lost files since.
    #[error("The data directory {} is damaged: {reason}", dir.display())]
    Damaged {
        /// The directory.
        dir: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The embedded engine itself failed to start or stop.
    #[error("The embedded database in {} failed: {reason}", dir.display())]
    Embedded {
        /// The directory.
        dir: PathBuf,
        /// The engine's own words.
        reason: String,
    },
    /// No connection became free in time.
    #[error("No database connection became free within {seconds} s (pool of {size})")]
    PoolTimeout {
        /// How long was waited.
        seconds: u64,
        /// How many connections the pool has.
        size: usize,
    },
    /// A statement of the engine's own failed.
    #[error("The database refused a statement: {}", Refusal::of(.0))]
    Database(#[from] tokio_postgres::Error),
    /// A file of the data directory could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
}

impl EngineError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
