//! `POST /admin/memories/import`: what an export gave, back as it was, however much it is: an element is written as soon
//! as it has arrived.
//!
//! An entry with a namespace of ours goes there. One of the platform's own exports names a workspace and a scope, and
//! perhaps a tag. What is there already, or was forgotten, stays so; importing twice changes nothing, not even where an
//! entry has no id: it then follows from namespace and text.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::StreamExt;
use heirloom_store::redact::redact;
use heirloom_store::{Lineage, Memory, Moment, Right, Scope, Store, StoreError, Workspace, namespace};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::split::{Bad, Split};
use crate::compat::marks;
use crate::compat::memories;
use crate::compat::wire::{self, Fields};
use crate::context::Context;
use crate::error::Error;
use crate::http::App;
use crate::http::body::Call;
use crate::http::fault::{Fault, Shape};

/// How many entries that were not imported are told one by one.
const TOLD: usize = 100;

/// What became of all entries.
#[derive(Default, Serialize)]
struct Counts {
    imported: u64,
    skipped: u64,
    errors: u64,
    total: u64,
    /// Beyond the platform's contract: why entries were left out, the first hundred.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    index: u64,
    error: String,
}

/// What became of one.
enum Outcome {
    Imported,
    /// There already.
    Known,
    Skipped(String),
    Wrong(String),
}

/// `POST /admin/memories/import`.
pub(super) async fn import(State(app): State<Arc<App>>, Call(context): Call, request: Request) -> Response {
    imported(&app, &context, request).await.unwrap_or_else(|fault| fault.answer(Shape::Workspace))
}

async fn imported(app: &App, context: &Context, request: Request) -> Result<Response, Fault> {
    context.caller().require(Right::Admin)?;
    let mut import = Import::begin(context).await?;
    let mut split = Split::default();
    let mut body = request.into_body().into_data_stream();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| import.broken("the body ended early"))?;
        // What arrived before a fault is written; the fault says how much that was.
        let elements = split.push(&bytes, app.body_limit).map_err(|bad| match bad {
            Bad::Syntax => import.broken("it is no array of objects"),
            Bad::TooLarge => import.broken("an entry is too large"),
        })?;
        for element in elements {
            import.take(&element).await?;
        }
    }
    if !split.is_whole() {
        return Err(import.broken("the array does not end"));
    }
    Ok(wire::json(StatusCode::OK, &import.counts))
}

struct Import<'c> {
    context: &'c Context,
    store: Store,
    workspaces: Vec<Workspace>,
    lineages: HashMap<String, Lineage>,
    counts: Counts,
}

impl<'c> Import<'c> {
    async fn begin(context: &'c Context) -> Result<Self, Fault> {
        let store = context.store().await?;
        let workspaces = store.list_workspaces().await?;
        Ok(Self { context, store, workspaces, lineages: HashMap::new(), counts: Counts::default() })
    }

    fn broken(&self, what: &str) -> Fault {
        let Counts { imported, total, .. } = &self.counts;
        Fault::bad("", format!("invalid JSON: {what}, after {total} entries, of which {imported} were imported"))
    }

    /// Takes one entry. What is wrong with it is counted; what is wrong with the database ends the import.
    async fn take(&mut self, element: &[u8]) -> Result<(), Fault> {
        let outcome = match Fields::read(element) {
            Err(_) => return Err(self.broken("an entry is no object")),
            Ok(fields) => match self.entry(&fields).await {
                Ok(outcome) => outcome,
                Err(fault) if fault.status.is_client_error() => Outcome::Wrong(fault.message),
                Err(fault) => return Err(fault),
            },
        };
        let index = self.counts.total;
        self.counts.total += 1;
        let told = match outcome {
            Outcome::Imported => {
                self.counts.imported += 1;
                None
            }
            Outcome::Known => {
                self.counts.skipped += 1;
                None
            }
            Outcome::Skipped(why) => {
                self.counts.skipped += 1;
                Some(why)
            }
            Outcome::Wrong(why) => {
                self.counts.errors += 1;
                Some(why)
            }
        };
        if let Some(error) = told
            && self.counts.problems.len() < TOLD
        {
            self.counts.problems.push(Problem { index, error });
        }
        Ok(())
    }

    async fn entry(&mut self, fields: &Fields) -> Result<Outcome, Fault> {
        let given = fields.text("namespace")?;
        let (place, tag) = if given.contains(':') && namespace::validate(&given).is_ok() {
            (given, None)
        } else {
            match self.place(fields).await? {
                Ok(place) => (place, Some(given)),
                Err(outcome) => return Ok(outcome),
            }
        };
        let old = self.memory(fields, place, tag)?;
        let scope = Scope::one(&old.namespace)?;
        let scope = match self.context.caller().actor() {
            Some(actor) => scope.by(&actor)?,
            None => scope,
        };
        match memories::restore(self.context, &scope, &old).await {
            Ok(done) if done.created => Ok(Outcome::Imported),
            Ok(_) => Ok(Outcome::Known),
            Err(Error::Store(StoreError::Conflict(why))) => Ok(Outcome::Skipped(why)),
            Err(other) => Err(other.into()),
        }
    }

