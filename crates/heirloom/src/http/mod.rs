//! The HTTP door: `/api/v1` from [`crate::ops::ALL`], the inspector's page, the compatible routes of `compat`, events,
//! metrics, and what all of them stand behind: tokens, limits, one log line a request.
//!
//! A door holds no behaviour: a handler turns a request into an operation's JSON and the answer into a response.
//! Deliberately absent: SQL, and any knowledge of what an operation does.

pub mod api;
pub mod attach;
pub mod auth;
pub mod body;
mod connections;
pub mod events;
pub mod fault;
pub mod gate;
mod inspector;
pub mod limit;
mod linger;
pub mod metrics;
pub mod openapi;
mod rest;
pub mod tls;
pub mod write;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::auth::Auth;
use self::fault::{Fault, Shape};
use self::gate::Gate;
use self::limit::Limits;
use self::metrics::Metrics;
use crate::attach::Lends;
use crate::compat::{plugin_v1, workspace};
use crate::config::ServeConfig;
use crate::context::Context;
use crate::error::{Error, Result};

/// What all doors of a server share.
pub struct App {
    /// The context of the process; a request runs in [`Context::call`] of it.
    pub context: Context,
    /// Who comes in.
    pub auth: Auth,
    /// How many requests a minute.
    pub limits: Limits,
    /// What was counted.
    pub metrics: Metrics,
    /// Keys of writes that the database holds for nobody.
    pub stranded: write::Stranded,
    /// Requests a minute of a token that sets none of its own; 0 for no limit.
    pub rate: u64,
    /// Largest body, in bytes.
    pub body_limit: usize,
    /// Longest time of a request.
    pub timeout: Duration,
}

impl App {
    /// What a server with these settings shares.
    pub fn new(context: Context, settings: &ServeConfig, auth: Auth) -> Arc<Self> {
        Arc::new(Self {
            context,
            auth,
            limits: Limits::default(),
            metrics: Metrics::default(),
            stranded: write::Stranded::default(),
            rate: u64::try_from(settings.rate).unwrap_or(u64::MAX),
            body_limit: settings.body_limit * 1024,
            timeout: Duration::from_secs(u64::try_from(settings.timeout).unwrap_or(30)),
        })
    }
}

/// Puts routes behind the gate: who comes in, how often, how long.
pub fn guarded(app: &Arc<App>, shape: Shape, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    admitted(app, shape, open_to_all(app, shape, routes))
}

/// Puts routes behind the half of the gate that asks who comes in and how often: for what may take its time.
pub fn admitted(app: &Arc<App>, shape: Shape, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    let gate = Gate { app: app.clone(), shape };
    routes.layer(axum::middleware::from_fn_with_state(gate, gate::callers))
}

/// Puts routes behind the half of the gate that bounds their time: for what is told to anybody.
pub fn open_to_all(app: &Arc<App>, shape: Shape, routes: Router<Arc<App>>) -> Router<Arc<App>> {
    let gate = Gate { app: app.clone(), shape };
    routes.layer(axum::middleware::from_fn_with_state(gate, gate::bounds))
}

/// Every door of `heirloom serve`.
pub fn router(app: &Arc<App>) -> Router {
    let routes = Router::new()
        .merge(guarded(app, Shape::Problem, api::routes().merge(events::routes())))
        .merge(plugin_v1::routes(app))
        .merge(workspace::routes(app))
        .merge(guarded(app, Shape::Problem, crate::mcp::http::routes(app)))
        .merge(guarded(app, Shape::Workspace, crate::compat::mcp_platform::bridge::routes()))
        .merge(open(app))
        .merge(open_to_all(app, Shape::Problem, inspector::routes()))
        .merge(attach::routes(app, Lends::All))
        .fallback(|| async { Fault::no_route().answer(Shape::Problem) });
    finished(app, routes)
}

/// The door of `heirloom plugin`: the memory plugin's contract, and the way in of other commands on an embedded store.
pub fn plugin_router(app: &Arc<App>) -> Router {
    let routes = Router::new().merge(plugin_v1::routes(app)).merge(attach::routes(app, Lends::All));
    finished(app, routes.fallback(|| async { plugin_v1::nowhere() }))
}

