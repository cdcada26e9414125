//! Notices: what a server says beside its answers, heard on every connection of a pool.
//!
//! Each goes to the log, and to whoever has the turn to build an index. Deliberately absent: which connection it came by;
//! one index is built at a time, so it is that of the one who builds.

use deadpool_postgres::Connect;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::{OwnedMutexGuard, broadcast};
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Socket};

/// So many are kept for who listens; of more, the oldest are lost.
const KEPT: usize = 64;

pub(crate) fn channel() -> broadcast::Sender<String> {
    broadcast::Sender::new(KEPT)
}

/// The turn to build an index, and what the server says meanwhile.
#[derive(Debug)]
pub struct Notices {
    _turn: OwnedMutexGuard<()>,
    heard: broadcast::Receiver<String>,
}

impl Notices {
    pub(crate) fn new(turn: OwnedMutexGuard<()>, heard: broadcast::Receiver<String>) -> Self {
        Self { _turn: turn, heard }
    }

    /// What was said since the turn began or since it was asked last, oldest first. A statement's notices are here once its
    /// answer is.
    pub fn taken(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            match self.heard.try_recv() {
                Ok(one) => said.push(one),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return said,
            }
        }
    }
}

/// Connects as the pool would by itself, and passes notices on.
pub(crate) struct Hearing<T> {
    pub(crate) tls: T,
    pub(crate) notices: broadcast::Sender<String>,
}

impl<T> Connect for Hearing<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let (config, tls, notices) = (config.clone(), self.tls.clone(), self.notices.clone());
        async move {
            let (client, mut connection) = config.connect(tls).await?;
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            let task = tokio::spawn(async move {
                while let Some(message) = messages.next().await {
                    match message {
                        Ok(AsyncMessage::Notice(notice)) => {
                            tracing::debug!(severity = notice.severity(), "{}", notice.message());
                            // Nobody listens most of the time.
                            let _ = notices.send(notice.message().to_owned());
                        }
                        Ok(_) => {}
                        Err(error) => {
                            tracing::warn!(target: "deadpool.postgres", "Connection error: {error}");
                            return;
                        }
                    }
                }
            });
            Ok((client, task))
        }
        .boxed()
    }
}
