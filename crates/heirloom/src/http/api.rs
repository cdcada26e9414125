//! `/api/v1`: each operation of [`ops::ALL`] that is marked for HTTP, at the path of its name.
//!
//! POST takes the operation's JSON. An operation that only reads also answers GET, its fields as query parameters, a
//! repeated one for a list. `show` gives an ETag; `revise` and `keep` honour If-Match. A write may carry an Idempotency-Key.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use serde_json::{Map, Value, json};

use super::App;
use super::body::{Body, Call};
use super::fault::{Fault, Shape};
use crate::caller::Caller;
use crate::error::Error;
use crate::ops::{self, Op, Output};

/// The field that says which version a caller saw.
const EXPECTED: &str = "expected_version";

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    let mut router = Router::new();
    for op in ops::ALL.iter().filter(|op| op.doors.http) {
        router = router.route(&path(op), operation(op));
    }
    router.route("/api/v1/{*rest}", any(|| async { Fault::no_route().answer(Shape::Problem) }))
}

/// The path of an operation.
pub fn path(op: &Op) -> String {
    format!("/api/v1/{}", op.name.replace(' ', "/"))
}

fn operation(op: &'static Op) -> MethodRouter<Arc<App>> {
    let post = move |State(app): State<Arc<App>>, Call(context): Call, headers: HeaderMap, Body(body): Body| async move {
        let done = async {
            let mut arguments = json_body(&body)?;
            expected_version(op, &headers, &mut arguments)?;
            super::write::run(&app, op, &context, &headers, arguments).await
        };
        done.await.unwrap_or_else(|fault: Fault| fault.answer(Shape::Problem))
    };
    let not_allowed = || async { Fault::method().answer(Shape::Problem) };
    let router = MethodRouter::new().post(post).fallback(not_allowed);
    if !op.read_only {
        return router;
    }
    router.get(move |Call(context): Call, RawQuery(query): RawQuery| async move {
        let done = async {
            let arguments = query_arguments(op, query.as_deref().unwrap_or_default())?;
            let done = (op.run)(&context, arguments).await;
            Ok(answer(op, context.caller(), done.map_err(|error| fault(op, &HeaderMap::new(), error))?))
        };
        done.await.unwrap_or_else(|fault: Fault| fault.answer(Shape::Problem))
    })
}

/// A body as a JSON object; an empty one says nothing.
pub(super) fn json_body(body: &[u8]) -> Result<Value, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    let body: Value =
        serde_json::from_slice(body).map_err(|error| Fault::bad("body", super::body::not_json(&error)))?;
    if body.is_object() { Ok(body) } else { Err(Fault::bad("body", "a JSON object is accepted")) }
}

/// Whether an operation changes the version of a memory that its caller saw, and takes `If-Match` for it.
pub(super) fn is_versioned(op: &Op) -> bool {
    has_field(op, EXPECTED)
}

fn has_field(op: &Op, name: &str) -> bool {
    (op.schema)().to_value().pointer("/properties").is_some_and(|fields| fields.get(name).is_some())
}

/// What If-Match says stands for the version that the caller saw.
fn expected_version(op: &Op, headers: &HeaderMap, arguments: &mut Value) -> Result<(), Fault> {
    let Some(given) = headers.get(header::IF_MATCH).filter(|_| is_versioned(op)) else { return Ok(()) };
    let Some(arguments) = arguments.as_object_mut() else { return Ok(()) };
    let text = given.to_str().unwrap_or_default().trim().trim_start_matches("W/").trim_matches('"');
    if text == "*" {
        return Ok(());
    }
    let version: i32 = text.parse().map_err(|_| Fault {
        status: StatusCode::PRECONDITION_FAILED,
        ..Fault::bad("If-Match", "this is no ETag that show gave")
    })?;
    arguments.entry(EXPECTED).or_insert(json!(version));
    Ok(())
}

