//! Settings, and the only place that reads the environment.
//!
//! Defaults < file (`--config`, else `HEIRLOOM_CONFIG`, else `heirloom/config.toml` in the platform's configuration
//! directory) < `HEIRLOOM_*` and `DATABASE_URL` < flags. Each setting remembers where it came from. Deliberately absent:
//! a default database URL, and any fallback from a configured one.

mod embedding;
mod env;
mod notify;
mod output;
mod plugin;
mod report;
mod secrets;
mod serve;
mod upkeep;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use heirloom_engine::Location;
use serde::{Deserialize, Serialize};

pub use embedding::{EmbeddingConfig, EmbeddingProvider, Secret};
pub use env::{Env, Variable};
pub use notify::{NotifyConfig, SoakConfig};
pub use output::{LogFormat, OutputConfig};
pub use plugin::PluginConfig;
pub use report::ReportConfig;
pub use serve::ServeConfig;
pub use upkeep::UpkeepConfig;

use crate::error::{Error, Result};

/// The settings file with every default, commented out.
pub const DEFAULT_FILE: &str = include_str!("../config.default.toml");

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[store]`
    pub store: StoreConfig,
    /// `[caller]`
    pub caller: CallerConfig,
    /// `[embedding]`
    pub embedding: EmbeddingConfig,
    /// `[serve]`
    pub serve: ServeConfig,
    /// `[upkeep]`
    pub upkeep: UpkeepConfig,
    /// `[report]`
    pub report: ReportConfig,
    /// `[soak]`
    pub soak: SoakConfig,
    /// `[notify]`
    pub notify: NotifyConfig,
    /// `[output]`
    pub output: OutputConfig,
    /// What the platform of the memory plugin says by its own variables.
    #[serde(skip)]
    pub plugin: PluginConfig,
    /// What the variable of `embedding.api_key_env` holds.
    #[serde(skip)]
    pub embedding_key: Option<Secret>,
    /// Where each setting that is not a default came from.
    #[serde(skip)]
    pub origins: BTreeMap<&'static str, String>,
    /// The settings file that `--config` named.
    #[serde(skip)]
    pub given_file: Option<PathBuf>,
    /// The platform's data directory, used when neither `url` nor `data` is set.
    #[serde(skip)]
    pub platform_data: PathBuf,
}

/// `[database]`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// URL of a server; empty for the embedded store.
    pub url: String,
    /// Directory of the embedded store; empty for the platform's.
    pub data: PathBuf,
    /// Most connections to a server.
    pub pool: usize,
    /// Most memory that the building of an index may take, in MiB.
    pub index_memory: usize,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            data: PathBuf::new(),
            pool: 4,
            index_memory: (heirloom_engine::INDEX_MEMORY >> 20) as usize,
        }
    }
}

// A URL may hold a password; nothing that prints a setting for debugging may show it.
impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("url", &heirloom_engine::redact_url(&self.url))
            .field("data", &self.data)
            .field("pool", &self.pool)
            .field("index_memory", &self.index_memory)
            .finish()
    }
}

/// `[store]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Width of embeddings, 1 to 16,000.
    pub dimension: usize,
    /// Language of the texts.
    pub language: String,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { dimension: 1024, language: "english".to_owned() }
    }
}

/// `[caller]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct CallerConfig {
    /// Namespaces of a call that names none.
    pub namespaces: Vec<String>,
    /// Who is recorded as the one who acted; empty for the database's user.
    pub actor: String,
}

impl CallerConfig {
    /// No namespaces, no name.
    pub const NOBODY: Self = Self { namespaces: Vec::new(), actor: String::new() };
}

/// What flags say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--data DIR`
    pub data: Option<PathBuf>,
    /// `--config FILE`
    pub config: Option<PathBuf>,
    /// How often `-v` was given.
    pub verbose: u8,
}

/// A way to look a variable up, so that tests need not change the process.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a variable of the process; empty or not Unicode counts as not set.
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The words of the command line.
pub fn process_args() -> Vec<std::ffi::OsString> {
    std::env::args_os().collect()
}

