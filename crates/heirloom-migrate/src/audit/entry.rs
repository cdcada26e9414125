//! One entry, and its hash as the database makes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{MigrateError, Result};

/// What stands before the first entry.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry of a chain. Digests are lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The run.
    pub run_id: Uuid,
    /// From 1.
    pub seq: u64,
    /// The clock of the program; the database's where no program said.
    pub at: Timestamp,
    /// The clock of the database.
    pub db_at: Timestamp,
    /// Which clock `at` is of: `system`, `database`, or `simulated` by a test.
    pub clock: String,
    /// Database role.
    pub role: String,
    /// Address it connected from, or `local`.
    pub place: String,
    /// Version of the program.
    pub program: String,
    /// Which step: `planned`, `applying`, `applied`, `verified`, `soaking`, `sweep`, `soaked`, …
    pub what: String,
    /// JSON text: counts, keys, digests.
    pub payload: String,
    /// sha256 of the payload.
    pub payload_digest: String,
    /// Hash of the entry before.
    pub prev: String,
    /// Hash of this entry.
    pub hash: String,
}

/// The end of a chain, as it is kept outside the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The run.
    pub run_id: Uuid,
    /// Number of the entry.
    pub seq: u64,
    /// Its hash, hex.
    pub hash: String,
}

impl Entry {
    /// The head that this entry is.
    pub fn head(&self) -> Head {
        Head { run_id: self.run_id, seq: self.seq, hash: self.hash.clone() }
    }

    /// What the hash should be.
    pub(super) fn expected_hash(&self) -> String {
        let fields = [
            self.prev.clone(),
            self.run_id.to_string(),
            self.seq.to_string(),
            self.at.as_microsecond().to_string(),
            self.db_at.as_microsecond().to_string(),
            self.clock.clone(),
            self.role.clone(),
            self.place.clone(),
            self.program.clone(),
            self.what.clone(),
            self.payload_digest.clone(),
        ];
        let framed: String = fields.iter().map(|field| format!("{}:{field},", field.len())).collect();
        sha256(framed.as_bytes())
    }

    /// What the digest of the payload should be.
    pub(super) fn expected_payload_digest(&self) -> String {
        sha256(self.payload.as_bytes())
    }

    /// The payload as a value.
    ///
    /// # Errors
    /// [`MigrateError::Ledger`] when it is not what this version writes.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.payload).map_err(|_| {
            MigrateError::Ledger(format!("entry {} ({}) was written by another version", self.seq, self.what))
        })
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
