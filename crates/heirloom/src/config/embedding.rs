//! `[embedding]`: who turns texts into vectors.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Env, Lookup, number};
use crate::error::{Error, Result};

/// Who turns texts into vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingProvider {
    /// Nobody: recall goes by words.
    #[default]
    None,
    /// An endpoint that speaks as OpenAI's `POST /embeddings` does.
    OpenaiCompatible,
    /// A static model in a folder.
    Model2vec,
}

impl EmbeddingProvider {
    /// Every provider, as the settings name it.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::None, "none"), (Self::OpenaiCompatible, "openai-compatible"), (Self::Model2vec, "model2vec")];
}

/// `[embedding]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddingConfig {
    /// Who turns texts into vectors.
    pub provider: EmbeddingProvider,
    /// Where the endpoint is, without `/embeddings`.
    pub url: String,
    /// The model.
    pub model: String,
    /// The environment variable that holds the endpoint's key.
    pub api_key_env: String,
    /// How many numbers a vector has; 0 for as many as the model makes.
    pub dimensions: usize,
    /// How many texts a request carries.
    pub batch: usize,
    /// How long a request may take, in seconds.
    pub timeout: usize,
    /// How often a request that failed is tried again.
    pub retries: usize,
    /// The folder of a static model.
    pub path: PathBuf,
}

impl Default for EmbeddingConfig {
    fn default() -> Self {
        Self {
            provider: EmbeddingProvider::None,
            url: String::new(),
            model: String::new(),
            api_key_env: String::new(),
            dimensions: 0,
            batch: 32,
            timeout: 30,
            retries: 3,
            path: PathBuf::new(),
        }
    }
}

/// A value that no output shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl EmbeddingConfig {
    /// Each setting: its name, its value, and whether it is not the default.
    pub fn settings(&self) -> [(&'static str, Value, bool); 9] {
        let default = Self::default();
        [
            ("embedding.provider", json!(self.provider), self.provider != default.provider),
            ("embedding.url", json!(self.url), self.url != default.url),
            ("embedding.model", json!(self.model), self.model != default.model),
            ("embedding.api_key_env", json!(self.api_key_env), self.api_key_env != default.api_key_env),
            ("embedding.dimensions", json!(self.dimensions), self.dimensions != default.dimensions),
            ("embedding.batch", json!(self.batch), self.batch != default.batch),
            ("embedding.timeout", json!(self.timeout), self.timeout != default.timeout),
            ("embedding.retries", json!(self.retries), self.retries != default.retries),
            ("embedding.path", json!(self.path), self.path != default.path),
        ]
    }

    /// Takes what the environment says.
    pub(super) fn apply_env(&mut self, lookup: Lookup<'_>, origins: &mut BTreeMap<&'static str, String>) -> Result<()> {
        let mut get = |variable: &str, setting: &'static str| {
            let value = lookup(variable).filter(|value| !value.is_empty());
            if value.is_some() {
                origins.insert(setting, variable.to_owned());
            }
            value
        };
        if let Some(text) = get(Env::HEIRLOOM_EMBEDDING_PROVIDER, "embedding.provider") {
            let known = EmbeddingProvider::ALL.into_iter().find(|(_, name)| *name == text);
            self.provider = known.map(|(one, _)| one).ok_or_else(|| Error::Config {
                origin: Env::HEIRLOOM_EMBEDDING_PROVIDER.to_owned(),
                what: format!("`{}` was found", crate::text::line(&text, 64)),
                accepted: format!("one of {} is accepted", EmbeddingProvider::ALL.map(|(_, name)| name).join(", ")),
            })?;
        }
        for (variable, setting, place) in [
            (Env::HEIRLOOM_EMBEDDING_URL, "embedding.url", &mut self.url),
            (Env::HEIRLOOM_EMBEDDING_MODEL, "embedding.model", &mut self.model),
            (Env::HEIRLOOM_EMBEDDING_API_KEY_ENV, "embedding.api_key_env", &mut self.api_key_env),
        ] {
            if let Some(text) = get(variable, setting) {
                *place = text;
            }
        }
        for (variable, setting, place) in [
            (Env::HEIRLOOM_EMBEDDING_DIMENSIONS, "embedding.dimensions", &mut self.dimensions),
            (Env::HEIRLOOM_EMBEDDING_BATCH, "embedding.batch", &mut self.batch),
            (Env::HEIRLOOM_EMBEDDING_TIMEOUT, "embedding.timeout", &mut self.timeout),
            (Env::HEIRLOOM_EMBEDDING_RETRIES, "embedding.retries", &mut self.retries),
        ] {
            if let Some(text) = get(variable, setting) {
                *place = number(variable, &text)?;
            }
        }
        if let Some(text) = get(Env::HEIRLOOM_EMBEDDING_PATH, "embedding.path") {
            self.path = text.into();
        }
        Ok(())
    }

    /// Refuses what cannot work, whatever the provider answers. `origin` says where a setting comes from.
    pub(super) fn check(&self, origin: impl Fn(&str) -> String) -> Result<()> {
        let refuse = |setting: &str, what: &str, accepted: &str| {
            Err(Error::Config {
                origin: format!("{} ({setting})", origin(setting)),
                what: what.to_owned(),
                accepted: accepted.to_owned(),
            })
        };
        for (setting, value, range) in [
            ("embedding.dimensions", self.dimensions, 0..=16_000),
            ("embedding.batch", self.batch, 1..=2_048),
            ("embedding.timeout", self.timeout, 1..=3_600),
            ("embedding.retries", self.retries, 0..=100),
        ] {
            if !range.contains(&value) {
                let accepted = format!("a number from {} to {} is accepted", range.start(), range.end());
                return refuse(setting, &format!("{value} was found"), &accepted);
            }
        }
        let name = self.api_key_env.as_bytes();
        if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            // It may be the key itself, so it is not shown.
            return refuse(
                "embedding.api_key_env",
                "this is not the name of an environment variable",
                "the name of a variable is accepted, such as OPENAI_API_KEY; the key itself goes into that variable",
            );
        }
        match self.provider {
            EmbeddingProvider::None => Ok(()),
            EmbeddingProvider::OpenaiCompatible => {
                let rest = self.url.strip_prefix("http://").or_else(|| self.url.strip_prefix("https://"));
                let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
                let accepted = "an address without user and password is accepted, such as http://localhost:11434/v1";
                match host {
                    None | Some("") if self.url.is_empty() => {
                        refuse("embedding.url", "it is not set, and the provider is openai-compatible", accepted)
                    }
                    None | Some("") => refuse("embedding.url", "this is no http:// or https:// address", accepted),
                    Some(host) if host.contains('@') || self.url.contains(['?', '#']) => refuse(
                        "embedding.url",
                        "it holds a user, a password or a query",
                        "an address without them is accepted; a key goes into the variable that embedding.api_key_env names",
                    ),
                    Some(_) if self.model.trim().is_empty() => refuse(
                        "embedding.model",
                        "it is not set, and the provider is openai-compatible",
                        "the name the endpoint knows the model by is accepted, such as nomic-embed-text",
                    ),
                    Some(_) => Ok(()),
                }
            }
            EmbeddingProvider::Model2vec if self.path.as_os_str().is_empty() => refuse(
                "embedding.path",
                "it is not set, and the provider is model2vec",
                "a folder with tokenizer.json, model.safetensors and config.json is accepted",
            ),
            EmbeddingProvider::Model2vec => Ok(()),
        }
    }
}
