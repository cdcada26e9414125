//! Whether the plugin can work: the database is asked each time.

use axum::http::StatusCode;
use axum::response::Response;

use super::wire::Health;
use crate::compat::wire;
use crate::context::Context;
use crate::http;

/// The contract's version.
const VERSION: &str = "1.0.0";

/// What the contract may ask for.
const CAPABILITIES: [&str; 5] = ["fts", "embedding", "ttl", "pin", "propagation"];

/// `GET /v1/health`: 503 of the same form when the database is away.
pub(super) async fn health(context: &Context) -> Response {
    let (code, status) = match http::answers(context).await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "degraded")
        }
    };
    wire::json(code, &Health { status, version: VERSION, capabilities: CAPABILITIES })
}
