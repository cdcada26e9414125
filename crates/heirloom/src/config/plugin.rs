//! What the platform of the memory plugin says by its own variables; only `heirloom plugin` listens to it.

use std::time::Duration;

use super::{Env, Lookup};
use crate::error::{Error, Result};

/// The platform's variables.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PluginConfig {
    /// A server, as a URL of ours; empty for Heirloom's own database.
    pub database_url: String,
    /// Where the plugin answers, for the command that fills it; empty when nobody says.
    pub url: String,
    /// How long it may take to answer that command, as the platform writes it; empty when nobody says.
    pub timeout: String,
    /// Where to listen; empty for the contract's own address.
    pub listen: String,
    /// Whether the store is left as it is.
    pub skip_migrate: bool,
    /// Where the platform's plugin would find its migrations.
    pub migrations_dir: String,
}

// A URL may hold a password.
impl std::fmt::Debug for PluginConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginConfig")
            .field("database_url", &heirloom_engine::redact_url(&self.database_url))
            .field("url", &heirloom_engine::redact_url(&self.url))
            .field("timeout", &self.timeout)
            .field("listen", &self.listen)
            .field("skip_migrate", &self.skip_migrate)
            .field("migrations_dir", &self.migrations_dir)
            .finish()
    }
}

/// What the driver reads from a URL by itself.
const KNOWN: [&str; 21] = [
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslmode",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "sslnegotiation",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
];

impl PluginConfig {
    /// Reads the variables.
    ///
    /// # Errors
    /// [`Error::Config`] for a database that is no PostgreSQL URL, and for a parameter that can be no setting.
    pub(super) fn of(lookup: Lookup<'_>) -> Result<Self> {
        let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).unwrap_or_default();
        Ok(Self {
            database_url: session_settings(&get(Env::MEMORY_PLUGIN_DATABASE_URL))?,
            url: get(Env::MEMORY_PLUGIN_URL),
            timeout: get(Env::MEMORY_PLUGIN_TIMEOUT),
            listen: get(Env::MEMORY_PLUGIN_LISTEN_ADDR),
            skip_migrate: matches!(get(Env::MEMORY_PLUGIN_SKIP_MIGRATE).as_str(), "1" | "true"),
            migrations_dir: get(Env::MEMORY_PLUGIN_MIGRATIONS_DIR),
        })
    }
}

impl PluginConfig {
    /// How long the plugin may take to answer; `None` when nobody says.
    ///
    /// # Errors
    /// [`Error::Config`] for what is no time to wait.
    pub fn patience(&self) -> Result<Option<Duration>> {
        if self.timeout.is_empty() {
            return Ok(None);
        }
        go_duration(&self.timeout).filter(|time| !time.is_zero()).map(Some).ok_or_else(|| Error::Config {
            origin: Env::MEMORY_PLUGIN_TIMEOUT.to_owned(),
            what: format!("`{}` was found", crate::text::line(&self.timeout, 32)),
            accepted: "a time such as 2s, 500ms or 1m30s, of at most a day, is accepted".to_owned(),
        })
    }
}

/// A duration as Go writes one: numbers with units, one after the other. `None` for anything else, and beyond a day.
fn go_duration(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    while !rest.is_empty() {
        let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let units = [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("h", 3_600.0), ("m", 60.0), ("s", 1.0)];
        let (unit, worth) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        seconds += number * worth;
        rest = &rest[unit.len()..];
    }
    (0.0..=86_400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// The platform's driver sends parameters it does not know, such as `search_path`, as settings of the session; ours
/// takes those from `options`.
fn session_settings(url: &str) -> Result<String> {
    let wrong = |what: String| Error::Config {
        origin: Env::MEMORY_PLUGIN_DATABASE_URL.to_owned(),
        what,
        accepted: "postgres://user@host:5432/database is accepted, with settings of the session such as \
                   ?search_path=memory_plugin,public"
            .to_owned(),
    };
    if url.is_empty() {
        return Ok(String::new());
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong(format!("`{}` is not a PostgreSQL URL", super::scheme(url))));
    }
    let Some((base, query)) = url.split_once('?') else { return Ok(url.to_owned()) };
    let mut kept = Vec::new();
    let mut options = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        if KNOWN.contains(&name) && name != "options" {
            kept.push(pair.to_owned());
            continue;
        }
        let Some((_, value)) = form_urlencoded::parse(pair.as_bytes()).next() else { continue };
        if value.contains('\0') {
            return Err(wrong(format!("the parameter `{}` has a NUL", crate::text::line(name, 64))));
        }
        if name == "options" {
            options.push(value.into_owned());
            continue;
        }
        let is_setting = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
        if !is_setting {
            return Err(wrong(format!("the parameter `{}` can be no setting", crate::text::line(name, 64))));
        }
        options.push(format!("-c {name}={}", value.replace('\\', "\\\\").replace(' ', "\\ ")));
    }
    if !options.is_empty() {
        kept.push(format!("options={}", percent(&options.join(" "))));
    }
    Ok(if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) })
}

/// Percent-encoded; the driver reads a plus as itself.
fn percent(text: &str) -> String {
    let byte =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<String> {
        PluginConfig::of(&|name| (name == Env::MEMORY_PLUGIN_DATABASE_URL).then(|| url.to_owned()))
            .map(|config| config.database_url)
    }

    #[test]
    fn a_time_to_wait_is_read_as_the_platform_writes_it() {
        let read = |text: &str| {
            PluginConfig::of(&|name| (name == Env::MEMORY_PLUGIN_TIMEOUT).then(|| text.to_owned()))
                .expect(text)
                .patience()
        };
        for (text, millis) in [("2s", 2_000), ("500ms", 500), ("1m30s", 90_000), ("1.5h", 5_400_000), ("+3s", 3_000)] {
            assert_eq!(read(text).expect(text), Some(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(read(" ").expect("nothing"), None);
        for bad in ["2", "0s", "-2s", "s", "2 s", "2d", "1.2.3s", "25h", "never"] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(error.starts_with("MEMORY_PLUGIN_TIMEOUT: "), "{error}");
        }
    }

    #[test]
    fn settings_of_the_session_go_on_as_options() {
        for (url, expected) in [
            ("", ""),
            (" postgres://u:p@h/d \n", "postgres://u:p@h/d"),
            ("postgres://h/d?sslmode=disable", "postgres://h/d?sslmode=disable"),
            (
                "postgres://h/d?search_path=memory_plugin,public&sslmode=disable",
                "postgres://h/d?sslmode=disable&options=%2Dc%20search%5Fpath%3Dmemory%5Fplugin%2Cpublic",
            ),
            ("postgres://h/d?search_path=a%20b", "postgres://h/d?options=%2Dc%20search%5Fpath%3Da%5C%20b"),
            (
                "postgres://h/d?options=-c%20geqo=off&statement_timeout=9",
                "postgres://h/d?options=%2Dc%20geqo%3Doff%20%2Dc%20statement%5Ftimeout%3D9",
            ),
        ] {
            assert_eq!(read(url).expect(url), expected);
        }
        for bad in ["mysql://u:hunter2@h/d", "h=d", "postgres://h/d?a%20b=1", "postgres://h/d?search_path=%00"] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(error.starts_with("MEMORY_PLUGIN_DATABASE_URL: ") && !error.contains("hunter2"), "{error}");
        }
    }
}
