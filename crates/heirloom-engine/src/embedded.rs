//! The embedded PGlite: one backend, one connection, reached over a socket only this user can open.
//!
//! Measured traps this file answers: a second client waits for ever (the pool above is 1); extensions must be asked
//! for at start; `fsync` cannot be turned on; the library rebuilds a data directory whose control file is missing, so
//! we look first and refuse; stopping waits for the client, so the pool is closed before.

use std::path::{Path, PathBuf};

use pglite_oxide::{PgliteServer, extensions};

use crate::cluster;
use crate::error::{EngineError, Result};
use crate::owner::Held;

/// The engine fills its memory with zeros at every start: the library's 138 MB of it cost a command a quarter of its time,
/// and its 128 MB of buffers read nothing faster than 16, because the files below are in the kernel's cache anyway (60,000
/// memories load and verify alike). There is one connection, and the log is not waited for.
const SETTINGS: [(&str, &str); 3] = [("shared_buffers", "16MB"), ("wal_buffers", "512kB"), ("max_connections", "8")];

/// A running embedded server and the lock of its directory.
pub(crate) struct Embedded {
    dir: PathBuf,
    server: Option<PgliteServer>,
    socket_dir: Option<PathBuf>,
    // Dropped after the server, so that the lock outlives it.
    held: Option<Held>,
}

impl Embedded {
    /// Starts the engine in `dir`. Blocking: a tenth of a second, half a one the first time.
    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let held = Held::take(dir)?;
        let root = dir.join("engine");
        if held.was_in_use() && !cluster::is_complete(&root) {
            return Err(EngineError::Damaged {
                dir: dir.to_owned(),
                reason: "its database files are gone or incomplete; nothing was touched".into(),
            });
        }
        if !root.exists() {
            cluster::make(dir, &root)?;
        }
        let mut started = Self::serve(dir, PgliteServer::builder().path(&root))?;
        held.mark_in_use()?;
        started.held = Some(held);
        Ok(started)
    }

    /// Starts a throw-away engine.
    pub(crate) fn start_temporary() -> Result<Self> {
        Self::serve(Path::new("(temporary)"), PgliteServer::builder().temporary())
    }

    fn serve(dir: &Path, builder: pglite_oxide::PgliteServerBuilder) -> Result<Self> {
        let failed = |reason: String| EngineError::Embedded { dir: dir.to_owned(), reason };
        let builder = builder.extension(extensions::VECTOR);
        let builder = SETTINGS.iter().fold(builder, |builder, (name, value)| builder.postgres_config(*name, *value));
        #[cfg(unix)]
        let (builder, socket_dir) = {
            let socket_dir = private_socket_dir()?;
            (builder.unix(socket_dir.join(".s.PGSQL.5432")), Some(socket_dir))
        };
        #[cfg(not(unix))]
        let socket_dir = None;
        let server = builder.start().map_err(|error| failed(format!("{error:#}")))?;
        Ok(Self { dir: dir.to_owned(), server: Some(server), socket_dir, held: None })
    }

    /// How to connect.
    pub(crate) fn config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.user("postgres").dbname("postgres").port(5432);
        match (&self.socket_dir, self.server.as_ref().and_then(PgliteServer::tcp_addr)) {
            #[cfg(unix)]
            (Some(dir), _) => {
                config.host_path(dir);
            }
            (_, Some(address)) => {
                config.host(address.ip().to_string()).port(address.port());
            }
            _ => {}
        }
        config
    }

    /// Tells other processes where this one can be asked. A throw-away engine has nobody to tell.
    pub(crate) fn announce(&self, address: &str, secret: &str) -> Result<()> {
        self.held.as_ref().map_or(Ok(()), |held| held.announce(address, secret))
    }

    /// Stops the engine. Every client must be gone before.
    pub(crate) fn stop(mut self) -> Result<()> {
        let Some(server) = self.server.take() else { return Ok(()) };
        let dir = self.dir.clone();
        match server.shutdown() {
            // The client's end of the socket is gone by design; the engine reports how it noticed.
            Err(error) if error.root_cause().downcast_ref().is_some_and(ended_by_client) => Ok(()),
            other => other.map_err(|error| EngineError::Embedded { dir, reason: format!("{error:#}") }),
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Stopping waits for the client. Whoever drops this without closing the pool before (a panic, say) must not wait
        // for a client that waits for them, so the engine ends on a thread of its own, its lock after it.
        let (server, held) = (self.server.take(), self.held.take());
        if server.is_some() {
            std::thread::spawn(move || {
                drop(server);
                drop(held);
            });
        }
        if let Some(dir) = &self.socket_dir
            && let Err(error) = std::fs::remove_dir_all(dir)
        {
            tracing::debug!(error = %error, "socket directory was already gone");
        }
    }
}

fn ended_by_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// A directory of mode 0700 for the socket: short, because socket paths end at 107 bytes.
#[cfg(unix)]
fn private_socket_dir() -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let base = std::env::temp_dir();
    for _ in 0..1000 {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.subsec_nanos());
        let dir = base.join(format!("heirloom-{}-{n}-{nanos:x}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(EngineError::io(dir)(error)),
        }
    }
    Err(EngineError::Embedded { dir: base, reason: "no free name for the socket directory".into() })
}
