//! `[report]`.

use serde::{Deserialize, Serialize};

use super::secrets;
use crate::error::{Error, Result};

/// `[report]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ReportConfig {
    /// The key that signs evidence, by reference; empty for none.
    pub key: String,
}

impl ReportConfig {
    /// What the reference stands for; `None` when evidence is not to be signed.
    ///
    /// # Errors
    /// [`Error::Config`] when it is no reference, or stands for nothing. A key itself is never a setting, and never shown.
    pub fn key(&self) -> Result<Option<String>> {
        if self.key.is_empty() {
            return Ok(None);
        }
        let wrong = |what: &str, accepted: &str| Error::Config {
            origin: "report.key".to_owned(),
            what: what.to_owned(),
            accepted: accepted.to_owned(),
        };
        if !self.key.starts_with("env:") && !self.key.starts_with("file:") {
            return Err(wrong("it is no reference", "file:PATH or env:NAME is accepted, never the key itself"));
        }
        secrets::resolve(&self.key, &super::process_env)
            .map(Some)
            .ok_or_else(|| wrong(&format!("{} stands for nothing", self.key), "set the variable or write the file"))
    }
}
