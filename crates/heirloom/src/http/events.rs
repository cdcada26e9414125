//! Activity as it happens, from every door and every process: Server-Sent Events and WebSocket, with resume.
//!
//! `GET /api/v1/events` streams, `GET /api/v1/events/ws` does so over a WebSocket. Each event is the platform's
//! `ACTIVITY_LOGGED` envelope with the id to resume from (`Last-Event-ID`, or `?after=`). A caller sees the events of its
//! own namespaces; ids are enciphered, because bare ones would tell how much others do. Events hold no content: there
//! is none in the activity they are read from.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{self, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream, StreamExt};
use heirloom_store::{Event, Store};
use serde_json::{Value, json};

use super::App;
use super::body::Call;
use super::fault::{Fault, Shape};
use crate::caller::Caller;
use crate::cipher::Cipher;
use crate::context::Context;

/// The longest silence; a line is sent then. Who has lost the right to listen is sent away then, or instead of an event.
const QUIET: Duration = Duration::from_secs(15);
/// How often it is looked where nobody tells.
const LOOK: Duration = Duration::from_secs(1);
const PAGE: i64 = 500;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/api/v1/events", get(events)).route("/api/v1/events/ws", get(socket))
}

/// Tells everybody who listens that something may have happened, as long as the server runs.
pub async fn pump(app: Arc<App>, store: Store) {
    let Some(mut told) = store.listen() else { return };
    while told.next().await.is_some() {
        app.context.happened();
    }
}

async fn events(
    State(app): State<Arc<App>>,
    Call(context): Call,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let heard = match Heard::new(app, context, headers, query.as_deref()).await {
        Ok(heard) => heard,
        Err(fault) => return fault.answer(Shape::Problem),
    };
    let stream = heard.stream().map(|next| {
        let event = match next {
            Next::Event { id, envelope } => {
                sse::Event::default().id(id).event("ACTIVITY_LOGGED").data(envelope.to_string())
            }
            Next::Quiet => sse::Event::default().comment("quiet"),
        };
        Ok::<_, std::convert::Infallible>(event)
    });
    Sse::new(stream).into_response()
}

async fn socket(
    State(app): State<Arc<App>>,
    Call(context): Call,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => {
            let words = "this is no request for a WebSocket; /api/v1/events is the same by Server-Sent Events";
            return Fault::new(refused.status(), "not-a-websocket", words).answer(Shape::Problem);
        }
    };
    match Heard::new(app, context, headers, query.as_deref()).await {
        Ok(heard) => upgrade.on_upgrade(|socket| async move { talk(socket, heard).await }),
        Err(fault) => fault.answer(Shape::Problem),
    }
}

async fn talk(socket: WebSocket, heard: Heard) {
    let (mut send, mut receive) = futures_util::StreamExt::split(socket);
    let stream = heard.stream();
    tokio::pin!(stream);
    loop {
        let message = tokio::select! {
            next = stream.next() => match next {
                Some(Next::Event { envelope, .. }) => Message::Text(Utf8Bytes::from(envelope.to_string())),
                Some(Next::Quiet) => Message::Ping(bytes::Bytes::new()),
                None => break,
            },
            // Whatever a client says is of no concern; that it is gone is.
            said = receive.next() => match said {
                Some(Ok(_)) => continue,
                _ => return,
            },
        };
        if futures_util::SinkExt::send(&mut send, message).await.is_err() {
            return;
        }
    }
    drop(futures_util::SinkExt::close(&mut send).await);
}

enum Next {
    Event { id: String, envelope: Value },
    Quiet,
}

/// One listener.
struct Heard {
    app: Arc<App>,
    context: Context,
    headers: HeaderMap,
    store: Store,
    cipher: Cipher,
    namespaces: Vec<String>,
    after: i64,
    waiting: std::collections::VecDeque<Event>,
}

