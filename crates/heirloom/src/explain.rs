//! The only place that turns an error into an exit code and a hint. `docs/reference/errors.md` is made from [`CASES`].
//!
//! Libraries say what happened; what to do about it on this command line is said here, once. No sentence quotes
//! content of a memory or a credential.

use std::error::Error as _;

use heirloom_engine::{EngineError, Refusal, Trouble};
use heirloom_migrate::MigrateError;
use heirloom_store::StoreError;
use serde::Serialize;

use crate::embed::EmbedError;
use crate::error::Error;

/// How a command ends, for a pipeline to gate on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// What was asked for cannot be done as asked.
    User = 1,
    /// The words of the command are wrong.
    Usage = 2,
    /// A check failed or a gate refused.
    Refused = 3,
    /// Not now; the same command may succeed later.
    Temporary = 4,
    /// A fault of Heirloom's own.
    Bug = 70,
}

impl Exit {
    /// Every exit code with its meaning.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Ok, "Done."),
        (Self::User, "It cannot be done as asked: a wrong value, a file or a table that is not there."),
        (Self::Usage, "The words of the command are wrong."),
        (
            Self::Refused,
            "A check failed or a gate refused: rows differ, the reject budget is exceeded, a column would be lost.",
        ),
        (Self::Temporary, "Not now: the same command may succeed later."),
        (Self::Bug, "A fault of Heirloom's own."),
    ];
}

/// One way to fail: its name, its exit code, when it happens, what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// A stable name, `error.code` in JSON.
    pub code: &'static str,
    /// The exit code.
    pub exit: Exit,
    /// When it happens.
    pub when: &'static str,
    /// What to do; empty where the error itself says it.
    pub hint: &'static str,
}

macro_rules! cases {
    ($($name:ident = $code:literal $exit:ident $when:literal $hint:literal;)+) => {
        $(pub(crate) const $name: Case = Case { code: $code, exit: Exit::$exit, when: $when, hint: $hint };)+
        /// Every way to fail.
        pub const CASES: &[Case] = &[$($name),+];
    };
}

