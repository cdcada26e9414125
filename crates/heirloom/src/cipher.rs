//! Numbers as they leave a door: enciphered, so that nobody counts what others do by the ids of their own.
//!
//! Four Feistel rounds with sha256, keyed by the store's own id, which no tenant is told: the same number is the same in
//! every process and after every restart.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Seals and opens the numbers of one store.
#[derive(Clone)]
pub struct Cipher {
    key: [u8; 32],
    /// Bits of half a number.
    half: u32,
}

impl Cipher {
    /// The cipher of the ids of events: any 64 bits.
    pub fn of_events(store: Uuid) -> Self {
        Self::keyed(b"heirloom event id", store, 32)
    }

    /// The cipher of the numbers of steps from state to state: any 64 bits.
    pub fn of_steps(store: Uuid) -> Self {
        Self::keyed(b"heirloom step number", store, 32)
    }

    /// The cipher of the integer handles of the SQL door: 52 bits, which every client's numbers hold.
    pub fn of_handles(store: Uuid) -> Self {
        Self::keyed(b"heirloom lesson id", store, 26)
    }

    fn keyed(purpose: &[u8], store: Uuid, half: u32) -> Self {
        Self { key: Sha256::digest([purpose, store.as_bytes()].concat()).into(), half }
    }

    /// A number as it leaves; its bits beyond the cipher's are lost.
    pub fn seal(&self, number: u64) -> u64 {
        self.rounds(number, [0, 1, 2, 3])
    }

    /// A number as it comes back; `None` for what this store never sealed, as far as that can be told.
    pub fn open(&self, sealed: u64) -> Option<i64> {
        let swapped = |number: u64| (number >> self.half) | ((number & self.mask()) << self.half);
        let fits = self.half == 32 || sealed >> (2 * self.half) == 0;
        let number = swapped(self.rounds(swapped(sealed), [3, 2, 1, 0]));
        i64::try_from(number).ok().filter(|number| fits && *number < 1 << (self.half + self.half / 2))
    }

    fn mask(&self) -> u64 {
        (1 << self.half) - 1
    }

    fn rounds(&self, block: u64, order: [u8; 4]) -> u64 {
        let (mut left, mut right) = ((block >> self.half) & self.mask(), block & self.mask());
        for round in order {
            // Either half fits; a wider one never is.
            let half = u32::try_from(right).unwrap_or(u32::MAX);
            let sum = Sha256::digest([self.key.as_slice(), &[round], &half.to_be_bytes()].concat());
            let word = u64::from(u32::from_be_bytes([sum[0], sum[1], sum[2], sum[3]])) & self.mask();
            (left, right) = (right, left ^ word);
        }
        (left << self.half) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_and_neighbours_look_nothing_alike() {
        for cipher in [Cipher::of_events, Cipher::of_steps, Cipher::of_handles] {
            let ours = cipher(Uuid::from_u128(7));
            for id in [0, 1, 2, 4_711, u64::from(u32::MAX) + 9, (1 << 39) - 1] {
                assert_eq!(ours.open(ours.seal(id)), i64::try_from(id).ok(), "{id}");
            }
            let (one, two) = (ours.seal(1), ours.seal(2));
            assert!((one ^ two).count_ones() > 8, "{one:x} {two:x}");
            assert_ne!(cipher(Uuid::from_u128(8)).seal(1), one);
        }
    }

    #[test]
    fn a_handle_is_a_number_of_every_client_and_a_guess_is_none() {
        let handles = Cipher::of_handles(Uuid::from_u128(7));
        assert!((0..1_000).all(|id| handles.seal(id) < 1 << 52));
        assert!((0..1_000).filter(|guess| handles.open(*guess).is_some()).count() < 5);
        assert_eq!((handles.open(1 << 52), handles.open(u64::MAX)), (None, None));
    }

    #[test]
    fn ids_of_events_are_what_they_were() {
        // A client may resume by an id that an earlier version gave.
        let events = Cipher::of_events(Uuid::from_u128(7));
        assert_eq!(format!("{:016x}", events.seal(1)), "28e6a8940d0a8f8c");
    }
}
