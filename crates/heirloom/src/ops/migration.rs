//! What the operations on migrations share: a migration file or a plan, with its source and target opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use heirloom_engine::{Database, Location};
use heirloom_migrate::MigrateError;
use heirloom_migrate::file::{MigrationFile, resolve_url};
use heirloom_migrate::ledger::{self, RunSummary};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source::{self, Source};
use heirloom_migrate::target::{self, Foreign};
use heirloom_store::{Meta, Store, StoreError};
use serde::Serialize;
use uuid::Uuid;

use crate::caller::Caller;
use crate::context::Context;
use crate::error::{Error, Result};

/// Source and target of a migration file, opened for reading.
pub(super) struct Sides<'a> {
    pub(super) source: Box<dyn Source>,
    pub(super) database: &'a Database,
    /// The embedded store that is not there yet, when an empty throw-away database stands in for it.
    pub(super) stands_in_for: Option<String>,
    /// The target of the rows, where it is no store; the database then holds the ledger.
    pub(super) foreign: Option<Box<dyn Foreign>>,
}

/// A plan with its source and target opened.
pub(super) struct Opened<'a> {
    pub(super) plan: Plan,
    pub(super) file: MigrationFile,
    pub(super) source: Box<dyn Source>,
    pub(super) database: &'a Database,
    /// The target of the rows, where it is no store; the database then holds the ledger.
    pub(super) foreign: Option<Box<dyn Foreign>>,
}

/// Reads and parses a migration file.
pub(super) fn read(path: &Path) -> Result<MigrationFile> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    Ok(MigrationFile::parse(&path.display().to_string(), &text)?)
}

/// Refuses a path that no file can be written to, because its directory is not there or it is a directory itself.
pub(super) fn can_hold_a_file(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let reason = match parent {
        Some(parent) if !parent.is_dir() => format!("there is no directory {}; make it first", parent.display()),
        _ if path.is_dir() => "this is a directory; name a file".to_owned(),
        _ => return Ok(()),
    };
    Err(Error::File { path: path.display().to_string(), reason })
}

impl<'a> Sides<'a> {
    /// Opens both sides for reading. An embedded store that is not there is not made by looking at it.
    pub(super) async fn open(context: &'a Context, file: &MigrationFile) -> Result<Self> {
        let location = target(context, file)?;
        let stands_in_for = (!location.is_there()).then(|| location.display());
        let location = if stands_in_for.is_some() { Location::Temporary } else { location };
        let database = context.database_at(&location).await?;
        let foreign = open_foreign(context, file).await?;
        Ok(Self { source: open_source(context, file, database).await?, database, stands_in_for, foreign })
    }
}

impl<'a> Opened<'a> {
    /// Reads a plan and opens both its sides for reading.
    pub(super) async fn to_read(context: &'a Context, path: &Path) -> Result<Self> {
        let (plan, file) = read_plan(path)?;
        let Sides { source, database, foreign, .. } = Sides::open(context, &file).await?;
        Ok(Self { plan, file, source, database, foreign })
    }

    /// Reads a plan and opens both its sides; an embedded store that is not there is made.
    pub(super) async fn to_write(context: &'a Context, path: &Path) -> Result<Self> {
        let (plan, file) = read_plan(path)?;
        let database = context.database_at(&target(context, &file)?).await?;
        let foreign = open_foreign(context, &file).await?;
        Ok(Self { source: open_source(context, &file, database).await?, plan, file, database, foreign })
    }

    /// Reads plans of one and the same target and opens their sides for reading.
    pub(super) async fn all(context: &'a Context, paths: &[PathBuf]) -> Result<Vec<Self>> {
        let mut place: Option<String> = None;
        let mut all = Vec::new();
        for path in paths {
            let (_, file) = read_plan(path)?;
            let here = target(context, &file)?.display();
            if let Some(place) = place.as_ref().filter(|place| **place != here) {
                return Err(Error::Argument {
                    argument: "PLANS",
                    what: format!("{} is for {here}, the plan before it for {place}", path.display()),
                    accepted: "name plans of one store at a time".to_owned(),
                });
            }
            place = Some(here);
            all.push(Self::to_read(context, path).await?);
        }
        Ok(all)
    }

    /// A plan whose target is open.
    pub(super) async fn of(context: &Context, plan: Plan, database: &'a Database) -> Result<Self> {
        let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
        let foreign = open_foreign(context, &file).await?;
        Ok(Self { source: open_source(context, &file, database).await?, plan, file, database, foreign })
    }

