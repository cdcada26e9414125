//! pgmnemo's tools: names, descriptions, argument schemas.

use std::sync::Arc;

use heirloom_store::SqlDoor;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// What a tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// A function of the SQL door.
    Function(SqlDoor),
    /// Another text for a lesson.
    Patch,
}

/// One tool.
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// What an agent is told of it.
    pub description: &'static str,
    /// What it does.
    pub does: Does,
    arguments: fn() -> Value,
}

/// The tools.
pub static SPECS: [Spec; 8] = [
    Spec {
        name: "pgmnemo.ingest",
        description: "Store a lesson. commit_sha or artifact_hash is its provenance: without one the gate refuses it.",
        does: Does::Function(SqlDoor::Ingest),
        arguments: || {
            json!({ "required": ["text", "role", "topic"], "properties": {
                "text": { "type": "string", "description": "The lesson, at least 20 characters" },
                "role": { "type": "string", "description": "The role that learned it" },
                "topic": { "type": "string", "description": "What it is about" },
                "importance": { "type": "integer", "minimum": 1, "maximum": 5, "default": 3 },
                "project_id": { "type": "integer", "default": 1 },
                "commit_sha": { "type": "string" },
                "artifact_hash": { "type": "string" },
                "metadata": { "type": "object" },
                "item_kind": { "type": "string", "description": "note, skill_md, template, script, reference, config or spec" },
                "source_dag_id": { "type": "string" },
            }})
        },
    },
    Spec {
        name: "pgmnemo.recall",
        description: "Find lessons about a question, best first, by words and, where a provider of embeddings is set, by meaning.",
        does: Does::Function(SqlDoor::Recall),
        arguments: || {
            json!({ "required": ["query"], "properties": {
                "query": { "type": "string" },
                "top_k": { "type": "integer", "default": 5, "description": "1 to 100" },
                "role_filter": { "type": "string" },
                "project_id_filter": { "type": "integer", "description": "default 1" },
                "exclude_dag_id": { "type": "string" },
                "deep": { "type": "boolean", "default": false, "description": "Accepted; every recall is deep" },
                "content_types": { "type": "array", "items": { "type": "string" } },
            }})
        },
    },
    Spec {
        name: "pgmnemo.patch",
        description: "Change the text of a lesson; what it said before is kept.",
        does: Does::Patch,
        arguments: || {
            json!({ "required": ["lesson_id", "lesson_text"], "properties": {
                "lesson_id": { "type": "integer" },
                "lesson_text": { "type": "string" },
                "project_id": { "type": "integer", "default": 1 },
            }})
        },
    },
    Spec {
        name: "pgmnemo.remember_fact",
        description: "Remember a property of an entity, such as person:ada / email. Another value closes the earlier one.",
        does: Does::Function(SqlDoor::RememberFact),
        arguments: || {
            json!({ "required": ["role", "entity_key", "property", "value"], "properties": {
                "role": { "type": "string" },
                "entity_key": { "type": "string", "description": "kind:name, such as person:ada" },
                "property": { "type": "string" },
                "value": { "type": "string" },
                "confidence": { "type": "number", "minimum": 0, "maximum": 1, "default": 0.7 },
                "source_type": { "type": "string" },
                "project_id": { "type": "integer", "default": 1 },
                "commit_sha": { "type": "string" },
                "artifact_hash": { "type": "string" },
            }})
        },
    },
    Spec {
        name: "pgmnemo.remember_event",
        description: "Remember something that happened to an entity.",
        does: Does::Function(SqlDoor::RememberEvent),
        arguments: || {
            json!({ "required": ["role", "entity_key", "event_label", "event_body"], "properties": {
                "role": { "type": "string" },
                "entity_key": { "type": "string", "description": "kind:name, such as person:ada" },
                "event_label": { "type": "string" },
                "event_body": { "type": "string" },
                "occurred_at": { "type": "string", "description": "RFC 3339; now when absent" },
                "confidence": { "type": "number", "minimum": 0, "maximum": 1, "default": 0.8 },
                "source_type": { "type": "string" },
                "project_id": { "type": "integer", "default": 1 },
                "commit_sha": { "type": "string" },
                "artifact_hash": { "type": "string" },
            }})
        },
    },
    Spec {
        name: "pgmnemo.remember_relation",
        description: "Remember how two entities relate, such as person:ada works_at org:acme.",
        does: Does::Function(SqlDoor::RememberRelation),
        arguments: || {
            json!({ "required": ["role", "from_key", "to_key", "relation_type"], "properties": {
                "role": { "type": "string" },
                "from_key": { "type": "string" },
                "to_key": { "type": "string" },
                "relation_type": { "type": "string" },
                "confidence": { "type": "number", "minimum": 0, "maximum": 1, "default": 0.7 },
                "source_type": { "type": "string" },
                "project_id": { "type": "integer", "default": 1 },
                "commit_sha": { "type": "string" },
                "artifact_hash": { "type": "string" },
            }})
        },
    },
    Spec {
        name: "pgmnemo.reinforce",
        description: "Say how a recalled lesson did: its confidence follows.",
        does: Does::Function(SqlDoor::Reinforce),
        arguments: || {
            json!({ "required": ["lesson_id", "outcome"], "properties": {
                "lesson_id": { "type": "integer" },
                "outcome": { "type": "string", "description": "success, failure or partial" },
                "used": { "type": "boolean" },
                "project_id": { "type": "integer", "default": 1 },
            }})
        },
    },
    Spec {
        name: "pgmnemo.get_params",
        description: "Show the version, the settings and the numbers of the memory.",
        does: Does::Function(SqlDoor::Params),
        arguments: || json!({ "properties": {} }),
    },
];

impl Spec {
    /// Whether it leaves everything as it was.
    pub fn reads(&self) -> bool {
        matches!(self.does, Does::Function(SqlDoor::Recall | SqlDoor::Params))
    }

    /// Its argument schema.
    pub fn schema(&self) -> JsonObject {
        let mut schema = match (self.arguments)() {
            Value::Object(schema) => schema,
            _ => JsonObject::new(),
        };
        schema.insert("type".to_owned(), json!("object"));
        schema
    }

    /// As the protocol lists it.
    pub fn tool(&self) -> Tool {
        let annotations = ToolAnnotations::new().read_only(self.reads()).open_world(false);
        let annotations = if self.reads() { annotations } else { annotations.destructive(false) };
        Tool::new(self.name, self.description, Arc::new(self.schema())).with_annotations(annotations)
    }
}