cases! {
    URL = "database-url" User "A database URL cannot be read."
        "write it as postgres://user:password@host:5432/database?sslmode=require";
    UNREACHABLE = "database-unreachable" Temporary "The server does not answer, is starting, or has no connection free."
        "check host, port and that the server runs; `heirloom config` shows where the URL comes from";
    REFUSED_LOGIN = "database-login" User "The server refuses the user, the password, or has no such database."
        "check user, password and database name of the URL; `heirloom config` shows where it comes from";
    OWNED = "data-directory-in-use" Temporary "Another process has the embedded store open."
        "wait until that process ends, give --data another directory, or set DATABASE_URL to share a server";
    FOREIGN = "not-a-data-directory" User "The directory given for the embedded store holds something else."
        "give --data an empty directory, or one that Heirloom made";
    DAMAGED = "data-directory-damaged" User "The embedded store has lost files. Nothing was touched."
        "put the directory back from a backup, or give --data a new one";
    EMBEDDED = "embedded-engine" User "The embedded engine does not start or stop."
        "check free space and the rights of the directory; with -vv the log says more";
    BUSY = "no-connection-free" Temporary "All connections are in use."
        "raise database.pool, or run fewer commands at once";
    TARGET_AWAY = "target-away" Temporary "A target that is reached over HTTP does not answer, or fails at everything." "";
    SOURCE_LOCKED = "source-locked" Temporary "Somebody else holds the source just now." "";
    IO = "data-directory-io" User "A file of the embedded store cannot be read or written."
        "check the rights of the directory and the space on the disk";
    INVALID = "invalid-value" User "A value of a memory is not acceptable." "";
    NOT_FOUND = "not-found" User "There is no such memory in the namespace."
        "`heirloom list` shows what is there";
    CONFLICT = "conflict" User "The request collides with what the store holds." "";
    NOT_INSTALLED = "no-store" User "The database holds no store yet."
        "install it with `heirloom up`";
    OLDER = "store-older" User "The store was made by an older Heirloom and was not upgraded yet."
        "`heirloom up` upgrades it; what it holds stays";
    NEWER = "store-newer" User "The store was made by a newer Heirloom."
        "use that version or a newer one; this one changed nothing";
    ALTERED = "store-altered" User "The store's schema is not what this version would have made."
        "use the version of Heirloom that installed it, or restore the store from a backup";
    UNSUPPORTED = "server-lacks" User "The server lacks what a store needs."
        "use PostgreSQL 15 or newer with pgvector 0.7 or newer";
    MAY_NOT_SERVE = "may-not-serve" User "The database user is more than one that may serve tenants, or less."
        "docs/guides/http.md has the statements that make one";
    RIGHTS = "rights" User "The database user may not do what was asked."
        "use the database user who installed the store; installing needs one who may create roles, schemas and extensions";
    DATABASE = "database-refused" User "The database refuses a statement, for a reason that has no line of its own here."
        "look the SQLSTATE up in the server's log; `heirloom doctor` checks store, roles and versions";
    DATABASE_RIGHTS = "database-rights" User "The role of a connection lacks a right on what the message names."
        "grant that right to the role of the URL, or use the user who installed the store; where the store was restored, `heirloom up` puts its grants back; installing needs one who may create roles, schemas and extensions";
    DATABASE_UNDEFINED = "database-undefined" User "A table, column, function or schema is not there, or not visible to the role."
        "for a source compare the migration file with `heirloom detect URL`; for the store run `heirloom doctor`";
    DATABASE_FULL = "database-disk-full" Temporary "The disk of the server is full. What was not committed is undone."
        "make room on the server's disk, then run the same command again; nothing is done twice";
    DATABASE_RESOURCES = "database-resources" Temporary "The server is out of memory, connections or another resource."
        "wait, lower database.pool, or raise the server's limit that the message names; then run the same command again";
    DATABASE_CONTENDED = "database-contended" Temporary "Another session holds a lock that is needed, or won a race. What was not committed is undone."
        "run the same command again; if it goes on, look in pg_stat_activity and pg_locks for who holds the lock";
    DATABASE_CANCELLED = "database-cancelled" Temporary "The server ended a statement: a timeout of the role or the database, or an administrator."
        "raise statement_timeout (or transaction_timeout) for the role of the URL, then run the same command again";
    DATABASE_READ_ONLY = "database-read-only" User "The session may only read: the server is a standby, or the role is set to read only."
        "give the URL of the primary, or set default_transaction_read_only = off for the role";
    DATABASE_VALUE = "database-value" User "A value breaks a rule of the database. It is not shown, because it may be content."
        "the constraint, column or condition named says which rule; the server's log has the row";
    DATABASE_DAMAGED = "database-damaged" User "The server cannot read its own files, or finds them damaged."
        "look into the server's log and at its disk before anything else is written";
    DATABASE_LOST = "database-lost" Temporary "The connection broke while a statement ran. What was not committed is undone."
        "run the same command again; nothing is done twice";
    MIGRATION_FILE = "migration-file" User "A migration file is wrong at the place named." "";
    MIGRATION_IO = "migration-io" User "A file of a migration cannot be read or written." "";
    SOURCE = "source" User "The source is not what the migration file says."
        "`heirloom detect URL` shows the tables that are there";
    PLAN = "plan" User "A plan is damaged, or no longer matches its file, its source or the store." "";
    REFUSED = "refused" Refused "A gate refused." "";
    LEDGER = "ledger" User "The record of migrations is not what it should be."
        "`heirloom doctor` shows the versions; use the Heirloom that wrote it, or a newer one";
    READ = "source-read" Temporary "Reading the source failed on the way."
        "run the same command again; it goes on where it stopped";
    EMBED_DOWN = "embedding-unreachable" Temporary "The embedding provider does not answer, or asks to come back later."
        "check that it runs, and embedding.url; `heirloom config` shows where the setting comes from";
    EMBED_REFUSED = "embedding-refused" User "The embedding provider refuses the request, the key or the model." "";
    EMBED_ANSWER = "embedding-answer" User "The embedding provider answers what is no vectors, or none that fit the store." "";
    EMBED_MODEL = "embedding-model" User "The folder of a static model holds none, or a setting of the provider stands for nothing."
        "`heirloom config` shows every setting and where it comes from";
    CONFIG = "setting" User "A setting is wrong."
        "`heirloom config` shows every setting and where it comes from";
    ARGUMENT = "argument" Usage "An argument is not acceptable." "";
    USAGE = "usage" Usage "The words of the command are wrong." "`heirloom --help` lists the commands";
    FIELD = "field" Usage "A field of a request's JSON is not acceptable." "";
    FORBIDDEN = "forbidden" User "The caller's token does not allow this."
        "use a token for that namespace with that right; `heirloom token list` shows what there is";
    STALE = "stale" User "Somebody changed the memory since it was read."
        "read it again and decide anew";
    TEMPORARY = "owner-unreachable" Temporary "The process that has the embedded store open does not answer."
        "wait until it ends, or stop it; nothing is opened behind its back";
    FILE = "file" User "A file cannot be read or written." "";
    INTERRUPTED = "interrupted" Temporary "The command was asked to stop."
        "run the same command again; it goes on where it stopped";
    SILENT = "tenant-silent" Temporary "A database of a tenant of a fleet fell silent on the way, and the tenant was given up."
        "look at the database and the way to it, then run the same command with --only for this tenant; `patience` in [defaults] says how long a silence is borne";
    BUG = "bug" Bug "Something happened that cannot happen."
        "please report this, with the command and what -vv logs";
}

