//! What every request passes: a name, the host it was meant for, the caller, the rate limit, the time limit; and what
//! is left of it: one line in the log, one count in the metrics. Neither holds a path, a query or a body.
//!
//! The database being away is no reason to be slow: a request that needs it is answered 503 with Retry-After.

use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;

use super::App;
use super::auth;
use super::fault::{Fault, Shape};
use super::limit::Who;
use super::tls::Peer;
use crate::caller::Caller;

/// A door behind the gate: whose form refusals take, and whether a caller is asked for.
#[derive(Clone)]
pub struct Gate {
    /// What all doors share.
    pub app: Arc<App>,
    /// The form of a refusal.
    pub shape: Shape,
}

/// The pattern a door that routes by itself knows a request by, for the log and the counters.
#[derive(Debug, Clone, Copy)]
pub struct Route(pub &'static str);

/// Asks who comes in and counts the request; the caller goes on in the request's extensions.
pub async fn callers(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let app = &gate.app;
    if let Err(fault) = meant_for_us(app, request.headers()) {
        return fault.answer(gate.shape);
    }
    let who = who(&request);
    // The token's own limit is known only after it was looked up, and a flood of wrong ones must not reach the database.
    let mut standing = match app.limits.count(who.clone(), app.rate, Instant::now()) {
        Ok(standing) => standing,
        Err(refused) => return refused_with(&refused.0, gate.shape, |headers| refused.1.write(headers)),
    };
    let caller = match app.auth.caller_from(&app.context, request.headers(), Some(peer(&request))).await {
        Ok(caller) => caller,
        Err(fault) => {
            return refused_with(&fault, gate.shape, |headers| {
                if let Some(standing) = standing {
                    standing.write(headers);
                }
            });
        }
    };
    if let (Caller::Token(token), Who::Token(sum)) = (&caller, &who)
        && let Some(own) = token.rate_per_minute.and_then(|own| u64::try_from(own).ok())
    {
        let mut sum = *sum;
        sum[0] = sum[0].wrapping_add(1);
        match app.limits.count(Who::Token(sum), own, Instant::now()) {
            Ok(counted) => standing = counted,
            Err(refused) => return refused_with(&refused.0, gate.shape, |headers| refused.1.write(headers)),
        }
    }
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(gate.shape);
    let mut response = next.run(request).await;
    // A door with a limit of its own has told its own.
    if let Some(standing) = standing
        && !response.headers().contains_key("x-ratelimit-limit")
    {
        standing.write(response.headers_mut());
    }
    response
}

fn refused_with(fault: &Fault, shape: Shape, write: impl FnOnce(&mut HeaderMap)) -> Response {
    let mut response = fault.clone().answer(shape);
    write(response.headers_mut());
    response
}

/// Bounds the time of a request and outlives its panics.
pub async fn bounds(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let running = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(gate.app.timeout, running).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(code = "bug", "a request ended in a panic");
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "bug", "internal error; this is not your doing")
                .answer(gate.shape)
        }
        Err(_) => {
            let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "the request took too long");
            Fault { retry_after: Some(1), ..fault }.answer(gate.shape)
        }
    }
}

/// Names the request and leaves a line and a count.
pub async fn traces(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().as_str().to_owned();
    // The pattern of the route, never the path: an id or a namespace may stand in it.
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let id = uuid::Uuid::now_v7().to_string();
    let mut response = next.run(request).await;
    let route = response.extensions().get::<Route>().map_or(route, |own| own.0.to_owned());
    let took = start.elapsed();
    let status = response.status().as_u16();
    tracing::info!(target: "heirloom::access", id, method, route, status, micros = micros(took), "request");
    app.metrics.count(&method, &route, status, took);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn who(request: &Request) -> Who {
    match auth::fingerprint(request.headers()) {
        Some(sum) => Who::Token(sum),
        None => Who::Address(peer(request)),
    }
}

/// Where a request comes from; no place of this machine when nobody knows.
fn peer(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.0.ip())
}

/// Where anybody comes in who reaches the door, a page of somebody else's must not: a browser that was led here by
/// another name, or that says it acts for another site, is sent away.
fn meant_for_us(app: &App, headers: &HeaderMap) -> Result<(), Fault> {
    if !app.auth.is_open() {
        return Ok(());
    }
    let refuse = |what: &str| Err(Fault::new(StatusCode::FORBIDDEN, "forbidden", what));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    if !is_loopback_name(host) && !app.auth.is_for_everybody() && auth::fingerprint(headers).is_none() {
        return refuse("this door answers to localhost alone; without tokens no other name is served");
    }
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("null"));
    match origin.map(|origin| origin.split_once("://").map_or("null", |(_, host)| host)) {
        Some(host) if !is_loopback_name(host) => refuse("this door serves no other site; it has no tokens"),
        _ => Ok(()),
    }
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback_name;

    #[test]
    fn only_loopback_names_are_ours() {
        for ours in ["localhost", "localhost:7421", "127.0.0.1:1", "127.8.9.1", "[::1]:7421", "[::1]"] {
            assert!(is_loopback_name(ours), "{ours}");
        }
        for other in ["example.org", "localhost.example.org:80", "10.0.0.1:7421", "0.0.0.0", "", "127.0.0.1.nip.io"] {
            assert!(!is_loopback_name(other), "{other}");
        }
    }
}
