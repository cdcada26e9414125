//! The doors of `heirloom serve` as the recall proof asks at them: the same router, on this machine's loopback, for one
//! tenant at a time, with a secret that ends with the proof. Real requests of real clients; only the address is private.
//!
//! Deliberately absent: anything that writes, and tokens in the store, which a proof may not leave behind.

use std::collections::HashMap;

use async_trait::async_trait;
use heirloom_migrate::MigrateError;
use heirloom_migrate::verify::{Door, Question, Seen};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

use crate::caller::{Caller, Guest};
use crate::config::{CallerConfig, ServeConfig};
use crate::context::{Cancel, Context};
use crate::error::{Error, Result};
use crate::http;
use crate::mcp::reference;

/// Most memories of one answer of `/v1/search`.
const MOST_OF_SEARCH: i64 = 100;

/// A server a tenant, opened when first asked for, closed when this goes.
pub struct Served<'a> {
    context: &'a Context,
    client: reqwest::Client,
    stop: Cancel,
    open: tokio::sync::Mutex<HashMap<Vec<String>, Here>>,
}

/// Where a tenant's server is.
#[derive(Clone)]
struct Here {
    address: String,
    secret: String,
}

impl<'a> Served<'a> {
    /// Doors to the store of this context; none is open yet.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(context: &'a Context) -> Result<Self> {
        let client = heirloom_migrate::http::builder().and_then(|builder| builder.build().ok());
        let client = client.ok_or_else(|| Error::Bug("no HTTP client can be made".to_owned()))?;
        Ok(Self { context, client, stop: Cancel::default(), open: tokio::sync::Mutex::default() })
    }

    /// The server of somebody who has these namespaces and no other, and may not write.
    async fn of(&self, rights: &[String]) -> Result<Here> {
        let mut open = self.open.lock().await;
        if let Some(here) = open.get(rights) {
            return Ok(here.clone());
        }
        let config = CallerConfig { namespaces: rights.to_vec(), ..CallerConfig::NOBODY };
        let tenant = Caller::Guest(Box::new(Guest { config, held: true, writes: false }));
        let listener = http::bind("127.0.0.1:0", "the recall proof").await?;
        let address = listener.local_addr().map_err(|error| Error::Bug(error.to_string()))?;
        let here = Here { address: format!("http://{address}"), secret: http::auth::secret() };
        let auth = http::auth::Auth::new(Some(&here.secret), http::auth::Open::No);
        let inner = self.context.call(tenant).stopped_by(self.stop.clone());
        let app = http::App::new(inner, &ServeConfig { rate: 0, ..ServeConfig::default() }, auth);
        let routes = http::router(&app);
        tokio::spawn(async move {
            if let Err(error) = http::serve(&app, routes, listener, None).await {
                tracing::warn!(%error, "a door of the recall proof closed");
            }
        });
        open.insert(rights.to_vec(), here.clone());
        Ok(here)
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What a door answered.
enum Answer {
    Hits(Vec<Seen>),
    /// It told why there is none.
    Refused(String),
}

impl Answer {
    /// The hits; a refusal is a fault where nothing gave a reason for one.
    fn granted(self, door: &str) -> heirloom_migrate::Result<Vec<Seen>> {
        match self {
            Self::Hits(hits) => Ok(hits),
            Self::Refused(why) => Err(MigrateError::Refused {
                what: format!("The recall proof was refused over {door}: {why}"),
                cure: "what SQL shows must be shown there too; run `heirloom doctor`, then `heirloom report` again"
                    .into(),
            }),
        }
    }

    /// The hits; a refusal is none.
    fn or_nothing(self) -> Vec<Seen> {
        match self {
            Self::Hits(hits) => hits,
            Self::Refused(_) => Vec::new(),
        }
    }
}

/// The memory plugin's search.
pub struct Http<'a>(pub(crate) &'a Served<'a>);

impl Http<'_> {
    async fn search(&self, rights: &[String], namespaces: &[String], question: Question<'_>) -> Result<Answer> {
        let here = self.0.of(rights).await?;
        let body = json!({ "namespaces": namespaces, "query": question.words, "limit": question.limit }).to_string();
        let request = self.0.client.post(format!("{}/v1/search", here.address)).bearer_auth(&here.secret);
        let answer = request.header("content-type", "application/json").body(body).send().await.map_err(away)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(away)?;
        if !status.is_success() {
            return Ok(Answer::Refused(format!("HTTP status {}", status.as_u16())));
        }
        let found: Value = serde_json::from_slice(&body).map_err(|error| Error::Bug(error.to_string()))?;
        seen(&found["memories"])
    }
}