/// An error as a user gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// A stable name.
    pub code: &'static str,
    /// The exit code.
    pub exit: u8,
    /// What happened.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
}

/// An error as it travels to another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Told {
    /// A stable name.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
}

impl Explained {
    /// The same, to travel.
    pub fn told(self) -> Told {
        Told { code: self.code.to_owned(), message: self.message, causes: self.causes, hints: self.hints }
    }
}

/// Explains an error.
pub fn explain(error: &Error) -> Explained {
    let case = case(error);
    if let Error::Told(told) = error {
        let Told { message, causes, hints, .. } = (**told).clone();
        return Explained { code: case.code, exit: case.exit as u8, message, causes, hints };
    }
    let mut hints = Vec::new();
    if !case.hint.is_empty() {
        hints.push(case.hint.to_owned());
    }
    let message = match engine(error) {
        Some(EngineError::Owned { dir, owner }) => owned(dir, owner.as_ref()),
        _ => error.to_string(),
    };
    Explained { code: case.code, exit: case.exit as u8, causes: causes(error, &message), message, hints }
}

/// Whether what failed under this name may succeed later.
pub(crate) fn is_temporary(code: &str) -> bool {
    CASES.iter().any(|case| case.code == code && case.exit == Exit::Temporary)
}

/// The HTTP status of a case: the caller's fault is 4xx, what passes by itself is 503, ours is 500.
pub fn status(case: &Case) -> u16 {
    match case.code {
        "forbidden" | "rights" => 403,
        "not-found" => 404,
        "conflict" | "refused" => 409,
        "stale" => 412,
        "no-store" | "store-older" | "store-newer" | "store-altered" | "server-lacks" => 503,
        // Nothing is wrong with the request: it goes through at the primary, and here once this is one.
        "database-read-only" => 503,
        // The caller cannot mend these: the server's own settings or its database are at fault.
        "database-refused"
        | "database-rights"
        | "database-undefined"
        | "database-damaged"
        | "setting"
        | "not-a-data-directory"
        | "data-directory-damaged"
        | "embedded-engine" => 500,
        "embedding-refused" | "embedding-answer" | "embedding-model" => 502,
        _ => match case.exit {
            Exit::Ok => 200,
            Exit::User | Exit::Usage => 400,
            Exit::Refused => 409,
            Exit::Temporary => 503,
            Exit::Bug => 500,
        },
    }
}

/// The field of a request that an error is about, where there is one.
pub fn field(error: &Error) -> Option<&str> {
    match error {
        Error::Store(StoreError::Invalid { field, .. })
        | Error::Migrate(MigrateError::Store(StoreError::Invalid { field, .. })) => Some(field),
        Error::Argument { argument, .. } => Some(argument.trim_start_matches('-')),
        Error::Field { field, .. } => Some(field),
        _ => None,
    }
}

