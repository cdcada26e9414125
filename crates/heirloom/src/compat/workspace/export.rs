//! `GET /admin/memories/export`: every memory of every namespace, one after the other, as it is: nothing is held in
//! memory but a page. What breaks on the way breaks the answer off, so that half of it never passes for all.

use std::collections::HashMap;
use std::io;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use heirloom_store::redact::{redact, redact_json};
use heirloom_store::{List, Moment, Record, Right, Scope, Store};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::compat::marks;
use crate::compat::wire;
use crate::context::Context;
use crate::error::Result;
use crate::http::body::Call;
use crate::http::fault::{Fault, Shape};

/// Memories read at a time.
const PAGE: i64 = 500;

/// A memory as it is exported. The first six fields are the platform's, which passes over the others; import reads all of
/// them. What a new memory has by itself is told also where it is missing, as null.
#[derive(Serialize)]
struct Exported {
    id: Uuid,
    content: String,
    scope: &'static str,
    namespace: String,
    created_at: String,
    workspace_name: String,
    kind: String,
    source: String,
    pin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Moment>,
    valid_from: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Moment>,
    updated_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    importance: i16,
    confidence: Option<f32>,
    state: String,
    state_changed_at: Option<Moment>,
    verified_at: Option<Moment>,
    is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_sha: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_task_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_dag_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    item_kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    propagation: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
}

/// `GET /admin/memories/export`.
pub(super) async fn export(Call(context): Call) -> Response {
    match Walk::begin(&context).await {
        Ok(walk) => {
            let chunks = futures_util::stream::unfold(walk, |walk| async move { walk.step().await });
            ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(chunks)).into_response()
        }
        Err(error) => Fault::from(error).answer(Shape::Workspace),
    }
}

/// Where the export stands.
struct Walk {
    store: Store,
    names: HashMap<String, String>,
    namespaces: std::vec::IntoIter<String>,
    /// The namespace being read, and where its last page ended.
    at: Option<(Scope, Option<String>)>,
    wrote: bool,
    done: bool,
}

impl Walk {
    async fn begin(context: &Context) -> Result<Self> {
        context.caller().require(Right::Admin)?;
        let store = context.store().await?;
        let workspaces = store.list_workspaces().await?;
        let names = workspaces.into_iter().map(|workspace| (workspace.id, workspace.name)).collect();
        let namespaces = store.name_namespaces().await?.into_iter();
        Ok(Self { store, names, namespaces, at: None, wrote: false, done: false })
    }

    async fn step(mut self) -> Option<(io::Result<Bytes>, Self)> {
        if self.done {
            return None;
        }
        let mut text = String::from(if self.wrote { "" } else { "[" });
        match self.page(&mut text).await {
            Ok(()) => Some((Ok(Bytes::from(text)), self)),
            Err(error) => {
                tracing::warn!(%error, "an export broke off");
                self.done = true;
                Some((Err(io::Error::other("the export broke off")), self))
            }
        }
    }

    /// Writes a page of the present namespace, or the end.
    async fn page(&mut self, text: &mut String) -> Result<()> {
        let (scope, cursor) = match self.at.take() {
            Some(at) => at,
            None => match self.namespaces.next() {
                Some(name) => (Scope::one(&name)?, None),
                None => {
                    text.push_str("]\n");
                    self.done = true;
                    return Ok(());
                }
            },
        };
        let page = self.store.list(&scope, &List { limit: Some(PAGE), cursor, ..List::default() }).await?;
        for record in page.items {
            if self.wrote {
                text.push(',');
            }
            text.push('\n');
            self.wrote = true;
            text.push_str(&wire::text(&self.exported(record)));
        }
        // A page of nothing would be a chunk of nothing, which is none.
        text.push('\n');
        self.at = page.next.map(|next| (scope, Some(next)));
        Ok(())
    }

    fn exported(&self, record: Record) -> Exported {
        let owner = record.namespace.split_once(':').and_then(|(_, id)| self.names.get(id));
        Exported {
            id: record.id,
            // What came by a migration that redacts nothing may hold a credential still.
            content: redact(&record.content).into_owned(),
            scope: marks::scope_of(&record.namespace),
            workspace_name: owner.cloned().unwrap_or_default(),
            namespace: record.namespace,
            created_at: wire::moment(record.created_at),
            kind: record.kind,
            source: record.source,
            pin: record.pin,
            expires_at: record.expires_at,
            valid_from: record.valid_from,
            valid_to: record.valid_to,
            updated_at: record.updated_at,
            role: record.role,
            topic: record.topic,
            importance: record.importance,
            confidence: record.confidence,
            state: record.state,
            state_changed_at: record.state_changed_at,
            verified_at: record.verified_at,
            is_active: record.is_active,
            commit_sha: record.commit_sha,
            artifact_hash: record.artifact_hash,
            source_run_id: record.source_run_id,
            source_task_id: record.source_task_id,
            source_dag_id: record.source_dag_id,
            project_id: record.project_id,
            content_type: record.content_type,
            item_kind: record.item_kind,
            propagation: harmless(record.propagation),
            metadata: harmless(record.metadata),
        }
    }
}

fn harmless(value: Option<Value>) -> Option<Value> {
    wire::told(value).map(|value| redact_json(&value).unwrap_or(value))
}