/// The directory that relative paths of the command line are meant from.
///
/// # Errors
/// When it is gone.
pub fn process_directory() -> std::io::Result<PathBuf> {
    std::env::current_dir()
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Error::Config`] with the place of what is wrong.
    pub fn load(flags: &Flags, lookup: Lookup<'_>) -> Result<Self> {
        let platform = directories::ProjectDirs::from("", "", "heirloom");
        let mut config = match config_file(flags, lookup, platform.as_ref()) {
            Some((path, true)) => Self::from_file(&path)?,
            Some((path, false)) if path.is_file() => Self::from_file(&path)?,
            _ => Self::default(),
        };
        config.platform_data = platform.map(|dirs| dirs.data_dir().to_owned()).unwrap_or_default();
        config.given_file.clone_from(&flags.config);
        config.apply_env(lookup)?;
        config.plugin = PluginConfig::of(lookup)?;
        if let Some(data) = &flags.data {
            config.database.url.clear();
            config.database.data.clone_from(data);
            config.origins.remove("database.url");
            config.origins.insert("database.data", "--data".to_owned());
        }
        match flags.verbose {
            0 => {}
            1 => config.set_log("info", "-v"),
            2 => config.set_log("debug", "-vv"),
            _ => config.set_log("trace", "-vvv"),
        }
        config.check()?;
        config.resolve_urls(lookup)?;
        let key = &config.embedding.api_key_env;
        config.embedding_key = lookup(key).filter(|value| !key.is_empty() && !value.is_empty()).map(Secret);
        Ok(config)
    }

    /// Parses a settings file.
    ///
    /// # Errors
    /// [`Error::Config`] with line and column.
    pub fn parse(text: &str, path: &str) -> Result<Self> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = &text[..at.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').map_or(0, |n| n + 1) + 1;
            Error::Config {
                origin: format!("{path}:{line}:{column}"),
                what: error.message().to_owned(),
                accepted: "`heirloom config --default` prints every setting".to_owned(),
            }
        })?;
        let default = Self::default();
        let mut from = |changed: bool, name| {
            if changed {
                config.origins.insert(name, path.to_owned());
            }
        };
        from(config.database.url != default.database.url, "database.url");
        from(config.database.data != default.database.data, "database.data");
        from(config.database.pool != default.database.pool, "database.pool");
        from(config.database.index_memory != default.database.index_memory, "database.index_memory");
        from(config.store.dimension != default.store.dimension, "store.dimension");
        from(config.store.language != default.store.language, "store.language");
        from(config.caller.namespaces != default.caller.namespaces, "caller.namespaces");
        from(config.caller.actor != default.caller.actor, "caller.actor");
        from(config.report.key != default.report.key, "report.key");
        from(config.output.log != default.output.log, "output.log");
        from(config.output.log_format != default.output.log_format, "output.log_format");
        for (name, _, changed) in config.embedding.settings() {
            from(changed, name);
        }
        for (name, _, changed) in config.serve.settings() {
            from(changed, name);
        }
        for (name, _, changed) in config.upkeep.settings() {
            from(changed, name);
        }
        for (name, _, changed) in config.soak.settings() {
            from(changed, name);
        }
        for (name, _, changed) in config.notify.settings() {
            from(changed, name);
        }
        Ok(config)
    }

    fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        let config = Self::parse(&text, &path.display().to_string())?;
        config.one_database("url and data in [database]", path.display().to_string())?;
        Ok(config)
    }

    fn one_database(&self, names: &str, origin: String) -> Result<()> {
        if self.database.url.is_empty() || self.database.data.as_os_str().is_empty() {
            return Ok(());
        }
        Err(Error::Config {
            origin,
            what: format!("{names} are both set"),
            accepted: "one of them: a server, or a directory for the embedded store".to_owned(),
        })
    }

    fn apply_env(&mut self, lookup: Lookup<'_>) -> Result<()> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let (url, data) = (get(Env::DATABASE_URL), get(Env::HEIRLOOM_DATA));
        if url.is_some() || data.is_some() {
            self.database.url = url.clone().unwrap_or_default();
            self.database.data = data.clone().map(PathBuf::from).unwrap_or_default();
            self.origins.remove("database.url");
            self.origins.remove("database.data");
        }
        if url.is_some() {
            self.origins.insert("database.url", Env::DATABASE_URL.to_owned());
        }
        if data.is_some() {
            self.origins.insert("database.data", Env::HEIRLOOM_DATA.to_owned());
        }
        if let Some(text) = get(Env::HEIRLOOM_POOL) {
            self.database.pool = number(Env::HEIRLOOM_POOL, &text)?;
            self.origins.insert("database.pool", Env::HEIRLOOM_POOL.to_owned());
        }
        if let Some(text) = get(Env::HEIRLOOM_INDEX_MEMORY) {
            self.database.index_memory = number(Env::HEIRLOOM_INDEX_MEMORY, &text)?;
            self.origins.insert("database.index_memory", Env::HEIRLOOM_INDEX_MEMORY.to_owned());
        }
        if let Some(text) = get(Env::HEIRLOOM_DIMENSION) {
            self.store.dimension = number(Env::HEIRLOOM_DIMENSION, &text)?;
            self.origins.insert("store.dimension", Env::HEIRLOOM_DIMENSION.to_owned());
        }
        if let Some(text) = get(Env::HEIRLOOM_LANGUAGE) {
            self.store.language = text;
            self.origins.insert("store.language", Env::HEIRLOOM_LANGUAGE.to_owned());
        }
        if let Some(text) = get(Env::HEIRLOOM_NAMESPACES) {
            self.caller.namespaces = text.split(',').map(|name| name.trim().to_owned()).collect();
            self.origins.insert("caller.namespaces", Env::HEIRLOOM_NAMESPACES.to_owned());
        }
        if let Some(text) = get(Env::HEIRLOOM_ACTOR) {
            self.caller.actor = text;
            self.origins.insert("caller.actor", Env::HEIRLOOM_ACTOR.to_owned());
        }
        self.embedding.apply_env(lookup, &mut self.origins)?;
        self.serve.apply_env(lookup, &mut self.origins)?;
        if let Some(text) = get(Env::HEIRLOOM_UPKEEP_URL) {
            self.upkeep.url = text;
            self.origins.insert("upkeep.url", Env::HEIRLOOM_UPKEEP_URL.to_owned());
        }
        if let Some(text) = get(Env::HEIRLOOM_LOG) {
            self.set_log(&text, Env::HEIRLOOM_LOG);
        }
        if let Some(text) = get(Env::HEIRLOOM_LOG_FORMAT) {
            self.output.log_format = LogFormat::read(&text, Env::HEIRLOOM_LOG_FORMAT)?;
            self.origins.insert("output.log_format", Env::HEIRLOOM_LOG_FORMAT.to_owned());
        }
        Ok(())
    }

    fn set_log(&mut self, filter: &str, origin: &str) {
        filter.clone_into(&mut self.output.log);
        self.origins.insert("output.log", origin.to_owned());
    }

    fn check(&self) -> Result<()> {
        if self.origins.get("database.data").is_none_or(|origin| origin != "--data") {
            let names = format!("{} and {}", Env::DATABASE_URL, Env::HEIRLOOM_DATA);
            self.one_database(&names, "environment".to_owned())?;
        }
        for (name, value, range) in [
            ("database.pool", self.database.pool, 1..=1000),
            ("database.index_memory", self.database.index_memory, 1..=1_048_576),
            ("store.dimension", self.store.dimension, 1..=16_000),
        ] {
            if !range.contains(&value) {
                return Err(Error::Config {
                    origin: format!("{} ({name})", self.origin(name)),
                    what: format!("{value} was found"),
                    accepted: format!("a number from {} to {} is accepted", range.start(), range.end()),
                });
            }
        }
        self.serve.check(|name| self.origin(name).to_owned())?;
        self.upkeep.check(|name| self.origin(name).to_owned())?;
        self.soak.check(|name| self.origin(name).to_owned())?;
        self.notify.check(|name| self.origin(name).to_owned())?;
        self.embedding.check(|name| self.origin(name).to_owned())
    }

    fn resolve_urls(&mut self, lookup: Lookup<'_>) -> Result<()> {
        self.database.url = self.server_url("database.url", &self.database.url, lookup)?;
        self.upkeep.url = self.server_url("upkeep.url", &self.upkeep.url, lookup)?;
        Ok(())
    }

    /// What a setting that is a server's URL, or a reference to one, stands for; empty where it is.
    fn server_url(&self, name: &str, given: &str, lookup: Lookup<'_>) -> Result<String> {
        if given.is_empty() {
            return Ok(String::new());
        }
        let origin = format!("{} ({name})", self.origin(name));
        let url = if given.starts_with("env:") || given.starts_with("file:") {
            secrets::resolve(given, lookup).ok_or_else(|| Error::Config {
                origin: origin.clone(),
                what: format!("{given} stands for nothing"),
                accepted: "set the variable or write the file".to_owned(),
            })?
        } else {
            given.to_owned()
        };
        if !matches!(Location::parse(&url), Location::Server(_)) {
            return Err(Error::Config {
                origin,
                what: format!("`{}` is not a PostgreSQL URL", scheme(&url)),
                accepted: "postgres://user@host:5432/database is accepted".to_owned(),
            });
        }
        Ok(url)
    }

    /// Where a setting came from: a file, a variable, a flag, or `default`.
    pub fn origin(&self, name: &str) -> &str {
        self.origins.get(name).map_or("default", String::as_str)
    }

    /// Where the database is: the configured URL, the configured directory, or the platform's data directory.
    ///
    /// # Errors
    /// [`Error::Config`] when nothing is configured and the platform has no data directory (no `HOME`).
    pub fn location(&self) -> Result<Location> {
        if !self.database.url.is_empty() {
            return Ok(Location::Server(self.database.url.clone()));
        }
        let data = &self.database.data;
        let data = if data.as_os_str().is_empty() { &self.platform_data } else { data };
        if data.as_os_str().is_empty() {
            return Err(Error::Config {
                origin: "database.data".to_owned(),
                what: "it is not set, and there is no home directory to put the store in".to_owned(),
                accepted: format!("give --data DIR, {} or {}", Env::HEIRLOOM_DATA, Env::DATABASE_URL),
            });
        }
        Ok(Location::Embedded(data.clone()))
    }

    /// How a database is opened.
    pub fn engine(&self) -> heirloom_engine::Options {
        let index_memory = (self.database.index_memory as u64) << 20;
        heirloom_engine::Options { pool_size: self.database.pool, index_memory, ..heirloom_engine::Options::default() }
    }

    /// The user's home directory.
    pub fn home() -> Option<PathBuf> {
        directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned())
    }

    /// Where programs keep this user's settings.
    pub fn settings_of_programs() -> Option<PathBuf> {
        directories::BaseDirs::new().map(|dirs| dirs.config_dir().to_owned())
    }

    /// Whether the user wants no colour.
    pub fn no_color() -> bool {
        process_env(Env::NO_COLOR).is_some()
    }

    /// What the NAME of an `env:NAME` reference in a migration file stands for.
    pub fn secret(name: &str) -> Option<String> {
        process_env(name)
    }
}

/// The settings file and whether it must be there.
fn config_file(
    flags: &Flags,
    lookup: Lookup<'_>,
    platform: Option<&directories::ProjectDirs>,
) -> Option<(PathBuf, bool)> {
    if let Some(path) = &flags.config {
        return Some((path.clone(), true));
    }
    if let Some(path) = lookup(Env::HEIRLOOM_CONFIG).filter(|path| !path.is_empty()) {
        return Some((PathBuf::from(path), true));
    }
    platform.map(|dirs| (dirs.config_dir().join("config.toml"), false))
}

fn number(name: &str, text: &str) -> Result<usize> {
    text.parse().map_err(|_| Error::Config {
        origin: name.to_owned(),
        what: format!("`{text}` was found"),
        accepted: "a whole number is accepted".to_owned(),
    })
}

/// As much of a wrong URL as can be shown: what may be a password never is.
fn scheme(url: &str) -> String {
    url.split_once("://").map_or_else(|| "…".to_owned(), |(scheme, _)| format!("{scheme}://…"))
}

#[cfg(test)]
mod tests;
