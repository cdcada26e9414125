//! What the store refuses, and why. No variant carries content.

use heirloom_engine::{EngineError, Refusal};

/// The store's result.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A field of a request is wrong.
    #[error("{field}: {found}; {accepted}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was found (never the content itself).
        found: String,
        /// What is accepted.
        accepted: String,
    },
    /// No such thing: a memory in this namespace, or a namespace, a workspace or a token in this store.
    #[error("No {what} {id}{}", if namespace.is_empty() { String::new() } else { format!(" in {namespace}") })]
    NotFound {
        /// `memory`, `namespace`, `workspace` or `token`.
        what: &'static str,
        /// The id asked for.
        id: String,
        /// The namespace asked in; empty where there is none to name.
        namespace: String,
    },
    /// The memory was forgotten in this namespace, and stays forgotten.
    #[error("The memory {id} of {namespace} was already forgotten")]
    Forgotten {
        /// The id asked for.
        id: String,
        /// Where it was forgotten.
        namespace: String,
    },
    /// The request collides with what is there.
    #[error("{0}")]
    Conflict(String),
    /// No store in this database yet.
    #[error("There is no store in {0} yet")]
    NotInstalled(String),
    /// The store was made by a newer binary.
    #[error("The store is at schema version {found}, this binary knows {known}")]
    Newer {
        /// The store's version.
        found: u32,
        /// The newest version this binary knows.
        known: u32,
    },
    /// The store was made by an older binary and was not upgraded yet.
    #[error("The store is at schema version {found}, this binary needs {known}")]
    Older {
        /// The store's version.
        found: u32,
        /// The version this binary needs.
        known: u32,
    },
    /// A migration that was applied is not the one this binary carries.
    #[error("Migration {name} of the store differs from the one this binary carries")]
    Altered {
        /// The migration's file name.
        name: String,
    },
    /// pgvector is missing or too old, or the server is too old.
    #[error("The server lacks what the store needs: {0}")]
    Unsupported(String),
    /// The connection's rights are wrong for what was asked.
    #[error("{0}")]
    Rights(String),
    /// The connection's login is more than one that may serve tenants, or less.
    #[error("{0}")]
    MayNotServe(String),
    /// The database refused a statement of ours.
    #[error("The database refused: {}", Refusal::of(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The database could not be reached.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Nothing of that name in the store.
pub(crate) fn missing(what: &'static str, id: &str) -> StoreError {
    // A caller's text may be anything; a name that is not one is not repeated.
    let id =
        if id.len() <= 256 && !id.chars().any(char::is_control) { id.to_owned() } else { "of that name".to_owned() };
    StoreError::NotFound { what, id, namespace: String::new() }
}
