//! `/api/v1/openapi.json`: the contract, made from [`ops::ALL`], and the two streams of events beside it.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::api;
use crate::ops::{self, Op};

/// The document.
pub async fn document() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| format!("{:#}\n", build()));
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

/// Builds it.
pub fn build() -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for op in ops::ALL.iter().filter(|op| op.doors.http) {
        let name = schema_name(op);
        let mut schema = (op.schema)().to_value();
        lift_definitions(&mut schema, &mut schemas);
        let mut methods = Map::new();
        methods.insert("post".to_owned(), method(op, "post", Some(&name), None));
        if op.read_only {
            let parameters = parameters(&schema);
            methods.insert("get".to_owned(), method(op, "get", None, Some(parameters)));
        }
        schemas.insert(name, schema);
        paths.insert(api::path(op), Value::Object(methods));
    }
    paths.insert("/api/v1/events".to_owned(), json!({ "get": events(false) }));
    paths.insert("/api/v1/events/ws".to_owned(), json!({ "get": events(true) }));
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Heirloom",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A memory store for AI agents on PostgreSQL",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

/// A stream of events: over a WebSocket, or by Server-Sent Events.
fn events(socket: bool) -> Value {
    let mut responses = Map::new();
    let told = |what: &str| json!({ "description": what, "content": problem_content() });
    if socket {
        responses.insert("101".to_owned(), json!({ "description": "A WebSocket; each message is an event" }));
        responses.insert("426".to_owned(), told("The connection cannot become a WebSocket"));
    } else {
        let content = json!({ "text/event-stream": { "schema": { "type": "string" } } });
        let what = "A stream without end; the data of each event is JSON, its id is good for Last-Event-ID";
        responses.insert("200".to_owned(), json!({ "description": what, "content": content }));
    }
    for (status, what) in [
        ("400", "A parameter is not acceptable; it is named"),
        ("401", "The token is missing or not known"),
        ("403", "The token is not for this namespace"),
        ("429", "Too many requests; Retry-After says when"),
        ("503", "The database is away; Retry-After says when"),
    ] {
        responses.insert(status.to_owned(), told(what));
    }
    responses.sort_keys();
    json!({
        "operationId": if socket { "get_events_ws" } else { "get_events" },
        "summary": if socket { "Hear of activity over a WebSocket" } else { "Hear of activity as it happens" },
        "parameters": [
            { "name": "namespaces", "in": "query", "required": false, "description": "Only of these",
              "schema": { "type": "array", "items": { "type": "string" } } },
            { "name": "after", "in": "query", "required": false, "description": "The id of the last event heard",
              "schema": { "type": "string" } },
            { "name": "Last-Event-ID", "in": "header", "required": false, "description": "The same; it counts before `after`",
              "schema": { "type": "string" } },
        ],
        "responses": responses,
    })
}

fn problem_content() -> Value {
    json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
}

fn schema_name(op: &Op) -> String {
    op.name.split([' ', '-']).map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Definitions inside a schema become components of the document.
fn lift_definitions(schema: &mut Value, schemas: &mut Map<String, Value>) {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        if let Some(Value::Object(definitions)) = object.remove("$defs") {
            schemas.extend(definitions);
        }
    }
    let text = schema.to_string().replace("\"#/$defs/", "\"#/components/schemas/");
    if let Ok(lifted) = serde_json::from_str(&text) {
        *schema = lifted;
    }
}

/// Fields of a schema as query parameters.
fn parameters(schema: &Value) -> Value {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let parameters = properties.into_iter().flatten().map(|(name, property)| {
        let mut property = property.clone();
        let description = property.as_object_mut().and_then(|object| object.remove("description"));
        json!({
            "name": name, "in": "query", "required": required.contains(&name.as_str()),
            "description": description.unwrap_or_default(), "schema": property,
        })
    });
    Value::Array(parameters.collect())
}

fn method(op: &Op, verb: &str, body: Option<&str>, parameters: Option<Value>) -> Value {
    let mut method = json!({
        "operationId": format!("{verb}_{}", op.name.replace([' ', '-'], "_")),
        "summary": op.summary,
        "responses": responses(op),
    });
    let Some(object) = method.as_object_mut() else { return method };
    if !op.detail.is_empty() {
        object.insert("description".to_owned(), json!(op.detail));
    }
    if let Some(name) = body {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let body = json!({ "required": false, "content": { "application/json": { "schema": schema } } });
        object.insert("requestBody".to_owned(), body);
    }
    let mut all: Vec<Value> = parameters.and_then(|all| all.as_array().cloned()).unwrap_or_default();
    if api::is_versioned(op) {
        all.push(json!({
            "name": "If-Match", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "The ETag that show gave: refused with 412 when the memory changed since.",
        }));
    }
    if !op.read_only {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            "description": "The same write under the same key happens once; kept for 24 hours.",
        }));
    }
    if !all.is_empty() {
        object.insert("parameters".to_owned(), Value::Array(all));
    }
    method
}

fn responses(op: &Op) -> Value {
    let told = |what: &str| json!({ "description": what, "content": problem_content() });
    let given = |what: &str| json!({ "description": what, "content": { "application/json": { "schema": { "type": "object" } } } });
    let mut all = Map::new();
    all.insert("200".to_owned(), given("Done"));
    for (status, what) in [
        ("400", "A field is not acceptable; it is named"),
        ("401", "The token is missing or not known"),
        ("403", "The token is not for this namespace, or lacks the right"),
        ("404", "There is no such thing in the caller's namespaces"),
        ("408", "The body did not arrive in time"),
        ("409", "It collides with what the store holds"),
        ("413", "The body is too large"),
        ("429", "Too many requests; Retry-After says when"),
        ("503", "The database is away; Retry-After says when"),
    ] {
        all.insert(status.to_owned(), told(what));
    }
    if !op.read_only {
        all.insert("201".to_owned(), given("Made"));
        all.insert("412".to_owned(), told("It changed since it was read"));
        all.insert("422".to_owned(), told("The Idempotency-Key was used for another request"));
    }
    all.sort_keys();
    Value::Object(all)
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457. `code` is one of docs/reference/errors.md.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "code": { "type": "string" }, "detail": { "type": "string" }, "field": { "type": "string" },
            "hints": { "type": "array", "items": { "type": "string" } },
        },
    })
}
