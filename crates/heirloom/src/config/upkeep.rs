//! `[upkeep]`: as whom `heirloom serve` keeps a server's store up, and how long it keeps what has expired.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use heirloom_engine::redact_url;

use super::notify::period;
use crate::error::{Error, Result};

/// Ten years.
const LONGEST: u64 = 3_650 * 86_400;

/// `[upkeep]`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpkeepConfig {
    /// URL of the same database as the store's owner; empty: as everything else is asked.
    pub url: String,
    /// For how long a memory that has expired is kept before it is forgotten for good, as `90d`; empty: for ever. Longer than a
    /// soak and its grace by default, so that what was handed down is there as long as it is compared.
    pub keep_expired: String,
}

impl Default for UpkeepConfig {
    fn default() -> Self {
        Self { url: String::new(), keep_expired: "90d".to_owned() }
    }
}

// A URL may hold a password.
impl std::fmt::Debug for UpkeepConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpkeepConfig")
            .field("url", &redact_url(&self.url))
            .field("keep_expired", &self.keep_expired)
            .finish()
    }
}

impl UpkeepConfig {
    /// Each setting: its name, its value, and whether it is not the default.
    pub fn settings(&self) -> [(&'static str, Value, bool); 2] {
        let default = Self::default();
        [
            ("upkeep.url", json!(redact_url(&self.url)), !self.url.is_empty()),
            ("upkeep.keep_expired", json!(self.keep_expired), self.keep_expired != default.keep_expired),
        ]
    }

    /// For how long what has expired is kept; `None` for ever.
    pub fn keep_expired(&self) -> Option<Duration> {
        period(&self.keep_expired, LONGEST)
    }

    pub(super) fn check(&self, origin: impl Fn(&str) -> String) -> Result<()> {
        if self.keep_expired.is_empty() || self.keep_expired().is_some() {
            return Ok(());
        }
        Err(Error::Config {
            origin: format!("{} (upkeep.keep_expired)", origin("upkeep.keep_expired")),
            what: format!("`{}` was found", crate::text::line(&self.keep_expired, 32)),
            accepted: "a number with s, m, h or d, such as 30d, of a second to 3650 days, is accepted; empty for ever"
                .to_owned(),
        })
    }
}
