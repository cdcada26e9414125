//! `[notify]` and `[soak]`: who is told of a divergence, how often `heirloom serve` sweeps, and where questions are recorded.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// Stands for what is not shown.
const HIDDEN: &str = "(hidden)";

/// `[notify]`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// A program and its arguments; the message is its standard input. Empty: none.
    pub command: Vec<String>,
    /// An address that takes the message as the body of a POST. Empty: none.
    pub webhook: String,
}

/// `[soak]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct SoakConfig {
    /// How often `heirloom serve` sweeps, as `6h`, `90m` or `1d`; empty: never.
    pub every: String,
    /// The file in which `serve` and `plugin` record questions for shadow recall; empty: they are not recorded.
    pub record: PathBuf,
}

// The path of a webhook is its secret more often than not, and so may an argument be.
impl std::fmt::Debug for NotifyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (command, webhook) = self.shown();
        f.debug_struct("NotifyConfig").field("command", &command).field("webhook", &webhook).finish()
    }
}

impl NotifyConfig {
    /// What may be shown: the program without what its arguments say, and the webhook's host.
    fn shown(&self) -> (Vec<&str>, String) {
        let command = self.command.iter().enumerate().map(|(at, word)| if at == 0 { word.as_str() } else { HIDDEN });
        let webhook = match self.webhook.split_once("://") {
            None if self.webhook.is_empty() => String::new(),
            None => HIDDEN.to_owned(),
            Some((scheme, rest)) => {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                let host = authority.rsplit('@').next().unwrap_or_default();
                format!("{scheme}://{host}/{HIDDEN}")
            }
        };
        (command.collect(), webhook)
    }

    /// Each setting: its name, its value, and whether it is not the default.
    pub fn settings(&self) -> [(&'static str, Value, bool); 2] {
        let (command, webhook) = self.shown();
        [
            ("notify.command", json!(command), !self.command.is_empty()),
            ("notify.webhook", json!(webhook), !self.webhook.is_empty()),
        ]
    }

    pub(super) fn check(&self, origin: impl Fn(&str) -> String) -> Result<()> {
        if self.webhook.is_empty() || ["http://", "https://"].iter().any(|start| self.webhook.starts_with(start)) {
            return Ok(());
        }
        Err(Error::Config {
            origin: format!("{} (notify.webhook)", origin("notify.webhook")),
            what: "this is no address".to_owned(),
            accepted: "an address that begins with http:// or https:// is accepted".to_owned(),
        })
    }
}

impl SoakConfig {
    /// Each setting: its name, its value, and whether it is not the default.
    pub fn settings(&self) -> [(&'static str, Value, bool); 2] {
        let recorded = !self.record.as_os_str().is_empty();
        [("soak.every", json!(self.every), !self.every.is_empty()), ("soak.record", json!(self.record), recorded)]
    }

    /// How often; `None` for never.
    pub fn period(&self) -> Option<std::time::Duration> {
        period(&self.every, DAY)
    }

    pub(super) fn check(&self, origin: impl Fn(&str) -> String) -> Result<()> {
        if !self.record.as_os_str().is_empty() && !self.record.is_absolute() {
            return Err(Error::Config {
                origin: format!("{} (soak.record)", origin("soak.record")),
                what: format!("`{}` is relative", crate::text::line(&self.record.display().to_string(), 64)),
                accepted: "an absolute path is accepted: who records and who sweeps may run elsewhere".to_owned(),
            });
        }
        if self.every.is_empty() || self.period().is_some() {
            return Ok(());
        }
        Err(Error::Config {
            origin: format!("{} (soak.every)", origin("soak.every")),
            what: format!("`{}` was found", crate::text::line(&self.every, 32)),
            accepted: "a number with s, m, h or d, such as 6h, of a second to a day, is accepted".to_owned(),
        })
    }
}

/// Seconds of the longest time between two sweeps.
const DAY: u64 = 86_400;

/// A number with a unit, of a second to so many; `None` for anything else.
pub(super) fn period(text: &str, most: u64) -> Option<std::time::Duration> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number: u64 = text[..text.len() - 1].parse().ok()?;
    let seconds = number.checked_mul(unit)?;
    (1..=most).contains(&seconds).then(|| std::time::Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::{DAY, NotifyConfig, period};

    #[test]
    fn what_a_webhook_or_an_argument_keeps_secret_is_not_shown() {
        for (webhook, shown) in [
            ("https://me:hunter2@hooks.example/services/T0/hunter2?key=hunter2", "https://hooks.example/(hidden)"),
            ("https://hooks.example?hunter2", "https://hooks.example/(hidden)"),
            ("hooks.example/hunter2", "(hidden)"),
            ("", ""),
        ] {
            let command = ["tell", "--token", "hunter2"].map(str::to_owned).to_vec();
            let settings = NotifyConfig { command, webhook: webhook.to_owned() };
            let told = format!("{settings:?} {:?}", settings.settings());
            assert!(!told.contains("hunter2") && told.contains("\"tell\"") && told.contains(shown), "{told}");
        }
    }

    #[test]
    fn a_period_is_a_number_and_a_unit() {
        assert_eq!(period("6h", DAY).map(|period| period.as_secs()), Some(21_600));
        assert_eq!(period("90m", DAY).map(|period| period.as_secs()), Some(5_400));
        assert_eq!(period("1d", DAY).map(|period| period.as_secs()), Some(86_400));
        for wrong in ["", "6", "h", "0h", "2d", "-1h", "6 h", "6ü", "99999999999999999999h"] {
            assert_eq!(period(wrong, DAY), None, "{wrong}");
        }
    }
}
