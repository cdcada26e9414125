//! The Merkle tree over the chunks of a comparison.
//!
//! A leaf is blake3 over `0`, the chunk's number, and count and keyed sum of the rows found in it; a node is blake3 over
//! `1` and its two children; a lone last node moves up. The sums are keyed, the tree is not: whoever has the evidence can
//! build it again, and nobody can guess a memory from it.

use super::ChunkVerdict;

/// The root as hex; empty without chunks.
pub fn merkle_root(chunks: &[ChunkVerdict]) -> String {
    let mut level: Vec<blake3::Hash> = chunks.iter().map(leaf).collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => blake3::hash(&[&[1_u8], left.as_bytes().as_slice(), right.as_bytes()].concat()),
                rest => rest[0],
            })
            .collect();
    }
    level.first().map(|root| root.to_hex().to_string()).unwrap_or_default()
}

fn leaf(chunk: &ChunkVerdict) -> blake3::Hash {
    let mut bytes = vec![0];
    bytes.extend_from_slice(&chunk.ordinal.to_be_bytes());
    bytes.extend_from_slice(&chunk.found.count.to_be_bytes());
    bytes.extend_from_slice(&chunk.found.sum_bytes());
    blake3::hash(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestSum;

    fn chunk(ordinal: u32, sum: u128) -> ChunkVerdict {
        let found = DigestSum { count: 3, sum };
        ChunkVerdict { ordinal, source_rows: 3, expected: found, found, differences: 0 }
    }

    #[test]
    fn order_number_and_sum_of_every_chunk_count() {
        let root = |chunks: &[ChunkVerdict]| merkle_root(chunks);
        let (a, b, c) = (chunk(0, 1), chunk(1, 2), chunk(2, 3));
        let all = root(&[a, b, c]);
        assert_eq!(all.len(), 64);
        for other in [vec![a, b], vec![b, a, c], vec![a, b, chunk(2, 4)], vec![a, b, c, c], vec![chunk(0, 2), b, c]] {
            assert_ne!(root(&other), all);
        }
        assert_eq!(root(&[]), "");
        assert_ne!(root(&[a]), root(&[b]));
    }
}