/// An error as a program gets it that fills in fields: of HTTP or MCP, where there is no command line.
pub fn explain_field(error: &Error) -> Explained {
    let mut explained = explain(error);
    if let Error::Argument { argument, .. } = error {
        explained.message = explained.message.trim_start_matches("--").to_owned();
        if *argument == "--namespace" {
            explained.message = "namespace: none was given, and this caller has not exactly one of its own".to_owned();
            explained.hints =
                vec!["give one such as team:research, in the argument `namespace` or `namespaces`".to_owned()];
        }
    }
    explained
}

/// A fault that came as a panic; `place` is where in the program.
pub fn panicked(place: Option<&str>) -> Explained {
    Explained {
        code: BUG.code,
        exit: BUG.exit as u8,
        message: format!("Heirloom has a fault at {}; this is not your doing", place.unwrap_or("an unknown place")),
        causes: Vec::new(),
        hints: vec![BUG.hint.to_owned()],
    }
}

/// Which of [`CASES`] an error is.
pub fn case(error: &Error) -> Case {
    if let Some(engine) = engine(error) {
        return engine_case(engine);
    }
    if let Some(refusal) = refusal(error) {
        return refusal_case(&refusal);
    }
    match error {
        Error::Store(error) | Error::Migrate(MigrateError::Store(error)) => store_case(error),
        Error::Migrate(error) => migrate_case(error),
        Error::Embed(EmbedError::Unreachable { .. }) => EMBED_DOWN,
        Error::Embed(EmbedError::Refused { .. }) => EMBED_REFUSED,
        Error::Embed(EmbedError::Answer { .. } | EmbedError::Blank) => EMBED_ANSWER,
        Error::Embed(EmbedError::Model { .. } | EmbedError::Setting { .. }) => EMBED_MODEL,
        Error::Config { .. } => CONFIG,
        Error::Argument { .. } => ARGUMENT,
        Error::Usage(_) => USAGE,
        Error::Field { .. } => FIELD,
        Error::Temporary(_) => TEMPORARY,
        Error::Told(told) => CASES.iter().find(|case| case.code == told.code).copied().unwrap_or(BUG),
        Error::Forbidden(_) => FORBIDDEN,
        Error::Stale(_) => STALE,
        Error::File { .. } => FILE,
        Error::Interrupted => INTERRUPTED,
        Error::Bug(_) | Error::Engine(_) => BUG,
    }
}

fn engine(error: &Error) -> Option<&EngineError> {
    match error {
        Error::Engine(error)
        | Error::Store(StoreError::Engine(error))
        | Error::Migrate(MigrateError::Engine(error) | MigrateError::Store(StoreError::Engine(error))) => Some(error),
        _ => None,
    }
}

fn refusal(error: &Error) -> Option<Refusal> {
    match error {
        Error::Store(StoreError::Database(error))
        | Error::Migrate(MigrateError::Target(error) | MigrateError::Store(StoreError::Database(error))) => {
            Some(Refusal::of(error))
        }
        Error::Migrate(MigrateError::ReadRefused { refusal, .. }) => Some(refusal.clone()),
        _ => None,
    }
}

fn refusal_case(refusal: &Refusal) -> Case {
    match refusal.trouble {
        Trouble::Lost => DATABASE_LOST,
        Trouble::Contended => DATABASE_CONTENDED,
        Trouble::Cancelled => DATABASE_CANCELLED,
        Trouble::DiskFull => DATABASE_FULL,
        Trouble::Resources => DATABASE_RESOURCES,
        Trouble::ReadOnly => DATABASE_READ_ONLY,
        Trouble::Rights => DATABASE_RIGHTS,
        Trouble::Login => REFUSED_LOGIN,
        Trouble::Undefined => DATABASE_UNDEFINED,
        Trouble::Value => DATABASE_VALUE,
        Trouble::Damaged => DATABASE_DAMAGED,
        Trouble::Other => DATABASE,
    }
}

fn engine_case(error: &EngineError) -> Case {
    match error {
        EngineError::Url { .. } => URL,
        EngineError::Unreachable { source: Some(source), .. } if Refusal::of(source).trouble == Trouble::Login => {
            REFUSED_LOGIN
        }
        EngineError::Unreachable { .. } => UNREACHABLE,
        EngineError::Owned { .. } => OWNED,
        EngineError::NotADataDirectory { .. } => FOREIGN,
        EngineError::Damaged { .. } => DAMAGED,
        EngineError::Embedded { .. } => EMBEDDED,
        EngineError::PoolTimeout { .. } => BUSY,
        EngineError::Database(error) => refusal_case(&Refusal::of(error)),
        EngineError::Io { .. } => IO,
    }
}

