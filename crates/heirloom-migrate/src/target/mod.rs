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
//! Deliberately absent: any retry of a chunk (the crew's), any deletion.

pub mod pgmnemo;
mod surface;

use async_trait::async_trait;
use heirloom_store::Memory;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::{Digest, Key};
use crate::error::{MigrateError, Result};
use crate::mapping::Reject;
use crate::source::Identity;

pub use pgmnemo::Pgmnemo;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Its id.
    pub id: Uuid,
    /// What the target takes for the same thing; see [`Surface::closing`].
    pub closing: Option<Closing>,
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

/// A target that is no store of ours.
#[async_trait]
pub trait Foreign: Send + Sync {
    /// Looks at it; writes nothing.
    ///
    /// # Errors
    /// When it does not answer, or is not what its URL says.
    async fn look(&self) -> Result<Found>;

    /// What it would do to these rows. Reads only.
    ///
    /// # Errors
    /// As [`Foreign::look`].
    async fn predict(&self, rows: &[Announced]) -> Result<Predicted>;

    /// Hands rows down, and says what became of each, in their order. All of it or nothing.
    ///
    /// # Errors
    /// When it does not answer. What one row alone causes is its [`Fate::Refused`].
    async fn deliver(&self, terms: Terms<'_>, rows: &[Parcel]) -> Result<Vec<Fate>>;

    /// The rows of these ids, by a decoder that shares nothing with what wrote them.
    ///
    /// # Errors
    /// As [`Foreign::look`].
    async fn rows(&self, surface: &Surface, ids: &[Uuid]) -> Result<Vec<Shown>>;

    /// How many rows of these namespaces no migration brought.
    ///
    /// # Errors
    /// As [`Foreign::look`].
    async fn live(&self, namespaces: &[&str]) -> Result<u64>;
}

/// The schemes of foreign targets.
pub const SCHEMES: [&str; 2] = ["pgmnemo+postgres://", "pgmnemo+postgresql://"];

/// Whether a URL names a foreign target.
pub fn is_foreign(url: &str) -> bool {
    SCHEMES.iter().any(|scheme| url.starts_with(scheme))
}

/// Opens a foreign target; `None` where the URL is that of a store.
///
/// # Errors
/// When it does not answer.
pub async fn open(url: &str, surface: Surface) -> Result<Option<Box<dyn Foreign>>> {
    match url.strip_prefix("pgmnemo+").filter(|_| is_foreign(url)) {
        Some(url) => Ok(Some(Box::new(Pgmnemo::open(url, surface).await?))),
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
