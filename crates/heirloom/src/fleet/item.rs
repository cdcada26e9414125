//! A tenant with its files, references and credentials resolved. What is wrong with one is kept here and becomes its line.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use heirloom_engine::{Location, redact_url};
use heirloom_migrate::MigrateError;
use heirloom_migrate::file::{MigrationFile, resolve_url};
use heirloom_migrate::fleet::credential::Credential;
use heirloom_migrate::fleet::{self, Allow, Failure, Tenant, TenantsFile};
use heirloom_migrate::plan::Plan;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::explain;

/// A tenant.
pub struct Item {
    /// As the file says.
    pub tenant: Tenant,
    /// Its made migration file.
    pub toml: PathBuf,
    /// Its plan.
    pub plan: PathBuf,
    /// What the made migration file says.
    pub migration: std::result::Result<MigrationFile, Failure>,
    /// The source's URL, with its credential.
    source: std::result::Result<String, Failure>,
    /// Queries for its shadow recall, where the tenants file names some.
    pub shadow: Option<PathBuf>,
    /// Where its memories go.
    pub target: std::result::Result<Location, Failure>,
}

// The URLs hold credentials.
impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Item").field("name", &self.name()).field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// An error as a line keeps it.
pub(crate) fn failure(error: &Error) -> Failure {
    let explained = explain::explain(error);
    let causes: String = explained.causes.iter().map(|cause| format!(": {cause}")).collect();
    Failure { code: explained.code.to_owned(), message: explained.message + &causes, hints: explained.hints }
}

/// The directory of made migration files and plans.
pub(super) fn directory(file: &TenantsFile) -> PathBuf {
    beside(&file.path, &file.plans)
}

fn beside(file: &str, name: &str) -> PathBuf {
    Path::new(file).parent().map_or_else(|| PathBuf::from(name), |parent| parent.join(name))
}

/// Every tenant of a file.
pub(super) fn all(context: &Context, file: &TenantsFile) -> Vec<Item> {
    let mut templates: HashMap<PathBuf, std::result::Result<String, Failure>> = HashMap::new();
    let directory = directory(file);
    file.tenants
        .iter()
        .map(|tenant| {
            let toml = directory.join(format!("{}.toml", tenant.name.value));
            let migration = migration(file, tenant, &toml, &mut templates);
            let source = migration.as_ref().map_err(Clone::clone).and_then(|migration| {
                let url = resolve_url(&migration.source.url, &|name: &str| context.secret(name));
                let url = url.map_err(|error| failure(&error.into()))?;
                Ok(match url.strip_prefix("sqlite:") {
                    Some(path) if context.is_attached() => {
                        format!("sqlite:{}", context.path(Path::new(path)).display())
                    }
                    _ => url,
                })
            });
            let target = migration.as_ref().map_err(Clone::clone).and_then(|migration| {
                let found =
                    match &migration.target {
                        Some(word) => resolve_url(word, &|name: &str| context.secret(name))
                            .map_err(Error::from)
                            .and_then(|url| match heirloom_migrate::target::is_foreign(&url) {
                                false => Ok(Location::parse(&url)),
                                true => Err(Error::Argument {
                                    argument: "[target] url",
                                    what: format!("{} goes into a target that is no store", tenant.name.value),
                                    accepted: "a fleet moves into stores; use `heirloom plan` and `apply` for this one"
                                        .to_owned(),
                                }),
                            }),
                        None => context.location(),
                    };
                found.map_err(|error| failure(&error))
            });
            let mut tenant = tenant.clone();
            for pause in &mut tenant.manners.pause_files {
                *pause = beside(&file.path, &pause.to_string_lossy());
            }
            let shadow = tenant.shadow.as_ref().map(|name| beside(&file.path, &name.value));
            Item { plan: Plan::path_for(&toml), tenant, toml, migration, source, shadow, target }
        })
        .collect()
}

