//! Making a plan: look at the target, read the source once, ask the target about the ids, put it together, seal it.

use std::collections::HashSet;

use heirloom_engine::Database;

use super::estimate;
use super::survey::{Scope, Survey, Surveyed};
use super::target::Target;
use super::{
    ColumnFate, Counts, FORMAT, Fate, Limits, MOST_RESPELT, Plan, PlannedFile, PlannedSource, PlannedTarget, Progress,
    columns, fingerprint, key, origin, present,
};
use crate::apply::outbox_obstacles;
use crate::digest::Key;
use crate::error::{MigrateError, Result};
use crate::file::{At, IdRule, MigrationFile};
use crate::finding::{self, facts::Facts};
use crate::mapping::{Context, Program};
use crate::source::{Identity, KeyRange, Read, Source, Table, TreeRows, Type, describe_without_mark, is_of_statement};
use crate::target::{Collisions, Foreign, Predicted};

/// Rows between two reports of progress.
const REPORT_EVERY: u64 = 1_000;

/// What to plan.
pub struct Request<'a> {
    /// The migration file.
    pub file: &'a MigrationFile,
    /// The source, opened.
    pub source: &'a dyn Source,
    /// The database that holds the store, or will.
    pub target: &'a Database,
    /// The target of the rows, where it is no store; the database then holds the ledger, or will.
    pub foreign: Option<&'a dyn Foreign>,
    /// Version of the binary.
    pub heirloom: &'a str,
    /// The time it is: stamped on the plan, and what decides which rows have expired.
    pub now: jiff::Timestamp,
    /// Limits of a chunk.
    pub limits: Limits,
    /// Told how far it has come.
    pub progress: &'a mut (dyn FnMut(Progress) + Send),
}

/// Makes a plan. Reads the whole source once and writes nothing anywhere.
///
/// # Errors
/// [`crate::MigrateError::File`] where the file does not fit the table, [`crate::MigrateError::Source`] when there is no key,
/// and whatever keeps source or target from answering. Loss and rejects above the budget are no errors: they are
/// [`Plan::refusals`].
pub async fn make(request: Request<'_>) -> Result<Plan> {
    let target = Target::look(request.target).await?;
    match request.foreign {
        None => make_for(request, &target).await,
        Some(foreign) => make_into(request, foreign, target).await,
    }
}

async fn make_into(request: Request<'_>, foreign: &dyn Foreign, store: Target) -> Result<Plan> {
    let target = Target { foreign: Some(foreign.look().await?), ..store };
    let Request { file, source, heirloom, now, mut limits, progress, .. } = request;
    if let Some(found) = &target.foreign {
        limits.chunk_rows = limits.chunk_rows.min(found.surface.chunk_rows());
    }
    let found = Found::look(file, source).await?;
    let (mut survey, fates) = found.read(file, source, &target, now, limits, progress).await?;
    let announced = std::mem::take(&mut survey.announced);
    let mut surveyed = survey.finish();
    let namespaces: Vec<&str> = surveyed.namespaces.iter().map(|home| home.namespace.as_str()).collect();
    let predicted = foreign.predict(&announced, &namespaces).await?;
    surveyed.counts.present = predicted.present;
    let asked = Asked { predicted: Some(predicted), ..Asked::default() };
    Ok(found.plan(file, &target, Made { heirloom, now }, fates, surveyed, asked))
}

/// Makes a plan for a store that was just looked at: what many plans for one target share.
///
/// # Errors
/// As [`make`].
pub async fn make_for(request: Request<'_>, target: &Target) -> Result<Plan> {
    let Request { file, source, heirloom, now, limits, progress, target: database, .. } = request;
    let found = Found::look(file, source).await?;
    let (mut survey, fates) = found.read(file, source, target, now, limits, progress).await?;
    let ids = std::mem::take(&mut survey.ids);
    let (mut surveyed, mut indexed) = (survey.finish(), HashSet::new());
    if target.store_id.is_some() {
        let relation = file.source.relation.value.origin_name(&found.table, &file.name);
        let source = origin::of_store(&found.identity.system, tenant(file), &relation);
        present::count(database, &ids, &source, &mut surveyed.counts, progress).await?;
        indexed = present::indexed(database, &surveyed.namespaces).await?;
    }
    Ok(found.plan(file, target, Made { heirloom, now }, fates, surveyed, Asked { indexed, predicted: None }))
}

/// Makes a plan for a target that was looked at before, without asking it anything: how many rows it knows already
/// stays 0. What tests of findings use, and nothing that is applied.
///
/// # Errors
/// As [`make`].
pub async fn draft(
    file: &MigrationFile,
    source: &dyn Source,
    target: &Target,
    now: jiff::Timestamp,
    limits: Limits,
) -> Result<Plan> {
    let found = Found::look(file, source).await?;
    let (survey, fates) = found.read(file, source, target, now, limits, &mut |_| {}).await?;
    Ok(found.plan(file, target, Made { heirloom: "draft", now }, fates, survey.finish(), Asked::default()))
}

/// By which version of the program a plan was made, and when.
struct Made<'a> {
    heirloom: &'a str,
    now: jiff::Timestamp,
}

