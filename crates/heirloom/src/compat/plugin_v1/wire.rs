//! The answers of the contract, fields in its order, what is empty left out.

use heirloom_store::Namespace;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::compat::memories::Seen;
use crate::compat::wire;

/// `GET /v1/health`.
#[derive(Serialize)]
pub(super) struct Health {
    pub(super) status: &'static str,
    pub(super) version: &'static str,
    pub(super) capabilities: [&'static str; 5],
}

/// A namespace.
#[derive(Serialize)]
pub(super) struct NamespaceBody {
    name: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    created_at: String,
}

impl From<Namespace> for NamespaceBody {
    fn from(namespace: Namespace) -> Self {
        // A project is the SQL door's; the contract knows four kinds.
        let kind = if namespace.kind == "project" { "custom".to_owned() } else { namespace.kind };
        Self {
            name: namespace.name,
            kind,
            expires_at: wire::end(namespace.expires_at),
            metadata: wire::told(namespace.metadata),
            created_at: wire::moment(namespace.created_at),
        }
    }
}

/// What a commit answers.
#[derive(Serialize)]
pub(super) struct Committed {
    pub(super) id: Uuid,
    pub(super) namespace: String,
}

/// What a search answers.
#[derive(Serialize)]
pub(super) struct Found {
    pub(super) memories: Vec<Memory>,
}

/// A memory.
#[derive(Serialize)]
pub(super) struct Memory {
    id: Uuid,
    namespace: String,
    content: String,
    kind: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    propagation: Option<Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pin: bool,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "wire::number")]
    score: Option<f64>,
}

impl From<Seen> for Memory {
    fn from(seen: Seen) -> Self {
        Self {
            id: seen.id,
            namespace: seen.namespace,
            content: seen.content,
            kind: seen.kind,
            source: seen.source,
            expires_at: wire::end(seen.expires_at),
            propagation: wire::told(seen.propagation),
            pin: seen.pin,
            created_at: wire::moment(seen.created_at),
            score: seen.score,
        }
    }
}
