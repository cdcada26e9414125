//! Sources that the gate opened and a tenant's own step goes on with, so that a small fleet opens each once. As many as tenants
//! may be open at a time, and those that begin first: a thousand sources are never open at once.
//!
//! Deliberately absent: any trust in what was kept. Whoever takes one asks it for an answer, and opens another where none comes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heirloom_engine::{Database, EngineError, Refusal};

use crate::error::{Error, Result};

/// How long a server may take to end what was given up, before it is knocked at again.
const ENDING: Duration = Duration::from_millis(100);

/// The sources, by tenant.
pub(super) struct Kept(Mutex<Sources>);

struct Sources {
    open: HashMap<String, Database>,
    most: usize,
}

impl Kept {
    /// Keeps this many.
    pub(super) fn new(most: usize) -> Self {
        Self(Mutex::new(Sources { open: HashMap::new(), most }))
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are kept at most.
    pub(super) fn most(&self) -> usize {
        self.sources().most
    }

    /// Keeps a tenant's; gives it back where there are enough.
    pub(super) fn keep(&self, tenant: &str, database: Database) -> Option<Database> {
        let mut sources = self.sources();
        if sources.open.len() >= sources.most {
            return Some(database);
        }
        sources.open.insert(tenant.to_owned(), database)
    }

    /// A tenant's, which it owns from now on.
    pub(super) fn take(&self, tenant: &str) -> Option<Database> {
        self.sources().open.remove(tenant)
    }

    /// The same, if it still answers.
    pub(super) async fn take_live(&self, tenant: &str, patience: Duration) -> Option<Database> {
        let database = self.take(tenant)?;
        let asked = async { Ok::<_, EngineError>(database.client().await?.batch_execute("").await.is_ok()) };
        match tokio::time::timeout(patience, asked).await {
            Ok(Ok(true)) => Some(database),
            _ => None,
        }
    }

    /// Opens a source. A server that has no connection left may have one for what is kept: that is given up, and nothing is kept
    /// any more.
    pub(super) async fn opened<T, F>(&self, open: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        match open().await {
            Err(error) if is_full(&error) && self.give_up() => {
                tokio::time::sleep(ENDING).await;
                open().await
            }
            opened => opened,
        }
    }

    fn give_up(&self) -> bool {
        let mut sources = self.sources();
        sources.most = 0;
        let had_some = !sources.open.is_empty();
        sources.open.clear();
        had_some
    }
}

/// Whether a server lets nobody in because it has let in as many as it may.
fn is_full(error: &Error) -> bool {
    let engine = match error {
        Error::Engine(error) => error,
        Error::Migrate(heirloom_migrate::MigrateError::Engine(error)) => error,
        _ => return false,
    };
    let EngineError::Unreachable { source: Some(error), .. } = engine else { return false };
    Refusal::of(error).code.as_deref() == Some("53300")
}

#[cfg(test)]
mod tests {
    use heirloom_engine::Location;
    use heirloom_engine::testkit::TestDatabase;
    use heirloom_migrate::source::Postgres;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    async fn open(url: &str) -> Result<Database> {
        Ok(Database::open(&Location::Server(url.to_owned()), &Postgres::options()).await?)
    }

    #[tokio::test]
    async fn no_more_are_kept_than_may_be_and_what_went_stale_is_opened_anew() {
        let db = TestDatabase::fresh().await;
        let Some(url) = db.url() else { return db.close().await };
        let kept = Kept::new(2);
        for tenant in ["one", "two", "three"] {
            let left = kept.keep(tenant, open(url).await.unwrap());
            assert_eq!(left.is_some(), tenant == "three");
        }
        let client = db.database().client().await.unwrap();
        let end = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and application_name = 'heirloom source'";
        client.execute(end, &[]).await.unwrap();
        for tenant in ["one", "two"] {
            // The pool may have noticed that its session has ended, and begun another.
            if let Some(live) = kept.take_live(tenant, PATIENCE).await {
                live.client().await.unwrap().query_one("select 1", &[]).await.unwrap();
            }
            assert!(kept.take(tenant).is_none());
        }
        drop(client);
        db.close().await;
    }

    #[tokio::test]
    async fn a_server_that_is_full_is_given_back_what_is_kept() {
        let db = TestDatabase::fresh().await;
        let Some(url) = db.url() else { return db.close().await };
        let role = format!("alone_{}", uuid::Uuid::new_v4().simple());
        let sql = async |sql: String| db.database().client().await.unwrap().batch_execute(&sql).await.unwrap();
        sql(format!("create role {role} login password 'alone' connection limit 1")).await;
        let login = format!("postgres://{role}:alone@{}", url.rsplit('@').next().unwrap());
        let kept = Kept::new(2);
        assert!(kept.keep("one", open(&login).await.unwrap()).is_none());
        let opened = kept.opened(|| open(&login)).await.unwrap();
        assert!(kept.take("one").is_none());
        assert!(kept.keep("two", opened).is_some(), "nothing is kept where it was missed");
        sql(format!("drop role {role}")).await;
        db.close().await;
    }
}
