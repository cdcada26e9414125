//! The only file that prints.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde_json::json;
use tracing::Level;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Config, LogFormat, OutputConfig};
use crate::error::{Error, Result};
use crate::explain::{Exit, Explained};
use crate::ops::{Output, Verdict};

/// Starts the log on stderr.
pub(super) fn start_log(output: &OutputConfig) -> Result<()> {
    let filter = &output.log;
    let filter = EnvFilter::try_new(filter).map_err(|error| Error::Config {
        origin: "output.log".to_owned(),
        what: format!("`{filter}` cannot be read ({error})"),
        accepted: "error, warn, info, debug, trace or module=level is accepted".to_owned(),
    })?;
    // Below this the driver writes the values of statements into its log and the protocol's library its messages, and what is
    // remembered stands in them. Apart from the user's filter, so that no wish of his brings them back and none of ours
    // makes his louder.
    let harmless = filter_fn(|event| {
        let talkative = ["tokio_postgres", "rmcp"].iter().any(|name| event.target().starts_with(name));
        !talkative || *event.level() <= Level::INFO
    });
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match output.log_format {
        LogFormat::Text => layer.with_ansi(colour()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter.and(harmless))).init();
    Ok(())
}

/// Prints a result and gives its exit code. Whoever reads may stop reading: a broken pipe is success.
pub(super) fn output(output: &Output, json: bool) -> ExitCode {
    // A door whose own wire is stdout gives nothing back.
    if output.json.is_null() && output.text.is_empty() {
        return ExitCode::SUCCESS;
    }
    let written = if json { data(&format!("{:#}\n", output.json)) } else { data(&output.text) };
    match output.verdict {
        Verdict::Holds => written,
        Verdict::Fails => ExitCode::from(Exit::Refused as u8),
        Verdict::NotNow => ExitCode::from(Exit::Temporary as u8),
    }
}

/// Prints text to stdout.
pub(super) fn data(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            line(&format!("Error: stdout cannot be written: {error}"));
            ExitCode::from(Exit::User as u8)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Prints an error to stderr.
pub(super) fn error(explained: &Explained, json: bool) {
    if json {
        return line(&json!({ "error": explained }).to_string());
    }
    let label = if colour() { "\x1b[1;31mError:\x1b[0m" } else { "Error:" };
    let mut text = format!("{label} {}", explained.message);
    for cause in &explained.causes {
        text.push_str(&format!("\nCaused by: {cause}"));
    }
    for hint in &explained.hints {
        text.push_str(&format!("\nhint: {hint}"));
    }
    line(&text);
}

/// Prints what is wrong with the words of the command line, as the parser explains it.
pub(super) fn usage(text: &str, explained: &Explained, json: bool) {
    if json {
        error(explained, true);
    } else {
        line(text.trim_end());
    }
}

/// Prints a line to stderr. Nobody is left to tell when that fails.
pub(super) fn line(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _unheard = writeln!(stderr, "{text}");
}

/// Whether stderr shows colour.
fn colour() -> bool {
    std::io::stderr().is_terminal() && !Config::no_color()
}
