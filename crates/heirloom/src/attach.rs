//! A command on an embedded store that another process serves: its operation is sent to the owner, whose answer is told
//! as if it had run here.
//!
//! Deliberately absent: a fallback. An owner that does not answer is an error, and nothing is opened behind its back.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use heirloom_engine::{EngineError, OwnerRecord};
use heirloom_migrate::MigrateError;
use heirloom_store::StoreError;
use serde_json::Value;

use crate::config::ServeConfig;
use crate::context::{Cancel, Context, Progress};
use crate::error::{Error, Result};
use crate::explain;
use crate::http;
use crate::http::attach::{Envelope, Line};
use crate::ops::{Op, Output};

/// How long an owner may say nothing at all: one that is at work says more often that it lives.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs an operation here, or, when another process serves the store it needs, there.
///
/// # Errors
/// The operation's.
pub async fn run_or_send(context: &Context, op: &Op, arguments: Value) -> Result<Output> {
    let done = (op.run)(context, arguments.clone()).await;
    match done.as_ref().err().and_then(owner_of) {
        Some(owner) if op.attaches() => run(context, owner, op, arguments).await,
        _ => done,
    }
}

/// The owner who can be asked, when an operation failed because the store is open elsewhere.
pub fn owner_of(error: &Error) -> Option<&OwnerRecord> {
    let engine = match error {
        Error::Engine(error)
        | Error::Store(StoreError::Engine(error))
        | Error::Migrate(MigrateError::Engine(error) | MigrateError::Store(StoreError::Engine(error))) => error,
        _ => return None,
    };
    match engine {
        EngineError::Owned { owner: Some(owner), .. } if owner.address.is_some() && owner.token_file.is_some() => {
            Some(owner)
        }
        _ => None,
    }
}

/// Whether an operation failed because another process has the store open and has not said where it can be asked.
pub fn is_silent(error: &Error) -> bool {
    explain::case(error).code == "data-directory-in-use" && owner_of(error).is_none()
}

/// The door for other commands while a process has the embedded store open that is no server, or one that speaks TLS.
#[derive(Default)]
pub struct Lent {
    state: tokio::sync::Mutex<bool>,
    stop: Cancel,
    lends: Lends,
}

/// Whom a door is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lends {
    /// Every operation.
    #[default]
    All,
    /// Those that change nothing: the process has something of its own to write.
    Reads,
}

impl Lent {
    /// For operations that change nothing.
    pub fn to_readers() -> Self {
        Self { lends: Lends::Reads, ..Self::default() }
    }

    /// Opens the door once this process has an embedded store open. One that cannot be opened costs the others, not us.
    pub async fn lend(&self, context: &Context) {
        let Some(database) = context.opened().filter(|database| database.is_embedded()) else { return };
        let mut open = self.state.lock().await;
        if *open {
            return;
        }
        match self.open(context, database).await {
            Ok(()) => *open = true,
            Err(error) => tracing::warn!(%error, "other commands cannot use the store while this one runs"),
        }
    }

    async fn open(&self, context: &Context, database: &heirloom_engine::Database) -> Result<()> {
        let settings = ServeConfig::default();
        let listener = http::bind("127.0.0.1:0", "the door for other commands").await?;
        let address = listener.local_addr().map_err(|error| Error::Bug(error.to_string()))?;
        let secret = http::auth::secret();
        let auth = http::auth::Auth::new(Some(&secret), http::auth::Open::No);
        // The door ends with its owner's session, not only with the process.
        let inner = context.call(context.caller().clone()).stopped_by(self.stop.clone());
        let app = http::App::new(inner, &settings, auth);
        let routes = http::finished(&app, http::attach::routes(&app, self.lends));
        database.announce(&format!("http://{address}"), &secret).await?;
        tokio::spawn(async move {
            if let Err(error) = http::serve(&app, routes, listener, None).await {
                tracing::warn!(%error, "the door for other commands closed");
            }
        });
        Ok(())
    }

    /// Closes the door.
    pub fn end(&self) {
        self.stop.cancel();
    }
}

