//! The platform's tools that write.

use heirloom_store::{Lineage, Moment};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{access, time};
use crate::compat::marks;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::mcp::tools::Answer;
use crate::ops::{Op, Output};

/// How long a summary is kept where nobody says: 30 days.
const SUMMARY: SignedDuration = SignedDuration::from_hours(30 * 24);

const GLOBAL: &str = "GLOBAL scope is not permitted via the MCP bridge; use LOCAL or TEAM";

#[derive(Deserialize)]
pub(super) struct Commit {
    content: String,
    scope: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CommitV2 {
    content: String,
    namespace: Option<String>,
    kind: Option<String>,
    expires_at: Option<String>,
    #[serde(default)]
    pin: bool,
}

#[derive(Deserialize)]
pub(super) struct Summary {
    content: String,
    namespace: Option<String>,
    expires_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Forget {
    memory_id: String,
    namespace: Option<String>,
}

pub(super) async fn commit_memory(context: &Context, workspace: &str, asked: Commit) -> Result<Answer> {
    let (scope, kind) = match asked.scope.as_deref() {
        None | Some("" | "LOCAL") => ("LOCAL", "workspace"),
        Some("TEAM") => ("TEAM", "team"),
        Some("GLOBAL") => return Ok(global()),
        Some(_) => return Err(odd("scope", "LOCAL or TEAM is accepted")),
    };
    let lineage = access::lineage(context, workspace).await?;
    let Some(home) = lineage.writable.iter().find(|kin| kin.kind == kind).map(|kin| kin.name.clone()) else {
        let message = format!("no writable namespace of kind {kind}");
        return Ok(Answer::refused("forbidden", &message, "list_writable_namespaces shows what there is"));
    };
    let memory = json!({ "content": asked.content, "kind": "fact" });
    let done = remember(context, workspace, &lineage, &home, memory).await?;
    Ok(Answer::done(json!({ "id": done.json["id"], "scope": scope }).to_string()))
}

pub(super) async fn commit_memory_v2(context: &Context, workspace: &str, asked: CommitV2) -> Result<Answer> {
    let kind = asked.kind.filter(|kind| !kind.is_empty()).unwrap_or_else(|| "fact".to_owned());
    if !["fact", "summary", "checkpoint"].contains(&kind.as_str()) {
        return Err(odd("kind", "fact, summary or checkpoint is accepted"));
    }
    let expires_at = given(asked.expires_at.as_deref()).map(|text| time("expires_at", text)).transpose()?;
    let lineage = access::lineage(context, workspace).await?;
    let home = home(workspace, asked.namespace);
    let memory = json!({ "content": asked.content, "kind": kind, "pin": asked.pin, "expires_at": expires_at });
    let done = remember(context, workspace, &lineage, &home, memory).await?;
    Ok(told(&done))
}

pub(super) async fn commit_summary(context: &Context, workspace: &str, asked: Summary) -> Result<Answer> {
    let expires_at = match given(asked.expires_at.as_deref()) {
        Some(text) => time("expires_at", text)?,
        None => Moment::from(Timestamp::now() + SUMMARY),
    };
    let lineage = access::lineage(context, workspace).await?;
    let home = home(workspace, asked.namespace);
    let memory = json!({ "content": asked.content, "kind": "summary", "expires_at": expires_at });
    let done = remember(context, workspace, &lineage, &home, memory).await?;
    Ok(told(&done))
}

pub(super) async fn forget_memory(context: &Context, workspace: &str, asked: Forget) -> Result<Answer> {
    let Ok(id) = asked.memory_id.trim().parse::<uuid::Uuid>() else {
        return Err(odd("memory_id", "the id that commit or search gave is accepted"));
    };
    let lineage = access::lineage(context, workspace).await?;
    let home = home(workspace, asked.namespace);
    require_writable(&lineage, &home)?;
    let acting = access::acting(context, workspace, [home.clone()]);
    run(&acting, "forget", json!({ "id": id, "namespace": home })).await?;
    Ok(Answer::done(json!({ "forgotten": true }).to_string()))
}

/// One memory, in a namespace that the workspace may write at this moment.
async fn remember(
    context: &Context,
    workspace: &str,
    lineage: &Lineage,
    home: &str,
    mut memory: Value,
) -> Result<Output> {
    require_writable(lineage, home)?;
    if marks::is_org(home)
        && let Some(Value::String(content)) = memory.get_mut("content")
    {
        *content = marks::escaped(content).into_owned();
    }
    memory["namespace"] = json!(home);
    memory["source"] = json!("agent");
    let acting = access::acting(context, workspace, [home.to_owned()]);
    run(&acting, "remember", memory).await
}

async fn run(context: &Context, name: &str, arguments: Value) -> Result<Output> {
    let op = Op::find(name).ok_or_else(|| Error::Bug(format!("there is no operation {name}")))?;
    (op.run)(context, arguments).await
}

fn require_writable(lineage: &Lineage, home: &str) -> Result<()> {
    if lineage.writable.iter().any(|kin| kin.name == home) {
        return Ok(());
    }
    let shown = crate::text::line(home, 80);
    let writable = access::names(&lineage.writable);
    Err(Error::Forbidden(format!("this workspace may not write to the namespace {shown}; it may write to {writable}")))
}

fn home(workspace: &str, namespace: Option<String>) -> String {
    namespace.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("workspace:{workspace}"))
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn told(done: &Output) -> Answer {
    Answer::done(json!({ "id": done.json["id"], "namespace": done.json["namespace"] }).to_string())
}

pub(super) fn odd(field: &str, accepted: &str) -> Error {
    Error::Field {
        field: field.to_owned(),
        what: "this value is not accepted".to_owned(),
        accepted: accepted.to_owned(),
    }
}

pub(super) fn global() -> Answer {
    Answer::refused("forbidden", GLOBAL, "")
}
