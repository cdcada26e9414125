//! Targets that are no store of ours: what a chunk's rows are written by, and what verify reads them by.
//!
//! A foreign target knows nothing of runs, leases and rejects: those stay in the ledger of the store that the command
//! names, and one pipeline serves every target. What differs is said here. [`Surface`] is the pure part, kept in the plan:
//! what a memory becomes there, and what has no place. [`Foreign`] is the part that talks. One adapter, one folder;
//! [`open`] is the only list.
//!
//! The two sides are two transactions, so nothing here may rely on the ledger alone: each row carries its id over, a
//! row that is there is found by it, and handing down again what is there writes nothing. A process killed between the two
//! commits leaves rows that the next one finds and takes for what they are.
//!
//! What a target does not show is no difference and no proof: it is counted ([`Seen::unseen`], [`Beyond`]) and said.
//!
//! Deliberately absent: any retry of a chunk (the crew's), any deletion.

pub mod pgmnemo;
pub mod plugin;
mod surface;

use std::collections::HashSet;

use async_trait::async_trait;
use heirloom_store::Memory;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::{Digest, Key};
use crate::error::{MigrateError, Result};
use crate::file::{MigrationFile, Secrets, resolve_token};
use crate::mapping::Reject;
use crate::source::Identity;

pub use pgmnemo::Pgmnemo;
pub use plugin::Plugin;
pub use surface::{Collisions, Gate, Surface};

/// A foreign target as a plan found it; apply and verify refuse another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Place, no credentials.
    pub display: String,
    /// Names this one among all: rows handed down to another are no rows of this one.
    pub system: String,
    /// Who would write there.
    pub identity: Identity,
    /// Width of its vectors.
    pub dimension: usize,
    /// What rows become there.
    pub surface: Surface,
}

/// A row that will be handed down, as far as the target has to be asked about it beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its id.
    pub id: Uuid,
    /// What the target takes for the same thing; see [`Surface::closing`].
    pub closing: Option<Closing>,
    /// The name that the target gives to one row alone; see [`Surface::named`].
    pub named: Option<Box<Named>>,
}

/// A row that bears a name of which a project has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name, as JSON.
    pub name: String,
    /// Whose it is.
    pub project: Option<i32>,
    /// The source key of the row.
    pub key: Vec<String>,
}

/// Rows with the same of these close each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// Digest of what is compared.
    pub hash: [u8; 16],
    /// Whose row it is.
    pub project: Option<i32>,
    /// Whether it is valid until further notice.
    pub open: bool,
}

/// What a target says about rows that will be handed down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicted {
    /// Rows that are there already.
    pub present: u64,
    /// Rows that share what the target compares with another one, coming or there.
    pub colliding: u64,
    /// Rows that will be closed when each comes in a statement of its own: all but the newest of their kind.
    pub closed: u64,
    /// Rows of others that are open there now, among the colliding.
    pub theirs: u64,
    /// Colliding rows whose like belongs to another project.
    pub across: u64,
    /// Namespaces that show a part of themselves alone, so that more may be there already.
    #[serde(default)]
    pub beyond_sight: u64,
    /// Rows whose name another one has, coming or there, where the target keeps one of each.
    #[serde(default, skip_serializing_if = "is_none")]
    pub namesakes: u64,
    /// Those of them that are there.
    #[serde(default, skip_serializing_if = "is_none")]
    pub namesakes_there: u64,
    /// The source keys of the first that are coming.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namesake_keys: Vec<String>,
}

// A plan that was made before this was counted keeps its digest.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A row on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// As it shall stand.
    pub memory: Memory,
    /// Its digest, over the fields that the surface leaves alone.
    pub digest: Digest,
    /// The digest of what was written when it was handed down before.
    pub written: Option<[u8; 16]>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was not there, and is now.
    Inserted,
    /// It is there, and says the very same.
    Present,
    /// It was as it had been written, and says now what the source says.
    Updated,
    /// It was changed there; it stays so.
    Conflict,
    /// It was handed down before and is not there any more; nothing brings it back.
    Gone,
    /// The target does not take it.
    Refused(Reject),
}

/// What a delivery is made under.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// What rows become there.
    pub surface: &'a Surface,
    /// Key of the digests.
    pub key: &'a Key,
    /// Width of the target's vectors.
    pub dimension: usize,
}

