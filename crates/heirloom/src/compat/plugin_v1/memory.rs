//! Memories: commit, search, forget.

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use heirloom_store::Remember;
use uuid::Uuid;

use super::missing;
use super::wire::{Committed, Found, Memory};
use crate::compat::memories::{self, KINDS, Question, SOURCES};
use crate::compat::wire::{self, Fields};
use crate::context::Context;
use crate::error::Error;
use crate::http::fault::Fault;

/// Most memories of one search.
const MOST: i64 = 100;

/// How many when nobody says.
const USUAL: i64 = 20;

/// `POST /v1/namespaces/{name}/memories`. Beyond the contract it takes `created_at` and `updated_at`, so that what is
/// moved here keeps its times.
pub(super) async fn commit(context: &Context, name: &str, body: &Bytes) -> Result<Response, Fault> {
    heirloom_store::namespace::validate(name).map_err(Error::from)?;
    let fields = Fields::read(body)?;
    let content = fields.text("content")?;
    let (kind, source) = (fields.text("kind")?, fields.text("source")?);
    let new = Remember {
        namespace: name.to_owned(),
        expires_at: fields.time("expires_at")?,
        propagation: fields.object("propagation")?,
        pin: fields.flag("pin")?,
        embedding: Some(fields.numbers("embedding")?).filter(|vector| !vector.is_empty()),
        created_at: fields.time("created_at")?,
        updated_at: fields.time("updated_at")?,
        id: Some(fields.text("id")?).filter(|id| !id.is_empty()).map(|id| uuid("id", &id)).transpose()?,
        ..Remember::default()
    };
    if content.trim().is_empty() {
        return Err(Fault::bad("content", "content is empty"));
    }
    one_of("kind", "invalid memory kind", &kind, &KINDS)?;
    one_of("source", "invalid memory source", &source, &SOURCES)?;
    let scope = context.caller().scope([&new.namespace])?;
    let new = Remember { content, kind: Some(kind), source: Some(source), ..new };
    let done = memories::write(context, &scope, new).await?;
    Ok(wire::json(StatusCode::CREATED, &Committed { id: done.id, namespace: done.namespace }))
}

/// `POST /v1/search`.
pub(super) async fn search(context: &Context, body: &Bytes) -> Result<Response, Fault> {
    let fields = Fields::read(body)?;
    let namespaces = fields.texts("namespaces")?;
    let question = Question {
        query: fields.text("query")?,
        kinds: fields.texts("kinds")?,
        limit: fields.whole("limit")?,
        embedding: fields.numbers("embedding")?,
        ..Question::default()
    };
    if namespaces.is_empty() {
        return Err(Fault::bad("namespaces", "namespaces is empty; name those to search in"));
    }
    for (at, name) in namespaces.iter().enumerate() {
        heirloom_store::namespace::validate(name).map_err(|error| {
            let fault = Fault::from(Error::from(error));
            let message = fault.message.replacen("namespace: ", &format!("namespaces[{at}]: "), 1);
            Fault { message, field: Some(format!("namespaces[{at}]")), ..fault }
        })?;
    }
    if !(0..=MOST).contains(&question.limit) {
        return Err(Fault::bad("limit", format!("limit {} out of range [0,{MOST}]", question.limit)));
    }
    for (at, kind) in question.kinds.iter().enumerate() {
        one_of(&format!("kinds[{at}]"), &format!("kinds[{at}]: invalid memory kind"), kind, &KINDS)?;
    }
    let scope = context.caller().scope(&namespaces)?;
    let limit = if question.limit == 0 { USUAL } else { question.limit };
    let answer = memories::search(context, &scope, Question { limit, ..question }).await?;
    let found = Found { memories: answer.memories.into_iter().map(Memory::from).collect() };
    Ok(wire::json(StatusCode::OK, &found))
}

/// `DELETE /v1/memories/{id}`: only by the namespace that it lives in.
pub(super) async fn forget(context: &Context, id: &str, body: &Bytes) -> Result<Response, Fault> {
    if id.is_empty() {
        return Err(Fault::bad("id", "memory id missing"));
    }
    let by = Fields::read(body)?.text("requested_by_namespace")?;
    heirloom_store::namespace::validate(&by).map_err(|error| {
        let fault = Fault::from(Error::from(error));
        Fault { field: Some("requested_by_namespace".to_owned()), ..fault }
    })?;
    let id = uuid("id", id)?;
    let scope = context.caller().scope([&by])?;
    let forgotten = memories::forget(context, &scope, id).await;
    forgotten.map_err(|error| missing(error, "memory not found in namespace"))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn uuid(field: &str, text: &str) -> Result<Uuid, Fault> {
    text.parse().map_err(|_| Fault::bad(field, format!("{field} is not a uuid")))
}

fn one_of(field: &str, words: &str, value: &str, known: &[&str]) -> Result<(), Fault> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(Fault::bad(field, format!("{words} {:?}; one of {}", crate::text::line(value, 64), known.join(", "))))
}
