//! What can go wrong in the binary itself, around the errors of the libraries. Hints and exit codes: `explain`.

use heirloom_engine::EngineError;
use heirloom_migrate::MigrateError;
use heirloom_store::StoreError;

use crate::embed::EmbedError;

/// The binary's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation did not do what it was asked. No variant carries content or a credential.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be reached.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The migration refused.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// There is no vector for a text.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// A setting is wrong.
    #[error("{origin}: {what}; {accepted}")]
    Config {
        /// Where the setting comes from: a file with line and column, a variable, a flag.
        origin: String,
        /// What was found.
        what: String,
        /// What is accepted.
        accepted: String,
    },
    /// An argument is wrong in a way the parser cannot see.
    #[error("{argument}: {what}; {accepted}")]
    Argument {
        /// The argument as the user writes it.
        argument: &'static str,
        /// What was found.
        what: String,
        /// What is accepted.
        accepted: String,
    },
    /// The words of the command line are not a command.
    #[error("{0}")]
    Usage(String),
    /// The caller may not do this.
    #[error("Not allowed: {0}")]
    Forbidden(String),
    /// What the caller saw is no longer so.
    #[error("{0}")]
    Stale(String),
    /// An argument of an operation's JSON form is wrong.
    #[error("{field}: {what}; {accepted}")]
    Field {
        /// Where in the JSON, such as `kinds[1]`.
        field: String,
        /// What was found (never a value).
        what: String,
        /// What is accepted.
        accepted: String,
    },
    /// A file of the user's could not be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What happened.
        reason: String,
    },
    /// Not now: whoever has to answer does not.
    #[error("{0}")]
    Temporary(String),
    /// What another process answered to an operation sent to it.
    #[error("{}", .0.message)]
    Told(Box<crate::explain::Told>),
    /// The user asked to stop.
    #[error("Interrupted")]
    Interrupted,
    /// Something that cannot happen did.
    #[error("{0}")]
    Bug(String),
}

impl Error {
    /// An error with a file, in the words of the operating system.
    pub fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| Self::File {
            path,
            reason: match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                std::io::ErrorKind::AlreadyExists => "it is there already; name a file that is not".to_owned(),
                std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
                _ => error.to_string(),
            },
        }
    }
}
