//! The body of a request, bounded, and the caller the gate let in: what handlers take.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::App;
use super::fault::{Fault, Shape};
use crate::caller::Caller;
use crate::context::Context;

/// Reads a body up to the door's limit.
///
/// # Errors
/// 413 with the limit; 400 for one that ends early; 408 for one that does not arrive.
pub async fn read(app: &App, request: Request) -> Result<Bytes, Fault> {
    let limit = app.body_limit;
    let announced = request.headers().get(axum::http::header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    // Before the time of the whole request is over, whose end would be the server's fault and not the caller's.
    let patience = app.timeout.mul_f32(0.9);
    let Ok(body) = tokio::time::timeout(patience, to_bytes(request.into_body(), limit)).await else {
        return Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not arrive in time"));
    };
    body.map_err(|error| {
        let whole = std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("length limit"));
        if whole { too_large(limit) } else { Fault::bad("body", "the body ended early") }
    })
}

/// Why bytes are no JSON that is taken, and where.
pub fn not_json(error: &serde_json::Error) -> String {
    let place = format!("at line {}, column {}", error.line(), error.column());
    // The parser has no kind for it.
    match error.to_string().starts_with("recursion limit") {
        true => {
            format!("this is nested too deeply, {place}: at most 127 arrays and objects in one another are accepted")
        }
        false => format!("this is not JSON, {place}"),
    }
}

fn too_large(limit: usize) -> Fault {
    let fault =
        Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("the body is larger than {} KiB", limit / 1024));
    Fault { field: Some("body".to_owned()), ..fault }
}

/// The body, bounded.
pub struct Body(pub Bytes);

impl FromRequest<Arc<App>> for Body {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let shape = shape(request.extensions());
        read(app, request).await.map(Self).map_err(|fault| fault.answer(shape))
    }
}

/// What stands in the path.
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for At<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let read = Path::<T>::from_request_parts(parts, app).await;
        let refused = |_| Fault::bad("path", "the path is not percent-encoded UTF-8").answer(shape(&parts.extensions));
        read.map(|Path(read)| Self(read)).map_err(refused)
    }
}

/// The caller's own context.
pub struct Call(pub Context);

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        match parts.extensions.get::<Caller>() {
            Some(caller) => Ok(Self(app.context.call(caller.clone()))),
            None => Err(Fault::unauthorised("a bearer token is missing").answer(shape(&parts.extensions))),
        }
    }
}

/// The form that the gate says refusals take here.
fn shape(extensions: &Extensions) -> Shape {
    extensions.get::<Shape>().copied().unwrap_or(Shape::Problem)
}
