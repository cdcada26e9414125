//! Foreign systems, opened read-only. One source, one file; [`open`] is the only list.
//!
//! A source describes a table, loads a small tree of parents, and streams rows in key order within a key range. What
//! it never does: write (the marker and the outbox of the migration file are `apply`'s own statements), keep a cursor between calls, or
//! round a value on the way.

mod name;
mod postgres;
pub mod sqlite;
pub mod verbatim;
mod versions;

pub(crate) use name::{identifier, literal};
pub use postgres::Postgres;
pub use sqlite::Sqlite;
pub(crate) use versions::{look, narrow, versions};

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use heirloom_engine::Database;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::file::MigrationFile;
use crate::value::SourceRow;

/// What is read: a table by name, or a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// `schema.table`, or `table` as found on the search path.
    Table(String),
    /// A `select`, PostgreSQL and SQLite only.
    Query(String),
}

impl Relation {
    /// What stands for the relation in ids and origins: a table's own name, and for a query, which has none, that of its
    /// migration file. A query may be mended and its rows keep their ids; two files of one tenant have rows of their own.
    pub(crate) fn origin_name<'a>(&self, table: &'a Table, file: &str) -> Cow<'a, str> {
        match self {
            Self::Table(_) => Cow::Borrowed(&table.name),
            Self::Query(_) => Cow::Owned(format!("query {file}")),
        }
    }
}

/// What kind of value a column holds, as far as mapping cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// boolean
    Bool,
    /// any integer
    Int,
    /// numeric
    Decimal,
    /// real
    Float32,
    /// double precision
    Float64,
    /// text, varchar, char, name, citext, enumerations
    Text,
    /// bytea, blob
    Bytes,
    /// json, jsonb
    Json,
    /// timestamptz
    Moment,
    /// timestamp
    LocalTime,
    /// date
    Date,
    /// interval
    Interval,
    /// uuid
    Uuid,
    /// vector, halfvec
    Vector,
    /// a one-dimensional array of any of the above
    Array,
    /// SQLite: each value has its own type
    Dynamic,
    /// anything else, read as the text the source prints
    Other,
}

/// One column of a source table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type as the source spells it, e.g. `vector(1536)`.
    pub declared: String,
    /// The type as mapping sees it.
    pub ty: Type,
    /// Whether the source declares it NOT NULL.
    pub not_null: bool,
    /// Whether the source computes it (`generated always as … stored`).
    pub generated: bool,
    /// Fixed width of a vector column.
    pub dimensions: Option<usize>,
}

/// A source table as it is, not as the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Qualified name, or `query`.
    pub name: String,
    /// Columns in their order.
    pub columns: Vec<Column>,
    /// The primary key's columns; empty when there is none.
    pub primary_key: Vec<String>,
    /// Other unique NOT NULL column sets that could serve as the key.
    pub unique_keys: Vec<Vec<String>>,
    /// Estimated row count, for `detect`.
    pub estimated_rows: Option<u64>,
}

/// Who is reading, as the source sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Role or user name; `file` for SQLite.
    pub role: String,
    /// Superuser?
    pub superuser: bool,
    /// Bypasses row-level security?
    pub bypass_rls: bool,
    /// May write the table?
    pub can_write: bool,
    /// Does row-level security decide which of the rows it sees?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub filtered: bool,
    /// Server and version, e.g. `PostgreSQL 17.5`.
    pub server: String,
    /// Stable fingerprint of the system and database (never host names or credentials), part of migrated ids.
    pub system: String,
}

/// What a plan is checked against before anything is done with the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// As [`Source::describe`].
    pub table: Table,
    /// [`Identity::system`].
    pub system: String,
    /// As [`Source::row_version`].
    pub row_version: Option<String>,
}

/// A half-open range of keys `(after, upto]`; `None` is open. Keys are canonical text, one string a key column.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyRange {
    /// Exclusive lower bound.
    pub after: Option<Vec<String>>,
    /// Inclusive upper bound.
    pub upto: Option<Vec<String>>,
}

/// What to read of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The relation.
    pub relation: Relation,
    /// The table as described; all its columns are read, in its order.
    pub table: Table,
    /// Key columns, in order.
    pub key: Vec<String>,
    /// SQL expressions of the mapping, evaluated at the source after the columns.
    pub expressions: Vec<String>,
    /// Which rows.
    pub range: KeyRange,
    /// Of those, the ones that changed since.
    pub since: Option<Since>,
    /// Of those, the ones of these keys; SQLite reads the whole range for them.
    pub keys: Option<Vec<Vec<String>>>,
}

