//! The platform's own bridge: JSON-RPC by POST on `/workspaces/:id/mcp`, as its agents speak it (protocol 2024-11-05), and
//! the event stream beside it that says where to post.
//!
//! The answer is HTTP 200 whatever a tool says; only a body that is no JSON is 400. Unlike the platform's, a tool's refusal
//! is a result with `isError` and the reason, which the agent reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body as ResponseBody;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::context::Context;
use crate::http::App;
use crate::http::auth;
use crate::http::body::{At, Body, Call};
use crate::http::fault::{Fault, Shape};
use crate::http::limit::Who;
use crate::mcp::tools::Answer;

/// How often a stream says that it lives.
const PING: Duration = Duration::from_secs(30);

/// Requests a minute of a token that sets none of its own.
const RATE: u64 = 120;

/// The routes; to be put behind the gate in the shape of the workspace routes.
pub fn routes() -> Router<Arc<App>> {
    let not_allowed = || async { Fault::method().answer(Shape::Workspace) };
    Router::new()
        .route("/workspaces/{id}/mcp", post(rpc).fallback(not_allowed))
        .route("/workspaces/{id}/mcp/stream", get(events).fallback(not_allowed))
}

async fn rpc(
    State(app): State<Arc<App>>,
    At(workspace): At<String>,
    Call(context): Call,
    headers: HeaderMap,
    Body(body): Body,
) -> Response {
    if let Err(refused) = may_enter(&app, &context, &workspace, &headers) {
        return refused;
    }
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, failed(&Value::Null, -32700, "parse error")).into_response();
    };
    let id = request["id"].clone();
    let answer = match request["method"].as_str() {
        Some("initialize") => done(
            &id,
            json!({
                "protocolVersion": "2024-11-05",
                "capabilities": { "tools": { "listChanged": false } },
                "serverInfo": { "name": "molecule-a2a", "version": "1.0.0" },
            }),
        ),
        Some("notifications/initialized") => done(&id, json!({})),
        Some("tools/list") => done(&id, json!({ "tools": listed(context.caller()) })),
        Some("tools/call") => called(&context, &workspace, &id, &request["params"]).await,
        _ => failed(&id, -32601, "method not found"),
    };
    answer.into_response()
}

/// Whether the caller may act for the workspace, and how often.
#[expect(clippy::result_large_err, reason = "the answer itself, made once a refusal")]
fn may_enter(app: &App, context: &Context, workspace: &str, headers: &HeaderMap) -> Result<(), Response> {
    if !context.caller().allows(&format!("workspace:{workspace}")) {
        return Err(Fault::unauthorised("invalid workspace auth token").answer(Shape::Workspace));
    }
    let Caller::Token(token) = context.caller() else { return Ok(()) };
    let Some(mut sum) = auth::fingerprint(headers).filter(|_| token.rate_per_minute.is_none()) else { return Ok(()) };
    // Counted beside what the gate counts, not with it.
    sum[0] = sum[0].wrapping_add(2);
    app.limits.count(Who::Token(sum), RATE, Instant::now()).map(drop).map_err(|refused| {
        let (fault, standing) = *refused;
        let told = Fault { message: "MCP rate limit exceeded".to_owned(), ..fault };
        let mut response = told.answer(Shape::Workspace);
        standing.write(response.headers_mut());
        response
    })
}

fn listed(caller: &Caller) -> Vec<Value> {
    super::tools(caller).iter().map(|tool| serde_json::to_value(tool).unwrap_or_default()).collect()
}

async fn called(context: &Context, workspace: &str, id: &Value, params: &Value) -> Json {
    let arguments = match &params["arguments"] {
        Value::Null => json!({}),
        arguments @ Value::Object(_) => arguments.clone(),
        _ => return failed(id, -32602, "invalid parameters"),
    };
    let Some(name) = params["name"].as_str() else { return failed(id, -32602, "invalid parameters") };
    if !super::offers(context.caller(), name) {
        return failed(id, -32602, "invalid parameters: there is no such tool for this caller; tools/list shows them");
    }
    let answer: Answer = super::call(context, workspace, name, arguments).await.into();
    let mut result = json!({ "content": [{ "type": "text", "text": answer.text }] });
    if answer.is_error {
        result["isError"] = json!(true);
    }
    done(id, result)
}

type Json = ([(header::HeaderName, &'static str); 1], String);

fn done(id: &Value, result: Value) -> Json {
    sent(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn failed(id: &Value, code: i32, message: &str) -> Json {
    sent(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }))
}

fn sent(answer: &Value) -> Json {
    ([(header::CONTENT_TYPE, "application/json")], format!("{answer}\n"))
}

async fn events(
    State(app): State<Arc<App>>,
    At(workspace): At<String>,
    Call(context): Call,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = may_enter(&app, &context, &workspace, &headers) {
        return refused;
    }
    // A path that could not be a workspace's would end the line of the event.
    if !is_id(&workspace) {
        return Fault::no_route().answer(Shape::Workspace);
    }
    let cancel = app.context.cancel().clone();
    let first = format!("event: endpoint\ndata: /workspaces/{workspace}/mcp\n\n");
    let events = stream::unfold((Some(first), cancel), |(first, cancel)| async move {
        let event = match first {
            Some(first) => first,
            None => {
                tokio::select! {
                    () = tokio::time::sleep(PING) => ": ping\n\n".to_owned(),
                    () = cancel.cancelled() => return None,
                }
            }
        };
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(event)), (None, cancel)))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, ResponseBody::from_stream(events)).into_response()
}

fn is_id(workspace: &str) -> bool {
    heirloom_store::namespace::validate(&format!("workspace:{workspace}")).is_ok()
}
