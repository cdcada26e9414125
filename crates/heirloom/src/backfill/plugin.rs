//! The plugin at `MEMORY_PLUGIN_URL`, asked whether it is there and whether it shows what was handed down.

use std::time::Duration;

use heirloom_migrate::plan::Plan;
use serde_json::{Value, json};

use crate::config::Env;
use crate::error::{Error, Result};

/// How long it may take to answer; the platform's own client gives it two seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// The plugin.
pub(super) struct Plugin {
    client: reqwest::Client,
    base: String,
}

impl Plugin {
    /// The plugin at an address; a slash at its end is no part of it.
    pub(super) fn new(url: &str) -> Result<Self> {
        let base = url.trim().trim_end_matches('/').to_owned();
        if !base.starts_with("http://") && !base.starts_with("https://") {
            return Err(Error::Config {
                origin: Env::MEMORY_PLUGIN_URL.to_owned(),
                what: "it is no address of a plugin".to_owned(),
                accepted: "http://127.0.0.1:9100 is accepted".to_owned(),
            });
        }
        let client = crate::client::builder().and_then(|builder| builder.timeout(PATIENCE).build().ok());
        Ok(Self { client: client.ok_or_else(|| Error::Bug("no HTTP client can be made".to_owned()))?, base })
    }

    /// Whether it answers as version 1 of the contract.
    pub(super) async fn health(&self) -> Result<()> {
        let answer = self.client.get(format!("{}/v1/health", self.base)).send().await;
        let answer = answer.map_err(|_| self.away("does not answer"))?;
        if !answer.status().is_success() {
            return Err(self.away(&format!("is not well (HTTP status {})", answer.status().as_u16())));
        }
        let body = answer.bytes().await.map_err(|_| self.away("went away"))?;
        let health: Value = serde_json::from_slice(&body).map_err(|_| self.away("answers as something else"))?;
        match health["version"].as_str() {
            Some(version) if version.starts_with("1.") => Ok(()),
            _ => Err(self.away("answers as another version of the contract")),
        }
    }

    /// Asks for up to `most` namespaces of the plan and says which of them come back empty.
    pub(super) async fn shows(&self, plan: &Plan, most: usize) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        // Rows that have expired are shown to nobody; that is no fault of the plugin's.
        let visible = plan.counts.accepted > plan.counts.expired + plan.counts.forgotten;
        for home in plan.namespaces.iter().filter(|home| visible && home.rows > 0).take(most) {
            let body = json!({ "namespaces": [home.namespace], "limit": 1 }).to_string();
            let request =
                self.client.post(format!("{}/v1/search", self.base)).header("content-type", "application/json");
            let answer = request.body(body).send().await.map_err(|_| self.away("went away"))?;
            let status = answer.status().as_u16();
            let body = answer.bytes().await.map_err(|_| self.away("went away"))?;
            let found: Option<Value> = serde_json::from_slice(&body).ok();
            let rows = found.as_ref().and_then(|found| found["memories"].as_array()).map_or(0, Vec::len);
            if status != 200 || rows == 0 {
                problems.push(format!(
                    "ns={} legacy={} plugin={rows}: the plugin at {} answers {status} and keeps its memories elsewhere, or \
                     they were forgotten there; {} says where it keeps them",
                    home.namespace,
                    home.rows,
                    shown(&self.base),
                    Env::MEMORY_PLUGIN_DATABASE_URL
                ));
            }
        }
        Ok(problems)
    }

    fn away(&self, what: &str) -> Error {
        Error::Temporary(format!("The plugin at {} {what} ({})", shown(&self.base), Env::MEMORY_PLUGIN_URL))
    }
}

/// The address without what may be a credential.
fn shown(url: &str) -> String {
    heirloom_engine::redact_url(url)
}
