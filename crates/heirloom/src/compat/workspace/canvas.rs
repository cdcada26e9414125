//! What the platform's canvas asks for: the namespaces of a workspace, their memories page by page, and forgetting.

use std::collections::HashMap;

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;
use heirloom_store::{NamespaceOf, Right, StoreError};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::acting::{Acting, admit};
use crate::compat::memories::{self, KINDS, Question, Seen};
use crate::compat::wire;
use crate::context::Context;
use crate::cursor::Cursors;
use crate::error::Error;
use crate::http::body::{At, Call};
use crate::http::fault::{Fault, Shape};

/// How many memories when nobody says, and how many at most.
const USUAL: i64 = 50;
const MOST: i64 = 100;

#[derive(Serialize)]
struct Namespaces<'a> {
    readable: Vec<Labelled<'a>>,
    writable: Vec<Labelled<'a>>,
}

#[derive(Serialize)]
struct Labelled<'a> {
    name: &'a str,
    kind: &'a str,
    label: &'a str,
}

#[derive(Serialize)]
struct Page {
    memories: Vec<Shown>,
    /// Beyond the platform's contract: `cursor` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    id: Uuid,
    namespace: String,
    content: String,
    kind: String,
    source: String,
    pin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "wire::number")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_workspace_id: Option<String>,
}

impl From<Seen> for Shown {
    fn from(seen: Seen) -> Self {
        let writer = seen.propagation.as_ref().and_then(|propagation| propagation.get("source_workspace_id"));
        Self {
            source_workspace_id: writer.and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned),
            id: seen.id,
            namespace: seen.namespace,
            content: seen.content,
            kind: seen.kind,
            source: seen.source,
            pin: seen.pin,
            expires_at: wire::end(seen.expires_at),
            created_at: wire::moment(seen.created_at),
            score: seen.score,
        }
    }
}

/// `GET /workspaces/:id/v2/namespaces`.
pub(super) async fn namespaces(Call(context): Call, At(id): At<String>) -> Response {
    let done = async {
        admit(&context, &id, Right::Read)?;
        let acting = Acting::of(&context, &id, "failed to resolve readable namespaces").await?;
        let (readable, writable) = (labelled(&acting.lineage.readable), labelled(&acting.lineage.writable));
        Ok::<_, Fault>(wire::json(StatusCode::OK, &Namespaces { readable, writable }))
    };
    done.await.unwrap_or_else(|fault| fault.answer(Shape::Workspace))
}

fn labelled(namespaces: &[NamespaceOf]) -> Vec<Labelled<'_>> {
    namespaces.iter().map(|of| Labelled { name: &of.name, kind: &of.kind, label: &of.label }).collect()
}

/// `GET /workspaces/:id/v2/memories?namespace&q&kind&limit&cursor`.
pub(super) async fn memories(Call(context): Call, At(id): At<String>, RawQuery(query): RawQuery) -> Response {
    shown(&context, &id, query.as_deref()).await.unwrap_or_else(|fault| fault.answer(Shape::Workspace))
}

async fn shown(context: &Context, workspace: &str, query: Option<&str>) -> Result<Response, Fault> {
    admit(context, workspace, Right::Read)?;
    let parameters = parameters(query);
    let get = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let kind = get("kind");
    if !kind.is_empty() && !KINDS.contains(&kind) {
        return Err(Fault::bad("", format!("kind must be one of {}", KINDS.join(", "))));
    }
    let narrowed = json!([workspace, get("namespace"), get("q"), kind]);
    let cursors = Cursors::of(context.caller(), "workspace memories", &narrowed);
    let place = cursors.take(Some(get("cursor")).filter(|cursor| !cursor.is_empty()))?;
    let acting = Acting::of(context, workspace, "failed to resolve namespaces").await?;
    let wanted = get("namespace");
    let scope = acting.scope(acting.lineage.readable.iter().filter(|of| wanted.is_empty() || of.name == wanted))?;
    let mut page = Page { memories: Vec::new(), next: None };
    // A namespace that it may not read looks like one that is not there.
    if !scope.namespaces().is_empty() {
        let question = Question {
            query: get("q").to_owned(),
            kinds: Some(kind.to_owned()).filter(|kind| !kind.is_empty()).into_iter().collect(),
            limit: limit(get("limit"), USUAL, MOST),
            cursor: place.map(str::to_owned),
            ..Question::default()
        };
        let answer = memories::search(context, &scope, question).await?;
        let next = answer.next.as_deref().map(|place| cursors.give(place));
        page = Page { memories: answer.memories.into_iter().map(Shown::from).collect(), next };
    }
    Ok(wire::json(StatusCode::OK, &page))
}

/// `DELETE /workspaces/:id/v2/memories/:memory`, in whatever namespace the workspace may write.
pub(super) async fn forget(Call(context): Call, At((id, memory)): At<(String, String)>) -> Response {
    let done = async {
        admit(&context, &id, Right::Write)?;
        let missing = || Fault::new(StatusCode::NOT_FOUND, "not-found", "memory not found");
        let acting = Acting::of(&context, &id, "failed to resolve writable namespaces").await?;
        let memory: Uuid = memory.parse().map_err(|_| missing())?;
        let forgotten = memories::forget(&context, &acting.writable()?, memory).await;
        forgotten.map_err(|error| match error {
            Error::Store(StoreError::NotFound { .. } | StoreError::Forgotten { .. }) => missing(),
            other => other.into(),
        })?;
        Ok::<_, Fault>(wire::json(StatusCode::OK, &json!({ "status": "deleted" })))
    };
    done.await.unwrap_or_else(|fault| fault.answer(Shape::Workspace))
}

/// The parameters of a query; of several the first counts.
pub(super) fn parameters(query: Option<&str>) -> HashMap<String, String> {
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        parameters.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    parameters
}

/// A limit as the platform reads one: what is none, or less than 1, is the usual one; more than the most is the most.
pub(super) fn limit(text: &str, usual: i64, most: i64) -> i64 {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let huge = digits.len() > 18 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if huge {
        return usual;
    }
    text.parse().ok().filter(|limit| *limit > 0).unwrap_or(usual).min(most)
}

#[cfg(test)]
mod tests {
    use super::limit;

    #[test]
    fn limits_are_clamped() {
        for (text, expected) in
            [("", 50), ("0", 50), ("-3", 50), ("x", 50), ("1.5", 50), ("7", 7), ("100", 100), ("101", 100)]
        {
            assert_eq!(limit(text, 50, 100), expected, "{text}");
        }
        assert_eq!(limit("99999999999999999999999", 50, 100), 50);
    }
}
