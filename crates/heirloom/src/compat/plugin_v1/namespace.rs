//! Namespaces: put, patch, delete.
//!
//! A put says what kind a namespace is and leaves what it does not mention: the platform puts before every write, and
//! an end or a note set by a patch would not outlive the next. A patch with null clears.

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use heirloom_store::{Right, Scope};

use super::missing;
use super::wire::NamespaceBody;
use crate::compat::wire::{self, Fields};
use crate::context::Context;
use crate::error::Error;
use crate::http::fault::Fault;

const MISSING: &str = "namespace not found";

/// The scope of one namespace that the caller may write.
fn scope(context: &Context, name: &str) -> Result<Scope, Fault> {
    context.caller().require(Right::Write)?;
    Ok(context.caller().scope([&name.to_owned()])?)
}

/// `PUT /v1/namespaces/{name}`.
pub(super) async fn put(context: &Context, name: &str, body: &Bytes) -> Result<Response, Fault> {
    heirloom_store::namespace::validate(name).map_err(Error::from)?;
    let fields = Fields::read(body)?;
    let kind = fields.text("kind")?;
    let expires_at = fields.time("expires_at")?.map(Some);
    let metadata = wire::told(fields.object("metadata")?).map(Some);
    let scope = scope(context, name)?;
    let store = context.store().await?;
    let put = store.put_namespace(&scope, name, Some(&kind), expires_at, metadata).await.map_err(Error::from)?;
    Ok(wire::json(StatusCode::OK, &NamespaceBody::from(put)))
}

/// `PATCH /v1/namespaces/{name}`.
pub(super) async fn patch(context: &Context, name: &str, body: &Bytes) -> Result<Response, Fault> {
    heirloom_store::namespace::validate(name).map_err(Error::from)?;
    let fields = Fields::read(body)?;
    let cleared = |field: &str| fields.given(field).is_some_and(serde_json::Value::is_null);
    let expires_at = if cleared("expires_at") { Some(None) } else { fields.time("expires_at")?.map(Some) };
    let metadata = if cleared("metadata") { Some(None) } else { fields.object("metadata")?.map(Some) };
    if expires_at.is_none() && metadata.is_none() {
        return Err(Fault::bad("", "patch has no fields set"));
    }
    let scope = scope(context, name)?;
    let store = context.store().await?;
    let patched = store.patch_namespace(&scope, name, expires_at, metadata).await;
    let patched = patched.map_err(|error| missing(error, MISSING))?;
    Ok(wire::json(StatusCode::OK, &NamespaceBody::from(patched)))
}

/// `DELETE /v1/namespaces/{name}`: what is in it is forgotten.
pub(super) async fn delete(context: &Context, name: &str) -> Result<Response, Fault> {
    heirloom_store::namespace::validate(name).map_err(Error::from)?;
    let scope = scope(context, name)?;
    let store = context.store().await?;
    store.delete_namespace(&scope, name).await.map_err(|error| missing(error, MISSING))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
