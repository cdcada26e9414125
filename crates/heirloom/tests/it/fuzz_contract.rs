//! What each route of each door takes and answers: `/api/v1` as it describes itself, the tools of MCP as they are listed,
//! and the platform's two doors, which have no description of their own, from `fuzz_doors.json`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::served::Served;

/// One method of one path, or one tool.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: String,
    /// With its parameters in braces.
    pub(crate) path: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Value>,
    /// The tool that a request to `/mcp` calls.
    pub(crate) tool: Option<String>,
    pub(crate) statuses: BTreeSet<u16>,
    /// An answer that does not end, or is as long as the store.
    pub(crate) streamed: bool,
}

/// A parameter outside the body.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `path`, `query` or `header`.
    pub(crate) place: String,
    pub(crate) required: bool,
    pub(crate) schema: Value,
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        self.tool.iter().try_for_each(|tool| write!(f, " {tool}"))
    }
}

/// All routes, and the definitions that their schemas refer to.
pub(crate) async fn routes(served: &Served) -> (Vec<Route>, Value) {
    let api = served.get("/api/v1/openapi.json", &served.admin).await.is(200);
    let others: Value = serde_json::from_str(include_str!("fuzz_doors.json")).unwrap();
    let mut all: Vec<Route> = [&api, &others].into_iter().flat_map(described).collect();
    for offer in ["", "?workspace=fuzz", "?tools=pgmnemo"] {
        let path = format!("/mcp{offer}");
        let agent = Agent::http(&format!("{}{path}", served.url), &served.admin).await;
        for tool in agent.tools().await {
            if all.iter().any(|route| route.tool.as_deref() == Some(&tool.name)) {
                continue;
            }
            all.push(Route {
                method: "POST".to_owned(),
                path: path.clone(),
                parameters: Vec::new(),
                body: Some(Value::Object((*tool.input_schema).clone())),
                tool: Some(tool.name.into_owned()),
                // What is wrong with its arguments stands in the answer; these are of the frame and the caller.
                statuses: [200, 202, 400, 401, 403, 406, 413, 415].into(),
                streamed: false,
            });
        }
    }
    (all, api["components"]["schemas"].clone())
}

fn described(document: &Value) -> Vec<Route> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, said) in methods.as_object().unwrap() {
            let parameters = said["parameters"].as_array().into_iter().flatten().map(|said| Parameter {
                name: said["name"].as_str().unwrap().to_owned(),
                place: said["in"].as_str().unwrap().to_owned(),
                required: said["required"] == json!(true),
                schema: said["schema"].clone(),
            });
            let answers = said["responses"].as_object().unwrap();
            all.push(Route {
                method: method.to_uppercase(),
                path: path.clone(),
                parameters: parameters.collect(),
                body: said.pointer("/requestBody/content/application~1json/schema").cloned(),
                tool: None,
                statuses: answers.keys().map(|status| status.parse().unwrap()).collect(),
                streamed: answers.get("200").is_some_and(|answer| {
                    answer["description"] == "streamed" || !answer["content"]["text/event-stream"].is_null()
                }),
            });
        }
    }
    all
}
