//! A legacy table beside a store, on the embedded engine or on the server of `HEIRLOOM_TEST_URL`, and the binary on it.

use std::sync::Arc;

use heirloom_engine::testkit::TestDatabase;
use heirloom_engine::{Database, Location, Options};

use crate::support::{Home, Ran};

/// A home with a database in it that the binary knows as its store.
pub(crate) struct Legacy {
    pub(crate) home: Arc<Home>,
    server: Option<TestDatabase>,
}

impl Legacy {
    /// Runs `sql` in a fresh database.
    pub(crate) async fn new(sql: &str) -> Self {
        let server = match std::env::var_os("HEIRLOOM_TEST_URL") {
            Some(_) => Some(TestDatabase::fresh().await),
            None => None,
        };
        let legacy = Self { home: Arc::new(Home::new()), server };
        legacy.sql(sql).await;
        legacy
    }

    fn location(&self) -> Location {
        match self.url() {
            Some(url) => Location::Server(url.to_owned()),
            None => Location::Embedded(self.home.path().join("store")),
        }
    }

    fn url(&self) -> Option<&str> {
        self.server.as_ref().and_then(TestDatabase::url)
    }

    /// The database as a login that may serve, once there is a store; absent on the embedded engine, which has no logins.
    pub(crate) async fn login(&self) -> Option<String> {
        match &self.server {
            Some(server) => Some(server.login("heirloom_serve, heirloom_audit").await),
            None => None,
        }
    }

    /// Runs statements, as the owner of everything, while no command runs.
    pub(crate) async fn sql(&self, sql: &str) {
        let database = Database::open(&self.location(), &Options::default()).await.unwrap();
        database.client().await.unwrap().batch_execute(sql).await.unwrap();
        database.close().await.unwrap();
    }

    /// One value as text.
    pub(crate) async fn one(&self, sql: &str) -> String {
        let database = Database::open(&self.location(), &Options::default()).await.unwrap();
        let row = database.client().await.unwrap().query_one(&format!("select ({sql})::text"), &[]).await.unwrap();
        database.close().await.unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_else(|| "null".into())
    }

    /// Whether anything of Heirloom's is in the database.
    pub(crate) async fn untouched(&self) -> bool {
        self.one("select count(*) from pg_namespace where nspname like 'heirloom%'").await == "0"
    }

    /// Variables by which the binary finds the database; a pool of one finds who waits for a second connection.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        let mut variables = match self.url() {
            Some(url) => vec![("DATABASE_URL", url)],
            None => vec![("HEIRLOOM_DATA", "store")],
        };
        if std::env::var_os("HEIRLOOM_TEST_POOL").is_some() {
            variables.push(("HEIRLOOM_POOL", "1"));
        }
        variables
    }

    /// Runs words separated by spaces; `[STORE]` is where the database is.
    #[track_caller]
    pub(crate) fn run(&self, words: &str) -> Ran {
        self.run_with(words, &[])
    }

    /// The same with more variables.
    #[track_caller]
    pub(crate) fn run_with(&self, words: &str, more: &[(&str, &str)]) -> Ran {
        let variables = [self.variables().as_slice(), more].concat();
        let mut ran = self.home.run_with(words, &variables);
        let places = [self.url().unwrap_or("no server"), "the embedded store in [HOME]/store", "[HOME]/store"];
        for text in [&mut ran.stdout, &mut ran.stderr] {
            for place in places {
                *text = text.replace(place, "[STORE]");
            }
            if !words.contains("--json") {
                for line in text.lines().filter(|line| !line.starts_with("Error:") && !line.starts_with("hint:")) {
                    assert!(line.chars().count() <= 80, "`{words}` prints more than 80 columns: {line}");
                }
            }
        }
        ran
    }

    /// Runs words that must end with this exit code.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, words: &str) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.code, code, "`{words}`: {ran}");
        ran
    }

    /// Writes a file into the home.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.path().join(name), text).unwrap();
    }

    pub(crate) async fn close(self) {
        if let Some(server) = self.server {
            server.close().await;
        }
    }
}
