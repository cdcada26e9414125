//! How large a chunk may be.

use serde::{Deserialize, Serialize};

use super::{CHUNK_BYTES, CHUNK_ROWS};

/// Limits of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most bytes of source rows.
    pub chunk_bytes: u64,
    /// Most rows.
    pub chunk_rows: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { chunk_bytes: CHUNK_BYTES, chunk_rows: CHUNK_ROWS }
    }
}
