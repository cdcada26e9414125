//! MCP over streamable HTTP: `/mcp` of `heirloom serve`, behind the gate that every route has.
//!
//! Each request stands alone: its token says who calls, and there is no session that another token could take over.
//! `?workspace=ID` offers the platform's tools too, `?tools=pgmnemo` those of pgmnemo.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rmcp::model::{ErrorData, Extensions, Tool};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};

use super::server::{Server, Wire};
use super::tools::{self, Answer, Offer};
use crate::caller::Caller;
use crate::http::fault::{Fault, Shape};
use crate::http::{App, body};

/// The route.
pub fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        // The gate looks at the host, and where there are tokens a page of somebody else's has none.
        .disable_allowed_hosts()
        .with_max_request_body_bytes(app.body_limit);
    let shared = app.clone();
    let service = StreamableHttpService::new(
        move || Ok(Server(Requests(shared.clone()))),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let routes = Router::new().route_service("/mcp", service);
    routes.layer(axum::middleware::from_fn_with_state(app.clone(), in_form))
}

/// Lets a request in whose body is JSON, and gives refusals of the frame the form of the door: the protocol's where the
/// body is no message of it, a problem document elsewhere.
async fn in_form(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_json = |kind: &HeaderValue| kind.as_bytes().starts_with(b"application/json");
    let speaks = request.method() == Method::POST && request.headers().get(header::CONTENT_TYPE).is_some_and(is_json);
    let request = if speaks {
        let (parts, body) = request.into_parts();
        let body = match body::read(&app, Request::from_parts(parts.clone(), body)).await {
            Ok(body) => body,
            Err(fault) => return fault.answer(Shape::Problem),
        };
        if let Err(error) = serde_json::from_slice::<Value>(&body) {
            return no_message(-32700, &format!("parse error: {}", body::not_json(&error)));
        }
        Request::from_parts(parts, Body::from(body))
    } else {
        request
    };
    let answer = next.run(request).await;
    let status = answer.status();
    if !status.is_client_error() || answer.headers().get(header::CONTENT_TYPE).is_some_and(is_json) {
        return answer;
    }
    let (code, words) = match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE if speaks => {
            return no_message(-32600, "invalid request: this JSON is no message of JSON-RPC 2.0");
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported-media-type", "application/json is accepted"),
        StatusCode::METHOD_NOT_ALLOWED => ("method-not-allowed", "method not allowed"),
        StatusCode::NOT_ACCEPTABLE => {
            ("not-acceptable", "the header Accept must name both application/json and text/event-stream")
        }
        _ => ("invalid-request", "the headers of this request are not those of the protocol"),
    };
    let allow = answer.headers().get(header::ALLOW).cloned();
    let mut answer = Fault::new(status, code, words).answer(Shape::Problem);
    answer.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
    answer
}

/// 400 with an error of JSON-RPC that answers no message.
fn no_message(code: i32, message: &str) -> Response {
    let error = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } });
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::BAD_REQUEST, headers, format!("{error}\n")).into_response()
}

struct Requests(Arc<App>);

impl Wire for Requests {
    fn tools(&self, request: &Extensions) -> Result<Vec<Tool>, ErrorData> {
        let (caller, offer) = asked(request)?;
        Ok(tools::list(&caller, &offer))
    }

    async fn call(&self, name: String, arguments: Value, request: &Extensions) -> Result<Answer, ErrorData> {
        let (caller, offer) = asked(request)?;
        let context = self.0.context.call(caller);
        let answer = tools::call(&context, &offer, &name, arguments).await;
        answer.ok_or_else(|| ErrorData::invalid_params(tools::unknown(&name, context.caller(), &offer), None))
    }
}

/// Who calls, as the gate found out, and what the address asks for.
fn asked(request: &Extensions) -> Result<(Caller, Offer), ErrorData> {
    let parts = request.get::<Parts>();
    let caller = parts.and_then(|parts| parts.extensions.get::<Caller>()).cloned();
    let caller = caller.ok_or_else(|| ErrorData::internal_error("the request has no caller", None))?;
    let mut offer = Offer::default();
    let query = parts.and_then(|parts| parts.uri.query()).unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.as_ref()) {
            ("workspace", id) if !id.is_empty() => offer.workspace = Some(id.to_owned()),
            ("tools", "pgmnemo") => offer.pgmnemo = true,
            ("workspace" | "tools", _) => {
                let told = format!("{name}: this value is not accepted; workspace=ID and tools=pgmnemo are");
                return Err(ErrorData::invalid_request(told, None));
            }
            _ => {}
        }
    }
    Ok((caller, offer))
}
