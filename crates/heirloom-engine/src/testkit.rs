//! A fresh database for each test, on the embedded engine or on the server of `HEIRLOOM_TEST_URL`.
//!
//! On the embedded engine a test gets an engine of its own (about 0.1 s); on a server a database of its own, dropped
//! when the [`TestDatabase`] is closed. What many tests begin with is prepared once a process where it can be copied. `HEIRLOOM_TEST_POOL=1` holds every pool to one connection, which is how a
//! place that waits for a second connection while holding the first is found.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::database::{Database, Options};
use crate::location::{Location, with_database};

/// Data directories as they were left prepared, by name.
static PREPARED: LazyLock<Mutex<HashMap<String, Arc<OnceCell<Files>>>>> = LazyLock::new(Mutex::default);

/// Bytes that must be free in memory before stores are put there: two tests at a time, and what they migrate.
const ROOM: u64 = 4 << 30;

/// A directory for the files of one test: in memory where there is room, for a store is a thousand files, and a disk's file
/// system spends more on making and removing them than the engine on starting. `TMPDIR` decides where it is set.
///
/// # Panics
/// When none can be made: a test without its files has nothing to say.
#[expect(clippy::expect_used, reason = "a test without its files has nothing to say")]
pub fn scratch() -> tempfile::TempDir {
    static BASE: LazyLock<PathBuf> = LazyLock::new(|| {
        let memory = Path::new("/dev/shm");
        let room = std::env::var_os("TMPDIR").is_none() && fs4::available_space(memory).is_ok_and(|free| free >= ROOM);
        if room { memory.to_owned() } else { std::env::temp_dir() }
    });
    tempfile::Builder::new().prefix("heirloom-test-").tempdir_in(&*BASE).expect("a temporary directory")
}

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
        let Ok(server) = std::env::var("HEIRLOOM_TEST_URL") else {
            return Self::copied("fresh", async |_| {}).await;
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
            Database::open(&Location::Server(url.clone()), &options()).await.expect("the new database answers");
        Self { database, url: Some(url), cleanup: Some((server, name)), _dir: None }
    }

    /// A fresh database in the state that `prepare` leaves behind.
    ///
    /// On the embedded engine `prepare` runs once a process for each `name`, and every test gets a copy of the files it
    /// left; on a server it runs each time.
    ///
    /// # Panics
    /// As [`Self::fresh`].
    pub async fn prepared(name: &str, prepare: impl AsyncFnOnce(&Database)) -> Self {
        if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
            return Self::copied(name, prepare).await;
        }
        let fresh = Self::fresh().await;
        prepare(&fresh.database).await;
        fresh
    }

    #[expect(clippy::expect_used, reason = "a test without its database has nothing to say")]
    async fn copied(name: &str, prepare: impl AsyncFnOnce(&Database)) -> Self {
        let cell = {
            let mut prepared = PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
            prepared.entry(name.to_owned()).or_default().clone()
        };
        let files = cell
            .get_or_init(async || {
                let dir = scratch();
                let database = embedded(dir.path()).await;
                prepare(&database).await;
                database.close().await.expect("closes");
                Files::read(dir.path()).expect("the files can be read")
            })
            .await;
        let dir = scratch();
        files.write(dir.path()).expect("the files can be written");
        Self { database: embedded(dir.path()).await, url: None, cleanup: None, _dir: Some(dir) }
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Its URL; absent on the embedded engine, which has none to give away.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The URL of a login of its own that is a member of these roles and nothing else; on a server alone. It is the
    /// cluster's, is made once and stays.
    ///
    /// # Panics
    /// On the embedded engine, and as [`Self::fresh`].
    #[expect(clippy::expect_used, reason = "a test without its database has nothing to say")]
    pub async fn login(&self, roles: &str) -> String {
        let login = format!("heirloom_test_{}", roles.replace("heirloom_", "").replace(", ", "_"));
        let made = format!(
            "do $$ begin
                 perform pg_advisory_xact_lock(hashtext('{login}'));
                 if not exists (select from pg_roles where rolname = '{login}') then
                     create role {login} login password '{login}';
                 end if;
                 grant {roles} to {login};
             end $$"
        );
        self.database.client().await.expect("a connection").batch_execute(&made).await.expect("a login can be made");
        let url = self.url().expect("the embedded engine has no logins");
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let host = rest.split_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}://{login}:{login}@{host}")
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

#[expect(clippy::expect_used, reason = "a test without its database has nothing to say")]
async fn embedded(dir: &Path) -> Database {
    Database::open(&Location::Embedded(dir.join("store")), &options()).await.expect("the embedded engine starts")
}

fn options() -> Options {
    let pool_size = std::env::var("HEIRLOOM_TEST_POOL").ok().and_then(|size| size.parse().ok()).unwrap_or(4);
    Options { pool_size, ..Options::default() }
}

/// A data directory in memory, so that no test process leaves one behind. Files end where their zeros begin: most of the
/// write-ahead log is not written yet.
#[derive(Debug)]
struct Files(Vec<(PathBuf, Kept)>);

/// What is kept of a file: its bytes and their place; nothing of a directory.
type Kept = Option<(Vec<u8>, u64)>;

impl Files {
    fn read(root: &Path) -> std::io::Result<Self> {
        let mut found = vec![(PathBuf::new(), None)];
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    found.push((path.clone(), None));
                    folders.push(path);
                } else {
                    let mut bytes = std::fs::read(entry.path())?;
                    let length = bytes.len() as u64;
                    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
                    bytes.shrink_to_fit();
                    found.push((path, Some((bytes, length))));
                }
            }
        }
        Ok(Self(found))
    }

    fn write(&self, root: &Path) -> std::io::Result<()> {
        for (path, content) in &self.0 {
            let path = root.join(path);
            match content {
                None => std::fs::create_dir_all(path)?,
                Some((bytes, length)) => {
                    std::fs::write(&path, bytes)?;
                    if *length > bytes.len() as u64 {
                        std::fs::File::options().write(true).open(&path)?.set_len(*length)?;
                    }
                }
            }
        }
        Ok(())
    }
}
