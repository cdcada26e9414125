//! `[upkeep]`: as whom `heirloom serve` keeps a server's store up.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use heirloom_engine::redact_url;

/// `[upkeep]`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct UpkeepConfig {
    /// URL of the same database as the store's owner; empty: as everything else is asked.
    pub url: String,
}

// A URL may hold a password.
impl std::fmt::Debug for UpkeepConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpkeepConfig").field("url", &redact_url(&self.url)).finish()
    }
}

impl UpkeepConfig {
    /// Each setting: its name, its value, and whether it is not the default.
    pub fn settings(&self) -> [(&'static str, Value, bool); 1] {
        [("upkeep.url", json!(redact_url(&self.url)), !self.url.is_empty())]
    }
}
