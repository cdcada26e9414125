//! The doors of `heirloom serve` as the recall proof asks at them: the same router, on this machine's loopback, for one
//! tenant at a time, with a secret that ends with the proof. Real requests of real clients; only the address is private.
//!
//! A refusal is an answer where it says that a namespace is not theirs, and a fault for any other reason. Deliberately
//! absent: anything that writes, and tokens in the store, which a proof may not leave behind.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use heirloom_migrate::MigrateError;
use heirloom_migrate::target::plugin::{Answer, Client, Patience};
use heirloom_migrate::verify::{Door, Question, Seen};
use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use crate::caller::{Caller, Guest};
use crate::config::{CallerConfig, ServeConfig};
use crate::context::{Cancel, Context};
use crate::error::{Error, Result};
use crate::mcp::{reference, refusal};
use crate::{explain, http};

/// Most memories of one answer of `/v1/search`.
const MOST_OF_SEARCH: i64 = 100;

/// A server a tenant, opened when first asked for, closed when this goes.
pub struct Served<'a> {
    context: &'a Context,
    stop: Cancel,
    open: Mutex<HashMap<Vec<String>, Arc<Here>>>,
}

/// A tenant's server, and its clients.
struct Here {
    address: String,
    secret: String,
    plugin: Client,
    mcp: OnceCell<RunningService<RoleClient, ()>>,
}

impl<'a> Served<'a> {
    /// Doors to the store of this context; none is open yet.
    pub fn new(context: &'a Context) -> Self {
        Self { context, stop: Cancel::default(), open: Mutex::default() }
    }

    /// The server of somebody who has these namespaces and no other, and may not write.
    async fn of(&self, rights: &[String]) -> Result<Arc<Here>> {
        let mut open = self.open.lock().await;
        if let Some(here) = open.get(rights) {
            return Ok(here.clone());
        }
        let config = CallerConfig { namespaces: rights.to_vec(), ..CallerConfig::NOBODY };
        let tenant = Caller::Guest(Box::new(Guest { config, held: true, writes: false, workspace: None }));
        let listener = http::bind("127.0.0.1:0", "the recall proof").await?;
        let address = listener.local_addr().map_err(|error| Error::Bug(error.to_string()))?;
        let (address, secret) = (format!("http://{address}"), http::auth::secret());
        let auth = http::auth::Auth::new(Some(&secret), http::auth::Open::No);
        let inner = self.context.uncounted(tenant, self.stop.clone());
        let app = http::App::new(inner, &ServeConfig { rate: 0, ..ServeConfig::default() }, auth);
        let routes = http::router(&app);
        tokio::spawn(async move {
            if let Err(error) = http::serve(&app, routes, listener, None).await {
                tracing::warn!(%error, "a door of the recall proof closed");
            }
        });
        let plugin = Client::new(&address, Some(secret.clone()), 1, Patience::default())?;
        let here = Arc::new(Here { address, secret, plugin, mcp: OnceCell::new() });
        open.insert(rights.to_vec(), here.clone());
        Ok(here)
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Here {
    async fn mcp(&self) -> Result<&RunningService<RoleClient, ()>> {
        self.mcp
            .get_or_try_init(async || {
                let client = heirloom_migrate::http::builder().and_then(|builder| builder.build().ok());
                let client = client.ok_or_else(|| Error::Bug("no HTTP client can be made".to_owned()))?;
                let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", self.address));
                let transport =
                    StreamableHttpClientTransport::with_client(client, config.auth_header(self.secret.clone()));
                ().serve(transport).await.map_err(|error| Error::Bug(error.to_string()))
            })
            .await
    }
}

/// The memory plugin's search.
pub struct Http<'a>(pub &'a Served<'a>);

#[async_trait]
impl Door for Http<'_> {
    fn name(&self) -> &'static str {
        "http"
    }

    fn most(&self) -> i64 {
        MOST_OF_SEARCH
    }

    async fn ask(
        &self,
        rights: &[String],
        namespaces: &[String],
        question: Question<'_>,
    ) -> heirloom_migrate::Result<Option<Vec<Seen>>> {
        let here = self.0.of(rights).await.map_err(told)?;
        let mut limit = question.limit;
        loop {
            let asked = json!({ "namespaces": namespaces, "query": question.words, "limit": limit });
            let read = |body: &[u8]| seen(&serde_json::from_slice::<Value>(body).ok()?["memories"]);
            match here.plugin.search(&asked, read).await? {
                Answer::Yes(hits) => return Ok(Some(hits)),
                Answer::No(refusal) if refusal.status == 403 => return Ok(None),
                Answer::No(refusal) => return Err(refused(self.name(), &refusal.to_string())),
                // Its memories are long ones.
                Answer::TooLarge if limit > 1 => limit = (limit / 10).max(1),
                Answer::TooLarge => return Err(refused(self.name(), "one memory is longer than an answer")),
            }
        }
    }
}

/// The tool `recall`, over streamable HTTP.
pub struct Mcp<'a>(pub &'a Served<'a>);

#[async_trait]
impl Door for Mcp<'_> {
    fn name(&self) -> &'static str {
        "mcp"
    }

    fn most(&self) -> i64 {
        heirloom_store::MAX_HITS
    }

    async fn ask(
        &self,
        rights: &[String],
        namespaces: &[String],
        question: Question<'_>,
    ) -> heirloom_migrate::Result<Option<Vec<Seen>>> {
        let here = self.0.of(rights).await.map_err(told)?;
        let mut request = CallToolRequestParams::new("recall");
        let arguments = json!({
            "query": question.words, "namespaces": namespaces, "limit": question.limit, "alone": true,
            "include_unverified": question.include_unverified
        });
        request.arguments = arguments.as_object().cloned();
        let client = here.mcp().await.map_err(told)?;
        let answer = client.call_tool(request).await.map_err(|error| refused(self.name(), &error.to_string()))?;
        let text = answer.content.first().and_then(|content| content.as_text()).map_or("", |text| text.text.as_str());
        if answer.is_error == Some(true) {
            // Its sentence may name what was asked.
            return match refusal::code(text) {
                Some(code) if code == explain::FORBIDDEN.code => Ok(None),
                code => Err(refused(self.name(), code.unwrap_or("no code"))),
            };
        }
        let hits = reference::unwrapped(text).and_then(|found| seen(&found["hits"]));
        hits.map(Some).ok_or_else(|| refused(self.name(), "an answer without memories"))
    }
}

/// The memories of an answer; `None` when it is none.
fn seen(hits: &Value) -> Option<Vec<Seen>> {
    let text = |hit: &Value, name: &str| hit[name].as_str().map(str::to_owned);
    let one = |hit: &Value| {
        let id = text(hit, "id")?.parse().ok()?;
        Some(Seen { id, namespace: text(hit, "namespace")?, content: text(hit, "content")? })
    };
    hits.as_array()?.iter().map(one).collect()
}

fn refused(door: &str, why: &str) -> MigrateError {
    MigrateError::Refused {
        what: format!("The recall proof was refused over {door}: {why}"),
        cure: "what SQL shows must be shown there too; run `heirloom doctor`, then `heirloom report` again".into(),
    }
}

/// What the proof can tell of a fault here.
fn told(error: Error) -> MigrateError {
    match error {
        Error::Migrate(error) => error,
        other => MigrateError::Refused {
            what: format!("The recall proof could not ask: {other}"),
            cure: "run `heirloom report` again".into(),
        },
    }
}