#[async_trait]
impl Door for Http<'_> {
    fn name(&self) -> &'static str {
        "http"
    }

    fn most(&self) -> i64 {
        MOST_OF_SEARCH
    }

    async fn ask(&self, rights: &[String], question: Question<'_>) -> heirloom_migrate::Result<Vec<Seen>> {
        self.search(rights, rights, question).await.map_err(told)?.granted("HTTP")
    }

    async fn trespass(
        &self,
        rights: &[String],
        home: &str,
        question: Question<'_>,
    ) -> heirloom_migrate::Result<Vec<Seen>> {
        Ok(self.search(rights, &[home.to_owned()], question).await.map_err(told)?.or_nothing())
    }
}

/// The tool `recall`, over streamable HTTP.
pub struct Mcp<'a>(pub(crate) &'a Served<'a>);

impl Mcp<'_> {
    async fn recall(&self, rights: &[String], namespaces: &[String], question: Question<'_>) -> Result<Answer> {
        let here = self.0.of(rights).await?;
        let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", here.address));
        let transport =
            StreamableHttpClientTransport::with_client(self.0.client.clone(), config.auth_header(here.secret));
        let client = ().serve(transport).await.map_err(|error| Error::Bug(error.to_string()))?;
        let mut request = CallToolRequestParams::new("recall");
        let arguments = json!({
            "query": question.words, "namespaces": namespaces, "limit": question.limit, "alone": true,
            "include_unverified": question.include_unverified
        });
        request.arguments = arguments.as_object().cloned();
        let answer = client.call_tool(request).await.map_err(|error| Error::Bug(error.to_string()))?;
        // Its end is no part of the answer.
        let _ = client.cancel().await;
        let text = answer.content.first().and_then(|content| content.as_text()).map(|text| text.text.as_str());
        if answer.is_error == Some(true) {
            // The sentence is about the question, and may name what was asked.
            return Ok(Answer::Refused("the tool refused".to_owned()));
        }
        let found = reference::unwrapped(text.unwrap_or_default());
        seen(&found.ok_or_else(|| Error::Bug("the tool recall answers with no data".to_owned()))?["hits"])
    }
}

#[async_trait]
impl Door for Mcp<'_> {
    fn name(&self) -> &'static str {
        "mcp"
    }

    fn most(&self) -> i64 {
        heirloom_store::MAX_HITS
    }

    async fn ask(&self, rights: &[String], question: Question<'_>) -> heirloom_migrate::Result<Vec<Seen>> {
        self.recall(rights, rights, question).await.map_err(told)?.granted("MCP")
    }

    async fn trespass(
        &self,
        rights: &[String],
        home: &str,
        question: Question<'_>,
    ) -> heirloom_migrate::Result<Vec<Seen>> {
        Ok(self.recall(rights, &[home.to_owned()], question).await.map_err(told)?.or_nothing())
    }
}

/// The memories of an answer.
fn seen(hits: &Value) -> Result<Answer> {
    let hits = hits.as_array().ok_or_else(|| Error::Bug("an answer without memories".to_owned()))?;
    let text = |hit: &Value, name: &str| hit[name].as_str().map(str::to_owned);
    let one = |hit: &Value| {
        let id = text(hit, "id")?.parse().ok()?;
        Some(Seen { id, namespace: text(hit, "namespace")?, content: text(hit, "content")? })
    };
    let seen: Option<Vec<Seen>> = hits.iter().map(one).collect();
    Ok(Answer::Hits(seen.ok_or_else(|| Error::Bug("an answer with a memory without an id".to_owned()))?))
}

fn away(_: reqwest::Error) -> Error {
    Error::Temporary("The door of the recall proof does not answer".to_owned())
}

/// What the proof can tell of a fault here.
fn told(error: Error) -> MigrateError {
    MigrateError::Refused {
        what: format!("The recall proof could not ask: {error}"),
        cure: "run `heirloom report` again".into(),
    }
}
