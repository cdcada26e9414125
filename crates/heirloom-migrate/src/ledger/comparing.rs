//! How far a comparison is, for whoever looks at the run meanwhile.
//!
//! A comparison writes nothing, so what it tells stands in the name of a session of its own, as `pg_stat_activity` shows
//! it to everybody. It goes with the process, also with one that is killed, and leaves nothing behind.
//!
//! Deliberately absent: a promise. On the embedded engine, which has one connection, and behind a pooler that keeps names
//! to itself, nobody is told, and the comparison goes on all the same.

use deadpool_postgres::GenericClient;
use heirloom_engine::{Client, Database};
use tokio::sync::watch;
use uuid::Uuid;

use super::chunk::unsigned;
use crate::error::Result;

/// PostgreSQL cuts names at 63 bytes: 49 before the number leave 14 digits.
fn name(run_id: Uuid) -> String {
    format!("heirloom verify {} ", run_id.simple())
}

/// A comparison that says how far it is for as long as it is held.
#[derive(Debug)]
pub struct Comparing(Option<watch::Sender<u64>>);

impl Comparing {
    /// Begins to tell of this run, from 0 rows on.
    pub async fn begin(database: &Database, run_id: Uuid) -> Self {
        if database.is_embedded() {
            return Self(None);
        }
        let Ok(client) = database.client().await else { return Self(None) };
        // Beside the pool, which it would keep one connection short; it ends when the comparison lets go of it.
        let client = Client::take(client);
        let name = name(run_id);
        let say = "select set_config('application_name', $1, false)";
        if client.query_one(say, &[&format!("{name}0")]).await.is_err() {
            return Self(None);
        }
        let (told, mut heard) = watch::channel(0_u64);
        tokio::spawn(async move {
            while heard.changed().await.is_ok() {
                let done = *heard.borrow_and_update();
                if client.query_one(say, &[&format!("{name}{done}")]).await.is_err() {
                    return;
                }
            }
        });
        Self(Some(told))
    }

    /// So many rows of the source are compared.
    pub fn say(&self, done: u64) {
        if let Some(told) = &self.0 {
            told.send_replace(done);
        }
    }
}

/// Rows that a comparison under way has behind it; `None` when nobody compares, or nobody tells.
pub async fn comparing(client: &impl GenericClient, run_id: Uuid) -> Result<Option<u64>> {
    let row = client.query_opt(include_str!("../../sql/queries/comparing.sql"), &[&name(run_id)]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.map(unsigned))
}
