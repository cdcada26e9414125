//! SIGINT and SIGTERM: the first asks to finish, the second aborts.

use std::sync::Arc;

use crate::cli::print;
use crate::cli::progress::Terminal;
use crate::context::{Cancel, Watch};
use crate::error::{Error, Result};
use crate::explain::Exit;

/// Listens until the process ends.
pub(super) fn listen(cancel: &Cancel, watch: Arc<Terminal>) -> Result<()> {
    let mut signals = Signals::new()?;
    let cancel = cancel.clone();
    tokio::spawn(async move {
        signals.next().await;
        watch.note("Stopping: what has begun is finished first. Once more to abort.");
        cancel.cancel();
        signals.next().await;
        print::line("Error: Aborted; what was not committed is undone");
        std::process::exit(Exit::Temporary as i32);
    });
    Ok(())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: std::io::Error| Error::Bug(format!("signals cannot be listened to: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the same form as on Unix, where it can fail")]
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
