//! The migration file as written: TOML, small enough to review in a pull request.
//!
//! [`MigrationFile::parse`] gives the file merged with its preset (what the file says wins) and keeps the place of
//! every word, so that a later check (an unknown column, a type that cannot be cast) can still point at it. Secrets
//! stay references (`env:NAME`, `file:PATH`) here; a URL with a password in it is refused.

pub(crate) mod doc;
pub(crate) mod parse;
mod preset;
pub(crate) mod secret;
pub(crate) mod suggest;

use crate::error::Place;
use crate::source::Relation;
use crate::target::{Collisions, Gate};

/// A word of the file and where it stands. Words from a preset stand in `preset:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The word.
    pub value: T,
    /// Its place.
    pub place: Place,
}

/// The migration file, preset merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct MigrationFile {
    /// `name`: names the plan, the report and the run.
    pub name: String,
    /// `tenant`: part of migrated ids; the file's `name` when absent.
    pub tenant: Option<String>,
    /// The file's path as given.
    pub path: String,
    /// The file's text, whole.
    pub text: String,
    /// `[source]`
    pub source: SourceSpec,
    /// `[target] url`: a reference or a URL without password; absent means the configured store.
    pub target: Option<At<String>>,
    /// `[target] collisions`: lessons that a pgmnemo takes for versions of one.
    pub collisions: Collisions,
    /// `[target] gate`: lessons without provenance, into a pgmnemo.
    pub gate: Gate,
    /// `[target] token`: a reference to what a memory plugin asks for.
    pub token: Option<At<String>>,
    /// `[target] concurrency`: requests to a memory plugin at a time.
    pub concurrency: usize,
    /// `[target] dimension`: width of a memory plugin's vectors, which its contract does not say.
    pub dimension: usize,
    /// `[namespace]`
    pub namespace: NamespaceSpec,
    /// `[map]`, by memory field, in file order. A field that comes several times has alternatives: the first that says
    /// something counts.
    pub map: Vec<(At<String>, FieldSpec)>,
    /// `[preset] optional`: columns that need not be there; what names one that is absent is left out.
    pub optional: Vec<String>,
    /// `[keep] rest`
    pub keep_rest: KeepRest,
    /// `[keep] drop`: column to reason.
    pub drop: Vec<(At<String>, String)>,
    /// `[reject] budget`
    pub budget: Budget,
    /// `[id] from`: `derived` (uuid v5, default) or `key` (the source's own uuid key is kept).
    pub id: IdRule,
    /// `redact`: what happens to credentials in the rows.
    pub redact: Redact,
    /// `[soak]`
    pub soak: SoakSpec,
    /// `[retire]`
    pub retire: RetireSpec,
}

/// `[soak]`: how long old and new are watched side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoakSpec {
    /// `days`: with a clean sweep each, and that many times 24 hours; 30 when absent.
    pub days: u32,
    /// `shadow`: a file of queries, JSON lines, that are asked of both sides.
    pub shadow: Option<At<String>>,
}

/// `[retire]`: what becomes of the source's table after the soak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetireSpec {
    /// `grace`: days between the rename and the drop; 7 when absent.
    pub grace: u32,
    /// `archive`: directory for the archive; beside the plan when absent.
    pub archive: Option<String>,
}

/// `[source]`
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSpec {
    /// `url`: `env:NAME`, `file:PATH`, `postgres://…` without password, `sqlite:FILE`, or `store` for a table that lies in the
    /// target's own database.
    pub url: At<String>,
    /// `preset`
    pub preset: Option<At<String>>,
    /// `table` or `query`
    pub relation: At<Relation>,
    /// `key`; empty means the table's own primary key.
    pub key: Vec<At<String>>,
    /// `changed_at`
    pub changed_at: Option<At<String>>,
    /// `mark`: nullable column to add to the source and stamp once a row is verified.
    pub mark: Option<At<String>>,
    /// `outbox`: what changes at the source is noted there by triggers, in a table that `apply --follow` reads and empties.
    pub outbox: bool,
    /// `[source.tree]`: a table of parents for `{team_root}` and `{org_root}`.
    pub tree: Option<TreeSpec>,
}

/// `[source.tree]`: `table`, `id`, `parent`, and the column of the migrated table that holds the node.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeSpec {
    /// Table of nodes.
    pub table: At<String>,
    /// Its id column.
    pub id: At<String>,
    /// Its parent column.
    pub parent: At<String>,
    /// The migrated table's column that names the node.
    pub of: At<String>,
}

