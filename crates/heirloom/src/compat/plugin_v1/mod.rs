//! The platform's memory plugin, version 1 of its contract: seven operations by which a server of that platform keeps
//! its memories here, changing one URL.
//!
//! The path is judged as it reads after decoding, and exactly: no second slash, none at the end; `%3A` is a colon.
//! Where our own rules are stricter or kinder than the plugin's were, the guide says so and a test holds it: an empty
//! list is `[]`, a namespace comes into being with its first memory, an id is never moved between namespaces, a caller's
//! mistake is never 5xx (three of those, and the platform's client asks nothing for a minute).

mod health;
mod memory;
mod namespace;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::context::Context;
use crate::error::Error;
use crate::http::body::{Body, Call};
use crate::http::fault::{Fault, Shape};
use crate::http::gate::Route;
use crate::http::{self, App};

/// Where `heirloom plugin` listens when nobody says.
pub const LISTEN: &str = "127.0.0.1:9100";

/// How wide the platform's vectors are.
pub const DIMENSION: usize = 1_536;

/// The routes; health needs no token.
pub fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let health = Router::new().route("/v1/health", any(health_alone));
    let others = Router::new().route("/v1/{*rest}", any(door));
    http::open_to_all(app, Shape::Plugin, health).merge(http::guarded(app, Shape::Plugin, others))
}

/// What a path asks for.
#[derive(Debug, PartialEq)]
enum Place {
    Health,
    Search,
    Memory(String),
    Namespace(String),
    Memories(String),
    NotAllowed,
    NoName,
    Nowhere,
}

impl Place {
    fn of(method: &Method, path: &str) -> Self {
        if path == "/v1/health" && method == Method::GET {
            return Self::Health;
        }
        if path == "/v1/search" && method == Method::POST {
            return Self::Search;
        }
        if let Some(id) = path.strip_prefix("/v1/memories/").filter(|_| method == Method::DELETE) {
            return Self::Memory(id.to_owned());
        }
        let Some(rest) = path.strip_prefix("/v1/namespaces/") else { return Self::Nowhere };
        match rest.split_once('/') {
            None if rest.is_empty() => Self::NoName,
            None if [Method::PUT, Method::PATCH, Method::DELETE].contains(method) => Self::Namespace(rest.to_owned()),
            None => Self::NotAllowed,
            Some((name, "memories")) if method == Method::POST => Self::Memories(name.to_owned()),
            Some(_) => Self::Nowhere,
        }
    }

    /// The pattern that logs and counters know it by.
    fn route(&self) -> &'static str {
        match self {
            Self::Health => "/v1/health",
            Self::Search => "/v1/search",
            Self::Memory(_) => "/v1/memories/{id}",
            Self::Namespace(_) | Self::NotAllowed | Self::NoName => "/v1/namespaces/{name}",
            Self::Memories(_) => "/v1/namespaces/{name}/memories",
            Self::Nowhere => "/v1/{*rest}",
        }
    }
}

async fn health_alone(State(app): State<Arc<App>>, request: Request) -> Response {
    if request.method() == Method::GET { health::health(&app.context).await } else { nowhere() }
}

/// What is asked where nothing is.
pub fn nowhere() -> Response {
    Fault::no_route().answer(Shape::Plugin)
}

async fn door(
    State(app): State<Arc<App>>,
    Call(context): Call,
    method: Method,
    uri: Uri,
    Body(body): Body,
) -> Response {
    let (place, answer) = match decoded(uri.path()) {
        Some(path) => {
            let place = Place::of(&method, &path);
            let answer = if place == Place::Health {
                Ok(health::health(&app.context).await)
            } else {
                run(&place, &context, &method, &body).await
            };
            (place, answer)
        }
        None => (Place::Nowhere, Err(Fault::bad("path", "the path is not percent-encoded UTF-8"))),
    };
    let answer = answer.unwrap_or_else(|fault| fault.answer(Shape::Plugin));
    (axum::Extension(Route(place.route())), answer).into_response()
}

async fn run(place: &Place, context: &Context, method: &Method, body: &Bytes) -> Result<Response, Fault> {
    match place {
        Place::Search => memory::search(context, body).await,
        Place::Memory(id) => memory::forget(context, id, body).await,
        Place::Memories(name) => memory::commit(context, name, body).await,
        Place::Namespace(name) if method == Method::PUT => namespace::put(context, name, body).await,
        Place::Namespace(name) if method == Method::PATCH => namespace::patch(context, name, body).await,
        Place::Namespace(name) => namespace::delete(context, name).await,
        Place::NoName => Err(Fault::bad("namespace", "namespace name missing")),
        Place::NotAllowed => Err(Fault::method()),
        Place::Health | Place::Nowhere => Err(Fault::no_route()),
    }
}

/// Nothing of that name, in the contract's words.
fn missing(error: impl Into<Error>, words: &str) -> Fault {
    use heirloom_store::StoreError::{Forgotten, NotFound};
    match error.into() {
        Error::Store(NotFound { .. } | Forgotten { .. }) => {
            Fault::new(axum::http::StatusCode::NOT_FOUND, "not-found", words)
        }
        other => other.into(),
    }
}

/// A path without its percent signs; `None` when it is not UTF-8 then, or a sign stands alone.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_judged_exactly() {
        let (get, put, post, delete, head) = (Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::HEAD);
        let name = || "team:a".to_owned();
        for (method, path, place) in [
            (&get, "/v1/health", Place::Health),
            (&head, "/v1/health", Place::Nowhere),
            (&get, "/v1/health/", Place::Nowhere),
            (&get, "//v1/health", Place::Nowhere),
            (&post, "/v1/search", Place::Search),
            (&get, "/v1/search", Place::Nowhere),
            (&delete, "/v1/memories/", Place::Memory(String::new())),
            (&delete, "/v1/memories/x", Place::Memory("x".to_owned())),
            (&get, "/v1/memories/x", Place::Nowhere),
            (&put, "/v1/namespaces/", Place::NoName),
            (&put, "/v1/namespaces", Place::Nowhere),
            (&put, "/v1/namespaces/team:a", Place::Namespace(name())),
            (&get, "/v1/namespaces/team:a", Place::NotAllowed),
            (&put, "/v1/namespaces/team:a/", Place::Nowhere),
            (&post, "/v1/namespaces/team:a/memories", Place::Memories(name())),
            (&get, "/v1/namespaces/team:a/memories", Place::Nowhere),
            (&post, "/v1/namespaces/team:a/memories/", Place::Nowhere),
            (&post, "/v1/namespaces/team:a/other", Place::Nowhere),
        ] {
            assert_eq!(Place::of(method, path), place, "{method} {path}");
        }
    }

    #[test]
    fn a_path_is_decoded_once() {
        assert_eq!(decoded("/v1/namespaces/team%3Aa").as_deref(), Some("/v1/namespaces/team:a"));
        assert_eq!(decoded("/%2525").as_deref(), Some("/%25"));
        for bad in ["/%", "/%z0", "/%0", "/%ff"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
