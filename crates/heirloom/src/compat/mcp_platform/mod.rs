//! The platform's eight memory tools: its names, its arguments, its payload texts, on our operations.
//!
//! Where the platform's behaviour is better left behind, ours differs, and a test says so: limits are clamped, errors
//! say what is wrong, a malformed time is refused everywhere, shared text is escaped on every way in, and a namespace
//! comes into being with its first memory.

pub mod access;
pub mod bridge;
mod read;
pub mod schema;
mod write;

use heirloom_store::Moment;
use rmcp::model::Tool;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::caller::Caller;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::mcp::tools::Answer;

/// The tools a caller has the right to.
pub fn tools(caller: &Caller) -> Vec<Tool> {
    offered(caller).map(schema::Spec::tool).collect()
}

/// Whether a caller has a tool of this name.
pub fn offers(caller: &Caller, name: &str) -> bool {
    offered(caller).any(|spec| spec.name == name)
}

fn offered(caller: &Caller) -> impl Iterator<Item = &'static schema::Spec> {
    let writes = caller.has(heirloom_store::Right::Write);
    schema::SPECS.iter().filter(move |spec| spec.reads || writes)
}

/// Whether a tool is one of the eight.
pub fn has(name: &str) -> bool {
    schema::SPECS.iter().any(|spec| spec.name == name)
}

/// Calls one for a workspace.
///
/// # Errors
/// The operation's; a refusal in the platform's own words is an answer.
pub async fn call(context: &Context, workspace: &str, name: &str, arguments: Value) -> Result<Answer> {
    match name {
        "commit_memory" => write::commit_memory(context, workspace, asked(arguments)?).await,
        "commit_memory_v2" => write::commit_memory_v2(context, workspace, asked(arguments)?).await,
        "commit_summary" => write::commit_summary(context, workspace, asked(arguments)?).await,
        "forget_memory" => write::forget_memory(context, workspace, asked(arguments)?).await,
        "recall_memory" => read::recall_memory(context, workspace, asked(arguments)?).await,
        "search_memory" => read::search_memory(context, workspace, asked(arguments)?).await,
        "list_writable_namespaces" => read::list_namespaces(context, workspace, true).await,
        "list_readable_namespaces" => read::list_namespaces(context, workspace, false).await,
        _ => Err(Error::Bug("a tool of the platform has no code".to_owned())),
    }
}

/// Arguments, without those that are null: to the platform they are absent.
fn asked<T: DeserializeOwned>(mut arguments: Value) -> Result<T> {
    if let Some(fields) = arguments.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    crate::ops::from_json(arguments)
}

/// The text `field` as a time.
fn time(field: &str, text: &str) -> Result<Moment> {
    text.trim().parse().map_err(|_| Error::Field {
        field: field.to_owned(),
        what: "it is no time".to_owned(),
        accepted: "RFC 3339 is accepted, such as 2030-01-31T12:00:00Z".to_owned(),
    })
}