impl Heard {
    async fn new(app: Arc<App>, context: Context, headers: HeaderMap, query: Option<&str>) -> Result<Self, Fault> {
        let (mut namespaces, mut after) = (Vec::new(), None);
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "namespaces" => namespaces.push(value.into_owned()),
                "after" => after = Some(value.into_owned()),
                _ => return Err(Fault::bad(&crate::text::line(&name, 64), "there is no such parameter")),
            }
        }
        let store = context.store().await?;
        for namespace in &namespaces {
            if !in_sight(&context, &store, namespace).await {
                context.caller().require_namespace(namespace)?;
            }
        }
        let cipher = Cipher::of_events(store.meta().store_id);
        let header =
            headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(|id| ("Last-Event-ID", id.to_owned()));
        let resumed = header.or(after.map(|id| ("after", id)));
        let after = match resumed {
            Some((field, text)) => {
                opened(&cipher, &text).ok_or_else(|| Fault::bad(field, "this is no id of an event"))?
            }
            None => store.last_activity_id().await.map_err(crate::Error::from)?,
        };
        Ok(Self { app, context, headers, store, cipher, namespaces, after, waiting: std::collections::VecDeque::new() })
    }

    fn stream(self) -> impl Stream<Item = Next> {
        let news = self.context.news();
        stream::unfold((self, news), |(mut heard, mut news)| async move {
            let next = heard.next(&mut news).await?;
            Some((next, (heard, news)))
        })
    }

    /// The next thing to tell; `None` at the end of the server or of the right to listen.
    async fn next(&mut self, news: &mut tokio::sync::watch::Receiver<u64>) -> Option<Next> {
        let quiet = tokio::time::sleep(QUIET);
        tokio::pin!(quiet);
        loop {
            while let Some(event) = self.waiting.pop_front() {
                if self.is_for_us(&event).await {
                    // The event was read this moment, so whatever keeps a token from being looked up will not last; who
                    // is cut off for it comes back with the id of the event before.
                    self.app.auth.caller(&self.app.context, &self.headers).await.ok()?;
                    let id = format!("{:016x}", self.cipher.seal(event.id.cast_unsigned()));
                    return Some(Next::Event { envelope: envelope(&event, &id), id });
                }
            }
            news.mark_unchanged();
            // A database that is away is asked again; meanwhile nothing can have happened.
            if let Ok(activity) = self.store.activity_after(self.after, PAGE).await {
                self.after = activity.horizon.max(self.after);
                self.waiting.extend(activity.events);
                if !self.waiting.is_empty() {
                    continue;
                }
            }
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return None },
                () = tokio::time::sleep(LOOK) => {}
                () = self.context.cancel().cancelled() => return None,
                () = &mut quiet => {
                    return match self.app.auth.caller(&self.app.context, &self.headers).await {
                        Err(fault) if fault.status == StatusCode::UNAUTHORIZED => None,
                        _ => Some(Next::Quiet),
                    };
                }
            }
        }
    }

    async fn is_for_us(&self, event: &Event) -> bool {
        let Some(namespace) = &event.namespace else {
            return self.namespaces.is_empty() && self.context.caller().has(heirloom_store::Right::Admin);
        };
        (self.namespaces.is_empty() || self.namespaces.contains(namespace))
            && (self.context.caller().allows(namespace) || in_sight(&self.context, &self.store, namespace).await)
    }
}

/// Whether a workspace that a token acts for may read a namespace by the tree, which is asked anew each time.
async fn in_sight(context: &Context, store: &Store, namespace: &str) -> bool {
    let Caller::Token(_) = context.caller() else { return false };
    for own in context.caller().own() {
        let Some(workspace) = own.strip_prefix("workspace:") else { continue };
        // A workspace that is in no tree sees what its token names.
        if let Ok(lineage) = store.lineage(workspace).await
            && lineage.readable.iter().any(|readable| readable.name == namespace)
        {
            return true;
        }
    }
    false
}

/// The event that an id stands for.
fn opened(cipher: &Cipher, text: &str) -> Option<i64> {
    let is_id = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    cipher.open(u64::from_str_radix(text, 16).ok().filter(|_| is_id)?)
}

/// The platform's envelope: whose activity it is, the workspace that acted or else the one that owns the namespace, and the
/// platform's three kinds of it. What it has no word for is one more kind: `memory_edit`, `memory_transition`, and
/// `memory_migration`, whose target is the run.
pub fn envelope(event: &Event, id: &str) -> Value {
    let namespace = event.namespace.as_deref();
    let said = |key: &str| event.details.as_ref().and_then(|details| details.get(key)).and_then(Value::as_str);
    let owner = namespace.and_then(|namespace| namespace.strip_prefix("workspace:"));
    let workspace = said("workspace").or(owner);
    let step = said("step").map(|step| format!("migration {step} in"));
    let forgotten = event.memory_id.map(|id| format!("forget_memory {id} from"));
    let (kind, verb) = match event.action.as_str() {
        "remember" | "commit" if said("kind") == Some("summary") => ("memory_summary_write", "commit_summary to"),
        "remember" | "commit" => ("memory_write", "commit_memory to"),
        "revise" => ("memory_edit", "edit_memory in"),
        "forget" => ("memory_delete", forgotten.as_deref().unwrap_or("forget_memory from")),
        "transition" => ("memory_transition", "transition in"),
        "migrate" => ("memory_migration", step.as_deref().unwrap_or("migration in")),
        other => (other, other),
    };
    json!({
        "event": "ACTIVITY_LOGGED",
        "id": id,
        "workspace_id": workspace,
        "timestamp": event.at,
        "payload": {
            "activity_type": kind,
            "method": namespace,
            "summary": namespace.map_or_else(|| verb.to_owned(), |namespace| format!("{verb} {namespace}")),
            "status": "ok",
            "source_id": workspace,
            // Of what a migration did, a step or a load: the run.
            "target_id": event.memory_id.map_or_else(|| json!(said("run_id")), |id| json!(id)),
            "duration_ms": null,
            "actor": event.actor,
            "content_sha256": event.content_sha256,
        },
    })
}
