//! The target as a plan sees it: which store, who would write, and what lives there.

use uuid::Uuid;

use crate::source::Identity;
use crate::target::Found;

/// Width of a store's vectors when it has yet to be made.
pub const DEFAULT_DIMENSION: usize = 1024;

/// What a plan needs to know of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Place, no credentials.
    pub display: String,
    /// The store's id; `None` when there is no store yet.
    pub store_id: Option<Uuid>,
    /// The store's schema version; 0 when there is no store yet.
    pub schema_version: u32,
    /// Width of the store's vectors.
    pub dimension: usize,
    /// Who would write.
    pub identity: Identity,
    /// Memories there that no migration brought, counted up to 100,000; `None` when they may not be counted.
    pub live_rows: Option<u64>,
    /// The target of the rows, where it is no store.
    pub foreign: Option<Found>,
}

impl Target {
    /// Width of the vectors where the rows go.
    pub(crate) fn width(&self) -> usize {
        self.foreign.as_ref().map_or(self.dimension, |found| found.dimension)
    }
}
