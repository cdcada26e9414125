//! MCP over streamable HTTP: `/mcp` of `heirloom serve`, behind the gate that every route has.
//!
//! Each request stands alone: its token says who calls, and there is no session that another token could take over.
//! `?workspace=ID` offers the platform's tools too, `?tools=pgmnemo` those of pgmnemo.

use std::sync::Arc;

use axum::Router;
use axum::http::request::Parts;
use rmcp::model::{ErrorData, Extensions, Tool};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;

use super::server::{Server, Wire};
use super::tools::{self, Answer, Offer};
use crate::caller::Caller;
use crate::http::App;

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
    Router::new().route_service("/mcp", service)
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
