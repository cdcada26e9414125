//! pgmnemo's tools, by its functions of the SQL door. A project is the namespace `project:<n>`.
//!
//! Unlike pgmnemo's own server, recall answers by words where nobody makes embeddings, and an error says what is wrong.
//! The integer handles of lessons count those of all projects together, so the holder of a token is told enciphered ones,
//! good for every tool here.

pub mod schema;

use heirloom_store::{SqlDoor, StoreError};
use rmcp::model::Tool;
use serde_json::{Map, Value, json};

use self::schema::{Does, Spec};
use crate::caller::Caller;
use crate::cipher::Cipher;
use crate::context::Context;
use crate::embed::Vectored;
use crate::error::{Error, Result};
use crate::mcp::reference;
use crate::mcp::tools::Answer;
use crate::ops::Op;

/// The tools a caller has the right to.
pub fn tools(caller: &Caller) -> Vec<Tool> {
    offered(caller).map(Spec::tool).collect()
}

/// Whether a caller has a tool of this name.
pub fn offers(caller: &Caller, name: &str) -> bool {
    offered(caller).any(|spec| spec.name == name)
}

fn offered(caller: &Caller) -> impl Iterator<Item = &'static Spec> {
    let writes = caller.has(heirloom_store::Right::Write);
    schema::SPECS.iter().filter(move |spec| spec.reads() || writes)
}

/// Calls one.
///
/// # Errors
/// The function's refusal, or the operation's.
pub async fn call(context: &Context, name: &str, arguments: Value) -> Result<Answer> {
    let spec = schema::SPECS.iter().find(|spec| spec.name == name);
    let spec = spec.ok_or_else(|| Error::Bug("a tool of pgmnemo has no code".to_owned()))?;
    let mut asked = checked(spec, arguments)?;
    let project = asked.remove("project_id_filter").or_else(|| asked.remove("project_id")).unwrap_or(json!(1));
    let project = project.as_i64().and_then(|number| i32::try_from(number).ok());
    let project = project.filter(|number| *number >= 0).ok_or_else(|| odd("project_id", "a whole number"))?;
    let namespace = format!("project:{project}");
    let scope = context.caller().scope([&namespace])?;
    asked.insert("project_id".to_owned(), json!(project));
    let store = context.store().await?;
    // Whoever counts only their own lessons is told numbers that count nothing.
    let handles = matches!(context.caller(), Caller::Token(_)).then(|| Cipher::of_handles(store.meta().store_id));
    let given = asked.get("lesson_id").and_then(Value::as_i64);
    if let (Some(handles), Some(given)) = (&handles, given) {
        let lesson = u64::try_from(given).ok().and_then(|sealed| handles.open(sealed)).unwrap_or(-1);
        // Where there is none, it is the number that was given that is not known.
        store.lesson(&scope, lesson).await.map_err(|error| not_found(error, given))?;
        asked.insert("lesson_id".to_owned(), json!(lesson));
    }
    let mut answer = match spec.does {
        Does::Patch => {
            let lesson = asked["lesson_id"].as_i64().unwrap_or_default();
            let (id, namespace) = store.lesson(&scope, lesson).await?;
            let op = Op::find("revise").ok_or_else(|| Error::Bug("there is no revise".to_owned()))?;
            let change = json!({ "id": id, "namespace": namespace, "content": asked["lesson_text"] });
            let done = (op.run)(context, change).await?.json;
            json!({ "lesson_id": lesson, "version": done["version"], "changed": done["changed"] })
        }
        Does::Function(function) => {
            let mut question = None;
            match function {
                SqlDoor::Recall => {
                    let limit = asked.get("top_k").and_then(Value::as_i64).unwrap_or(5).clamp(1, 100);
                    asked.insert("top_k".to_owned(), json!(limit));
                    let query = asked["query"].as_str().map(str::to_owned);
                    question = Vectored::of(context, store.meta().dimension, None, None, query).await.embedding;
                }
                SqlDoor::Ingest => {
                    asked.entry("importance").or_insert(json!(3));
                }
                _ => {}
            }
            store.sql_door(&scope, function, &Value::Object(asked), question.as_deref()).await?
        }
    };
    if let Some(handles) = &handles {
        seal(handles, &mut answer);
    }
    Ok(Answer::done(match spec.does {
        Does::Function(SqlDoor::Recall) => reference::wrapped(answer),
        _ => format!("{answer:#}"),
    }))
}

/// Seals the handles of an answer: one row, or several.
fn seal(handles: &Cipher, answer: &mut Value) {
    match answer {
        Value::Array(rows) => rows.iter_mut().for_each(|row| seal(handles, row)),
        Value::Object(row) => {
            for name in ["lesson_id", "id"] {
                if let Some(value) = row.get_mut(name)
                    && let Some(handle) = value.as_u64()
                {
                    *value = json!(handles.seal(handle));
                }
            }
        }
        _ => {}
    }
}

/// That there is no lesson of the number that was given.
fn not_found(error: StoreError, given: i64) -> StoreError {
    match error {
        StoreError::NotFound { what, namespace, .. } => StoreError::NotFound { what, id: given.to_string(), namespace },
        other => other,
    }
}

/// The arguments by the tool's own schema: what is null is absent, what is required is there, each has its type.
fn checked(spec: &Spec, arguments: Value) -> Result<Map<String, Value>> {
    let Value::Object(mut asked) = arguments else { return Err(odd("arguments", "an object")) };
    asked.retain(|_, value| !value.is_null());
    let schema = spec.schema();
    let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, value) in &asked {
        let Some(field) = fields.get(name) else {
            let there: Vec<&str> = fields.keys().map(String::as_str).collect();
            let (field, what) = (crate::text::line(name, 64), "there is no such argument".to_owned());
            return Err(Error::Field { field, what, accepted: format!("accepted: {}", there.join(", ")) });
        };
        let kind = field.get("type").and_then(Value::as_str).unwrap_or_default();
        let fits = match kind {
            "string" => value.as_str().is_some_and(|text| !text.contains('\0')),
            "integer" => value.as_i64().is_some(),
            "number" => value.as_f64().is_some(),
            "boolean" => value.is_boolean(),
            "array" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            _ => value.is_object(),
        };
        if !fits {
            let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
            return Err(odd(name, &format!("{article} {kind}")));
        }
        if name == "occurred_at" && value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_err()) {
            return Err(odd(name, "a time of RFC 3339, such as 2030-01-31T12:00:00Z"));
        }
    }
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !asked.contains_key(name) {
            let (field, what) = (name.to_owned(), "it is missing".to_owned());
            return Err(Error::Field { field, what, accepted: "give one".to_owned() });
        }
    }
    Ok(asked)
}

fn odd(field: &str, accepted: &str) -> Error {
    Error::Field {
        field: field.to_owned(),
        what: "this value is not accepted".to_owned(),
        accepted: format!("{accepted} is accepted"),
    }
}