fn migration(
    file: &TenantsFile,
    tenant: &Tenant,
    toml: &Path,
    templates: &mut HashMap<PathBuf, std::result::Result<String, Failure>>,
) -> std::result::Result<MigrationFile, Failure> {
    let template = match &tenant.file {
        None => None,
        Some(name) => {
            let path = beside(&file.path, &name.value);
            let text = templates
                .entry(path.clone())
                .or_insert_with(|| std::fs::read_to_string(&path).map_err(|error| failure(&Error::file(&path)(error))));
            Some((path.display().to_string(), text.clone()?))
        }
    };
    let template = template.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    fleet::migration(file, tenant, template, &toml.display().to_string()).map_err(|error| failure(&error.into()))
}

impl Item {
    /// The tenant's name.
    pub fn name(&self) -> &str {
        &self.tenant.name.value
    }

    /// Whether something is let pass.
    pub fn allows(&self, word: Allow) -> bool {
        self.tenant.allow.contains(&word)
    }

    /// The migration file.
    ///
    /// # Errors
    /// What is wrong with it, told.
    pub fn migration(&self) -> Result<&MigrationFile> {
        self.migration.as_ref().map_err(again)
    }

    /// The source's URL, with its credential.
    ///
    /// # Errors
    /// When the reference stands for nothing.
    pub fn source_url(&self) -> Result<&str> {
        self.source.as_deref().map_err(again)
    }

    /// Where its memories go.
    ///
    /// # Errors
    /// When the reference stands for nothing.
    pub fn target(&self) -> Result<&Location> {
        self.target.as_ref().map_err(again)
    }

    /// Whether its table lies in the target's own database and is read over the same connection.
    pub fn reads_target(&self) -> bool {
        let (Ok(url), Ok(target)) = (&self.source, &self.target) else { return false };
        let same = match target {
            Location::Server(target) => redact_url(url) == redact_url(target),
            _ => false,
        };
        url == "store" || same
    }

    /// The credential that reads; none of a file's, nor of the target's own connection.
    pub fn source_credential(&self) -> Option<Credential> {
        if self.reads_target() { None } else { self.source.as_deref().ok().and_then(Credential::of) }
    }

    /// The credential that writes.
    pub fn target_credential(&self) -> Option<Credential> {
        match &self.target {
            Ok(Location::Server(url)) => Credential::of(url),
            _ => None,
        }
    }

    /// Its plan, which must be of the migration file as it is now made.
    ///
    /// # Errors
    /// [`MigrateError::Plan`] when there is none, when it is damaged, or when tenants file or template changed since.
    pub fn read_plan(&self) -> Result<Plan> {
        let plan = self.kept_plan()?;
        self.unchanged(&plan)?;
        Ok(plan)
    }

    /// The plan that lies there, of whatever migration file.
    ///
    /// # Errors
    /// [`MigrateError::Plan`] when there is none, or it is damaged.
    pub fn kept_plan(&self) -> Result<Plan> {
        match self.plan.exists() {
            true => Ok(Plan::read(&self.plan)?),
            false => Err(self.refuse("it is not there yet".to_owned(), "run `heirloom fleet plan` first")),
        }
    }

    /// Whether a plan is of the migration file as it is now made.
    ///
    /// # Errors
    /// [`MigrateError::Plan`] when it is not.
    pub fn unchanged(&self, plan: &Plan) -> Result<()> {
        match plan.is_of(&self.migration()?.text) {
            true => Ok(()),
            false => Err(self.refuse(
                "the tenants file or its template changed since it was made".to_owned(),
                "run `heirloom fleet plan` again and read what changed",
            )),
        }
    }

    /// A refusal of its plan.
    pub(super) fn refuse(&self, what: String, cure: &str) -> Error {
        MigrateError::Plan { plan: self.plan.display().to_string(), what, cure: cure.to_owned() }.into()
    }
}

/// A failure as an error again, with the same code and hints.
fn again(failure: &Failure) -> Error {
    Error::Told(Box::new(explain::Told {
        code: failure.code.clone(),
        message: failure.message.clone(),
        causes: Vec::new(),
        hints: failure.hints.clone(),
    }))
}