/// A moment as a column of change times tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// The column.
    pub column: String,
    /// Its type as the source spells it.
    pub declared: String,
    /// The earliest time that is meant, as the source writes it.
    pub from: String,
}

/// The parent of each node of a tree table: `(id, parent)` in canonical text.
pub type TreeRows = Vec<(String, Option<String>)>;

/// Called with each row and its size in bytes as read; an error stops the scan and is returned.
pub type Visit<'a> = dyn FnMut(SourceRow, usize) -> Result<()> + Send + 'a;

/// The comment by which a marker column is told from one of the owner's, such as a time of deletion, which stamping rows
/// would set in all of them.
pub const MARK_COMMENT: &str = "Heirloom: when this row was proven to be handed down";

/// The name by which a marker is known without that comment, as owners make one where the migrating role may not.
pub const MARK_NAME: &str = "migrated_at";

/// A foreign system, read-only.
#[async_trait]
pub trait Source: Send + Sync {
    /// Shown in errors and reports: kind and place, without credentials.
    fn display(&self) -> String;

    /// The target's database, when the source lies in it (marker, rows and ledger then commit together).
    fn database(&self) -> Option<&Database>;

    /// Where the marker column can be written, when the file asks for one; `None` for a source that cannot be written to.
    fn marker(&self) -> Option<&Database> {
        None
    }

    /// Whether a column is a marker that was added for us: it bears the comment [`MARK_COMMENT`].
    async fn is_marker(&self, _relation: &Relation, _column: &str) -> Result<bool> {
        Ok(false)
    }

    /// Ends the sessions that nobody uses: who reads next begins one.
    fn let_go(&self) {}

    /// The file that holds the source, when it is one.
    fn file(&self) -> Option<&std::path::Path> {
        None
    }

    /// An expression over the relation's rows whose value changes whenever a row is written, for [`Read::expressions`];
    /// `None` where the source keeps no versions of its rows.
    async fn row_version(&self, _relation: &Relation) -> Result<Option<String>> {
        Ok(None)
    }

    /// The relation as it is. Error when it is not there, naming the nearest tables that are.
    async fn describe(&self, relation: &Relation) -> Result<Table>;

    /// Every table the source shows, for `detect`.
    async fn tables(&self) -> Result<Vec<Table>>;

    /// From when on changes may come that no read until now has shown, by a column of change times; `overlap` is taken off
    /// for writers whose clock is behind or whose transaction is long. `None` where the source or the column's type cannot
    /// tell, so that rows have to be compared.
    async fn horizon(&self, _relation: &Relation, _column: &Column, _overlap: Duration) -> Result<Option<Since>> {
        Ok(None)
    }

    /// Which of these ranges of a read hold a row that changed since.
    async fn touched(&self, _read: &Read, ranges: &[&KeyRange]) -> Result<Vec<usize>> {
        Ok((0..ranges.len()).collect())
    }

    /// In which of these ranges each key lies, whether its row is there or not. The ranges follow each other in key order and
    /// leave nothing out, as those of a plan do.
    async fn places(&self, _read: &Read, keys: &[Vec<String>], _ranges: &[&KeyRange]) -> Result<Vec<usize>> {
        Err(crate::MigrateError::Source {
            source_name: self.display(),
            what: format!("{} changed keys cannot be told apart by range", keys.len()),
            accepted: "remove `outbox` from [source]".into(),
        })
    }

    /// Who is reading.
    async fn identity(&self, relation: &Relation) -> Result<Identity>;

    /// The relation as it is, on which system, and how its rows tell that they changed: asked together.
    async fn examine(&self, relation: &Relation) -> Result<Examined> {
        Ok(Examined {
            table: self.describe(relation).await?,
            system: self.identity(relation).await?.system,
            row_version: self.row_version(relation).await?,
        })
    }

    /// A small table of parents, whole.
    async fn tree(&self, table: &str, id: &str, parent: &str) -> Result<TreeRows>;

    /// Why an expression of the file cannot stand in [`Read::expressions`], in the source's words, before a row is read;
    /// `None` where it can, as far as can be told without rows.
    async fn misfit(&self, _read: &Read, _expression: &str) -> Result<Option<String>> {
        Ok(None)
    }

