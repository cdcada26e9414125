//! `POST` and `GET /workspaces/:id/memories`: a memory with a scope and a tag of the caller's.
//!
//! The tag is kept as the memory's topic, as a migration keeps it, and the writer as its `propagation`. Unlike the
//! platform's last version, a list honours `q`, `scope`, `namespace` and `limit`, as its first did.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;
use heirloom_store::{Remember, Right};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::acting::{Acting, admit};
use super::canvas::{limit, parameters};
use crate::compat::marks;
use crate::compat::memories::{self, Question, Seen};
use crate::compat::wire::{self, Fields};
use crate::context::Context;
use crate::http::body::{At, Body, Call};
use crate::http::fault::{Fault, Shape};

/// Longest tag, in bytes.
const TAG: usize = 50;

/// Most memories of a list, and how many when nobody says.
const MOST: i64 = 50;

const SCOPES: &str = "scope must be LOCAL, TEAM, or GLOBAL";

#[derive(Serialize)]
struct Committed {
    id: Uuid,
    scope: String,
    namespace: String,
}

#[derive(Serialize)]
struct Listed {
    id: Uuid,
    content: String,
    scope: &'static str,
    created_at: String,
}

/// `POST /workspaces/:id/memories`.
pub(super) async fn commit(Call(context): Call, At(id): At<String>, Body(body): Body) -> Response {
    committed(&context, &id, &body).await.unwrap_or_else(|fault| fault.answer(Shape::Workspace))
}

async fn committed(context: &Context, workspace: &str, body: &[u8]) -> Result<Response, Fault> {
    admit(context, workspace, Right::Write)?;
    let bad = |words: &str| Fault::bad("", words);
    let read = || {
        let fields = Fields::read(body)?;
        Ok::<_, Fault>((fields.text("content")?, fields.text("scope")?, fields.text("namespace")?))
    };
    let (content, scope, tag) = read().map_err(|_| bad("invalid request body"))?;
    if content.is_empty() || scope.is_empty() {
        return Err(bad("invalid request body"));
    }
    let kind = marks::kind_of(&scope).ok_or_else(|| bad(SCOPES))?;
    let tag = if tag.is_empty() { "general".to_owned() } else { tag };
    if tag.len() > TAG {
        return Err(bad("namespace must be <= 50 characters"));
    }
    let acting = Acting::of(context, workspace, "failed to resolve writable namespaces").await?;
    if kind == "org" && acting.lineage.workspace.parent_id.is_some() {
        let words = "only root workspaces can write GLOBAL memories";
        return Err(Fault::new(StatusCode::FORBIDDEN, "forbidden", words));
    }
    let place = acting.lineage.writable.iter().find(|namespace| namespace.kind == kind).ok_or_else(|| {
        Fault::new(StatusCode::FORBIDDEN, "forbidden", format!("no writable namespace of kind {kind}"))
    })?;
    let content = if marks::is_org(&place.name) { marks::escaped(&content).into_owned() } else { content };
    let new = Remember {
        namespace: place.name.clone(),
        content,
        kind: Some("fact".to_owned()),
        // Agents' runtimes write here; a person writes elsewhere.
        source: Some("agent".to_owned()),
        topic: Some(tag.clone()).filter(|tag| !tag.trim().is_empty()),
        propagation: Some(json!({ "source_workspace_id": workspace })),
        ..Remember::default()
    };
    let done = memories::write(context, &acting.scope([place])?, new).await?;
    Ok(wire::json(StatusCode::CREATED, &Committed { id: done.id, scope, namespace: tag }))
}

/// `GET /workspaces/:id/memories`.
pub(super) async fn list(Call(context): Call, At(id): At<String>, RawQuery(query): RawQuery) -> Response {
    listed(&context, &id, query.as_deref()).await.unwrap_or_else(|fault| fault.answer(Shape::Workspace))
}

async fn listed(context: &Context, workspace: &str, query: Option<&str>) -> Result<Response, Fault> {
    admit(context, workspace, Right::Read)?;
    let parameters = parameters(query);
    let get = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let kind = match get("scope") {
        "" => None,
        scope => Some(marks::kind_of(scope).ok_or_else(|| Fault::bad("", SCOPES))?),
    };
    let acting = Acting::of(context, workspace, "failed to resolve readable namespaces").await?;
    // What the platform calls a namespace here is a tag; the name of a real one is understood, too.
    let named = acting.lineage.readable.iter().find(|namespace| namespace.name == get("namespace"));
    let places = acting.lineage.readable.iter().filter(|namespace| {
        kind.is_none_or(|kind| namespace.kind == kind) && named.is_none_or(|named| named.name == namespace.name)
    });
    let scope = acting.scope(places)?;
    let question = Question {
        query: get("q").to_owned(),
        topic: Some(get("namespace").to_owned()).filter(|tag| !tag.is_empty() && named.is_none()),
        limit: limit(get("limit"), MOST, MOST),
        ..Question::default()
    };
    let is_no_tag = |tag: &String| tag.len() > TAG || tag.trim().is_empty() || tag.contains('\0');
    if scope.namespaces().is_empty() || question.topic.as_ref().is_some_and(is_no_tag) {
        return Ok(wire::json(StatusCode::OK, &json!([])));
    }
    let answer = memories::search(context, &scope, question).await?;
    let list: Vec<Listed> = answer.memories.into_iter().map(line).collect();
    Ok(wire::json(StatusCode::OK, &list))
}

fn line(seen: Seen) -> Listed {
    let org = marks::is_org(&seen.namespace);
    let content = if org { marks::delimited(seen.id, &seen.namespace, &seen.content) } else { seen.content };
    Listed { id: seen.id, content, scope: marks::scope_of(&seen.namespace), created_at: wire::moment(seen.created_at) }
}
