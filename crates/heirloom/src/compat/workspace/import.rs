//! `POST /admin/memories/import`: what an export gave, back as it was, however much it is: an element is written as soon
//! as it has arrived.
//!
//! An entry with a namespace of ours goes there. One of the platform's own exports names a workspace and a scope, and
//! perhaps a tag. What is there already, or was forgotten, stays so; importing twice changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::StreamExt;
use heirloom_store::{Lineage, Remember, Right, Scope, Store, StoreError, Workspace, namespace};
use serde::Serialize;

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
        let text = |name: &str| Ok::<_, Fault>(Some(fields.text(name)?).filter(|text| !text.is_empty()));
        let content = fields.text("content")?;
        let content = if marks::is_org(&place) { marks::escaped(&content).into_owned() } else { content };
        let importance = match fields.whole("importance")? {
            0 => None,
            other => Some(i16::try_from(other).unwrap_or(i16::MAX)),
        };
        let old = Remember {
            content,
            id: text("id")?.map(|id| id.parse()).transpose().map_err(|_| Fault::bad("id", "id is not a uuid"))?,
            kind: text("kind")?.or_else(|| Some("fact".to_owned())),
            source: text("source")?.or_else(|| Some("agent".to_owned())),
            role: text("role")?,
            topic: text("topic")?.or_else(|| tag.filter(|tag| !tag.trim().is_empty())),
            importance,
            state: text("state")?,
            commit_sha: text("commit_sha")?,
            artifact_hash: text("artifact_hash")?,
            source_run_id: text("source_run_id")?,
            source_task_id: text("source_task_id")?,
            pin: fields.flag("pin")?,
            propagation: fields.given("propagation").cloned(),
            metadata: fields.given("metadata").cloned(),
            expires_at: fields.time("expires_at")?,
            // The platform's time that is none, as an export writes it, is none.
            created_at: fields.time("created_at")?.filter(|at| at.to_string() != wire::moment(None)),
            updated_at: fields.time("updated_at")?,
            namespace: place,
            ..Remember::default()
        };
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
