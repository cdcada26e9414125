//! Binary forms of what a row is ranked by: its words with their places, and their weights at their hashes.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::{Lexeme, Mark};

type Encoded = std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

/// How many dimensions a word vector has: 2^29, more than texts have words.
const DIMENSIONS: i32 = 536_870_912;

/// A `tsvector`: lexemes in the order of their bytes, each with the places where it stands.
#[derive(Debug)]
pub(in crate::bulk) struct Words(Vec<u8>);

impl Words {
    /// `marks` are sorted by lexeme and place, `distinct` is how many lexemes they hold.
    pub(super) fn of(marks: &[Mark], lexemes: &[Lexeme], distinct: usize) -> Self {
        let mut out = Vec::with_capacity(4 + distinct * 12 + marks.len() * 2);
        out.put_u32(u32::try_from(distinct).unwrap_or(u32::MAX));
        for of_one in marks.chunk_by(|a, b| a.lexeme == b.lexeme) {
            out.put_slice(lexemes[of_one[0].lexeme].text.as_bytes());
            out.put_u8(0);
            out.put_u16(u16::try_from(of_one.len()).unwrap_or(u16::MAX));
            for mark in of_one {
                out.put_u16(mark.place);
            }
        }
        Self(out)
    }
}

impl ToSql for Words {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Encoded {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TS_VECTOR
    }

    to_sql_checked!();
}

/// A `sparsevec`: the saturated frequency of each lexeme at its hash, as `heirloom.word_vector` computes it.
#[derive(Debug)]
pub(in crate::bulk) struct Weights(Vec<(i32, f32)>);

impl Weights {
    /// As [`Words::of`].
    pub(super) fn of(marks: &[Mark], lexemes: &[Lexeme], distinct: usize) -> Self {
        // In thousandths, because the function computes this with decimals.
        let saturation = (540.0 + 9.0 * distinct as f64) / 1_000.0;
        let mut weights: Vec<(i32, f32)> = marks
            .chunk_by(|a, b| a.lexeme == b.lexeme)
            .map(|of_one| {
                let tf = of_one.len() as f64;
                (lexemes[of_one[0].lexeme].at, ((tf * 19.0 / 10.0) / (tf + saturation)) as f32)
            })
            .collect();
        // Two lexemes at one place count as the more frequent of them.
        weights.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        weights.dedup_by_key(|(at, _)| *at);
        Self(weights)
    }
}

impl ToSql for Weights {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Encoded {
        out.put_i32(DIMENSIONS);
        out.put_i32(i32::try_from(self.0.len())?);
        out.put_i32(0);
        for (at, _) in &self.0 {
            out.put_i32(*at);
        }
        for (_, weight) in &self.0 {
            out.put_f32(*weight);
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "sparsevec"
    }

    to_sql_checked!();
}
