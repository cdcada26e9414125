//! `heirloom config`: the settings in force and where each comes from.

use clap::Args;
use heirloom_engine::redact_url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::DEFAULT_FILE;
use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};
use crate::text::Table;

/// Arguments of `heirloom config`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowConfig {
    /// Print the settings file with every default, commented out, to start one from
    #[arg(long)]
    #[serde(default)]
    pub default: bool,
}

impl Operation for ShowConfig {
    const NAME: &'static str = "config";
    const SUMMARY: &'static str = "Show the settings in force and where each comes from";
    const DETAIL: &'static str = "Defaults are overruled by the settings file, that by the environment, that by flags.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        if self.default {
            return Output::new(&json!({ "file": DEFAULT_FILE }), DEFAULT_FILE);
        }
        let config = context.config();
        let mut settings = vec![
            ("database.url", json!(redact_url(&config.database.url))),
            ("database.data", json!(config.database.data)),
            ("database.pool", json!(config.database.pool)),
            ("database.index_memory", json!(config.database.index_memory)),
            ("store.dimension", json!(config.store.dimension)),
            ("store.language", json!(config.store.language)),
            ("caller.namespaces", json!(config.caller.namespaces.join(", "))),
            ("caller.actor", json!(config.caller.actor)),
        ];
        settings.extend(config.embedding.settings().map(|(name, value, _)| (name, value)));
        settings.extend(config.serve.settings().map(|(name, value, _)| (name, value)));
        settings.extend(config.upkeep.settings().map(|(name, value, _)| (name, value)));
        settings.extend(config.soak.settings().map(|(name, value, _)| (name, value)));
        settings.extend(config.notify.settings().map(|(name, value, _)| (name, value)));
        settings.push(("output.log", json!(config.output.log)));
        settings.push(("output.log_format", json!(config.output.log_format)));
        let mut table = Table::new(&["setting", "value", "from"]);
        let mut list = Vec::new();
        for (name, value) in settings {
            let shown = value.as_str().map_or_else(
                || value.to_string(),
                |text| {
                    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
                },
            );
            table.row([name.to_owned(), shown, config.origin(name).to_owned()]);
            list.push(json!({ "name": name, "value": value, "from": config.origin(name) }));
        }
        let place = context.location().map(|location| location.display()).ok();
        let text = format!(
            "{}\nThe store is {}\n",
            table.render(),
            place.as_deref().unwrap_or("nowhere yet: give --data DIR")
        );
        Output::new(&json!({ "settings": list, "store": place }), text)
    }
}
