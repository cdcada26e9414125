//! Keyed 128-bit digests of framed bytes, and sums of them.
//!
//! Sums, not XOR: a row twice must not vanish. 128 bits in one addition modulo 2^128 together with the count, so that
//! missing, altered and doubled rows all show (moving-rows 3.1). Keyed, so that a digest in a report cannot be guessed
//! back to a short memory. Each field is framed by tag and length before hashing (see [`crate::canon`]).

use serde::{Deserialize, Serialize};

/// A 256-bit key. Never printed, never part of a report.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(hidden)")
    }
}

impl Key {
    /// A key for one use, from the operating system.
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        bytes[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        Self(*blake3::hash(&bytes).as_bytes())
    }

    /// The key that belongs to a store, so that digests written in one run can be compared in the next.
    pub fn of_store(store_id: uuid::Uuid) -> Self {
        Self(blake3::derive_key("heirloom 2026 origin digests", store_id.as_bytes()))
    }

    /// The key as 64 hex digits, for a plan that has to sum the same rows again.
    pub fn to_hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// The key of 64 hex digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        blake3::Hash::from_hex(hex).ok().map(|hash| Self(*hash.as_bytes()))
    }

    /// Digest of framed bytes.
    pub fn digest(&self, framed: &[u8]) -> Digest {
        let hash = blake3::keyed_hash(&self.0, framed);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        Digest(bytes)
    }
}

/// 128 bits that stand for one row or one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 16]);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Count and sum of the digests of a set of rows, independent of their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DigestSum {
    /// How many rows.
    pub count: u64,
    /// Their digests added modulo 2^128.
    #[serde(with = "hex128")]
    pub sum: u128,
}

impl DigestSum {
    /// Adds one row.
    pub fn add(&mut self, digest: Digest) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(digest.0));
    }

    /// Takes a row away that was added.
    pub(crate) fn take(&mut self, digest: Digest) {
        self.count -= 1;
        self.sum = self.sum.wrapping_sub(u128::from_be_bytes(digest.0));
    }

    /// Adds the rows of another set.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// The sum as 16 bytes, big-endian, as the ledger keeps it.
    pub fn sum_bytes(&self) -> [u8; 16] {
        self.sum.to_be_bytes()
    }
}

mod hex128 {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_twice_does_not_vanish() {
        let key = Key::random();
        let mut once = DigestSum::default();
        once.add(key.digest(b"row"));
        let mut thrice = once;
        thrice.add(key.digest(b"row"));
        thrice.add(key.digest(b"row"));
        assert_ne!(once.sum, thrice.sum);
        assert_ne!(once.count, thrice.count);
    }

    #[test]
    fn order_does_not_matter() {
        let key = Key::random();
        let rows: [&[u8]; 3] = [b"a", b"b", b"c"];
        let sum = |order: [usize; 3]| {
            let mut sum = DigestSum::default();
            order.iter().for_each(|&i| sum.add(key.digest(rows[i])));
            sum
        };
        assert_eq!(sum([0, 1, 2]), sum([2, 0, 1]));
    }
}
