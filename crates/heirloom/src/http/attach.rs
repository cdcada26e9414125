//! The owner's side of attach: a second `heirloom` command on an embedded store sends its operation here.
//!
//! One route, `POST /attach`, for the holder of the owner's secret, which stands in a file of mode 0600 beside the
//! store. The answer is a line of JSON for each note, each step of progress, and at last the output or the error, and a space
//! now and then, so that an owner who hangs is told from one who works. A client that goes away asks the operation to stop.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body as ResponseBody;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::App;
use super::body::Body;
use super::fault::{Fault, Shape};
use super::gate::{self, Gate};
use crate::attach::Lends;
use crate::caller::Caller;
use crate::config::CallerConfig;
use crate::context::{Cancel, Context, Progress, Watch};
use crate::error::Error;
use crate::explain;
use crate::ops::{Op, Output, Verdict};

/// How often an owner says that it lives while an operation has nothing to tell.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// The header by which an owner promises to do so.
pub const ALIVE: HeaderName = HeaderName::from_static("heirloom-alive");

/// What a second command sends.
#[derive(Serialize, Deserialize)]
pub struct Envelope {
    /// The operation's name.
    pub op: String,
    /// Its JSON form.
    pub arguments: Value,
    /// The directory that relative paths are meant from.
    pub directory: PathBuf,
    /// The command's own defaults.
    pub caller: CallerConfig,
    /// What the `env:` references of its files stand for; never kept or logged.
    pub environment: HashMap<String, String>,
}

/// One line of the answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A sentence worth telling.
    Note(String),
    /// How far it is.
    Progress {
        /// What is moving.
        label: String,
        /// Rows done.
        done: u64,
        /// Rows in all; 0 when unknown.
        total: u64,
        /// Rows set aside.
        rejected: u64,
    },
    /// What the operation gave back.
    Output {
        /// For a program.
        json: Value,
        /// For a person.
        text: String,
        /// Whether it holds.
        verdict: Verdict,
    },
    /// Why it did not.
    Error(explain::Told),
}

/// The route.
pub fn routes(app: &Arc<App>, lends: Lends) -> Router<Arc<App>> {
    let gate = Gate { app: app.clone(), shape: Shape::Problem };
    let attach = move |app: State<Arc<App>>, headers: HeaderMap, body: Body| attach(lends, app, headers, body);
    Router::new().route("/attach", post(attach)).layer(axum::middleware::from_fn_with_state(gate, gate::bounds))
}

async fn attach(lends: Lends, State(app): State<Arc<App>>, headers: HeaderMap, Body(body): Body) -> Response {
    let caller = if headers.contains_key(header::AUTHORIZATION) {
        app.auth.caller(&app.context, &headers).await
    } else {
        Err(Fault::unauthorised("the owner's token is missing"))
    };
    match caller {
        Ok(Caller::Owner(_)) => {}
        Ok(Caller::Token(_) | Caller::Guest(_)) => {
            return Fault::new(StatusCode::FORBIDDEN, "forbidden", "only the owner of the process may attach")
                .answer(Shape::Problem);
        }
        Err(fault) => return fault.answer(Shape::Problem),
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&body) else {
        return Fault::bad("body", "this is no operation of an attached command").answer(Shape::Problem);
    };
    let Some(op) = Op::find(&envelope.op) else {
        return Fault::bad("op", "there is no such operation; the owner may be another version").answer(Shape::Problem);
    };
    let (send, receive) = mpsc::unbounded_channel();
    if lends == Lends::Reads && !op.read_only {
        // The receiver is here.
        drop(send.send(Line::Error(explain::explain(&busy(op)).told())));
        return told(receive);
    }
    tokio::spawn(run(app.context.call(Caller::Owner(envelope.caller.clone())), op, envelope, send));
    told(receive)
}

fn busy(op: &Op) -> Error {
    Error::Temporary(format!(
        "the process {} that has the store open is writing, and lets others read meanwhile: `heirloom {}` may write; give it \
         again when that process has ended, or set DATABASE_URL to share a server",
        std::process::id(),
        op.name
    ))
}

/// The lines as they come, and a sign of life where none comes.
fn told(receive: mpsc::UnboundedReceiver<Line>) -> Response {
    let lines = futures_util::stream::unfold(receive, |mut receive| async move {
        let text = match tokio::time::timeout(HEARTBEAT, receive.recv()).await {
            Ok(line) => Bytes::from(format!("{}\n", serde_json::to_string(&line?).unwrap_or_default())),
            // Space before a line says nothing, but that somebody is there.
            Err(_) => Bytes::from_static(b" "),
        };
        Some((Ok::<_, std::convert::Infallible>(text), receive))
    });
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (ALIVE, "true")];
    (headers, ResponseBody::from_stream(lines)).into_response()
}

/// Runs the operation; whoever attached may go away at any time.
async fn run(context: Context, op: &'static Op, envelope: Envelope, send: mpsc::UnboundedSender<Line>) {
    let cancel = Cancel::default();
    let watch = Arc::new(Teller(send.clone()));
    let context = context.attached(watch, cancel.clone(), envelope.directory, envelope.environment);
    let running = (op.run)(&context, envelope.arguments);
    tokio::pin!(running);
    let done = tokio::select! {
        done = &mut running => done,
        () = send.closed() => {
            cancel.cancel();
            if op.finishes { running.await } else { Err(Error::Interrupted) }
        }
    };
    let last = match done {
        Ok(Output { json, text, verdict }) => Line::Output { json, text, verdict },
        Err(error) => Line::Error(explain::explain(&error).told()),
    };
    // Nobody may be left to hear it.
    drop(send.send(last));
}

struct Teller(mpsc::UnboundedSender<Line>);

impl Watch for Teller {
    fn progress(&self, progress: &Progress) {
        let Progress { label, done, total, rejected } = progress.clone();
        drop(self.0.send(Line::Progress { label, done, total, rejected }));
    }

    fn note(&self, sentence: &str) {
        drop(self.0.send(Line::Note(sentence.to_owned())));
    }
}

// Arguments and environment may hold content and credentials.
impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&json!({ "op": self.op, "directory": self.directory }).to_string())
    }
}