/// `[namespace]`: a template, or a template a value of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum NamespaceSpec {
    /// `template = "workspace:{workspace_id}"`
    Template(At<String>),
    /// `from = "scope"`, `values = { LOCAL = "…" }`, `otherwise = "reject"` (default) or a template.
    Values {
        /// The column.
        from: At<String>,
        /// Value (case and space folded when compared) to template.
        values: Vec<(String, At<String>)>,
        /// For any other value; `None` rejects.
        otherwise: Option<At<String>>,
    },
}

/// One entry of `[map]`. `content = "column"` is short for `content = { from = "column" }`, and
/// `content = ["a", "b"]` for two alternatives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldSpec {
    /// `from`: a source column. A list in the file is several entries here, one a column.
    pub from: Option<At<String>>,
    /// `expr`: SQL evaluated at the source.
    pub expr: Option<At<String>>,
    /// `value`: the same for every row.
    pub value: Option<At<toml::Value>>,
    /// `values`: value map; keys are compared with case and outer space folded.
    pub values: Option<Vec<(String, At<String>)>>,
    /// `otherwise`: what an unlisted value (or, for a vector, a dimension that does not fit) becomes.
    pub otherwise: Option<At<Otherwise>>,
    /// `scale = [low, high]`: linear to the field's own range, half rounds up.
    pub scale: Option<At<(f64, f64)>>,
    /// `ttl`: `seconds`, `interval` or `absolute`.
    pub ttl: Option<At<Ttl>>,
    /// `since`: the column a relative TTL counts from.
    pub since: Option<At<String>>,
    /// `when_true = [columns]`: when `from` is truthy, the first of these that is not null.
    pub when_true: Option<Vec<At<String>>>,
    /// `zone`: IANA zone of a wall-clock time.
    pub zone: Option<At<String>>,
    /// `epoch`: `s`, `ms`, `us` or `ns` since 1970.
    pub epoch: Option<At<Epoch>>,
    /// `model`: name of the embedding model.
    pub model: Option<At<String>>,
    /// `unpad`: the vector's true width; what lies beyond must be zero.
    pub unpad: Option<At<usize>>,
    /// `merge = [columns]`: JSON objects merged, other values under their column's name.
    pub merge: Option<Vec<At<String>>>,
}

/// What an unlisted value becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Otherwise {
    /// The row is rejected.
    Reject,
    /// The raw value goes to metadata under the column's name (a vector: to the origin) and the field stays null, or
    /// the store's default where the field cannot be null.
    Keep,
    /// This value.
    Value(String),
}

/// Forms of a time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// Seconds after `since`.
    Seconds,
    /// An interval (`30 days`) after `since`.
    Interval,
    /// A moment.
    Absolute,
}

/// Units of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// Seconds, fractions allowed.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds; what lies below a microsecond is rounded half to even, as PostgreSQL does.
    Nanos,
}

/// Where unmapped columns go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepRest {
    /// Verbatim in `heirloom.origin` (default).
    #[default]
    Origin,
    /// Into the memory's metadata as well.
    Metadata,
    /// Nowhere: every column must be mapped or dropped with a reason, or the plan refuses.
    Nowhere,
}

/// How many rejects a run may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// So many rows.
    Rows(u64),
    /// So many per cent of the source.
    Percent(f64),
}

/// Where a migrated memory's id comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdRule {
    /// uuid v5 over (recipe version, source system, tenant, table, key).
    #[default]
    Derived,
    /// The source's own key, a single uuid column.
    Key,
}

/// What happens to credentials that rows hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redact {
    /// They are taken out on the way: neither memory nor origin nor reject keeps them.
    Apply,
    /// Rows are carried as they are, and the plan says how many hold what (default).
    #[default]
    Report,
    /// Rows are carried as they are, and nobody looks.
    Off,
}

impl Budget {
    /// Reads a number of rows, or a share of them with a per cent sign; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_suffix('%') {
            Some(share) => {
                let share = share.trim().parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share));
                share.map(Self::Percent)
            }
            None => text.parse().ok().map(Self::Rows),
        }
    }

    /// How many rows of `rows` may be set aside; a share is rounded down.
    pub fn rows_of(self, rows: u64) -> u64 {
        match self {
            Self::Rows(budget) => budget,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of a row count, floored"
            )]
            Self::Percent(share) => (rows as f64 * share / 100.0).floor() as u64,
        }
    }
}

/// What an `env:` reference stands for; the binary answers, the library never looks.
pub type Secrets<'a> = dyn Fn(&str) -> Option<String> + Send + Sync + 'a;

pub(crate) use secret::has_password;
pub(crate) use suggest::nearest;

pub use preset::PRESETS;
pub use secret::{resolve_token, resolve_url};
