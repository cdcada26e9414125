//! Who a transaction is for a while: another role than the one it began as, and that one again afterwards.
//!
//! Deliberately absent: a way back after an error. The transaction is lost then, and the borrowed role with it.

use deadpool_postgres::Transaction;
use heirloom_engine::Cached;

use crate::error::Result;
use crate::schema::AUDIT_ROLE;

/// Who the transaction was.
#[derive(Debug)]
pub struct Identity {
    role: String,
    namespaces: String,
    project: String,
    redacted: String,
    workers: String,
    scans: String,
}

impl Identity {
    /// Becomes the audit, which reads every namespace and writes nothing. It looks a few thousand ids up and reads no table
    /// whole for them.
    ///
    /// # Errors
    /// When the database refuses, as it does a role that may not become the audit.
    pub async fn audit(tx: &Transaction<'_>) -> Result<Self> {
        Self::take(tx, AUDIT_ROLE).await
    }

    /// Becomes `role`, remembering who the transaction was.
    pub(crate) async fn take(tx: &Transaction<'_>, role: &str) -> Result<Self> {
        let row = tx.query_one_cached(include_str!("../sql/queries/identity_take.sql"), &[&role]).await?;
        Ok(Self {
            role: row.get(0),
            namespaces: row.get(1),
            project: row.get(2),
            redacted: row.get(3),
            workers: row.get(4),
            scans: row.get(5),
        })
    }

    /// Sees these namespaces, separated by commas, until it is who it was before.
    pub(crate) async fn see(&self, tx: &Transaction<'_>, namespaces: &str) -> Result<()> {
        tx.execute_cached("select set_config('heirloom.namespaces', $1, true)", &[&namespaces]).await?;
        Ok(())
    }

    /// Becomes who it was before. A transaction that ends here need not.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn give_back(self, tx: &Transaction<'_>) -> Result<()> {
        let before: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&self.role, &self.namespaces, &self.project, &self.redacted, &self.workers, &self.scans];
        tx.execute_cached(include_str!("../sql/queries/identity_give_back.sql"), &before).await?;
        Ok(())
    }
}
