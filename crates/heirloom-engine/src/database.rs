//! A live PostgreSQL: a pool, where it is, and how to close it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType};
use tokio::sync::{Mutex, broadcast};
use tokio_postgres::NoTls;

use crate::embedded::Embedded;
use crate::error::{EngineError, Result};
use crate::listen::{self, Server, Ticks};
use crate::location::{Location, redact_url};
use crate::notice::{self, Hearing, Notices};
use crate::server;

/// A pooled connection. Nothing may hold one while it waits for another: the embedded engine has a single connection.
pub type Client = deadpool_postgres::Object;

/// Most memory that the building of an index may take where nobody says otherwise: 512 MiB.
pub const INDEX_MEMORY: u64 = 512 << 20;

/// The same on the embedded engine, whose memory is one address space of 4 GiB that is never given back: 128 MiB.
const EMBEDDED_INDEX_MEMORY: u64 = 128 << 20;

const WAIT: Duration = Duration::from_secs(60);

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Most connections to a server; the embedded engine always has one.
    pub pool_size: usize,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// Most memory that the building of an index may take, in bytes.
    pub index_memory: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { pool_size: 4, application_name: "heirloom".to_owned(), index_memory: INDEX_MEMORY }
    }
}

/// What kind of database it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// PGlite in this directory (or a temporary one).
    Embedded(Option<PathBuf>),
    /// A server; the URL without credentials.
    Server(String),
}

