//! Tells somebody of a divergence: a command, a webhook, or both, as the settings say.
//!
//! The message holds names and counts, never a key and never content: it leaves the house. A notifier that fails is told in
//! the log and stops nothing; the divergence is in the chain either way.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use heirloom_migrate::soak::Sweep;
use serde::Serialize;

use crate::config::NotifyConfig;

/// How long a notifier may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a program is asked whether it has ended, while it runs: the standard library waits for a process without a limit
/// or not at all.
const LOOK: Duration = Duration::from_millis(20);

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// `divergence`.
    pub event: &'static str,
    /// The migration's name.
    pub migration: String,
    /// The tenant.
    pub tenant: String,
    /// When it was found, RFC 3339.
    pub at: String,
    /// How many divergences there are.
    pub divergences: u64,
    /// The first hundred of them, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// What to do.
    pub next: String,
}

impl Message {
    /// Of a sweep that found something.
    pub fn of(sweep: &Sweep) -> Self {
        let mut kinds = BTreeMap::new();
        for one in &sweep.record.divergences {
            let word = serde_json::to_value(one.kind).ok().and_then(|word| word.as_str().map(str::to_owned));
            *kinds.entry(word.unwrap_or_default()).or_default() += 1;
        }
        Self {
            event: "divergence",
            migration: sweep.name.clone(),
            tenant: sweep.tenant.clone(),
            at: sweep.calendar.diverged_at.map(|at| at.to_string()).unwrap_or_default(),
            divergences: sweep.record.divergence_count,
            kinds,
            next: format!("heirloom soak status --name {}", sweep.name),
        }
    }
}

/// Tells of what a sweep found, when it found something; gives back what went wrong, a sentence a notifier.
pub async fn diverged(settings: &NotifyConfig, sweep: &Sweep) -> Vec<String> {
    if sweep.record.clean { Vec::new() } else { tell(settings, &Message::of(sweep)).await }
}

/// Tells whoever the settings name; gives back what went wrong, a sentence a notifier.
async fn tell(settings: &NotifyConfig, message: &Message) -> Vec<String> {
    let Ok(body) = serde_json::to_vec(message) else { return Vec::new() };
    let mut failed = Vec::new();
    if let [program, arguments @ ..] = settings.command.as_slice()
        && let Err(why) = command(program, arguments, &body).await
    {
        failed.push(format!("notify.command: {why}"));
    }
    if !settings.webhook.is_empty()
        && let Err(why) = post(&settings.webhook, body).await
    {
        failed.push(format!("notify.webhook: {why}"));
    }
    failed
}

async fn command(program: &str, arguments: &[String], body: &[u8]) -> Result<(), String> {
    let mut command = std::process::Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("{program} does not start: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // The message fits a pipe, and a program that does not read is none the worse for it.
        let _ = stdin.write_all(body);
    }
    let mut waited = Duration::ZERO;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{program} ended with {status}")),
            Err(error) => return Err(format!("{program}: {error}")),
            Ok(None) if waited >= PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{program} took longer than {} s", PATIENCE.as_secs()));
            }
            Ok(None) => {
                tokio::time::sleep(LOOK).await;
                waited += LOOK;
            }
        }
    }
}

async fn post(address: &str, body: Vec<u8>) -> Result<(), String> {
    let client = heirloom_migrate::http::builder().and_then(|builder| builder.timeout(PATIENCE).build().ok());
    let client = client.ok_or_else(|| "no encryption is available".to_owned())?;
    let sent = client.post(address).header("content-type", "application/json").body(body).send().await;
    match sent {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("answered with {}", answer.status())),
        Err(error) => Err(error.without_url().to_string()),
    }
}