    /// Streams the rows of the range in key order, from one read-only snapshot, and returns how many there were.
    ///
    /// May be called again with the same range and gives the same rows as long as the source stands still. Holds at
    /// most one connection and releases it before it returns.
    async fn scan(&self, read: &Read, visit: &mut Visit<'_>) -> Result<u64>;
}

/// Opens a source by its resolved URL. `store` is the target's own database, and so is the URL of the target itself: they
/// share one pool, so that a pool of one works.
///
/// # Errors
/// [`crate::MigrateError::Engine`] when a server does not answer, [`crate::MigrateError::Source`] for a URL of no known
/// kind.
pub async fn open(url: &str, target: &Database) -> Result<Box<dyn Source>> {
    let is_target = !target.is_embedded() && heirloom_engine::redact_url(url) == target.display();
    if url == "store" || is_target {
        return Ok(Box::new(Postgres::in_target(target)));
    }
    open_alone(url).await
}

/// Opens a source that is not the target's own database.
///
/// # Errors
/// As [`open`].
pub async fn open_alone(url: &str) -> Result<Box<dyn Source>> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Box::new(Postgres::open(url).await?));
    }
    if let Some(path) = url.strip_prefix("sqlite:") {
        return Ok(Box::new(sqlite::open(path).await?));
    }
    Err(crate::MigrateError::Source {
        source_name: url.split(':').next().unwrap_or_default().to_owned(),
        what: "this is no source that can be opened".into(),
        accepted: "accepted: postgres://…, sqlite:FILE, or `store` for a table in the target's own database".into(),
    })
}

/// The file's relation as it is, without the marker column that a run of ours may have added.
///
/// # Errors
/// As [`Source::describe`]; and for a marker that is a column of the owner's, which would be written over.
pub async fn describe_without_mark(source: &dyn Source, file: &MigrationFile) -> Result<Table> {
    let table = source.describe(&file.source.relation.value).await.map_err(|error| at_the_query(error, file))?;
    without_mark(source, file, table).await
}

/// As [`Source::examine`], of the file's relation without that column.
///
/// # Errors
/// As [`describe_without_mark`].
pub async fn examine_without_mark(source: &dyn Source, file: &MigrationFile) -> Result<Examined> {
    let examined = source.examine(&file.source.relation.value).await.map_err(|error| at_the_query(error, file))?;
    Ok(Examined { table: without_mark(source, file, examined.table).await?, ..examined })
}

async fn without_mark(source: &dyn Source, file: &MigrationFile, mut table: Table) -> Result<Table> {
    if let Some(mark) = &file.source.mark {
        let relation = &file.source.relation.value;
        let there = table.columns.iter().find(|column| column.name == mark.value);
        if let Some(column) = there {
            let is_key = table.primary_key.contains(&mark.value);
            let can_be =
                matches!(relation, Relation::Table(_)) && column.ty == Type::Moment && !column.not_null && !is_key;
            if !(can_be && (mark.value == MARK_NAME || source.is_marker(relation, &mark.value).await?)) {
                return Err(a_column_of_the_owner_s(source, &table, column, can_be));
            }
        }
        table.columns.retain(|column| column.name != mark.value);
    }
    Ok(table)
}

fn a_column_of_the_owner_s(source: &dyn Source, table: &Table, column: &Column, can_be: bool) -> crate::MigrateError {
    let accepted = if can_be {
        format!(
            "a name that no column has; Heirloom adds it. If this one was made to be the marker, say so: comment on column \
             {}.{} is {}",
            table.name,
            identifier(&column.name),
            literal(MARK_COMMENT)
        )
    } else {
        "a name that no column has; Heirloom adds it as a nullable timestamptz".into()
    };
    crate::MigrateError::Source {
        source_name: source.display(),
        what: format!(
            "mark = \"{}\" is a column that {} has already, of type {}: marking rows would write over it",
            column.name, table.name, column.declared,
        ),
        accepted,
    }
}

/// Puts what a source says of a query to the query's place in the file.
fn at_the_query(error: crate::MigrateError, file: &MigrationFile) -> crate::MigrateError {
    use crate::MigrateError::{File, ReadRefused, Source};
    let at = &file.source.relation;
    let (what, accepted) = match (&at.value, error) {
        (Relation::Query(_), ReadRefused { refusal, .. }) if is_of_statement(&refusal) => {
            (format!("the query cannot be read: {refusal}"), "write one `select` that the source takes".to_owned())
        }
        (Relation::Query(_), Source { what, accepted, .. }) if what.starts_with("the query") => (what, accepted),
        (_, error) => return error,
    };
    File { place: at.place.clone(), what, accepted }
}

/// Whether a server refused the words of a statement, and not the moment or a row.
pub(crate) fn is_of_statement(refusal: &heirloom_engine::Refusal) -> bool {
    refusal.code.as_deref().is_some_and(|code| ["42", "0A", "22"].iter().any(|class| code.starts_with(class)))
}
