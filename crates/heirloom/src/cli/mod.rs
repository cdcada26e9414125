//! The terminal: parses words, runs the operation, prints what it gives back. No behaviour of its own.
//!
//! stdout is data; progress, notes, errors and logs are on stderr. The first SIGINT or SIGTERM asks the operation to
//! finish its chunk and closes the database; the second aborts.

mod panics;
mod parse;
mod print;
mod progress;
mod signals;

use std::process::ExitCode;
use std::sync::Arc;

use crate::attach;
use crate::config::{self, Config};
use crate::context::{Cancel, Context};
use crate::error::{Error, Result};
use crate::explain::{self, Explained};
use crate::ops::Output;
use parse::{Call, Parsed};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = parse::named(config::process_args());
    let call = match parse::parse(&arguments) {
        Parsed::Call(call) => call,
        Parsed::Print { text, error: None } => return print::data(&text),
        Parsed::Print { text, error: Some(explained) } => {
            print::usage(&text, &explained, parse::wants_json(&arguments));
            return ExitCode::from(explained.exit);
        }
    };
    let json = call.json;
    panics::install();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| execute(call)));
    let explained = match outcome {
        Ok(Ok(output)) => return print::output(&output, json),
        Ok(Err(error)) => explain::explain(&error),
        Err(_) => explain::panicked(panics::place().as_deref()),
    };
    print::error(&explained, json);
    ExitCode::from(explained.exit)
}

fn execute(call: Call) -> Result<Output> {
    let config = Config::load(&call.flags, &config::process_env)?;
    print::start_log(&config.output)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("heirloom")
        .build()
        .map_err(|error| Error::Bug(format!("the runtime does not start: {error}")))?;
    let cancel = Cancel::default();
    let watch = Arc::new(progress::Terminal::new(call.quiet || call.json));
    let context = Context::new(config, watch.clone(), cancel.clone());
    runtime.block_on(async {
        signals::listen(&cancel, watch.clone())?;
        let running = attach::run_or_send(&context, call.op, call.arguments);
        let result = if call.op.finishes {
            running.await
        } else {
            tokio::select! {
                result = running => result,
                () = cancel.cancelled() => Err(Error::Interrupted),
            }
        };
        watch.finish();
        // What the operation has to say matters more than how the engine stopped.
        let closed = context.close().await;
        let output = result?;
        closed?;
        Ok(output)
    })
}

/// The explanation of a mistake in the words of the command line.
fn usage(message: String) -> Explained {
    explain::explain(&Error::Usage(message))
}
