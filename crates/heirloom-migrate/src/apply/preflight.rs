//! What must hold before the first row moves: the plan is whole, and file, source and store are as it found them.

use std::sync::Arc;
use std::time::Instant;

use heirloom_store::Store;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::Work;
use super::item::Mapper;
use super::options::Options;
use crate::digest::Key;
use crate::error::{MigrateError, Result};
use crate::file::MigrationFile;
use crate::ledger;
use crate::mapping::Program;
use crate::plan::{self, Plan};
use crate::source::{self, Examined, Source};
use crate::target::{self, Foreign};

/// A plan that still matches its file and its source.
pub(super) struct Checked {
    pub(super) file: MigrationFile,
    pub(super) program: Program,
    /// As [`Source::row_version`].
    row_version: Option<String>,
}

/// Checks the plan against its file, the source and the store, and compiles its mapping again.
///
/// # Errors
/// [`MigrateError::Plan`] naming what changed since the plan was made; [`MigrateError::Refused`] when the plan itself
/// says it must not be applied.
pub(super) async fn preflight<'a>(
    plan: &'a Plan,
    source: &'a dyn Source,
    store: &'a Store,
    foreign: Option<&'a dyn Foreign>,
    options: &Options,
) -> Result<Work<'a>> {
    let meta = store.meta();
    match foreign {
        None => target::store_alone(plan, "this")?,
        Some(foreign) => same_target(plan, foreign, options).await?,
    }
    let Checked { file, program, row_version } = check(plan, source, meta.dimension).await?;
    sees_what_it_waits_for(store, options).await?;
    if !plan.target.fits(meta.store_id, meta.schema_version, meta.dimension) {
        return Err(stale(plan, "the store is another one, or changed its schema or dimension".to_owned()));
    }
    let mut allowed: Vec<String> = plan.namespaces.iter().map(|namespace| namespace.namespace.clone()).collect();
    allowed.sort_unstable();
    Ok(Work {
        plan,
        mapper: Arc::new(Mapper {
            program,
            table: plan.source.table.clone(),
            key: Key::of_store(meta.store_id),
            allowed,
            dimension: plan.width(meta.dimension),
        }),
        source,
        store,
        foreign,
        origin_source: plan.origin_source(),
        version: row_version,
        budget: file.budget,
        mark: crate::marker::Mark::of(&file, plan),
        runner: Uuid::now_v7(),
        lease: options.lease,
        waits: options.waits.clone(),
        seat: options.seat.clone(),
        failpoints: options.failpoints.clone(),
        began: Instant::now(),
        centred: OnceCell::new(),
    })
}

/// That a target that is no store is the one that was planned, and that nothing is asked of it that it does not do.
async fn same_target(plan: &Plan, foreign: &dyn Foreign, options: &Options) -> Result<()> {
    let found = foreign.look().await?;
    let same = plan.target.foreign.as_ref().is_some_and(|planned| {
        (&planned.system, planned.dimension, &planned.surface) == (&found.system, found.dimension, &found.surface)
    });
    if !same {
        return Err(stale(plan, format!("{} is not the target that was planned", found.display)));
    }
    if options.follow.is_some() {
        target::store_alone(plan, "following")?;
    }
    if options.deletes.is_some() {
        target::store_alone(plan, "propagating deletes")?;
    }
    Ok(())
}

/// That limits on what a server is busy with can be kept: PostgreSQL shows an ordinary role nothing of other sessions.
async fn sees_what_it_waits_for(store: &Store, options: &Options) -> Result<()> {
    if !options.manners.asks() || store.database().is_embedded() {
        return Ok(());
    }
    match ledger::blind(&store.database().client().await?).await? {
        None => Ok(()),
        Some(role) => Err(MigrateError::Refused {
            what: format!(
                "Limits on lag, lock waits and sessions at work look at other sessions of the target, which role {role} may \
                 not see"
            ),
            cure: format!("`grant pg_read_all_stats to {role}`, or leave these limits out"),
        }),
    }
}

/// Checks the plan against its file and the source alone: all there is to check while the store is not there yet.
///
/// # Errors
/// As [`preflight`].
pub(super) async fn check(plan: &Plan, source: &dyn Source, dimension: usize) -> Result<Checked> {
    plan.check_digest()?;
    if let Some(refusal) = plan.refusals.first() {
        let more = match plan.refusals.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        return Err(MigrateError::Refused {
            what: format!("The plan refuses: {refusal}{more}"),
            cure: format!("mend {} and make a new plan", plan.file.path),
        });
    }
    // The file may be elsewhere on this host; when it is here, it must be the one that was planned.
    if let Ok(text) = std::fs::read_to_string(&plan.file.path)
        && blake3::hash(text.as_bytes()).to_hex().as_str() != plan.file.digest
    {
        return Err(stale(plan, format!("{} changed since the plan was made", plan.file.path)));
    }
    let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
    let Examined { table, system, row_version } = source::examine_without_mark(source, &file).await?;
    let tree = match &file.source.tree {
        Some(tree) => Some(source.tree(&tree.table.value, &tree.id.value, &tree.parent.value).await?),
        None => None,
    };
    if plan::source_fingerprint(&table, &plan.source.key, tree.as_ref()) != plan.source.fingerprint {
        return Err(stale(
            plan,
            format!("the source {} changed its columns, key or tree of parents", plan.source.display),
        ));
    }
    if system != plan.source.identity.system {
        return Err(stale(plan, "the source is another database than the one that was planned".to_owned()));
    }
    let program = Program::compile(&file, &table, plan.context(dimension, tree))?;
    Ok(Checked { file, program, row_version })
}

fn stale(plan: &Plan, what: String) -> MigrateError {
    MigrateError::Plan {
        plan: plan.name.clone(),
        what,
        cure: format!("run `heirloom plan {}` again and read what changed", plan.file.path),
    }
}
