//! The store as a value: a database that holds one, and what it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use heirloom_engine::{Client, Database};

use crate::error::{Result, StoreError};
use crate::events::Horizon;
use crate::schema::{self, Meta, UpOptions};

/// A store. Clones are cheap and share the pool.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    meta: Arc<Meta>,
    horizon: Arc<Horizon>,
    bell: Arc<Bell>,
}

/// Tells whoever listens to [`crate::events::CHANNEL`].
const NOTIFY: &str = "notify heirloom_activity";

/// The shortest time between two notifications of one process.
const PAUSE: Duration = Duration::from_millis(10);

impl Store {
    /// Installs or upgrades the store and opens it. Holds one connection, and an advisory lock while it works.
    ///
    /// # Errors
    /// As [`schema::up`].
    pub async fn up(database: &Database, options: &UpOptions) -> Result<Self> {
        let mut guard = Guard(Some(database.client().await?));
        let done = match guard.0.as_mut() {
            Some(client) => schema::up(client, options).await,
            None => return Err(StoreError::NotInstalled(database.display())),
        };
        // It came to its end, so the lock is released and the connection may go back.
        drop(guard.0.take());
        Ok(Self { database: database.clone(), meta: Arc::new(done?), horizon: Arc::default(), bell: Arc::default() })
    }

    /// Opens the store of this database.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`] when there is none, [`StoreError::Older`] when it needs `up` first,
    /// [`StoreError::Newer`], [`StoreError::Altered`], [`StoreError::Rights`] when its roles are not safe.
    pub async fn open(database: &Database) -> Result<Self> {
        let client = database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        let Some(meta) = schema::inspect(pg).await? else {
            return Err(StoreError::NotInstalled(database.display()));
        };
        schema::refuse_older(&meta)?;
        schema::check_roles(pg).await?;
        Ok(Self { database: database.clone(), meta: Arc::new(meta), horizon: Arc::default(), bell: Arc::default() })
    }

    /// What the store of this database is, `None` when there is none. Reads only.
    pub async fn inspect(database: &Database) -> Result<Option<Meta>> {
        let client = database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        schema::inspect(pg).await
    }

    /// The policies, grants and owners that `up` would put back, as [`schema::Catalog::missing_rights`]. Reads only.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn missing_rights(database: &Database) -> Result<Vec<&'static str>> {
        let client = database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        schema::STORE.missing_rights(pg).await
    }

    /// Refuses to serve tenants as a login that no policy holds. Asked by a door on a server; holds one connection.
    ///
    /// # Errors
    /// As [`schema::check_serving`].
    pub async fn check_serving(&self) -> Result<()> {
        let client = self.database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        schema::check_serving(pg).await
    }

    /// The database it lives in.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// How far its activity is settled.
    pub(crate) fn horizon(&self) -> &Horizon {
        &self.horizon
    }

    /// Tells those who listen that something was committed. In a transaction of its own that writes nothing: within the
    /// write's, a notification would make all writers of the cluster commit one after the other. Nobody waits for it. Of many
    /// writes at once only each so often one is told of, the last one among them: each notification costs the server a
    /// transaction and wakes everybody who listens, who then reads all that is new.
    pub(crate) fn tell(&self, client: &Client) {
        if self.database.is_embedded() {
            return;
        }
        match self.bell.ring(Instant::now()) {
            Ring::Now => drop(client.batch_execute(NOTIFY).now_or_never()),
            Ring::Soon => {}
            Ring::After(pause) => {
                let store = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    let client = store.database.client().await;
                    // Whatever is committed from here on is told of anew.
                    store.bell.rung(Instant::now());
                    if let Ok(client) = client {
                        drop(client.batch_execute(NOTIFY).await);
                    }
                });
            }
        }
    }

    /// What it is.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }
}

/// When others were told the last time, and whether they are about to be.
#[derive(Debug, Default)]
struct Bell(Mutex<(Option<Instant>, bool)>);

/// What is to be done when something was committed.
#[derive(Debug, PartialEq, Eq)]
enum Ring {
    /// Tell at once.
    Now,
    /// Nothing: somebody is about to tell.
    Soon,
    /// Tell after this time.
    After(Duration),
}

impl Bell {
    fn ring(&self, now: Instant) -> Ring {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = state.0.map(|last| now.saturating_duration_since(last));
        match (*state, since.and_then(|since| PAUSE.checked_sub(since)).filter(|rest| !rest.is_zero())) {
            ((_, true), _) => Ring::Soon,
            (_, Some(rest)) => {
                state.1 = true;
                Ring::After(rest)
            }
            (_, None) => {
                state.0 = Some(now);
                Ring::Now
            }
        }
    }

    fn rung(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Some(now), false);
    }
}

/// Keeps a connection that still holds the advisory lock, because its work was cancelled, from going back to the pool.
struct Guard(Option<Client>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Client::take(client));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_is_told() {
        assert_eq!(NOTIFY, format!("notify {}", crate::events::CHANNEL));
    }

    #[test]
    fn the_first_is_told_of_at_once_and_the_last_in_the_end() {
        let (bell, start) = (Bell::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(bell.ring(at(0)), Ring::Now);
        assert_eq!(bell.ring(at(4)), Ring::After(Duration::from_millis(6)));
        assert_eq!((bell.ring(at(5)), bell.ring(at(30))), (Ring::Soon, Ring::Soon), "whoever sleeps tells of these");
        bell.rung(at(31));
        assert_eq!(bell.ring(at(32)), Ring::After(Duration::from_millis(9)), "committed after the others were told");
        bell.rung(at(41));
        assert_eq!(bell.ring(at(51)), Ring::Now);
    }
}
