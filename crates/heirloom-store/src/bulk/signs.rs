//! The signs of a vector around the centre of its model, as the trigger `memory_ranking` takes them.

use std::collections::{BTreeSet, HashMap};

use bytes::{BufMut, BytesMut};
use deadpool_postgres::Transaction;
use heirloom_engine::Cached;
use pgvector::Vector;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::Row;
use crate::error::Result;

/// The centres of the models of a load; a model that has none yet gives no signs.
#[derive(Debug)]
pub(super) struct Centres(HashMap<String, Vec<f32>>);

impl Centres {
    /// Asks the store for those of these rows.
    pub(super) async fn of(tx: &Transaction<'_>, rows: &[&Row]) -> Result<Self> {
        let models: BTreeSet<&str> =
            rows.iter().filter(|row| row.memory.embedding.is_some()).map(|row| model(row)).collect();
        if models.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let models: Vec<&str> = models.into_iter().collect();
        let found = tx
            .query_cached("select m.name, m.centre from heirloom.model m where m.name = any ($1::text[])", &[&models])
            .await?;
        Ok(Self(found.iter().map(|row| (row.get(0), row.get::<_, Vector>(1).to_vec())).collect()))
    }

    /// On which side of its model's centre a row's vector lies in each dimension of the store; `None` without a vector, and of
    /// one that points nowhere.
    pub(super) fn signs(&self, row: &Row) -> Option<Signs> {
        let vector = row.memory.embedding.as_ref()?;
        let centre = self.0.get(model(row))?;
        if vector.iter().all(|value| *value == 0.0) {
            return None;
        }
        let mut bytes = vec![0_u8; centre.len().div_ceil(8)];
        for (at, centre) in centre.iter().enumerate() {
            // What a vector is narrower than the store is padded with zeros.
            let value = vector.get(at).copied().unwrap_or(0.0);
            if value - centre > 0.0 {
                bytes[at / 8] |= 0x80 >> (at % 8);
            }
        }
        Some(Signs { bits: centre.len(), bytes })
    }
}

fn model(row: &Row) -> &str {
    row.memory.embedding_model.as_deref().unwrap_or("")
}

/// A `bit(n)`.
#[derive(Debug)]
pub(super) struct Signs {
    bits: usize,
    bytes: Vec<u8>,
}

impl ToSql for Signs {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.put_i32(i32::try_from(self.bits)?);
        out.put_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::BIT
    }

    to_sql_checked!();
}
