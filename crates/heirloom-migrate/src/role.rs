//! As whom a transaction reads the store: every namespace at once is for the audit alone.

use deadpool_postgres::Transaction;
use heirloom_store::schema::AUDIT_ROLE;

use crate::error::Result;

/// From here on it reads everything and writes nothing.
pub(crate) async fn as_audit(tx: &Transaction<'_>) -> Result<()> {
    Ok(tx.batch_execute(&format!("set local role {AUDIT_ROLE}")).await?)
}

/// From here on it is the connection's own role again.
pub(crate) async fn as_self(tx: &Transaction<'_>) -> Result<()> {
    Ok(tx.batch_execute("set local role none").await?)
}
