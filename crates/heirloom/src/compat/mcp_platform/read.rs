//! The platform's tools that read.

use heirloom_store::List;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access;
use super::write::{global, odd};
use crate::compat::marks;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::mcp::tools::Answer;
use crate::ops::Op;

/// Most memories of recall_memory.
const RECALLED: i64 = 50;

#[derive(Deserialize)]
pub(super) struct Recall {
    query: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Search {
    query: Option<String>,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default)]
    kinds: Vec<String>,
    limit: Option<i64>,
}

pub(super) async fn recall_memory(context: &Context, workspace: &str, asked: Recall) -> Result<Answer> {
    let kinds: &[&str] = match asked.scope.as_deref() {
        Some("LOCAL") => &["workspace"],
        Some("TEAM") => &["workspace", "team"],
        None | Some("") => &["workspace", "team", "org"],
        Some("GLOBAL") => return Ok(global()),
        Some(_) => return Err(odd("scope", "LOCAL, TEAM or nothing is accepted")),
    };
    let lineage = access::lineage(context, workspace).await?;
    let namespaces = lineage.readable.iter().filter(|kin| kinds.contains(&kin.kind.as_str()));
    let namespaces = namespaces.map(|kin| kin.name.clone()).collect();
    let found = search(context, workspace, namespaces, asked.query, Vec::new(), RECALLED).await?;
    if found.is_empty() {
        return Ok(Answer::done("No memories found."));
    }
    let items: Vec<Value> = found
        .iter()
        .map(|memory| {
            let scope = marks::scope_of(memory["namespace"].as_str().unwrap_or_default());
            json!({
                "id": memory["id"], "content": memory["content"], "scope": scope, "created_at": memory["created_at"],
            })
        })
        .collect();
    Ok(Answer::done(format!("{:#}", Value::Array(items))))
}

pub(super) async fn search_memory(context: &Context, workspace: &str, asked: Search) -> Result<Answer> {
    for (at, kind) in asked.kinds.iter().enumerate() {
        if !["fact", "summary", "checkpoint"].contains(&kind.as_str()) {
            return Err(odd(&format!("kinds[{at}]"), "fact, summary or checkpoint is accepted"));
        }
    }
    let limit = match asked.limit {
        None | Some(0) => 20,
        Some(limit) => limit.clamp(1, 100),
    };
    let lineage = access::lineage(context, workspace).await?;
    let namespaces = access::intersection(&lineage.readable, &asked.namespaces);
    let found = search(context, workspace, namespaces, asked.query, asked.kinds, limit).await?;
    Ok(Answer::done(json!({ "memories": found }).to_string()))
}

pub(super) async fn list_namespaces(context: &Context, workspace: &str, writable: bool) -> Result<Answer> {
    let lineage = access::lineage(context, workspace).await?;
    let listed = if writable { &lineage.writable } else { &lineage.readable };
    let items: Vec<Value> = listed
        .iter()
        .map(|kin| {
            let may_write = lineage.writable.iter().any(|other| other.name == kin.name);
            json!({
                "name": kin.name, "kind": kin.kind, "description": kin.description, "writable": may_write,
                "display_name": kin.label,
            })
        })
        .collect();
    Ok(Answer::done(format!("{:#}", Value::Array(items))))
}

/// The memories of these namespaces as the platform shows them: about a question, or the pinned and the newest.
async fn search(
    context: &Context,
    workspace: &str,
    namespaces: Vec<String>,
    query: Option<String>,
    kinds: Vec<String>,
    limit: i64,
) -> Result<Vec<Value>> {
    if namespaces.is_empty() {
        return Ok(Vec::new());
    }
    let acting = access::acting(context, workspace, namespaces.iter().cloned());
    let found = match query.filter(|query| !query.trim().is_empty()) {
        Some(query) => {
            let op = Op::find("recall").ok_or_else(|| Error::Bug("there is no recall".to_owned()))?;
            let asked = json!({
                "query": query, "namespaces": namespaces, "kinds": kinds, "limit": limit, "alone": true,
            });
            let output = (op.run)(&acting, asked).await?;
            output.json["hits"].as_array().cloned().unwrap_or_default()
        }
        None => {
            let scope = acting.caller().scope(&[])?;
            let order = Some("pinned".to_owned());
            let asked = List { kinds, recallable: true, order, limit: Some(limit), ..List::default() };
            let page = acting.store().await?.list(&scope, &asked).await?;
            let items = serde_json::to_value(page.items).map_err(|error| Error::Bug(error.to_string()))?;
            items.as_array().cloned().unwrap_or_default()
        }
    };
    Ok(found.iter().map(shown).collect())
}

/// A memory in the plugin's shape: what is empty is left out, what an organisation shares stands in its delimiter.
fn shown(memory: &Value) -> Value {
    let text = |name: &str| memory[name].as_str().unwrap_or_default();
    let (id, namespace, content) = (text("id"), text("namespace"), text("content"));
    let content = match marks::is_org(namespace) {
        true => marks::delimited(id, namespace, content),
        false => content.to_owned(),
    };
    let mut shown = Map::new();
    for name in
        ["id", "namespace", "content", "kind", "source", "expires_at", "propagation", "pin", "created_at", "score"]
    {
        let value = match name {
            "content" => json!(content),
            other => memory[other].clone(),
        };
        let empty = match &value {
            Value::Null | Value::Bool(false) => true,
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !empty {
            shown.insert(name.to_owned(), value);
        }
    }
    Value::Object(shown)
}
