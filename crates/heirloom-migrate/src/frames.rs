//! The frames of a row, one after the other in one buffer: their bytes are what is digested, each by itself what is
//! compared. Deliberately absent: how a value becomes bytes, which each side of a comparison does for itself.

use std::ops::Index;

/// The frames of a row, numbered from 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Frames {
    /// No frames yet, and room for this many and their bytes.
    pub(crate) fn with_capacity(frames: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(frames) }
    }

    /// One more frame: what `write` appends. Its answer is handed back, and the frame is there whatever it says.
    pub(crate) fn add<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let answer = write(&mut self.bytes);
        self.ends.push(self.bytes.len());
        answer
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all of them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, alone.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A frame by its number.
    pub fn get(&self, number: usize) -> Option<&[u8]> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.bytes.get(start..end)
    }
}

impl Index<usize> for Frames {
    type Output = [u8];

    /// Empty for a number that no frame has.
    fn index(&self, number: usize) -> &[u8] {
        self.get(number).unwrap_or_default()
    }
}

impl FromIterator<Vec<u8>> for Frames {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(frames: I) -> Self {
        let mut all = Self::default();
        for frame in frames {
            all.add(|bytes| bytes.extend_from_slice(&frame));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_and_all_are_together() {
        let parts = [b"one".to_vec(), Vec::new(), b"three".to_vec()];
        let frames: Frames = parts.iter().cloned().collect();
        assert_eq!((frames.len(), frames.bytes()), (3, parts.concat().as_slice()));
        assert!((0..3).all(|number| frames[number] == parts[number]));
        assert_eq!((frames.get(3), &frames[9]), (None, &[][..]));
    }
}