/// What the target said once the rows were read.
#[derive(Default)]
struct Asked {
    /// Namespaces that have indexes.
    indexed: HashSet<String>,
    /// What a target that is no store would do to the rows.
    predicted: Option<Predicted>,
}

/// The source as found, before its rows are read.
struct Found {
    display: String,
    table: Table,
    key: Vec<String>,
    identity: Identity,
    same_database: bool,
    tree: Option<TreeRows>,
    /// What keeps the outbox from being kept that the file asks for.
    no_outbox: Vec<String>,
}

impl Found {
    async fn look(file: &MigrationFile, source: &dyn Source) -> Result<Self> {
        let relation = &file.source.relation.value;
        let table = describe_without_mark(source, file).await?;
        let display = source.display();
        let key = key::columns(file, &table, &display)?;
        let identity = source.identity(relation).await?;
        let tree = match &file.source.tree {
            Some(tree) => Some(source.tree(&tree.table.value, &tree.id.value, &tree.parent.value).await?),
            None => None,
        };
        let no_outbox = outbox_obstacles(file, source, &table.name).await?;
        Ok(Self { display, table, key, identity, same_database: source.database().is_some(), tree, no_outbox })
    }

    async fn read<'a>(
        &'a self,
        file: &'a MigrationFile,
        source: &dyn Source,
        target: &'a Target,
        now: jiff::Timestamp,
        limits: Limits,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(Survey<'a>, Vec<ColumnFate>)> {
        let context = Context {
            system: self.identity.system.clone(),
            tenant: tenant(file).to_owned(),
            tree: self.tree.clone(),
            dimension: target.width(),
            key: self.key.clone(),
            surface: target.foreign.as_ref().map(|found| found.surface.clone()),
        };
        let program = Program::compile(file, &self.table, context)?;
        let key_is_uuid =
            self.table.columns.iter().any(|column| self.key.first() == Some(&column.name) && column.ty == Type::Uuid);
        let spellings_differ = file.id == IdRule::Key && !key_is_uuid;
        let scope = Scope {
            file,
            table: &self.table,
            key: &self.key,
            tree: self.tree.as_ref(),
            dimension: target.width(),
            surface: target.foreign.as_ref().map(|found| &found.surface),
            now,
            limits,
            keep_ids: target.store_id.is_some(),
            spellings_differ,
        };
        let mut survey = Survey::new(scope, Key::random());
        let read = Read {
            relation: file.source.relation.value.clone(),
            table: self.table.clone(),
            key: self.key.clone(),
            expressions: program.expressions().to_vec(),
            range: KeyRange::default(),
            since: None,
            keys: None,
        };
        let of = self.table.estimated_rows;
        let written = || file.map.iter().filter_map(|(_, spec)| spec.expr.as_ref());
        for At { value, place } in written() {
            if let Some(words) = source.misfit(&read, value).await? {
                return Err(MigrateError::File {
                    place: place.clone(),
                    what: format!("this expression cannot be evaluated: {words}"),
                    accepted: format!("accepted: an SQL expression over the columns of {}", self.table.name),
                });
            }
        }
        source
            .scan(&read, &mut |row, bytes| {
                let result = program.map(&row);
                survey.observe(&row, program.id(&row.key), bytes, result);
                let Counts { rows, bytes, .. } = survey.counts;
                if rows % REPORT_EVERY == 0 {
                    progress(Progress::Reading { rows, bytes, of });
                }
                Ok(())
            })
            .await
            .map_err(|error| at_the_expression(error, written()))?;
        progress(Progress::Reading { rows: survey.counts.rows, bytes: survey.counts.bytes, of });
        let fates = columns::fates(file, &program, &survey.seen.nulls());
        Ok((survey, fates))
    }

    fn plan(
        &self,
        file: &MigrationFile,
        target: &Target,
        made: Made<'_>,
        columns: Vec<ColumnFate>,
        surveyed: Surveyed,
        asked: Asked,
    ) -> Plan {
        let Asked { indexed, predicted } = asked;
        let findings = finding::run(&Facts {
            file,
            table: &self.table,
            key: &self.key,
            source: &self.identity,
            target,
            same_database: self.same_database,
            enumerations: &surveyed.enumerations,
            rejects: &surveyed.rejects,
            counts: surveyed.counts,
            dimensions: &surveyed.dimensions,
            seen: &surveyed.seen,
            fates: &columns,
            predicted: predicted.as_ref(),
        });
        let mut plan = Plan {
            format: FORMAT,
            run_id: run_id(made.now),
            name: file.name.clone(),
            tenant: tenant(file).to_owned(),
            created_at: made.now,
            heirloom: made.heirloom.to_owned(),
            file: PlannedFile {
                path: file.path.clone(),
                text: file.text.clone(),
                digest: blake3::hash(file.text.as_bytes()).to_hex().to_string(),
            },
            source: PlannedSource {
                display: self.display.clone(),
                relation: file.source.relation.value.clone(),
                table: self.table.clone(),
                key: self.key.clone(),
                identity: self.identity.clone(),
                same_database: self.same_database,
                tree: self.tree.clone(),
                fingerprint: fingerprint::source_fingerprint(&self.table, &self.key, self.tree.as_ref()),
            },
            target: PlannedTarget {
                display: target.display.clone(),
                store_id: target.store_id,
                schema_version: target.schema_version,
                dimension: target.dimension,
                identity: target.identity.clone(),
                fingerprint: fingerprint::target_fingerprint(target.store_id, target.schema_version, target.dimension),
                foreign: target.foreign.clone(),
                predicted: predicted.clone(),
            },
            refusals: [self.no_outbox.clone(), refusals(file, &columns, &surveyed, predicted.as_ref())].concat(),
            columns,
            estimate: estimate::estimate(&surveyed, target, &indexed),
            enumerations: surveyed.enumerations,
            counts: surveyed.counts,
            rejects: surveyed.rejects,
            respelt: surveyed.respelt,
            namespaces: surveyed.namespaces,
            dimensions: surveyed.dimensions,
            chunks: surveyed.chunks,
            limits: surveyed.limits,
            samples: surveyed.samples,
            findings,
            drift: surveyed.drift,
            drift_key: surveyed.drift_key.to_hex(),
            digest: String::new(),
        };
        plan.seal();
        plan
    }
}

