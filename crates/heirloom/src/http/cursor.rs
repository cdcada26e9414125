//! Ids of events as they leave the door: enciphered, so that nobody counts what others do.
//!
//! Four Feistel rounds over 64 bits with sha256, keyed by the store's own id, which no door tells: the same event has the
//! same id in every process and after every restart.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Seals and opens ids of one store.
#[derive(Clone)]
pub(super) struct Cipher {
    key: [u8; 32],
}

impl Cipher {
    /// The cipher of a store.
    pub(super) fn of(store: Uuid) -> Self {
        Self { key: Sha256::digest([b"heirloom event id".as_slice(), store.as_bytes()].concat()).into() }
    }

    /// An id as it leaves.
    pub(super) fn seal(&self, id: i64) -> String {
        let (left, right) = self.rounds(id.cast_unsigned(), [0, 1, 2, 3]);
        format!("{left:08x}{right:08x}")
    }

    /// An id as it comes back; `None` for what this store never sealed, as far as that can be told.
    pub(super) fn open(&self, text: &str) -> Option<i64> {
        let sealed = u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16)?;
        let (left, right) = self.rounds(sealed.rotate_left(32), [3, 2, 1, 0]);
        let id = ((u64::from(right) << 32) | u64::from(left)).cast_signed();
        (0..1 << 48).contains(&id).then_some(id)
    }

    fn rounds(&self, block: u64, order: [u8; 4]) -> (u32, u32) {
        let [mut left, mut right] = [(block >> 32) as u32, (block & 0xffff_ffff) as u32];
        for round in order {
            let sum = Sha256::digest([self.key.as_slice(), &[round], &right.to_be_bytes()].concat());
            let word = u32::from_be_bytes([sum[0], sum[1], sum[2], sum[3]]);
            (left, right) = (right, left ^ word);
        }
        (left, right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_and_neighbours_look_nothing_alike() {
        let cipher = Cipher::of(Uuid::from_u128(7));
        for id in [0, 1, 2, 4_711, i64::from(u32::MAX) + 9, (1 << 48) - 1] {
            assert_eq!(cipher.open(&cipher.seal(id)), Some(id), "{id}");
        }
        let (one, two) = (cipher.seal(1), cipher.seal(2));
        assert!(one.bytes().zip(two.bytes()).filter(|(a, b)| a == b).count() < 8, "{one} {two}");
        assert_ne!(Cipher::of(Uuid::from_u128(8)).seal(1), one);
        for bad in ["", "x", "0", "+000000000000001", "00000000000000000", "g000000000000000"] {
            assert_eq!(cipher.open(bad), None, "{bad}");
        }
    }
}
