//! What the operations on migrations share: a migration file or a plan, with its source and target opened.

use std::path::Path;

use heirloom_engine::{Database, Location};
use heirloom_migrate::file::{MigrationFile, resolve_url};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source::{self, Source};
use heirloom_store::StoreError;
use serde::Serialize;

use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};

/// A migration file as read.
pub(super) struct Migration {
    pub(super) file: MigrationFile,
}

/// Source and target of a migration, opened.
pub(super) struct Sides<'a> {
    pub(super) source: Box<dyn Source>,
    pub(super) database: &'a Database,
    /// The embedded store that is not there yet, when an empty throw-away database stands in for it.
    pub(super) stands_in_for: Option<String>,
}

/// A plan with its source and target opened.
pub(super) struct Opened<'a> {
    pub(super) plan: Plan,
    pub(super) source: Box<dyn Source>,
    pub(super) database: &'a Database,
}

impl Migration {
    /// Reads and parses the file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        Ok(Self { file: MigrationFile::parse(&path.display().to_string(), &text)? })
    }

    /// Opens both sides for reading. An embedded store that is not there is not made by planning for it.
    pub(super) async fn open<'a>(&self, context: &'a Context) -> Result<Sides<'a>> {
        let location = target(context, &self.file)?;
        let stands_in_for = (!location.is_there()).then(|| location.display());
        let location = if stands_in_for.is_some() { Location::Temporary } else { location };
        let database = context.database_at(&location).await?;
        Ok(Sides { source: open_source(&self.file, database).await?, database, stands_in_for })
    }
}

impl<'a> Opened<'a> {
    /// Reads a plan and opens both its sides. Only who may `create` an embedded store that is not there makes one.
    pub(super) async fn of_plan(context: &'a Context, path: &Path, create: bool) -> Result<Self> {
        if !path.exists() {
            return Err(Error::file(path)(std::io::ErrorKind::NotFound.into()));
        }
        let plan = Plan::read(path)?;
        let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
        let location = target(context, &file)?;
        if !create && !location.is_there() {
            return Err(StoreError::NotInstalled(location.display()).into());
        }
        let database = context.database_at(&location).await?;
        Ok(Self { source: open_source(&file, database).await?, plan, database })
    }
}

async fn open_source(file: &MigrationFile, database: &Database) -> Result<Box<dyn Source>> {
    let url = resolve_url(&file.source.url, &Config::secret)?;
    Ok(source::open(&url, database).await?)
}

/// Where a migration file's memories go: what it says, else the configured store.
fn target(context: &Context, file: &MigrationFile) -> Result<Location> {
    match &file.target {
        Some(word) => Ok(Location::parse(&resolve_url(word, &Config::secret)?)),
        None => context.location(),
    }
}

/// The word a state or code is written as.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
