//! The routes of the platform's server that agents and its canvas know: memories of a workspace with a scope, its
//! namespaces, and an administrator's export and import.
//!
//! Whoever holds a token for `workspace:<id>` acts for that workspace: what it may read and write is derived from the
//! tree of workspaces with each request (`acting`). Paths that are not there answer in JSON. Where an answer differs
//! from the platform's, the guide says so and a test holds it.

mod acting;
mod canvas;
mod export;
mod import;
mod legacy;
mod split;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, delete, get};

use crate::http::fault::{Fault, Shape};
use crate::http::{self, App};

/// The routes.
pub fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let quick = Router::new()
        .route("/workspaces/{id}/memories", get(legacy::list).post(legacy::commit).fallback(not_allowed))
        .route("/workspaces/{id}/memories/{memory}", delete(canvas::forget).fallback(not_allowed))
        .route("/workspaces/{id}/v2/namespaces", get(canvas::namespaces).fallback(not_allowed))
        .route("/workspaces/{id}/v2/memories", get(canvas::memories).fallback(not_allowed))
        .route("/workspaces/{id}/v2/memories/{memory}", delete(canvas::forget).fallback(not_allowed))
        .route("/workspaces/{id}/{*rest}", any(nowhere));
    // All there is may take longer than a request may.
    let long = Router::new()
        .route("/admin/memories/export", get(export::export).fallback(not_allowed))
        .route("/admin/memories/import", axum::routing::post(import::import).fallback(not_allowed));
    http::guarded(app, Shape::Workspace, quick).merge(http::admitted(app, Shape::Workspace, long))
}

async fn not_allowed() -> axum::response::Response {
    Fault::method().answer(Shape::Workspace)
}

async fn nowhere() -> axum::response::Response {
    Fault::no_route().answer(Shape::Workspace)
}
