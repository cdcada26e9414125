//! `[serve]`: where the HTTP door listens and what it bears.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Env, Lookup, number};
use crate::error::{Error, Result};

/// `[serve]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeConfig {
    /// Where it listens: `HOST:PORT`, or `:PORT` for every interface.
    pub listen: String,
    /// Certificate chain, PEM; empty for plain HTTP.
    pub tls_cert: PathBuf,
    /// Its key, PEM.
    pub tls_key: PathBuf,
    /// Most requests a minute of a token that sets none of its own; 0 for no limit.
    pub rate: usize,
    /// Largest body of a request, in KiB.
    pub body_limit: usize,
    /// How many seconds a request may take.
    pub timeout: usize,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7421".to_owned(),
            tls_cert: PathBuf::new(),
            tls_key: PathBuf::new(),
            rate: 6_000,
            body_limit: 1_024,
            timeout: 30,
        }
    }
}

impl ServeConfig {
    /// Each setting: its name, its value, and whether it is not the default.
    pub fn settings(&self) -> [(&'static str, Value, bool); 6] {
        let default = Self::default();
        [
            ("serve.listen", json!(self.listen), self.listen != default.listen),
            ("serve.tls_cert", json!(self.tls_cert), self.tls_cert != default.tls_cert),
            ("serve.tls_key", json!(self.tls_key), self.tls_key != default.tls_key),
            ("serve.rate", json!(self.rate), self.rate != default.rate),
            ("serve.body_limit", json!(self.body_limit), self.body_limit != default.body_limit),
            ("serve.timeout", json!(self.timeout), self.timeout != default.timeout),
        ]
    }

    /// Takes what the environment says.
    pub(super) fn apply_env(&mut self, lookup: Lookup<'_>, origins: &mut BTreeMap<&'static str, String>) -> Result<()> {
        if let Some(text) = lookup(Env::HEIRLOOM_LISTEN).filter(|text| !text.is_empty()) {
            self.listen = text;
            origins.insert("serve.listen", Env::HEIRLOOM_LISTEN.to_owned());
        }
        if let Some(text) = lookup(Env::HEIRLOOM_RATE).filter(|text| !text.is_empty()) {
            self.rate = number(Env::HEIRLOOM_RATE, &text)?;
            origins.insert("serve.rate", Env::HEIRLOOM_RATE.to_owned());
        }
        Ok(())
    }

    pub(super) fn check(&self, origin: impl Fn(&str) -> String) -> Result<()> {
        let refuse = |name: &str, what: String, accepted: &str| {
            Err(Error::Config { origin: format!("{} ({name})", origin(name)), what, accepted: accepted.to_owned() })
        };
        if self.tls_cert.as_os_str().is_empty() != self.tls_key.as_os_str().is_empty() {
            let what = "one of serve.tls_cert and serve.tls_key is set".to_owned();
            return refuse("serve.tls_cert", what, "both or neither is accepted");
        }
        if !(16..=65_536).contains(&self.body_limit) {
            let what = format!("{} was found", self.body_limit);
            return refuse("serve.body_limit", what, "16 to 65,536 KiB is accepted");
        }
        if !(1..=3_600).contains(&self.timeout) {
            let what = format!("{} was found", self.timeout);
            return refuse("serve.timeout", what, "1 to 3,600 seconds is accepted");
        }
        Ok(())
    }
}