/// A live database. Clones share one pool; [`Database::close`] closes it for all.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    kind: Kind,
    embedded: Arc<Mutex<Option<Embedded>>>,
    server: Option<Arc<Server>>,
    notices: broadcast::Sender<String>,
    building: Arc<Mutex<()>>,
    index_memory: u64,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the database and proves that it answers.
    ///
    /// # Errors
    /// [`EngineError::Unreachable`] for a server that does not answer (never a fallback), [`EngineError::Owned`] for a
    /// directory another process has open, [`EngineError::Damaged`] for one that lost files.
    pub async fn open(location: &Location, options: &Options) -> Result<Self> {
        match location {
            Location::Server(url) => Self::open_server(url, options).await,
            Location::Embedded(dir) => {
                let dir = std::path::absolute(dir).map_err(EngineError::io(dir))?;
                let embedded = blocking(&dir, {
                    let dir = dir.clone();
                    move || Embedded::start(&dir)
                })
                .await?;
                Self::open_embedded(embedded, Some(dir), options).await
            }
            Location::Temporary => {
                let embedded = blocking(&PathBuf::from("(temporary)"), Embedded::start_temporary).await?;
                Self::open_embedded(embedded, None, options).await
            }
        }
    }

    async fn open_server(url: &str, options: &Options) -> Result<Self> {
        let (mut config, tls) = server::config(url)?;
        config.application_name(&options.application_name);
        let server = Arc::new(Server { config: config.clone(), tls: tls.clone() });
        let kind = Kind::Server(redact_url(url));
        let mut database = Self::with_pool(config, tls, options.pool_size, kind, None)?;
        database.server = Some(server);
        database.index_memory = options.index_memory;
        drop(database.client().await?);
        Ok(database)
    }

    async fn open_embedded(embedded: Embedded, dir: Option<PathBuf>, options: &Options) -> Result<Self> {
        let mut config = embedded.config();
        config.application_name(&options.application_name);
        let mut database = Self::with_pool(config, NoTls, 1, Kind::Embedded(dir), Some(embedded))?;
        database.index_memory = options.index_memory.min(EMBEDDED_INDEX_MEMORY);
        drop(database.client().await?);
        Ok(database)
    }

    fn with_pool<T>(
        config: tokio_postgres::Config,
        tls: T,
        size: usize,
        kind: Kind,
        embedded: Option<Embedded>,
    ) -> Result<Self>
    where
        Hearing<T>: Connect + 'static,
    {
        let notices = notice::channel();
        let hearing = Hearing { tls, notices: notices.clone() };
        let manager = Manager::from_connect(config, hearing, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(size.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .build()
            .map_err(|error| EngineError::Url { url: String::new(), reason: error.to_string() })?;
        Ok(Self {
            pool,
            kind,
            embedded: Arc::new(Mutex::new(embedded)),
            server: None,
            notices,
            building: Arc::default(),
            index_memory: INDEX_MEMORY,
        })
    }

    /// A connection from the pool; waits up to 60 s for one to become free.
    pub async fn client(&self) -> Result<Client> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                EngineError::PoolTimeout { seconds: WAIT.as_secs(), size: self.pool.status().max_size }
            }
            PoolError::Backend(error) => {
                EngineError::Unreachable { url: self.display(), reason: server::cause(&error), source: Some(error) }
            }
            other => EngineError::Unreachable { url: self.display(), reason: other.to_string(), source: None },
        })
    }

    /// Ends the connections to a server that nobody uses. Whoever asks next opens one.
    pub fn let_go(&self) {
        if !self.is_embedded() {
            self.pool.retain(|_, _| false);
        }
    }

    /// A tick for each notification of this channel, and one for each new connection, because what was said in between
    /// was not heard. On a connection of its own beside the pool, made anew when it is lost, for as long as somebody
    /// holds the stream. `None` on the embedded engine, where nobody else speaks.
    pub fn listen(&self, channel: &'static str) -> Option<Ticks> {
        Some(listen::start(self.server.clone()?, channel))
    }

    /// One index at a time is built by this process, for each takes the memory it is given; what the server says on any
    /// connection of the pool meanwhile is heard. Waits for its turn, and may be asked for with a connection in hand: who has
    /// the turn needs no other.
    pub async fn build(&self) -> Notices {
        let turn = Arc::clone(&self.building).lock_owned().await;
        Notices::new(turn, self.notices.subscribe())
    }

    /// Most memory that the building of an index may take, in bytes.
    pub fn index_memory(&self) -> u64 {
        self.index_memory
    }

    /// The same database, with another bound for the memory of an index: the embedded engine cannot be opened twice.
    #[cfg(feature = "testkit")]
    #[must_use]
    pub fn with_index_memory(&self, bytes: u64) -> Self {
        Self { index_memory: bytes, ..self.clone() }
    }

    /// What kind of database it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether there is only one connection to share.
    pub fn is_embedded(&self) -> bool {
        matches!(self.kind, Kind::Embedded(_))
    }

    /// How many connections the pool may open.
    pub fn pool_size(&self) -> usize {
        self.pool.status().max_size
    }

    /// How many statements that keep a processor busy may run side by side: half the connections, at most one a processor. The
    /// embedded engine has a single connection.
    pub fn at_once(&self) -> usize {
        if self.is_embedded() {
            return 1;
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        processors.min(self.pool_size() / 2).max(1)
    }

    /// Where it is, without credentials.
    pub fn display(&self) -> String {
        match &self.kind {
            Kind::Embedded(Some(dir)) => dir.display().to_string(),
            Kind::Embedded(None) => "a temporary embedded database".to_owned(),
            Kind::Server(url) => url.clone(),
        }
    }

    /// Tells other processes on this data directory that its owner can be asked at `address` (`http://…`) with `secret`,
    /// which is written to a file of mode 0600. Nothing on a server, which everybody can reach.
    ///
    /// # Errors
    /// [`EngineError::Io`] when the record cannot be written.
    pub async fn announce(&self, address: &str, secret: &str) -> Result<()> {
        match self.embedded.lock().await.as_ref() {
            Some(embedded) => embedded.announce(address, secret),
            None => Ok(()),
        }
    }

    /// Closes the pool and stops the embedded engine. Connections that are still held keep it waiting.
    pub async fn close(&self) -> Result<()> {
        self.settle().await;
        self.pool.close();
        let Some(embedded) = self.embedded.lock().await.take() else { return Ok(()) };
        blocking(&PathBuf::from(self.display()), move || embedded.stop()).await
    }
}

impl Database {
    /// A dropped statement asks the server to forget it and waits for no answer. When the end of the session arrives in
    /// the same packet, the embedded backend exits with an error; so the last word is one that is answered. It is a
    /// checkpoint, because `fsync` is off and what is written out now need not be replayed.
    async fn settle(&self) {
        if !self.is_embedded() || self.pool.status().available == 0 {
            return;
        }
        if let Ok(client) = self.pool.get().await
            && let Err(error) = client.batch_execute("checkpoint").await
        {
            tracing::debug!(error = %error, "the session ended before it was closed");
        }
    }
}

/// Runs the engine's blocking start and stop off the async threads, where it would panic.
async fn blocking<T: Send + 'static>(
    dir: &std::path::Path,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(EngineError::Embedded { dir: dir.to_owned(), reason: error.to_string() }))
}
