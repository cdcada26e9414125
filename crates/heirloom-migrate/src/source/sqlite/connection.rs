//! One read-only connection, which leaves nothing beside the file, and SQLite's refusals in words that help.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Sqlite;
use crate::error::{MigrateError, Result};
use crate::source::Source;

/// How long a writer may hold the file before the call gives up.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection within its read transaction.
pub(super) struct Opened {
    connection: Connection,
    /// What an immutable file looked like when it was opened.
    still: Option<Look>,
}

/// Enough of a file to see that somebody wrote to it.
#[derive(PartialEq, Eq)]
struct Look {
    length: u64,
    modified: Option<SystemTime>,
    log: u64,
}

impl Opened {
    pub(super) fn new(sqlite: &Sqlite) -> Result<Self> {
        let immutable = is_wal(&sqlite.path) && length(&beside(&sqlite.path, "-wal")) == 0;
        if !immutable && length(&beside(&sqlite.path, "-wal")) > 0 && !beside(&sqlite.path, "-shm").exists() {
            return Err(sqlite.refuse(
                "its write-ahead log was left behind by a writer that is gone, and reading it would create files",
                "let its own application open and close it once, or copy the file and its -wal elsewhere and read the copy after `pragma wal_checkpoint`",
            ));
        }
        let still = immutable.then(|| look(&sqlite.path));
        let mode = if immutable { "mode=ro&immutable=1" } else { "mode=ro" };
        let uri = format!("file:{}?{mode}", escaped(&sqlite.path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri, flags).map_err(|error| failed(sqlite, &error))?;
        connection
            .busy_timeout(PATIENCE)
            .and_then(|()| connection.execute_batch("pragma query_only = on; begin"))
            .map_err(|error| failed(sqlite, &error))?;
        Ok(Self { connection, still })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Ends the transaction. An immutable file takes no locks, so that a writer is only seen afterwards.
    pub(super) fn close(self, sqlite: &Sqlite) -> Result<()> {
        match &self.still {
            Some(before) if *before != look(&sqlite.path) => Err(sqlite.refuse(
                "somebody wrote to the file while it was read",
                "stop its writers, or run this again while nobody writes",
            )),
            _ => Ok(()),
        }
    }
}

fn look(path: &Path) -> Look {
    let found = std::fs::metadata(path).ok();
    Look {
        length: found.as_ref().map_or(0, std::fs::Metadata::len),
        modified: found.and_then(|found| found.modified().ok()),
        log: length(&beside(path, "-wal")),
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Bytes 18 and 19 of the header are 2 in WAL mode (SQLite's file format, 1.3.3).
fn is_wal(path: &Path) -> bool {
    let mut header = [0_u8; 20];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.starts_with(b"SQLite format 3\0") && header[18] == 2
}

/// The path within a `file:` URI.
fn escaped(path: &Path) -> String {
    let mut out = String::new();
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

/// SQLite's refusal of a file or of a statement we wrote. Its words may name tables and columns, never values.
pub(super) fn failed(sqlite: &Sqlite, error: &rusqlite::Error) -> MigrateError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => sqlite
            .refuse("the file is no SQLite database", "write the path of a SQLite file; encrypted ones cannot be read"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => MigrateError::Locked {
            source_name: Source::display(sqlite),
            what: "the file is locked by a writer".into(),
            cure: "close the application that writes to it, or run this again when it is idle".into(),
        },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => sqlite.refuse(
            "the file cannot be opened for reading",
            "write the path of a readable SQLite file, and close the application that left its journal behind",
        ),
        Some(ErrorCode::ReadOnly) => sqlite.refuse(
            "a crashed writer left a journal that must be rolled back first, which is no reader's work",
            "let its own application open and close it once",
        ),
        Some(ErrorCode::DatabaseCorrupt) => {
            sqlite.refuse("the file is damaged", "run `sqlite3 FILE .recover` into a new file and read that")
        }
        _ => sqlite.broken(&error.to_string()),
    }
}

/// What went wrong while rows were read: only SQLite's code, since an expression's message may quote a value.
pub(super) fn failed_row(sqlite: &Sqlite, error: &rusqlite::Error) -> MigrateError {
    match error {
        rusqlite::Error::SqliteFailure(code, _) if code.code == ErrorCode::Unknown => {
            sqlite.broken(&format!("an expression of the file failed on a row (SQLite code {})", code.extended_code))
        }
        other => failed(sqlite, other),
    }
}