/// The last layer and the state.
pub fn finished(app: &Arc<App>, routes: Router<Arc<App>>) -> Router {
    // Where a door says nothing of its own about a method.
    let routes = routes.method_not_allowed_fallback(|| async { Fault::method().answer(Shape::Problem) });
    routes.layer(axum::middleware::from_fn_with_state(app.clone(), gate::traces)).with_state(app.clone())
}

/// What is told without a token: whether it lives, whether it can work, its counters, its contract.
fn open(app: &Arc<App>) -> Router<Arc<App>> {
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/v1/openapi.json", get(openapi::document));
    open_to_all(app, Shape::Problem, routes)
}

/// Whether the database answers and holds a store.
async fn ready(State(app): State<Arc<App>>) -> Response {
    match answers(&app.context).await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => Fault::from(error).answer(Shape::Problem),
    }
}

/// Asks the database whether the store is there: what was opened once may have been dropped since.
///
/// # Errors
/// When it does not answer within two seconds, or holds no store.
pub async fn answers(context: &Context) -> Result<()> {
    let asked = async {
        let store = context.store().await?;
        match heirloom_store::Store::inspect(store.database()).await? {
            Some(_) => Ok(()),
            None => Err(heirloom_store::StoreError::NotInstalled(store.database().display()).into()),
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(2), asked).await;
    waited.unwrap_or_else(|_| Err(heirloom_engine::EngineError::PoolTimeout { seconds: 2, size: 0 }.into()))
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let database = app.context.opened();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text(database)).into_response()
}

/// Listens at `HOST:PORT`, or `:PORT` for every interface.
///
/// # Errors
/// [`Error::Config`] for an address that cannot be read or taken.
pub async fn bind(listen: &str, origin: &str) -> Result<TcpListener> {
    let wrong = |what: String| Error::Config {
        origin: origin.to_owned(),
        what: format!("`{}` {what}", crate::text::line(listen, 64)),
        accepted: "HOST:PORT is accepted, such as 127.0.0.1:7421, or :7421 for every interface".to_owned(),
    };
    let bound = match listen.strip_prefix(':') {
        None => TcpListener::bind(listen).await,
        Some(port) => everywhere(port.parse().map_err(|_| wrong("has no port of 0 to 65535".to_owned()))?),
    };
    bound.map_err(|error| wrong(format!("cannot be listened at ({error})")))
}

/// Every interface, by IPv6 and by IPv4.
fn everywhere(port: u16) -> std::io::Result<TcpListener> {
    listening((Ipv6Addr::UNSPECIFIED, port).into()).or_else(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse | std::io::ErrorKind::PermissionDenied => Err(error),
        // A machine without IPv6.
        _ => listening((Ipv4Addr::UNSPECIFIED, port).into()),
    })
}

fn listening(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Whatever the system's own choice is.
        socket.set_only_v6(false)?;
    }
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(1_024)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// Serves, through TLS where there is something that makes handshakes, until the context is asked to stop; then finishes
/// what runs, for at most ten seconds.
///
/// # Errors
/// When the socket fails.
pub async fn serve(app: &Arc<App>, router: Router, listener: TcpListener, tls: Option<TlsAcceptor>) -> Result<()> {
    let cancel = app.context.cancel().clone();
    let stop = {
        let cancel = cancel.clone();
        async move { cancel.cancelled().await }
    };
    let serving = async {
        match tls {
            None => connections::serve(listener, router, app.timeout, stop).await,
            Some(acceptor) => {
                let listener = tls::TlsListener::new(listener, acceptor)
                    .map_err(|error| Error::Bug(format!("the socket failed: {error}")))?;
                connections::serve(listener, router, app.timeout, stop).await;
            }
        }
        Ok(())
    };
    let late = async {
        cancel.cancelled().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
    };
    tokio::select! {
        served = serving => served,
        () = late => {
            tracing::warn!("connections were still open ten seconds after the end and were cut");
            Ok(())
        }
    }
}
