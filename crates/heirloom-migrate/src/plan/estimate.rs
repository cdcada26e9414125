//! What a migration will take: time to copy, time to index, and memory for the largest vector index.
//!
//! From rates that were measured on one core (moving-rows 2.1, and pgvector 0.8 over signs); another machine differs by a
//! factor, which is why the report says "about".

use heirloom_store::{LARGE_NAMESPACE, MOST_INDEXED, graph_bytes};
use serde::{Deserialize, Serialize};

use super::survey::Surveyed;
use super::target::Target;

/// Seconds of a core for a row of words in a GIN index.
const WORDS: f64 = 420e-6;

/// Seconds of a core for a vector's signs in an HNSW graph that fits into memory.
const SIGNS: f64 = 420e-6;

/// What it will take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Seconds to copy.
    pub copy_seconds: f64,
    /// Seconds to build the indexes of large namespaces afterwards.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub index_seconds: f64,
    /// Bytes of memory that the largest HNSW graph needs while it is built; of a target that is no store, all of its graph.
    pub index_bytes: u64,
}

// A plan that was made before this was estimated keeps its digest.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_nothing(seconds: &f64) -> bool {
    *seconds <= 0.0
}

/// 68 µs for a row of 4,780 bytes, most of it by the byte.
pub(super) fn estimate(surveyed: &Surveyed, target: &Target) -> Estimate {
    let counts = &surveyed.counts;
    let embedded: u64 = surveyed
        .dimensions
        .iter()
        .filter(|count| ["kept", "padded", "cut"].iter().any(|fate| count.becomes.starts_with(fate)))
        .map(|count| count.rows)
        .sum();
    let copy = counts.accepted as f64 * 20e-6 + counts.bytes as f64 * 10e-9;
    let width = target.width() as u64;
    let (index, index_bytes) = match &target.foreign {
        // Its index is there already, over numbers and not signs: about 4.8 kB for a vector of 1,024.
        Some(_) => (0.0, embedded * (width * 4 + 704)),
        None => indexing(surveyed.namespaces.iter().map(|one| one.rows), embedded, width),
    };
    Estimate { copy_seconds: milli(copy), index_seconds: milli(index), index_bytes }
}

/// Seconds for the indexes of namespaces of so many rows, and bytes for the largest graph. Up to a size none is built, and
/// only the largest namespaces have any.
fn indexing(namespaces: impl Iterator<Item = u64>, embedded: u64, width: u64) -> (f64, u64) {
    let mut large: Vec<u64> = namespaces.filter(|rows| *rows > LARGE_NAMESPACE.unsigned_abs()).collect();
    large.sort_unstable_by(|one, other| other.cmp(one));
    large.truncate(usize::try_from(MOST_INDEXED).unwrap_or(usize::MAX));
    let (rows, largest): (u64, u64) = (large.iter().sum(), large.first().copied().unwrap_or(0));
    (rows as f64 * WORDS + rows.min(embedded) as f64 * SIGNS, graph_bytes(largest.min(embedded), width))
}

fn milli(seconds: f64) -> f64 {
    (seconds * 1000.0).ceil() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_namespaces_are_indexed_and_the_largest_graph_counts() {
        assert_eq!(indexing([5_000, 10].into_iter(), 5_010, 1024), (0.0, 0));
        let (seconds, graph) = indexing([6_000, 20_000, 3].into_iter(), 26_003, 1024);
        assert!((seconds - 26_000.0 * (WORDS + SIGNS)).abs() < 1e-9, "{seconds}");
        assert_eq!(graph, graph_bytes(20_000, 1024));
        let (seconds, _) = indexing(std::iter::repeat_n(6_000, 150), 0, 1024);
        assert!((seconds - 600_000.0 * WORDS).abs() < 1e-9, "a hundred have indexes: {seconds}");
        // No vectors, no graph; the words are indexed all the same.
        assert_eq!(indexing([6_000].into_iter(), 0, 1024), (6_000.0 * WORDS, 0));
    }
}
