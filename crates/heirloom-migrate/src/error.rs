//! What can go wrong in a migration. No variant carries content or a credential.

use heirloom_engine::{EngineError, Refusal, Trouble};
use heirloom_store::StoreError;

/// The migrator's result.
pub type Result<T> = std::result::Result<T, MigrateError>;

/// Where in a migration file something stands, 1-based.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a step of a migration did not happen. Hints are added by the binary's `explain`, not here.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The migration file is wrong at a place.
    #[error("{place}: {what}; {accepted}")]
    File {
        /// Where.
        place: Place,
        /// What was found.
        what: String,
        /// What is accepted instead.
        accepted: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {reason}")]
    Io {
        /// The file.
        path: String,
        /// The operating system's words.
        reason: String,
    },
    /// The source is not what the file says: no such table, no key, wrong type.
    #[error("Source {source_name}: {what}; {accepted}")]
    Source {
        /// The source and table, without credentials.
        source_name: String,
        /// What was found.
        what: String,
        /// What is accepted or what to do.
        accepted: String,
    },
    /// A source that somebody else holds just now.
    #[error("Source {source_name}: {what}; {cure}")]
    Locked {
        /// The source.
        source_name: String,
        /// What holds it.
        what: String,
        /// What to do.
        cure: String,
    },
    /// The plan cannot be applied as it stands.
    #[error("Plan {plan}: {what}; {cure}")]
    Plan {
        /// The plan's file or name.
        plan: String,
        /// What does not hold.
        what: String,
        /// What to do.
        cure: String,
    },
    /// A gate refused: loss, rejects above the budget, a difference found.
    #[error("{what}; {cure}")]
    Refused {
        /// What does not hold.
        what: String,
        /// What to do.
        cure: String,
    },
    /// A target that is reached over HTTP is not to be had; it was asked as often as makes sense.
    #[error("{target} {what}; {cure}")]
    Away {
        /// The target, without credentials.
        target: String,
        /// What it does.
        what: String,
        /// How to go on.
        cure: String,
    },
    /// The ledger is newer than this binary, or not what it should be.
    #[error("Ledger: {0}")]
    Ledger(String),
    /// Reading a source failed.
    #[error("Reading {source_name} failed: {reason}")]
    Read {
        /// The source, without credentials.
        source_name: String,
        /// The source's own words, without content.
        reason: String,
    },
    /// The server of a source refused a statement.
    #[error("Reading {source_name} failed: {refusal}")]
    ReadRefused {
        /// The source, without credentials.
        source_name: String,
        /// What the server said, as far as it can be shown.
        refusal: Refusal,
    },
    /// The target refused a statement.
    #[error("The target refused: {}", Refusal::of(.0))]
    Target(#[from] tokio_postgres::Error),
    /// The database could not be reached.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MigrateError {
    /// Whether the same step may succeed when it is tried again: a connection was lost, or two transactions met. Progress
    /// is kept; a chunk is all there or not at all.
    pub fn is_transient(&self) -> bool {
        let trouble = match self {
            Self::Target(error) | Self::Store(StoreError::Database(error)) => Refusal::of(error).trouble,
            Self::ReadRefused { refusal, .. } => refusal.trouble,
            Self::Engine(error) | Self::Store(StoreError::Engine(error)) => match error {
                EngineError::Unreachable { source: Some(error), .. } => Refusal::of(error).trouble,
                EngineError::Unreachable { source: None, .. } => Trouble::Lost,
                EngineError::Database(error) => Refusal::of(error).trouble,
                _ => return false,
            },
            Self::Locked { .. } => return true,
            _ => return false,
        };
        matches!(trouble, Trouble::Lost | Trouble::Contended)
    }
}
