//! Connections: each on a task of its own, with a limit for a client that says nothing, and an end that waits for what runs.
//!
//! axum's own loop sets no limit for the head of a request, so that whoever opens a connection and is silent keeps it for
//! good. Deliberately absent: a limit for a request that has come whole ([`super::gate`] has it), and HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::linger::Lingering;
use super::rest::Shared;
use super::tls::Peer;

/// Serves until `stop` is there, then until every connection has finished what it was at.
///
/// `silence` is how long a connection may take for the head of its next request; it is closed then.
pub(super) async fn serve<L: Listener<Addr = SocketAddr>>(
    mut listener: L,
    router: Router,
    silence: Duration,
    stop: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(silence);
    let router = TowerToHyperService::new(router);
    let (serving, end) = watch::channel(());
    let (mut open, mut stop) = (JoinSet::new(), pin!(stop));
    loop {
        let (stream, peer) = tokio::select! {
            taken = listener.accept() => taken,
            Some(_) = open.join_next() => continue,
            () = &mut stop => break,
        };
        let router = router.clone();
        let unread = Arc::new(AtomicBool::new(false));
        let stream = Lingering::new(stream, Arc::clone(&unread));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(Peer(peer)));
            let (request, rest) = Shared::of(request);
            let (answer, unread) = (router.call(request), Arc::clone(&unread));
            async move { Ok::<_, Infallible>(rest.before(answer.await?, &unread).await) }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut end = end.clone();
        open.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                _ = end.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop((listener, serving));
    while open.join_next().await.is_some() {}
}
