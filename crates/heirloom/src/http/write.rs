//! Running an operation for a request: the same write sent twice under one Idempotency-Key happens once.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use super::App;
use super::api;
use super::fault::Fault;
use crate::context::Context;
use crate::ops::Op;

/// Runs it.
pub(super) async fn run(
    app: &Arc<App>,
    op: &'static Op,
    context: &Context,
    headers: &HeaderMap,
    arguments: Value,
) -> Result<Response, Fault> {
    let output = (op.run)(context, arguments).await.map_err(|error| api::fault(op, headers, error))?;
    if op.name.starts_with("token") {
        app.auth.forget();
    }
    Ok(api::answer(op, output))
}
