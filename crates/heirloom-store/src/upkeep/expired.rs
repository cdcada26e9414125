//! What has expired is shown to nobody from that very instant, and forgotten for good once it has been kept for a while:
//! until then whoever may write it can give it another end.

use std::time::Duration;

use heirloom_engine::Cached;

use crate::error::Result;
use crate::scope::{Access, Scope};
use crate::store::Store;
use crate::trip;

/// Who is recorded as the one who forgot.
const ACTOR: &str = "upkeep";

/// Most memories that one transaction forgets.
const BATCH: i64 = 1_000;

impl Store {
    /// Forgets the memories that expired, or whose namespace did, longer ago than they are kept: each with its tombstone and
    /// its line of activity, as by [`Store::forget`]. Twice at once it does no more. Returns how many there were.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`]; what was done until then stays.
    pub async fn forget_expired(&self, kept: Duration) -> Result<u64> {
        let seconds = kept.as_secs_f64();
        let mut client = self.database().client().await?;
        let statement = include_str!("../../sql/queries/upkeep/expired.sql");
        let due = trip::ask(&client, trip::AUDIT, statement, &[&seconds]).await?;
        let mut forgotten = 0;
        for row in due {
            let (namespace, ended): (&str, bool) = (row.try_get("namespace")?, row.try_get("ended")?);
            let scope = Scope::one(namespace)?;
            let statement = include_str!("../../sql/queries/upkeep/forget_expired.sql");
            loop {
                let tx = scope.begin(&mut client, Access::Write).await?;
                let gone = tx.execute_cached(statement, &[&namespace, &seconds, &BATCH, &ACTOR, &ended]).await?;
                tx.commit().await?;
                forgotten += gone;
                if gone > 0 {
                    self.tell(&client);
                }
                if gone < BATCH.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(forgotten)
    }
}