    /// The store as it is; none when it is yet to be made and the plan was made for that.
    pub(super) async fn inspect(&self) -> Result<Option<Meta>> {
        let found = Store::inspect(self.database).await?;
        if found.is_none() && self.plan.target.store_id.is_some() {
            return Err(StoreError::NotInstalled(self.plan.target.display.clone()).into());
        }
        Ok(found)
    }
}

/// A plan with its target opened for reading; the source stays closed.
pub(super) async fn plan_and_target<'a>(context: &'a Context, path: &Path) -> Result<(Plan, &'a Database)> {
    let (plan, file) = read_plan(path)?;
    let location = target(context, &file)?;
    if !location.is_there() {
        return Err(StoreError::NotInstalled(location.display()).into());
    }
    Ok((plan, context.database_at(&location).await?))
}

/// The run of a plan, or the latest run of each migration in the store, or of the one of this name; each with its store.
pub(super) async fn latest_runs<'a>(
    context: &'a Context,
    plan: Option<&Path>,
    name: Option<&str>,
) -> Result<Vec<(&'a Database, RunSummary)>> {
    if let Some(path) = plan {
        if !matches!(context.caller(), Caller::Owner(_)) {
            return Err(Error::Forbidden(
                "files of the server are read on its own command line; give a name".to_owned(),
            ));
        }
        let (plan, database) = plan_and_target(context, path).await?;
        let client = database.client().await.map_err(MigrateError::from)?;
        let run = if ledger::exists(&client).await? { ledger::find_run(&client, plan.run_id).await? } else { None };
        return Ok(run.map(|run| (database, run)).into_iter().collect());
    }
    let database = context.existing().await?;
    let client = database.client().await.map_err(MigrateError::from)?;
    let runs = if ledger::exists(&client).await? { ledger::runs(&client).await? } else { Vec::new() };
    let runs = runs.into_iter().filter(|run| name.is_none_or(|name| name == run.name));
    Ok(latest(runs).into_iter().map(|run| (database, run)).collect())
}

/// Where [`latest_runs`] lists it: by its migration and tenant, so that a later run of them stands in its place.
pub(super) fn place((_, run): &(&Database, RunSummary)) -> String {
    Uuid::new_v5(&Uuid::nil(), serde_json::json!([run.name, run.tenant]).to_string().as_bytes()).to_string()
}

/// The latest run of each migration and tenant, in their order.
pub(super) fn latest(runs: impl IntoIterator<Item = RunSummary>) -> Vec<RunSummary> {
    let mut latest: BTreeMap<(String, String), RunSummary> = BTreeMap::new();
    for run in runs {
        let of = (run.name.clone(), run.tenant.clone());
        // Ids of runs are of version 7: the larger one was planned later.
        if latest.get(&of).is_none_or(|newest| newest.run_id < run.run_id) {
            latest.insert(of, run);
        }
    }
    latest.into_values().collect()
}

fn read_plan(path: &Path) -> Result<(Plan, MigrationFile)> {
    if !path.exists() {
        return Err(Error::file(path)(std::io::ErrorKind::NotFound.into()));
    }
    let plan = Plan::read(path)?;
    let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
    Ok((plan, file))
}

async fn open_source(context: &Context, file: &MigrationFile, database: &Database) -> Result<Box<dyn Source>> {
    let url = resolve_url(&file.source.url, &|name: &str| context.secret(name))?;
    // A relative file is meant from where the command was given.
    let url = match url.strip_prefix("sqlite:") {
        Some(file) if context.is_attached() => format!("sqlite:{}", context.path(Path::new(file)).display()),
        _ => url,
    };
    Ok(source::open(&url, database).await?)
}

/// The store of a migration file: what it names, else the configured one, which holds the ledger where the memories go
/// into a target that is no store.
fn target(context: &Context, file: &MigrationFile) -> Result<Location> {
    match target_url(context, file)? {
        Some(url) if !target::is_foreign(&url) => Ok(Location::parse(&url)),
        _ => context.location(),
    }
}

fn target_url(context: &Context, file: &MigrationFile) -> Result<Option<String>> {
    Ok(file.target.as_ref().map(|word| resolve_url(word, &|name: &str| context.secret(name))).transpose()?)
}

async fn open_foreign(context: &Context, file: &MigrationFile) -> Result<Option<Box<dyn Foreign>>> {
    match target_url(context, file)? {
        Some(url) => Ok(target::open(&url, file, &|name: &str| context.secret(name)).await?),
        None => Ok(None),
    }
}

/// The word a state or code is written as.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