/// A row as the target shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: Uuid,
    /// Its namespace.
    pub namespace: String,
    /// One frame a field of [`crate::canon::FIELDS`]; empty for a field that the surface does not show.
    pub frames: Vec<Vec<u8>>,
    /// Closed, and a newer one of its kind is open.
    pub superseded: bool,
}

/// A row that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its namespace and its text as they should be, where a row should be.
    pub place: Option<(&'a str, &'a str)>,
}

/// What a target shows of the rows that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Those that are there.
    pub rows: Vec<Shown>,
    /// Those of which the target does not show whether they are there; the others are not.
    pub unseen: HashSet<Uuid>,
}

/// What a target holds beside the rows that the source has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Rows that were not handed down from here, as far as it tells them itself.
    pub live: u64,
    /// Rows of which it does not tell that; the ledger does.
    pub shown: Vec<Uuid>,
    /// Namespaces that it shows a part of.
    pub partly: u64,
}

/// What a target holds of rows that the source has no longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Rows that are there.
    pub there: Vec<Uuid>,
    /// How many it does not show, be they there or not.
    pub unseen: u64,
}

/// A target that is no store of ours.
#[async_trait]
pub trait Foreign: Send + Sync {
    /// Looks at it; writes nothing.
    ///
    /// # Errors
    /// When it does not answer, or is not what its URL says.
    async fn look(&self) -> Result<Found>;

    /// What it would do to these rows of these namespaces. Reads only.
    ///
    /// # Errors
    /// As [`Foreign::look`].
    async fn predict(&self, rows: &[Announced], namespaces: &[&str]) -> Result<Predicted>;

    /// Hands rows down, and says what became of each, in their order. When it fails, rows may be there that nobody was told
    /// of; the next attempt finds them by their ids.
    ///
    /// # Errors
    /// When it does not answer. What one row alone causes is its [`Fate::Refused`].
    async fn deliver(&self, terms: Terms<'_>, rows: &[Parcel]) -> Result<Vec<Fate>>;

    /// These rows, by a decoder that shares nothing with what wrote them.
    ///
    /// # Errors
    /// As [`Foreign::look`].
    async fn rows(&self, surface: &Surface, wanted: &[Wanted<'_>]) -> Result<Seen>;

    /// What these namespaces hold of rows that were handed down and are gone at the source; `gone` is sorted.
    ///
    /// # Errors
    /// As [`Foreign::look`].
    async fn left(&self, namespaces: &[&str], gone: &[Uuid]) -> Result<Left>;

    /// What these namespaces hold of others.
    ///
    /// # Errors
    /// As [`Foreign::look`].
    async fn beyond(&self, namespaces: &[&str]) -> Result<Beyond>;
}

/// The schemes of foreign targets.
pub const SCHEMES: [&str; 4] = ["pgmnemo+postgres://", "pgmnemo+postgresql://", "plugin+http://", "plugin+https://"];

/// Whether a URL names a foreign target.
pub fn is_foreign(url: &str) -> bool {
    SCHEMES.iter().any(|scheme| url.starts_with(scheme))
}

/// Opens the target at `url` as a file wants it; `None` where the URL is that of a store. `secrets` answers the file's
/// references.
///
/// # Errors
/// When it does not answer, or a reference stands for nothing.
pub async fn open(url: &str, file: &MigrationFile, secrets: &Secrets<'_>) -> Result<Option<Box<dyn Foreign>>> {
    let scheme = url.split_once('+').filter(|_| is_foreign(url));
    match scheme {
        Some(("pgmnemo", url)) => Ok(Some(Box::new(Pgmnemo::open(url, Surface::pgmnemo(file)).await?))),
        Some((_, url)) => {
            let token = file.token.as_ref().map(|word| resolve_token(word, secrets)).transpose()?;
            Ok(Some(Box::new(plugin::open(url, file, token)?)))
        }
        None => Ok(None),
    }
}

/// Refuses where a plan is for a foreign target and what is asked for goes into a store alone.
///
/// # Errors
/// [`MigrateError::Refused`].
pub fn store_alone(plan: &crate::plan::Plan, what: &str) -> Result<()> {
    let Some(found) = &plan.target.foreign else { return Ok(()) };
    Err(MigrateError::Refused {
        what: format!("{} goes to {}, and {what} is for rows in a Heirloom store", plan.name, found.display),
        cure: "use `heirloom plan`, `apply` and `verify` with it".to_owned(),
    })
}