fn store_case(error: &StoreError) -> Case {
    match error {
        StoreError::Invalid { .. } => INVALID,
        StoreError::NotFound { .. } | StoreError::Forgotten { .. } => NOT_FOUND,
        StoreError::Conflict(_) => CONFLICT,
        StoreError::NotInstalled(_) => NOT_INSTALLED,
        StoreError::Newer { .. } => NEWER,
        StoreError::Older { .. } => OLDER,
        StoreError::Altered { .. } => ALTERED,
        StoreError::Unsupported(_) => UNSUPPORTED,
        StoreError::Rights(_) => RIGHTS,
        StoreError::MayNotServe(_) => MAY_NOT_SERVE,
        StoreError::Database(_) | StoreError::Engine(_) => DATABASE,
    }
}

fn migrate_case(error: &MigrateError) -> Case {
    match error {
        MigrateError::File { .. } => MIGRATION_FILE,
        MigrateError::Io { .. } => MIGRATION_IO,
        MigrateError::Source { .. } => SOURCE,
        MigrateError::Locked { .. } => SOURCE_LOCKED,
        MigrateError::Plan { .. } => PLAN,
        MigrateError::Refused { .. } => REFUSED,
        MigrateError::Away { .. } => TARGET_AWAY,
        MigrateError::Ledger(_) => LEDGER,
        MigrateError::Read { .. } => READ,
        MigrateError::Target(_)
        | MigrateError::ReadRefused { .. }
        | MigrateError::Engine(_)
        | MigrateError::Store(_) => DATABASE,
    }
}

fn owned(dir: &std::path::Path, owner: Option<&heirloom_engine::OwnerRecord>) -> String {
    let who = owner.map_or_else(String::new, |owner| {
        let since = i64::try_from(owner.since).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let since = since.map_or_else(String::new, |since| format!(" since {since}"));
        format!(": Heirloom {}, process {}{since}", owner.version, owner.pid)
    });
    format!("The embedded store in {} is open in another process{who}", dir.display())
}

/// The chain of sources, without those whose words the message has already, and without a statement's error: the
/// message has of it what can be shown.
fn causes(error: &Error, message: &str) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        if cause.downcast_ref::<tokio_postgres::Error>().is_some() {
            break;
        }
        let text = cause.to_string();
        if !message.contains(&text) && !causes.contains(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_exits_are_the_contracts() {
        let mut codes: Vec<_> = CASES.iter().map(|case| case.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CASES.len());
        let exits = Exit::ALL.map(|(exit, _)| exit as u8);
        assert_eq!(exits, [0, 1, 2, 3, 4, 70]);
    }

    #[test]
    fn the_owner_is_named_with_time_and_process() {
        let owner = heirloom_engine::OwnerRecord {
            pid: 4711,
            since: 0,
            address: None,
            token_file: None,
            version: "0.1.0".into(),
        };
        let error = Error::Engine(EngineError::Owned { dir: "/d".into(), owner: Some(owner) });
        let explained = explain(&error);
        assert_eq!(explained.exit, 4);
        assert_eq!(
            explained.message,
            "The embedded store in /d is open in another process: Heirloom 0.1.0, process 4711 since 1970-01-01T00:00:00Z"
        );
    }

    #[test]
    fn what_wraps_an_error_does_not_change_its_case() {
        let lost = || EngineError::PoolTimeout { seconds: 60, size: 1 };
        for error in [
            Error::Engine(lost()),
            Error::Store(StoreError::Engine(lost())),
            Error::Migrate(MigrateError::Engine(lost())),
            Error::Migrate(MigrateError::Store(StoreError::Engine(lost()))),
        ] {
            assert_eq!(case(&error), BUSY);
        }
        assert_eq!(case(&Error::Migrate(StoreError::NotInstalled("d".into()).into())), NOT_INSTALLED);
    }
}