/// Has the owner run an operation.
///
/// # Errors
/// What the owner answers; [`Error::Temporary`] when it does not.
pub async fn run(context: &Context, owner: &OwnerRecord, op: &Op, arguments: Value) -> Result<Output> {
    let (Some(address), Some(token_file)) = (&owner.address, &owner.token_file) else {
        return Err(Error::Bug("an owner without an address was asked".to_owned()));
    };
    let token = std::fs::read_to_string(token_file).map_err(Error::file(token_file))?;
    let directory = crate::config::process_directory().map_err(Error::file(Path::new(".")))?;
    let arguments = absolute(op, arguments, &directory);
    let envelope = Envelope {
        op: op.name.to_owned(),
        environment: environment(&arguments, &directory),
        arguments,
        directory,
        caller: context.caller_config().clone(),
    };
    let gone = |what: &str| Error::Temporary(format!("the process {} that has the store open {what}", owner.pid));
    let body = serde_json::to_vec(&envelope).map_err(|error| Error::Bug(error.to_string()))?;
    let client = heirloom_migrate::http::builder().and_then(|builder| builder.build().ok());
    let client = client.ok_or_else(|| Error::Bug("no HTTP client can be made".to_owned()))?;
    let request = client.post(format!("{address}/attach")).bearer_auth(token.trim()).body(body);
    let sent = tokio::time::timeout(PATIENCE, request.send()).await;
    let mut response = sent.map_err(|_| hangs(owner))?.map_err(|_| gone("does not answer"))?;
    if !response.status().is_success() {
        return Err(gone(&format!("refuses the command (HTTP status {})", response.status().as_u16())));
    }
    // An operation may take long; its owner says meanwhile that it lives, unless it is of a version that says nothing.
    let silence = if response.headers().contains_key(http::attach::ALIVE) { PATIENCE } else { Duration::MAX };
    let mut pending = Vec::new();
    loop {
        let next = tokio::time::timeout(silence, response.chunk()).await.map_err(|_| hangs(owner))?;
        let Some(chunk) = next.map_err(|_| gone("went away"))? else { break };
        pending.extend_from_slice(&chunk);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            match serde_json::from_slice(&line).map_err(|_| gone("answers what this version does not understand"))? {
                Line::Note(sentence) => context.watch().note(&sentence),
                Line::Progress { label, done, total, rejected } => {
                    context.watch().progress(&Progress { label, done, total, rejected });
                }
                Line::Output { json, text, verdict } => return Ok(Output { json, text, verdict }),
                Line::Error(told) => return Err(Error::Told(Box::new(told))),
            }
        }
    }
    Err(gone("went away before it was done"))
}

fn hangs(owner: &OwnerRecord) -> Error {
    let (pid, seconds) = (owner.pid, PATIENCE.as_secs());
    Error::Temporary(format!(
        "the process {pid} that has the store open has said nothing for {seconds} seconds; it is stopped or hangs: \
         continue it, or end it and give the command again"
    ))
}

/// The arguments with their paths absolute: the owner was started elsewhere.
fn absolute(op: &Op, mut arguments: Value, directory: &Path) -> Value {
    let whole = |value: &mut Value| {
        if let Some(path) = value.as_str() {
            *value = Value::from(directory.join(path).display().to_string());
        }
    };
    for field in op.paths() {
        match arguments.get_mut(&field) {
            Some(Value::Array(items)) => items.iter_mut().for_each(whole),
            Some(value) => whole(value),
            None => {}
        }
    }
    arguments
}

/// What the `env:NAME` references stand for in the files that the arguments name: they are meant here, not there.
fn environment(arguments: &Value, directory: &Path) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut texts = Vec::new();
    strings(arguments, &mut texts);
    for text in texts {
        let path: PathBuf = directory.join(text);
        let small = path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() < 64 << 20);
        let content = if small { std::fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        for source in [content.as_str(), text] {
            for after in source.split("env:").skip(1) {
                let name: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if let Some(value) = crate::Context::variable(&name) {
                    found.insert(name, value);
                }
            }
        }
    }
    found
}

fn strings<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if text.len() < 4_096 => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
        Value::Object(map) => map.values().for_each(|value| strings(value, into)),
        _ => {}
    }
}
