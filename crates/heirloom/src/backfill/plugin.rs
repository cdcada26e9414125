//! The plugin at `MEMORY_PLUGIN_URL`, asked whether it is there and whether it shows what was handed down.

use heirloom_migrate::MigrateError;
use heirloom_migrate::plan::Plan;
use heirloom_migrate::target::plugin::{Answer, Client, Patience};
use serde_json::{Value, json};

use crate::config::{Env, PluginConfig};
use crate::error::{Error, Result};

/// The plugin.
pub(super) struct Plugin(Client);

impl Plugin {
    /// The plugin of the platform's variables; a slash at the end of its address is no part of it.
    pub(super) fn of(config: &PluginConfig) -> Result<Self> {
        let usual = Patience { attempts: 1, ..Patience::default() };
        let patience = Patience { timeout: config.patience()?.unwrap_or(usual.timeout), ..usual };
        Client::new(&config.url, None, 1, patience).map(Self).map_err(|_| Error::Config {
            origin: Env::MEMORY_PLUGIN_URL.to_owned(),
            what: "it is no address of a plugin".to_owned(),
            accepted: "http://127.0.0.1:9100 is accepted".to_owned(),
        })
    }

    /// Whether it answers as version 1 of the contract.
    pub(super) async fn health(&self) -> Result<()> {
        self.0.health().await.map_err(named)?;
        Ok(())
    }

    /// Asks for up to `most` namespaces of the plan and says which of them come back empty.
    pub(super) async fn shows(&self, plan: &Plan, most: usize) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        // Rows that have expired are shown to nobody; that is no fault of the plugin's.
        let visible = plan.counts.accepted > plan.counts.expired + plan.counts.forgotten;
        for home in plan.namespaces.iter().filter(|home| visible && home.rows > 0).take(most) {
            let question = json!({ "namespaces": [home.namespace], "limit": 1 });
            let read = |body: &[u8]| {
                let found: Value = serde_json::from_slice(body).ok()?;
                Some(found.get("memories")?.as_array().map_or(0, Vec::len))
            };
            let (rows, answers) = match self.0.search(&question, read).await.map_err(named)? {
                Answer::Yes(rows) => (rows, "HTTP 200".to_owned()),
                // One memory, and a long one.
                Answer::TooLarge => (1, String::new()),
                Answer::No(refusal) => (0, refusal.to_string()),
            };
            if rows == 0 {
                problems.push(format!(
                    "ns={} legacy={} plugin=0: the plugin at {} answers {answers} and keeps its memories elsewhere, or \
                     they were forgotten there; {} says where it keeps them",
                    home.namespace,
                    home.rows,
                    self.0.display(),
                    Env::MEMORY_PLUGIN_DATABASE_URL
                ));
            }
        }
        Ok(problems)
    }
}

/// With the variable that names it.
fn named(error: MigrateError) -> Error {
    match error {
        MigrateError::Away { target, what, .. } => {
            Error::Temporary(format!("{target} {what} ({})", Env::MEMORY_PLUGIN_URL))
        }
        other => Error::Migrate(other),
    }
}
