//! What was set aside: listed, exported, tried again.

pub mod export;
pub mod list;
pub mod retry;

use heirloom_migrate::ledger::{self, RejectFilter, RejectRecord};

use crate::context::Context;
use crate::error::Result;

/// The rejects of a migration, those of every one when no name is given: at most so many (0 for all) after the one of this
/// number, in the order of their keys. Empty when there is no ledger yet.
async fn rejects(
    context: &Context,
    name: Option<String>,
    all: bool,
    after: i64,
    limit: i64,
) -> Result<Vec<RejectRecord>> {
    let client = context.existing().await?.client().await.map_err(heirloom_migrate::MigrateError::from)?;
    if !ledger::exists(&client).await? {
        return Ok(Vec::new());
    }
    let filter = RejectFilter { name, source: None, open_only: !all, after, limit, by_key: true };
    Ok(ledger::list_rejects(&client, &filter).await?)
}