    /// The memory that an entry tells of. What it does not mention is as with a new memory; null is nothing.
    fn memory(&self, fields: &Fields, place: String, tag: Option<String>) -> Result<Memory, Fault> {
        let text = |name: &str| Ok::<_, Fault>(Some(fields.text(name)?).filter(|text| !text.is_empty()));
        let content = fields.text("content")?;
        // What is brought back is what it was; what comes to an organisation by its scope is a write like any other.
        let content = match tag {
            Some(_) if marks::is_org(&place) => marks::escaped(&content).into_owned(),
            _ => content,
        };
        let id = match text("id")? {
            Some(id) => id.parse().map_err(|_| Fault::bad("id", "id is not a uuid"))?,
            None => id_of(&place, &content),
        };
        let now = Moment::from(Timestamp::now());
        // The platform's times that are none and without end, as an export writes them.
        let created_at = match moment(fields, "created_at")?.unwrap_or(Some(now)) {
            Some(at) if at.to_string() == wire::moment(None) => None,
            Some(at) if at.to_string() == wire::moment(Some(Moment::Infinity)) => Some(Moment::Infinity),
            other => other,
        };
        let (commit_sha, artifact_hash) = (text("commit_sha")?, text("artifact_hash")?);
        let verified = (commit_sha.is_some() || artifact_hash.is_some()).then_some(now);
        Ok(Memory {
            kind: text("kind")?.unwrap_or_else(|| "fact".to_owned()),
            source: text("source")?.unwrap_or_else(|| "agent".to_owned()),
            role: text("role")?,
            topic: text("topic")?.or_else(|| tag.filter(|tag| !tag.trim().is_empty())),
            importance: match fields.whole("importance")? {
                0 => 3,
                other => i16::try_from(other).unwrap_or(i16::MAX),
            },
            confidence: confidence(fields)?,
            state: text("state")?.unwrap_or_else(|| "draft".to_owned()),
            state_changed_at: moment(fields, "state_changed_at")?.unwrap_or(Some(now)),
            verified_at: moment(fields, "verified_at")?.unwrap_or(verified),
            commit_sha,
            artifact_hash,
            source_run_id: text("source_run_id")?,
            source_task_id: text("source_task_id")?,
            source_dag_id: text("source_dag_id")?,
            project_id: match fields.whole("project_id")? {
                0 if !fields.given("project_id").is_some_and(Value::is_number) => None,
                number => {
                    Some(i32::try_from(number).map_err(|_| Fault::bad("project_id", "project_id is out of range"))?)
                }
            },
            pin: fields.flag("pin")?,
            propagation: fields.given("propagation").cloned(),
            metadata: fields.given("metadata").cloned(),
            expires_at: moment(fields, "expires_at")?.flatten(),
            valid_from: moment(fields, "valid_from")?.unwrap_or_else(|| created_at.map(|at| at.min(now))),
            valid_to: moment(fields, "valid_to")?.flatten(),
            updated_at: moment(fields, "updated_at")?.unwrap_or(created_at),
            created_at,
            is_active: !fields.given("is_active").is_some_and(|is| is == false),
            content_type: text("content_type")?,
            item_kind: text("item_kind")?.unwrap_or_else(|| "note".to_owned()),
            ..Memory::new(id, place, content)
        })
    }

    /// The namespace of an entry that names a workspace and a scope.
    async fn place(&mut self, fields: &Fields) -> Result<Result<String, Outcome>, Fault> {
        let scope = fields.text("scope")?.to_ascii_uppercase();
        let Some(kind) = marks::kind_of(if scope.is_empty() { "LOCAL" } else { &scope }) else {
            return Ok(Err(Outcome::Wrong("scope must be LOCAL, TEAM, or GLOBAL".to_owned())));
        };
        let (id, name) = (fields.text("workspace_id")?, fields.text("workspace_name")?);
        if id.is_empty() && name.is_empty() {
            // Not the workspace that nobody gave a name.
            return Ok(Err(Outcome::Skipped("the entry names no workspace".to_owned())));
        }
        let known = |workspace: &&Workspace| if id.is_empty() { workspace.name == name } else { workspace.id == id };
        let mut found = self.workspaces.iter().filter(known);
        let workspace = match (found.next(), found.next()) {
            (Some(workspace), None) => workspace.id.clone(),
            (None, _) => return Ok(Err(Outcome::Skipped("there is no such workspace".to_owned()))),
            (Some(_), Some(_)) => {
                let why = "several workspaces have this name; give workspace_id".to_owned();
                return Ok(Err(Outcome::Wrong(why)));
            }
        };
        if !self.lineages.contains_key(&workspace) {
            let lineage = self.store.lineage(&workspace).await?;
            self.lineages.insert(workspace.clone(), lineage);
        }
        // An administrator writes for the organisation, whichever workspace the entry names.
        let readable = self.lineages.get(&workspace).into_iter().flat_map(|lineage| &lineage.readable);
        let place = readable.into_iter().find(|namespace| namespace.kind == kind).map(|of| of.name.clone());
        Ok(place.ok_or_else(|| Outcome::Skipped(format!("no writable namespace of kind {kind}"))))
    }
}

/// The id of an entry that has none: the same text in the same namespace is the same memory, however often it comes. Of the
/// text as it is stored, so that an id tells nothing of a credential.
fn id_of(place: &str, content: &str) -> Uuid {
    let name = format!("heirloom import\0{place}\0{}", redact(content));
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// A moment; `None` where nothing is said of it, `Some(None)` for null.
fn moment(fields: &Fields, name: &str) -> Result<Option<Option<Moment>>, Fault> {
    match fields.given(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) if let Ok(moment) = text.parse() => Ok(Some(Some(moment))),
        Some(_) => fields.time(name).map(Some),
    }
}

/// How sure it is; half where nothing is said of it.
fn confidence(fields: &Fields) -> Result<Option<f32>, Fault> {
    match fields.given("confidence") {
        None => Ok(Some(0.5)),
        Some(Value::Null) => Ok(None),
        #[expect(clippy::cast_possible_truncation, reason = "it is kept in single precision")]
        Some(value) => match value.as_f64() {
            Some(number) => Ok(Some(number as f32)),
            None => Err(Fault::bad("confidence", "invalid JSON: confidence is not a number")),
        },
    }
}
