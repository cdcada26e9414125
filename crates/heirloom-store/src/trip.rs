//! One statement as one transaction in one round trip: what opens the transaction, the statement and the commit are sent
//! together, and the answers are read as they come.
//!
//! Deliberately absent: a transaction of several statements whose answers decide what follows. That is
//! [`crate::Scope::begin`].

use deadpool_postgres::ClientWrapper;
use futures_util::FutureExt;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::error::Result;

/// Opens a transaction of the auditing role, which reads every tenant and writes nothing.
pub(crate) const AUDIT: &str = "begin read only; set local role heirloom_audit";

/// Opens a transaction of the serving role that sees no namespace.
pub(crate) const SERVE_NONE: &str =
    "begin; set local role heirloom_serve; set local heirloom.namespaces = ''; set local pgmnemo.tenant_id = ''";

/// Runs `statement` in the transaction that `begin` opens, and commits. The statement is prepared once a connection, as
/// the role that `begin` takes on: the login itself may not even see our schema.
///
/// # Errors
/// The database's first refusal; then nothing was committed.
pub(crate) async fn ask(
    client: &ClientWrapper,
    begin: &str,
    statement: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>> {
    let mut open = Open { client, done: false };
    // Each of these is sent when it is first polled, so they go out in this order; what is already prepared does not
    // wait, and all three are one packet.
    let (begun, answered) = tokio::join!(biased; client.batch_execute(begin), async {
        let statement = client.prepare_cached(statement).await?;
        let (rows, committed) = tokio::join!(biased; client.query(&statement, values), async {
            open.done = true;
            client.batch_execute("commit").await
        });
        let rows = rows?;
        committed?;
        Ok::<_, tokio_postgres::Error>(rows)
    });
    begun?;
    Ok(answered?)
}

/// Ends the transaction of a call that was given up before its commit was sent.
struct Open<'c> {
    client: &'c ClientWrapper,
    done: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.done {
            // Sent with the first poll; nobody waits for the answer.
            let _ = self.client.batch_execute("rollback").now_or_never();
        }
    }
}
