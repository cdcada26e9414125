//! What a migration will take: time to copy, to rank, to keep and to build indexes, and memory for the largest vector index.
//!
//! From rates that were measured on one machine and stand in `docs/reference/migration-speed.md`; what a row takes varies there
//! by a third, and another machine is another, so that a range is told with what it is made of.

use std::collections::HashSet;

use heirloom_store::{LARGE_NAMESPACE, MOST_INDEXED, graph_bytes};
use serde::{Deserialize, Serialize};

use super::survey::Surveyed;
use super::target::Target;
use crate::target::Surface;

/// Seconds for a row that is read, mapped, staged, written under the policy and recorded, beside its bytes and its ranking.
const ROW: f64 = 100e-6;

/// Seconds for a byte as read, on its way through.
const BYTE: f64 = 10e-9;

/// Seconds for a byte of text that the store ranks: 210 µs for 700.
const RANKED: f64 = 0.3e-6;

/// Seconds of a core for a row of words in a GIN index, made afterwards or kept.
const WORDS: f64 = 420e-6;

/// Seconds of a core for a vector's signs in an HNSW graph that fits into memory.
const SIGNS: f64 = 420e-6;

/// The same for a vector that is put into a graph which stands.
const SIGNS_KEPT: f64 = 1_200e-6;

/// Seconds for a vector of 1,024 numbers in the graph that stands in a pgmnemo, as its own guide inserts it.
const NUMBERS_KEPT: f64 = 6_000e-6;

/// Seconds for a row that goes over HTTP, one after the other.
const REQUEST: f64 = 3_000e-6;

/// How much less and more it may be.
const LEAST: f64 = 0.7;
const MOST: f64 = 2.0;

/// What it will take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Seconds to read, map and write rows.
    pub copy_seconds: f64,
    /// Seconds in which the store ranks what is written: words, word vectors, signs.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub rank_seconds: f64,
    /// Seconds to put rows into indexes that stand.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub kept_seconds: f64,
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

impl Estimate {
    /// Seconds in all.
    pub fn seconds(&self) -> f64 {
        self.copy_seconds + self.rank_seconds + self.kept_seconds + self.index_seconds
    }

    /// The fewest and the most seconds that are likely.
    pub fn range(&self) -> (f64, f64) {
        (self.seconds() * LEAST, self.seconds() * MOST)
    }
}

/// `indexed` are the namespaces that have indexes by now.
pub(super) fn estimate(surveyed: &Surveyed, target: &Target, indexed: &HashSet<String>) -> Estimate {
    let counts = &surveyed.counts;
    let embedded: u64 = surveyed
        .dimensions
        .iter()
        .filter(|count| ["kept", "padded", "cut"].iter().any(|fate| count.becomes.starts_with(fate)))
        .map(|count| count.rows)
        .sum();
    // What is there already is read, and nothing else.
    let fresh = counts.accepted.saturating_sub(counts.present + counts.taken + counts.forgotten);
    let share = if counts.accepted > 0 { fresh as f64 / counts.accepted as f64 } else { 0.0 };
    let width = target.width() as u64;
    let reading = counts.bytes as f64 * BYTE;
    let surface = target.foreign.as_ref().map(|found| &found.surface);
    let (copy, rank, kept, index, index_bytes) = match surface {
        Some(Surface::Plugin { .. }) => (reading + fresh as f64 * REQUEST, 0.0, 0.0, 0.0, 0),
        // Its indexes are there already, over numbers and not signs: about 4.8 kB for a vector of 1,024.
        Some(Surface::Pgmnemo { .. }) => {
            let vectors = embedded as f64 * NUMBERS_KEPT * width as f64 / 1024.0;
            let kept = share * (vectors + counts.accepted as f64 * WORDS);
            (reading + fresh as f64 * ROW, 0.0, kept, 0.0, embedded * (width * 4 + 704))
        }
        None => {
            let of = |large: bool| {
                let all = surveyed.namespaces.iter();
                all.filter(move |one| indexed.contains(&one.namespace) == large).map(|one| one.rows)
            };
            let standing: u64 = of(true).sum();
            let kept = share * (standing as f64 * WORDS + standing.min(embedded) as f64 * SIGNS_KEPT);
            let (index, bytes) = indexing(of(false), embedded, width);
            (reading + fresh as f64 * ROW, share * surveyed.text as f64 * RANKED, kept, share * index, bytes)
        }
    };
    Estimate {
        copy_seconds: milli(copy),
        rank_seconds: milli(rank),
        kept_seconds: milli(kept),
        index_seconds: milli(index),
        index_bytes,
    }
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

    /// The row of the reference page: 10,000 of 700 bytes and 1,024 dimensions took 3.3 s on its machine, between 2.6 and 4.0 in
    /// the runs before; 2,000 narrow ones of a tenant 0.29 s.
    #[test]
    fn the_runs_of_the_page_lie_in_the_range() {
        let moved = |rows: f64, bytes: f64, text: f64| Estimate {
            copy_seconds: rows * (ROW + bytes * BYTE),
            rank_seconds: rows * text * RANKED,
            kept_seconds: 0.0,
            index_seconds: 0.0,
            index_bytes: 0,
        };
        let within = |estimate: Estimate, measured: f64| {
            let (least, most) = estimate.range();
            assert!(least <= measured && measured <= most, "{measured} is not in {least} to {most}");
        };
        [2.6, 3.3, 4.0].into_iter().for_each(|seconds| within(moved(10_000.0, 4_800.0, 700.0), seconds));
        within(moved(2_000.0, 150.0, 80.0), 0.29);
    }
}