/// Says which expression failed on a row, where there is only one that could have.
fn at_the_expression<'a>(error: MigrateError, mut written: impl Iterator<Item = &'a At<String>>) -> MigrateError {
    match (error, written.next(), written.next()) {
        (MigrateError::ReadRefused { refusal, .. }, Some(only), None) if is_of_statement(&refusal) => {
            MigrateError::File {
                place: only.place.clone(),
                what: format!("this expression failed on a row: {refusal}"),
                accepted: "write one that has a value for every row, such as null where there is none".into(),
            }
        }
        (error, ..) => error,
    }
}

fn tenant(file: &MigrationFile) -> &str {
    file.tenant.as_deref().unwrap_or(&file.name)
}

/// A v7 id of the given time, so that runs sort by when they were planned.
fn run_id(now: jiff::Timestamp) -> uuid::Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}

/// What of the rows keeps the plan from being applied: columns lost, rejects above the budget, collisions.
fn refusals(
    file: &MigrationFile,
    columns: &[ColumnFate],
    surveyed: &Surveyed,
    predicted: Option<&Predicted>,
) -> Vec<String> {
    let mut refusals: Vec<String> = columns
        .iter()
        .filter(|column| column.fate == Fate::Lost)
        .map(|column| match predicted {
            None => format!(
                "Column {0} would be lost: it is neither mapped, nor kept, nor dropped with a reason. Map it, write \
                 [keep] rest = \"origin\", or [keep] drop = {{ {0} = \"why\" }}",
                column.column
            ),
            Some(_) => format!(
                "Column {0} would be lost: it is neither mapped nor dropped with a reason, and only a store of Heirloom's \
                 keeps an origin. Map it, or write [keep] drop = {{ {0} = \"why\" }}",
                column.column
            ),
        })
        .collect();
    let Counts { rows, rejected, .. } = surveyed.counts;
    let allowed = file.budget.rows_of(rows);
    if rejected > allowed {
        let reasons: Vec<String> = surveyed
            .rejects
            .iter()
            .map(|reject| format!("{} {}", reject.count, super::report::reject_name(reject)))
            .collect();
        refusals.push(format!(
            "{} of {rows} would be set aside ({}), and [reject] budget allows {allowed}. Mend the rows or the map, or raise the budget",
            finding::rows(rejected),
            finding::list(&reasons, 5)
        ));
    }
    if surveyed.respelt.len() > MOST_RESPELT {
        refusals.push(format!(
            "More than {} have the id of a row before them, spelt otherwise. Write [id] from = \"derived\", or mend the keys",
            finding::rows(MOST_RESPELT as u64)
        ));
    }
    if let Some(predicted) = predicted.filter(|predicted| predicted.namesakes > 0) {
        refusals.push(format!(
            "{} are open entities with the canonical_name of another of their project, {} of them there already, and the target \
             takes one of each (keys {}). Give each a name of its own in metadata, or map content_type, is_active or valid_to \
             so that one of each is left",
            finding::rows(predicted.namesakes),
            predicted.namesakes_there,
            finding::list(&predicted.namesake_keys, 5)
        ));
    }
    if let Some(predicted) = predicted.filter(|predicted| predicted.colliding > 0) {
        let own = "Map artifact_hash to something of each row's own";
        if predicted.across > 0 {
            refusals.push(format!(
                "{} of several projects share role, topic and commit, and the target would close those of one project for \
                 another's. {own}",
                finding::rows(predicted.across)
            ));
        } else if file.collisions == Collisions::Refuse {
            refusals.push(format!(
                "{} share role, topic and commit, {} of them there already, and the target would hide all but one of each \
                 kind. {own}, or write [target] collisions = \"spread\" if they are versions of one lesson",
                finding::rows(predicted.colliding),
                predicted.theirs
            ));
        }
    }
    refusals
}
