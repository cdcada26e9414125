//! A fresh database for each test, on the embedded engine or on the server of `HEIRLOOM_TEST_URL`.
//!
//! On the embedded engine a test gets an engine of its own (about 0.3 s); on a server a database of its own, dropped
//! when the [`TestDatabase`] is closed. `HEIRLOOM_TEST_POOL=1` holds every pool to one connection, which is how a
//! place that waits for a second connection while holding the first is found.

use crate::database::{Database, Options};
use crate::location::Location;

/// A database that belongs to one test.
#[derive(Debug)]
pub struct TestDatabase {
    database: Database,
    url: Option<String>,
    cleanup: Option<(String, String)>,
    _dir: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// Opens a fresh database.
    ///
    /// # Panics
    /// When none can be had: a test without its database has nothing to say.
    #[expect(clippy::expect_used, reason = "a test without its database has nothing to say")]
    pub async fn fresh() -> Self {
        let options = Options { pool_size: pool_size(), ..Options::default() };
        let Ok(server) = std::env::var("HEIRLOOM_TEST_URL") else {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let location = Location::Embedded(dir.path().join("store"));
            let database = Database::open(&location, &options).await.expect("the embedded engine starts");
            return Self { database, url: None, cleanup: None, _dir: Some(dir) };
        };
        let name = format!("heirloom_test_{}", uuid::Uuid::new_v4().simple());
        let admin = Database::open(&Location::Server(server.clone()), &Options { pool_size: 1, ..Options::default() })
            .await
            .expect("HEIRLOOM_TEST_URL answers");
        admin
            .client()
            .await
            .expect("a connection")
            .batch_execute(&format!("create database {name}"))
            .await
            .expect("the test user may create databases");
        admin.close().await.expect("closes");
        let url = with_database(&server, &name);
        let database =
            Database::open(&Location::Server(url.clone()), &options).await.expect("the new database answers");
        Self { database, url: Some(url), cleanup: Some((server, name)), _dir: None }
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Its URL; absent on the embedded engine, which has none to give away.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Closes and drops the database.
    #[expect(clippy::expect_used, reason = "a database that cannot be dropped is a failed test")]
    pub async fn close(self) {
        self.database.close().await.expect("closes");
        if let Some((server, name)) = self.cleanup {
            let admin = Database::open(&Location::Server(server), &Options { pool_size: 1, ..Options::default() })
                .await
                .expect("HEIRLOOM_TEST_URL answers");
            admin
                .client()
                .await
                .expect("a connection")
                .batch_execute(&format!("drop database if exists {name} with (force)"))
                .await
                .expect("the database is dropped");
            admin.close().await.expect("closes");
        }
    }
}

fn pool_size() -> usize {
    std::env::var("HEIRLOOM_TEST_POOL").ok().and_then(|size| size.parse().ok()).unwrap_or(4)
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let after_scheme = base.find("://").map_or(0, |at| at + 3);
    let server = base[after_scheme..].find('/').map_or(base, |at| &base[..after_scheme + at]);
    format!("{server}/{name}{query}")
}
