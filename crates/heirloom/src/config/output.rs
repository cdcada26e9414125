//! `[output]`: the log on stderr.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    const ALL: [(Self, &'static str); 2] = [(Self::Text, "text"), (Self::Json, "json")];

    pub(super) fn read(text: &str, origin: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|(_, name)| *name == text);
        known.map(|(format, _)| format).ok_or_else(|| Error::Config {
            origin: origin.to_owned(),
            what: format!("`{text}` is no form of a log"),
            accepted: format!("one of {} is accepted", Self::ALL.map(|(_, name)| name).join(", ")),
        })
    }
}

/// `[output]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Filter of the log on stderr.
    pub log: String,
    /// The form of its lines.
    pub log_format: LogFormat,
}

impl Default for OutputConfig {
    fn default() -> Self {
        Self { log: "warn".to_owned(), log_format: LogFormat::Text }
    }
}
