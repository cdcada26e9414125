//! The chunk map: key ranges of bounded size, open at both edges, cut only between different keys.

use super::PlannedChunk;
use crate::source::KeyRange;

/// Cuts a scan in key order into chunks.
#[derive(Debug)]
pub(crate) struct Chunker {
    most_bytes: u64,
    most_rows: u64,
    done: Vec<PlannedChunk>,
    after: Option<Vec<String>>,
    last: Option<Vec<String>>,
    rows: u64,
    bytes: u64,
}

impl Chunker {
    /// With the limits of a chunk; a single row or a run of equal keys above them is a chunk of its own.
    pub(crate) fn new(most_bytes: u64, most_rows: u64) -> Self {
        Self {
            most_bytes: most_bytes.max(1),
            most_rows: most_rows.max(1),
            done: Vec::new(),
            after: None,
            last: None,
            rows: 0,
            bytes: 0,
        }
    }

    /// Takes in the next row.
    pub(crate) fn add(&mut self, key: &[String], bytes: u64) {
        let is_full = self.rows >= self.most_rows || self.bytes.saturating_add(bytes) > self.most_bytes;
        let same_key = self.last.as_deref() == Some(key);
        if self.rows > 0 && is_full && !same_key {
            let upto = self.last.take();
            self.close(upto);
        }
        self.rows += 1;
        self.bytes += bytes;
        if !same_key {
            self.last = Some(key.to_vec());
        }
    }

    fn close(&mut self, upto: Option<Vec<String>>) {
        let range = KeyRange { after: self.after.take(), upto: upto.clone() };
        let ordinal = u32::try_from(self.done.len()).unwrap_or(u32::MAX);
        self.done.push(PlannedChunk { ordinal, range, rows: self.rows, bytes: self.bytes });
        self.after = upto;
        self.rows = 0;
        self.bytes = 0;
    }

    /// The map. An empty source has one chunk, open at both edges, so that a row that comes late is still seen.
    pub(crate) fn finish(mut self) -> Vec<PlannedChunk> {
        self.close(None);
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(keys: &[&str], most_rows: u64) -> Vec<PlannedChunk> {
        let mut chunker = Chunker::new(1000, most_rows);
        keys.iter().for_each(|key| chunker.add(&[(*key).to_owned()], 10));
        chunker.finish()
    }

    #[test]
    fn chunks_join_without_gap_and_are_open_at_the_edges() {
        let chunks = chunk(&["a", "b", "c", "d", "e"], 2);
        assert_eq!(chunks.iter().map(|chunk| chunk.rows).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(chunks[0].range.after, None);
        assert_eq!(chunks[2].range.upto, None);
        for pair in chunks.windows(2) {
            assert_eq!(pair[0].range.upto, pair[1].range.after);
            assert!(pair[0].range.upto.is_some());
        }
    }

    #[test]
    fn equal_keys_stay_together() {
        let chunks = chunk(&["a", "b", "b", "b", "c"], 2);
        assert_eq!(chunks.iter().map(|chunk| chunk.rows).collect::<Vec<_>>(), [4, 1]);
    }

    #[test]
    fn bytes_cut_as_well_and_a_large_row_stands_alone() {
        let mut chunker = Chunker::new(100, 50_000);
        for (key, bytes) in [("a", 60), ("b", 60), ("c", 500), ("d", 1)] {
            chunker.add(&[key.to_owned()], bytes);
        }
        assert_eq!(chunker.finish().iter().map(|chunk| chunk.bytes).collect::<Vec<_>>(), [60, 60, 500, 1]);
    }

    #[test]
    fn an_empty_source_has_one_open_chunk() {
        let chunks = chunk(&[], 2);
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].range, KeyRange::default());
        assert_eq!(chunks[0].rows, 0);
    }
}
