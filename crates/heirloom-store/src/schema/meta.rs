//! What a store says about itself.

use serde::{Deserialize, Serialize};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::STORE;
use crate::error::{Result, StoreError};

/// What a store is. Fixed when it was made, but for the schema version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Made up at installation; digests and ids of migrations hang on it.
    pub store_id: Uuid,
    /// Width of the store's vectors.
    pub dimension: usize,
    /// Language of its text configuration, `heirloom.<language>`.
    pub language: String,
    /// How many migrations were applied.
    pub schema_version: u32,
    /// The Heirloom that installed it.
    pub version: String,
    /// The schema that holds pgvector's types and operators; rarely anything but `public`.
    pub vector_schema: String,
}

/// Reads what the store of this database is; `None` when there is none, or one whose installation never finished.
/// Reads only: it also works inside a read-only transaction.
///
/// # Errors
/// [`StoreError::Newer`] or [`StoreError::Altered`] when this binary must not use it.
pub async fn inspect(client: &impl GenericClient) -> Result<Option<Meta>> {
    STORE.check(client).await?;
    read(client).await
}

/// Refuses a store that needs `up` first.
pub(crate) fn refuse_older(meta: &Meta) -> Result<()> {
    if meta.schema_version < STORE.known() {
        return Err(StoreError::Older { found: meta.schema_version, known: STORE.known() });
    }
    Ok(())
}

pub(super) async fn read(client: &impl GenericClient) -> Result<Option<Meta>> {
    let Some(schema_version) = STORE.version(client).await? else { return Ok(None) };
    if schema_version == 0 {
        return Ok(None);
    }
    let row = client.query_opt(include_str!("../../sql/queries/schema/meta.sql"), &[]).await?;
    Ok(row.map(|row| Meta {
        store_id: row.get("store_id"),
        dimension: usize::try_from(row.get::<_, i32>("dimension")).unwrap_or(0),
        language: row.get("language"),
        schema_version,
        version: row.get("version"),
        vector_schema: row.get("vector_schema"),
    }))
}

impl Meta {
    /// What a transaction's `search_path` must be for pgvector's operators to be found, and for nothing else to be:
    /// every name of ours is written with its schema.
    pub fn search_path(&self) -> String {
        let plain = self.vector_schema.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if plain {
            format!("pg_catalog, {}", self.vector_schema)
        } else {
            format!("pg_catalog, \"{}\"", self.vector_schema.replace('"', "\"\""))
        }
    }
}
