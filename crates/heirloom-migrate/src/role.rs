//! As whom a transaction reads the store: every namespace at once is for the audit alone.

use deadpool_postgres::Transaction;
use heirloom_store::schema::AUDIT_ROLE;

use crate::error::Result;

/// From here on it reads everything and writes nothing. It asks for the rows of a chunk by their ids: a parallel worker takes
/// longer to start than that takes, and several chunks at once have no processor to spare. Nor is a chunk worth reading a store
/// of many tenants whole for, which the planner thinks it is up to some hundred thousand rows.
pub(crate) async fn as_audit(tx: &Transaction<'_>) -> Result<()> {
    let sql = format!(
        "set local role {AUDIT_ROLE}; set local max_parallel_workers_per_gather = 0; set local enable_seqscan = off"
    );
    Ok(tx.batch_execute(&sql).await?)
}

/// From here on it is the connection's own role again.
pub(crate) async fn as_self(tx: &Transaction<'_>) -> Result<()> {
    Ok(tx.batch_execute("set local role none").await?)
}
