//! The platform's eight memory tools: names, descriptions, argument schemas.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// One tool.
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// What an agent is told of it.
    pub description: &'static str,
    /// Whether it leaves everything as it was.
    pub reads: bool,
    /// Whether it takes something away.
    pub destroys: bool,
    arguments: fn() -> Value,
}

/// The tools in the platform's order.
pub static SPECS: [Spec; 8] = [
    Spec {
        name: "commit_memory",
        description: "Save information to persistent memory. LOCAL is private to this workspace, TEAM is shared with \
            its parent and siblings. GLOBAL is not permitted here.",
        reads: false,
        destroys: false,
        arguments: || {
            json!({ "type": "object", "required": ["content"], "properties": {
                "content": { "type": "string", "description": "What to remember" },
                "scope": { "type": "string", "enum": ["LOCAL", "TEAM"], "description": "Who shares it (default LOCAL)" },
            }})
        },
    },
    Spec {
        name: "recall_memory",
        description: "Search persistent memory. Without a scope everything this workspace may read is searched.",
        reads: true,
        destroys: false,
        arguments: || {
            json!({ "type": "object", "properties": {
                "query": { "type": "string", "description": "What to look for; the newest when empty" },
                "scope": { "type": "string", "enum": ["LOCAL", "TEAM", ""], "description": "LOCAL, TEAM, or all when empty" },
            }})
        },
    },
    Spec {
        name: "commit_memory_v2",
        description: "Save a memory into a namespace that this workspace may write (see list_writable_namespaces).",
        reads: false,
        destroys: false,
        arguments: || {
            json!({ "type": "object", "required": ["content"], "properties": {
                "content": { "type": "string", "description": "What to remember" },
                "namespace": { "type": "string", "description": "Where to (default: this workspace's own)" },
                "kind": { "type": "string", "enum": ["fact", "summary", "checkpoint"], "description": "default fact" },
                "expires_at": { "type": "string", "description": "RFC 3339; gone from then on" },
                "pin": { "type": "boolean", "description": "Listed before others" },
            }})
        },
    },
    Spec {
        name: "search_memory",
        description: "Search the namespaces that this workspace may read (see list_readable_namespaces).",
        reads: true,
        destroys: false,
        arguments: || {
            json!({ "type": "object", "properties": {
                "query": { "type": "string", "description": "What to look for; the newest when empty" },
                "namespaces": { "type": "array", "items": { "type": "string" }, "description": "Only these (default: all readable)" },
                "kinds": { "type": "array", "items": { "type": "string", "enum": ["fact", "summary", "checkpoint"] } },
                "limit": { "type": "integer", "description": "1 to 100 (default 20)" },
            }})
        },
    },
    Spec {
        name: "commit_summary",
        description: "Save a summary of a session. It is kept for 30 days unless expires_at says otherwise.",
        reads: false,
        destroys: false,
        arguments: || {
            json!({ "type": "object", "required": ["content"], "properties": {
                "content": { "type": "string", "description": "The summary" },
                "namespace": { "type": "string", "description": "Where to (default: this workspace's own)" },
                "expires_at": { "type": "string", "description": "RFC 3339; gone from then on" },
            }})
        },
    },
    Spec {
        name: "list_writable_namespaces",
        description: "List the namespaces that this workspace may write.",
        reads: true,
        destroys: false,
        arguments: || json!({ "type": "object", "properties": {} }),
    },
    Spec {
        name: "list_readable_namespaces",
        description: "List the namespaces that this workspace may read.",
        reads: true,
        destroys: false,
        arguments: || json!({ "type": "object", "properties": {} }),
    },
    Spec {
        name: "forget_memory",
        description: "Delete a memory from a namespace that this workspace may write.",
        reads: false,
        destroys: true,
        arguments: || {
            json!({ "type": "object", "required": ["memory_id"], "properties": {
                "memory_id": { "type": "string", "description": "Its id" },
                "namespace": { "type": "string", "description": "Where it is (default: this workspace's own)" },
            }})
        },
    },
];

impl Spec {
    /// As the protocol lists it.
    pub fn tool(&self) -> Tool {
        let schema: JsonObject = match (self.arguments)() {
            Value::Object(schema) => schema,
            _ => JsonObject::new(),
        };
        let annotations = ToolAnnotations::new().read_only(self.reads).open_world(false);
        let annotations = if self.reads { annotations } else { annotations.destructive(self.destroys) };
        Tool::new(self.name, self.description, Arc::new(schema)).with_annotations(annotations)
    }
}
