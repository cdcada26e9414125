//! MCP over stdio: JSON-RPC on stdin and stdout, nothing else there; it ends when stdin does.
//!
//! Each call is the operation `mcp call`, run here or, when another process has the embedded store, by that process; when
//! this one has it, others are served in turn.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::model::{ErrorData, Extensions, Tool};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::server::{Server, Wire};
use super::tools::{self, Answer, Offer};
use crate::attach;
use crate::caller::Caller;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::Op;

/// How much is read ahead, in bytes.
const AHEAD: usize = 64 * 1024;

/// How often an owner that says no address yet is asked again, and how long between.
const ASKED_AGAIN: (u32, Duration) = (30, Duration::from_millis(100));

/// What a process on stdio serves.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The tools beside our own.
    pub offer: Offer,
    /// Whoever is at the other end.
    pub caller: Caller,
    /// The arguments of `mcp call` that say the same.
    pub terms: Value,
}

/// Serves until stdin ends or the process is asked to stop.
///
/// # Errors
/// When the client does not speak the protocol.
pub async fn serve(context: Context, serving: Serving) -> Result<()> {
    let cancel = context.cancel().clone();
    let (input, output, written) = wires()?;
    let lent = Arc::new(attach::Lent::default());
    let server = Server(Local { context, serving, lent: lent.clone() });
    let served = async {
        let running = match server.serve((input, output)).await {
            Ok(running) => running,
            // Whoever closes stdin before a word is said wants nothing.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => {
                tracing::debug!(error = %error, "no session");
                let what = "what came over stdin is not the beginning of an MCP session";
                return Err(Error::Usage(format!("{what}; `heirloom mcp` is started by an agent, not by hand")));
            }
        };
        running.waiting().await.map(drop).map_err(|error| Error::Bug(format!("the session failed: {error}")))
    };
    let done = tokio::select! {
        done = served => done,
        () = cancel.cancelled() => Ok(()),
    };
    // The wire is dropped by now; what was on its way to stdout is let out.
    if tokio::time::timeout(Duration::from_secs(5), written).await.is_err() {
        tracing::warn!("the client does not read its last answers");
    }
    lent.end();
    done
}

/// stdin and stdout as the protocol wants them. Each has a thread: a read of stdin cannot be given up, and the runtime
/// would wait for it.
fn wires() -> Result<(DuplexStream, DuplexStream, oneshot::Receiver<()>)> {
    let (mut feed, input) = tokio::io::duplex(AHEAD);
    let (output, mut drain) = tokio::io::duplex(AHEAD);
    let (tell, written) = oneshot::channel();
    let failed = |error: std::io::Error| Error::Bug(format!("no thread can be started: {error}"));
    let handle = Handle::current();
    let reading = move || {
        let (mut stdin, mut bytes) = (std::io::stdin().lock(), [0; 8192]);
        while let Ok(n @ 1..) = stdin.read(&mut bytes) {
            if handle.block_on(feed.write_all(&bytes[..n])).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(reading).map_err(failed)?;
    let handle = Handle::current();
    let writing = move || {
        let mut bytes = [0; 8192];
        while let Ok(n @ 1..) = handle.block_on(drain.read(&mut bytes)) {
            let mut stdout = std::io::stdout().lock();
            if stdout.write_all(&bytes[..n]).and_then(|()| stdout.flush()).is_err() {
                break;
            }
        }
        // Nobody may be waiting.
        let _unheard = tell.send(());
    };
    std::thread::Builder::new().name("stdout".to_owned()).spawn(writing).map_err(failed)?;
    Ok((input, output, written))
}

struct Local {
    context: Context,
    serving: Serving,
    lent: Arc<attach::Lent>,
}

impl Wire for Local {
    fn tools(&self, _request: &Extensions) -> std::result::Result<Vec<Tool>, ErrorData> {
        Ok(tools::list(&self.serving.caller, &self.serving.offer))
    }

    async fn call(
        &self,
        name: String,
        arguments: Value,
        _request: &Extensions,
    ) -> std::result::Result<Answer, ErrorData> {
        let Serving { offer, caller, terms } = &self.serving;
        if !tools::has(caller, offer, &name) {
            return Err(ErrorData::invalid_params(tools::unknown(&name, caller, offer), None));
        }
        Ok(self.run(terms, &name, &arguments).await.into())
    }
}

impl Local {
    async fn run(&self, terms: &Value, name: &str, arguments: &Value) -> Result<Answer> {
        let op = Op::find("mcp call").ok_or_else(|| Error::Bug("there is no `mcp call`".to_owned()))?;
        let mut asked = terms.clone();
        asked["tool"] = json!(name);
        asked["arguments"] = arguments.clone();
        let mut again = ASKED_AGAIN.0;
        let output = loop {
            match attach::run_or_send(&self.context, op, asked.clone()).await {
                // Another process has just opened the store, and says in a moment where it can be asked.
                Err(error) if again > 0 && attach::is_silent(&error) => {
                    again -= 1;
                    tokio::time::sleep(ASKED_AGAIN.1).await;
                }
                done => break done?,
            }
        };
        self.lent.lend(&self.context).await;
        serde_json::from_value(output.json).map_err(|error| Error::Bug(format!("a tool's answer is odd: {error}")))
    }
}
