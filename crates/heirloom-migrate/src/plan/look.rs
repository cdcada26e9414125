//! Looking at the target: reads only, in a read-only transaction, one connection at a time.

use heirloom_engine::Database;
use heirloom_store::Store;

use super::target::{DEFAULT_DIMENSION, Target};
use crate::error::Result;
use crate::source::Identity;

impl Target {
    /// Looks at a database. Holds one connection at a time and writes nothing.
    ///
    /// # Errors
    /// When the database does not answer, or holds a store this binary must not use.
    pub async fn look(database: &Database) -> Result<Self> {
        let meta = Store::inspect(database).await?;
        let mut client = database.client().await?;
        let transaction = client.build_transaction().read_only(true).start().await?;
        let row = transaction.query_one(include_str!("../../sql/queries/plan_target_identity.sql"), &[]).await?;
        let identity = Identity {
            role: row.try_get("role")?,
            superuser: row.try_get("superuser")?,
            bypass_rls: row.try_get("bypass_rls")?,
            can_write: row.try_get("can_write")?,
            filtered: false,
            server: row.try_get("server")?,
            system: row.try_get("database")?,
        };
        let mut live_rows = None;
        if meta.is_some() {
            // The last statements of the transaction: a role that may not become the auditor aborts it, and is no error.
            live_rows = match transaction.batch_execute("set local role heirloom_audit").await {
                Err(_) => None,
                Ok(()) => {
                    let row =
                        transaction.query_one(include_str!("../../sql/queries/plan_live_memories.sql"), &[]).await?;
                    u64::try_from(row.try_get::<_, i64>(0)?).ok()
                }
            };
        }
        transaction.rollback().await?;
        Ok(Self {
            display: database.display(),
            store_id: meta.as_ref().map(|meta| meta.store_id),
            schema_version: meta.as_ref().map_or(0, |meta| meta.schema_version),
            dimension: meta.as_ref().map_or(DEFAULT_DIMENSION, |meta| meta.dimension),
            identity,
            live_rows,
            foreign: None,
        })
    }
}