/// The response for what an operation gave back.
pub(super) fn answer(op: &Op, caller: &Caller, mut output: Output) -> Response {
    caller.strip(&mut output.json);
    let created = output.json.get("created").and_then(Value::as_bool) == Some(true);
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if op.read_only && !output.holds() {
        headers.insert("heirloom-holds", HeaderValue::from_static("false"));
    }
    let version = output.json.pointer("/memory/version").or_else(|| output.json.get("version"));
    if let Some(version) = version.and_then(Value::as_i64)
        && let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\""))
    {
        headers.insert(header::ETAG, tag);
    }
    (status, headers, format!("{}\n", output.json)).into_response()
}

/// The fault of an operation; with If-Match a conflict is that what the caller saw is no longer so.
pub(super) fn fault(op: &Op, headers: &HeaderMap, error: Error) -> Fault {
    match error {
        Error::Store(heirloom_store::StoreError::Conflict(what))
            if headers.contains_key(header::IF_MATCH) && is_versioned(op) =>
        {
            Error::Stale(what).into()
        }
        // Said of the request as it came.
        told @ Error::Field { .. } => told.into(),
        other => in_its_words(op, other.into()),
    }
}

/// A fault whose field is one of the request: the store and the command line call some otherwise.
fn in_its_words(op: &Op, fault: Fault) -> Fault {
    let Some(field) = &fault.field else { return fault };
    let end = field.find(['[', '.']).unwrap_or(field.len());
    let head = field[..end].replace('-', "_");
    let known = match head.as_str() {
        "rate_per_minute" => "rate".to_owned(),
        "rights" => "right".to_owned(),
        _ => format!("{head}s"),
    };
    if head == "body" || has_field(op, &head) {
        return fault;
    }
    let named = has_field(op, &known).then(|| format!("{known}{}", &field[end..]));
    let message = match (&named, fault.message.strip_prefix(field.as_str())) {
        (Some(named), Some(rest)) if rest.starts_with(':') => format!("{named}{rest}"),
        _ => fault.message,
    };
    Fault { field: named, message, ..fault }
}

/// Query parameters as an operation's JSON, by the types of its schema.
fn query_arguments(op: &Op, query: &str) -> Result<Value, Fault> {
    let schema = (op.schema)().to_value();
    let mut arguments = Map::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let Some(property) = schema.pointer("/properties").and_then(|all| all.get(name.as_ref())) else {
            return Err(Fault::bad(&crate::text::line(&name, 64), "there is no such parameter"));
        };
        if kind(property) == "array" {
            let items = property.get("items").map_or("string", kind);
            let list = arguments.entry(name.as_ref()).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(typed(&name, &text, items)?);
            }
        } else if arguments.insert(name.as_ref().to_owned(), typed(&name, &text, kind(property))?).is_some() {
            return Err(Fault::bad(&name, "it stands there twice"));
        }
    }
    Ok(Value::Object(arguments))
}

/// The first type of a property that is not null.
fn kind(property: &Value) -> &str {
    match property.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("json")
        }
        _ if property.get("enum").is_some() || property.get("$ref").is_some() => "string",
        _ => match property.get("anyOf").and_then(Value::as_array) {
            Some(any) => any.iter().map(kind).find(|kind| *kind != "null").unwrap_or("json"),
            None => "json",
        },
    }
}

fn typed(name: &str, text: &str, kind: &str) -> Result<Value, Fault> {
    let wrong = |accepted: &str| Fault::bad(name, format!("{accepted} is accepted"));
    match kind {
        "string" => Ok(json!(text)),
        "integer" => text.parse::<i64>().map(|number| json!(number)).map_err(|_| wrong("a whole number")),
        "number" => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(json!(number)),
            _ => Err(wrong("a number")),
        },
        "boolean" => match text {
            "true" => Ok(json!(true)),
            "false" => Ok(json!(false)),
            _ => Err(wrong("true or false")),
        },
        _ => serde_json::from_str(text).map_err(|_| wrong("JSON")),
    }
}
