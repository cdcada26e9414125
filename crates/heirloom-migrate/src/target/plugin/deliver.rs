//! What happens to memories on their way in: seen and left, written again, or written. Side by side, each by itself: there
//! is no all of it or nothing, but each bears an id of ours, and writing what is there says the same again.
//!
//! A namespace is looked at when it is met first, and put where it shows nothing: a put takes the end and the notes off one that
//! has them. Where it shows all it holds, what it does not show is written without a second look. Where it holds more than
//! it shows, each memory is looked for before it is written, so that what was edited there since is not written over.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use heirloom_store::{Memory, Moment};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::super::{Fate, Parcel, Terms};
use super::carry::{SAYABLE, namespace_kind};
use super::client::{Answer, Client, Refusal};
use super::side_by_side;
use super::sight::{Eye, Sight};
use crate::digest::Digest;
use crate::error::{MigrateError, Result};
use crate::mapping::{Reject, RejectCode};

/// A namespace as it was met.
#[derive(Debug)]
pub(super) struct Home {
    /// What it showed.
    pub(super) ids: HashSet<Uuid>,
    /// Whether that was all.
    pub(super) is_whole: bool,
}

/// A namespace as it was found or refused; asked for once.
type Asked = Arc<OnceCell<std::result::Result<Home, Refusal>>>;

/// Namespaces that were met.
#[derive(Debug, Default)]
pub(super) struct Homes(Mutex<HashMap<String, Asked>>);

impl Homes {
    pub(super) fn of(&self, namespace: &str) -> Asked {
        let mut homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(homes.entry(namespace.to_owned()).or_default())
    }
}

/// Looks at a namespace, and puts it where it is not there.
async fn meet(eye: Eye<'_>, namespace: &str) -> Result<std::result::Result<Home, Refusal>> {
    let page = match eye.list(namespace).await? {
        Ok(page) => page,
        Err(refusal) => return refused_or_away(eye.client, refusal).map(Err),
    };
    if page.rows.is_empty()
        && page.is_whole
        && let Answer::No(refusal) = eye.client.put_namespace(namespace, namespace_kind(namespace)).await?
    {
        return refused_or_away(eye.client, refusal).map(Err);
    }
    Ok(Ok(Home { ids: page.rows.iter().map(|row| row.id).collect(), is_whole: page.is_whole }))
}

/// What is refused for its namespace is the rows' fate; a fault of the plugin's is nobody's.
fn refused_or_away(client: &Client, refusal: Refusal) -> Result<Refusal> {
    if refusal.status < 500 {
        return Ok(refusal);
    }
    Err(client
        .away(&format!("answers {refusal} where a namespace is asked for"), "give the same command again to go on"))
}

/// Hands memories down, and says what became of each, in their order.
pub(super) async fn deliver(
    eye: Eye<'_>,
    homes: &Homes,
    terms: Terms<'_>,
    rows: &[Parcel],
    lanes: usize,
) -> Result<Vec<Fate>> {
    let all = rows.iter().map(|row| one(eye, homes, terms, row)).collect();
    side_by_side(lanes, all).await
}

async fn one(eye: Eye<'_>, homes: &Homes, terms: Terms<'_>, row: &Parcel) -> Result<Fate> {
    let memory = &row.memory;
    let home = homes.of(&memory.namespace);
    let home = match home.get_or_try_init(|| meet(eye, &memory.namespace)).await? {
        Ok(home) => home,
        Err(refusal) => return Ok(Fate::Refused(reject(*refusal, Some("namespace")))),
    };
    let fate = if row.written.is_some() || !home.is_whole || home.ids.contains(&memory.id) {
        match eye.find(memory.id, &memory.namespace, &memory.content, !home.is_whole).await? {
            Sight::There(there) => {
                let Digest(digest) = terms.surface.digest(&there.frames, terms.key);
                match row.written {
                    _ if digest == row.digest.0 => return Ok(Fate::Present),
                    Some(written) if digest == written => Fate::Updated,
                    _ => return Ok(Fate::Conflict),
                }
            }
            Sight::Away if row.written.is_some() => return Ok(Fate::Gone),
            Sight::Wordless | Sight::Hidden if row.written.is_some() => return Ok(Fate::Refused(unseen())),
            Sight::Away | Sight::Wordless | Sight::Hidden => Fate::Inserted,
        }
    } else {
        Fate::Inserted
    };
    match commit(eye.client, memory, terms.dimension).await? {
        Ok(()) => Ok(fate),
        Err(refusal) => Ok(Fate::Refused(reject(refusal, None))),
    }
}

async fn commit(client: &Client, memory: &Memory, dimension: usize) -> Result<std::result::Result<(), Refusal>> {
    let body = body(memory, dimension);
    let mut answer = client.commit(&memory.namespace, &body).await?;
    if let Answer::No(Refusal { status: 404, .. }) = answer {
        // Its namespace went away since.
        client.put_namespace(&memory.namespace, namespace_kind(&memory.namespace)).await?;
        answer = client.commit(&memory.namespace, &body).await?;
    }
    match answer {
        Answer::Yes(id) if id == memory.id => Ok(Ok(())),
        Answer::Yes(_) => Err(MigrateError::Refused {
            what: format!("The plugin at {} keeps a memory under an id of its own", client.display()),
            cure: "the same row would come twice; a plugin that keeps the id it is given is accepted".to_owned(),
        }),
        Answer::No(refusal) => Ok(Err(refusal)),
        Answer::TooLarge => Err(client.away("answers more than a plugin does", "check what answers there")),
    }
}

/// A memory as the contract writes it, and its times, which the contract does not know and does not mind.
fn body(memory: &Memory, dimension: usize) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    put("id", json!(memory.id));
    put("content", json!(memory.content));
    put("kind", json!(memory.kind));
    put("source", json!(memory.source));
    if memory.pin {
        put("pin", json!(true));
    }
    if let Some(propagation) = &memory.propagation {
        put("propagation", propagation.clone());
    }
    if let Some(vector) = &memory.embedding {
        let mut vector = vector.clone();
        vector.resize(dimension.max(vector.len()), 0.0);
        put("embedding", json!(vector));
    }
    for (name, moment) in
        [("expires_at", memory.expires_at), ("created_at", memory.created_at), ("updated_at", memory.updated_at)]
    {
        if let Some(Moment::Micros(micros)) = moment
            && SAYABLE.contains(&micros)
            && let Ok(at) = jiff::Timestamp::from_microsecond(micros)
        {
            put(name, json!(at.to_string()));
        }
    }
    Value::Object(body)
}

fn reject(refusal: Refusal, field: Option<&str>) -> Reject {
    let accepted = match refusal.status {
        413 => "a shorter one",
        401 | 403 => "a token that may write to the namespace",
        409 => "an id that nobody has there, and that was not forgotten there",
        500.. => "what the plugin does not fail at: its log says why",
        _ => "what the plugin takes: its log says why",
    };
    Reject {
        code: RejectCode::Database,
        field: refusal.field.or(field).map(str::to_owned),
        column: None,
        message: format!("the plugin does not take it ({refusal}); accepted: {accepted}"),
    }
}

fn unseen() -> Reject {
    Reject {
        code: RejectCode::WouldHide,
        field: None,
        column: None,
        message:
            "it changed at the source, and the plugin's search does not show what became of it there: an edit might be \
                  written over; accepted: rows that the search finds by their words"
                .into(),
    }
}
