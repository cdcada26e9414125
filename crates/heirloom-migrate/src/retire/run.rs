//! `retire`, step by step: gates, last sweep, archive, rename; after the grace, the drop.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::alive::Alive;
use super::archive::{ArchiveMark, Manifest, Staged, rows_path, tidy};
use super::gates::{Gate, ledger_gates, rejects_gate};
use super::postgres::{self, Table};
use crate::apply::Outbox;
use crate::audit::anchor::{self, Outside};
use crate::audit::{self, Entry, Head};
use crate::clock::day;
use crate::error::{MigrateError, Result};
use crate::failpoint::Point;
use crate::ledger::{self, RunState};
use crate::soak::{self, Calendar, Standing, Task};
use crate::source::Relation;
use heirloom_engine::Database;

/// How far a retirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The table is where it was.
    Waiting,
    /// It is renamed, and kept until the grace is over.
    Kept,
    /// It is dropped; the archive is what is left.
    Dropped,
}

/// What a `retire` did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct Retirement {
    /// The migration's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// How far it is now.
    pub phase: Phase,
    /// Everything that is asked for before the next step, met or not.
    pub gates: Vec<Gate>,
    /// The table as the plan names it.
    pub table: String,
    /// What it is called while it is kept.
    pub renamed: Option<String>,
    /// The archive.
    pub archive: Option<ArchiveMark>,
    /// When the grace is over.
    pub drop_at: Option<Timestamp>,
    /// Where the run stands.
    pub state: RunState,
    /// Whether every gate was met, so that the step was taken, or would be.
    pub holds: bool,
    /// The end of the chain.
    pub head: Option<Head>,
}

/// The payload of `renaming` and `retired`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Renamed {
    /// Proof for the database: hash of the `archived` entry.
    pub(super) proof: String,
    /// The table as the plan names it.
    pub(super) table: String,
    /// Its name now.
    pub(super) renamed: String,
    /// How it looked.
    pub(super) look: (i64, String),
    /// Which table it is, by whatever name; absent where an older version renamed it.
    #[serde(default)]
    pub(super) oid: Option<u32>,
}

/// Takes the next step towards the end of a source's table. `manifest` is where the archive's manifest lies or will lie.
///
/// # Errors
/// What reading either side gives, and [`MigrateError::Refused`] as [`soak::sweep`]. A gate that is not met is no error:
/// [`Retirement::holds`] says so.
pub async fn retire(
    task: &Task<'_>,
    manifest: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Retirement> {
    let standing = Standing::of(task, true).await?;
    let before = phase(&standing);
    let mut taken = false;
    let done = match before {
        Phase::Waiting => Box::pin(rename(task, standing, manifest, progress, &mut taken)).await,
        Phase::Kept => drop_table(task, &standing, manifest, progress, &mut taken).await,
        Phase::Dropped => {
            let mut done = Retirement::of(task, &standing, Phase::Dropped);
            done.holds = true;
            Ok(done)
        }
    };
    match done {
        // What fails once the step is taken at the source says itself why it is not written down.
        Err(error) if !taken => Err(overtaken(task, before).await.unwrap_or(error)),
        Ok(done) => {
            if done.phase != Phase::Waiting && !task.check_only {
                tidy(manifest);
            }
            Ok(done)
        }
        failed => failed,
    }
}

/// What to say when a step failed because somebody else took it meanwhile: the table is not where it was, which the database
/// says in words of its own.
async fn overtaken(task: &Task<'_>, before: Phase) -> Option<MigrateError> {
    let look = Task { anchor: Outside::Elsewhere, check_only: true, ..*task };
    let standing = Standing::of(&look, true).await.ok()?;
    let moved = phase(&standing) != before || pending(&look, &standing).await.ok()?.is_some();
    moved.then(|| MigrateError::Refused {
        what: format!("Somebody else took a step in the retirement of {} in the meantime", standing.run.name),
        cure: "look with `heirloom soak status`, then run the same command again; nothing was written".into(),
    })
}

/// How far it is, by the chain.
pub(super) fn phase(standing: &Standing) -> Phase {
    let steps = standing.entries.iter().rev().map(|entry| entry.what.as_str());
    steps
        .filter_map(|what| match what {
            "retired" => Some(Phase::Kept),
            "dropped" => Some(Phase::Dropped),
            "unretired" => Some(Phase::Waiting),
            _ => None,
        })
        .next()
        .unwrap_or(Phase::Waiting)
}

async fn rename(
    task: &Task<'_>,
    standing: Standing,
    place: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
    taken: &mut bool,
) -> Result<Retirement> {
    let database = writable(task)?;
    if let Some(renamed) = pending(task, &standing).await? {
        *taken = true;
        return taken_up(task, &standing, &renamed).await;
    }
    let mut gates = soak_gates(task, &standing)?;
    // What costs a look at the source is asked last, and the source whole only when nothing else is short.
    let (table, before) = {
        let mut client = database.client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        postgres::see_all(&tx).await?;
        let table = postgres::find(&tx, &task.plan.source.table.name, None).await?;
        // What stands in the way may keep it from being looked at, too; its gate says it better.
        let look = match table.as_ref().filter(|table| table.obstacles.is_empty() && table.is_owner) {
            Some(table) => Some(postgres::look(&tx, &table.qualified).await?),
            None => None,
        };
        gates.extend(table_gates(task, &tx, table.as_ref()).await?);
        (table, look)
    };
    let mut result = Retirement::of(task, &standing, Phase::Waiting);
    let Some(table) = table else { return Ok(result.with(gates)) };
    let begun = standing.run.state.is_soaked_or_later();
    if !begun || gates.iter().any(|gate| !gate.met) {
        gates.push(Gate::new("last-sweep", false, "not made while another gate is short", "meet the gates above"));
        gates.push(Gate::new("archive", false, "not made while another gate is short", "meet the gates above"));
        return Ok(result.with(gates));
    }
    let Some(before) = before else { return Ok(result.with(gates)) };
    let sweep = soak::sweep(task, true, progress).await?;
    let found = format!("every row was read again; {} found", sweep.record.divergence_count);
    gates.push(Gate::new(
        "last-sweep",
        sweep.record.clean,
        found,
        "look at it with `heirloom soak status`, and mend it",
    ));
    // It read every row, which a sweep before it need not have done.
    let rejects = rejects_gate(standing.run.open, sweep.record.rejected.unwrap_or(0));
    gates.iter_mut().filter(|gate| gate.id == rejects.id).for_each(|gate| gate.clone_from(&rejects));
    result.head = sweep.head.clone().or(result.head);
    result.state = sweep.state;
    if task.check_only || gates.iter().any(|gate| !gate.met) {
        let what = if task.check_only { "is made, restored and compared by `heirloom retire`" } else { "not made" };
        gates.push(Gate::new("archive", task.check_only, what, "meet the gates above"));
        return Ok(result.with(gates));
    }
    let anchored = Task { anchor: sweep.head.as_ref().map_or(Outside::Elsewhere, Outside::Known), ..*task };
    let mut alive = Alive::new(sweep.record.source_rows, progress);
    let (mark, archived, renamed) = archive_and_rename(&anchored, &table, &before, place, &mut alive).await?;
    *taken = true;
    task.failpoints.pass(Point::AfterRename).await?;
    gates.push(Gate::new("archive", true, format!("{} rows restored and compared", mark.rows), ""));
    result.archive = Some(mark);
    record(&anchored, &archived, &renamed, &mut result).await?;
    Ok(result.with(gates))
}

/// Gives back what the chain keeps of the archive, the head that names it, and the new name.
async fn archive_and_rename(
    task: &Task<'_>,
    table: &Table,
    before: &postgres::Look,
    place: &Path,
    alive: &mut Alive<'_>,
) -> Result<(ArchiveMark, Head, Renamed)> {
    let database = writable(task)?;
    let standing = Standing::of(task, true).await?;
    // Its triggers are ours, and the archive is of the team's table.
    if let Some(outbox) = Outbox::of(&standing.file, task.plan, task.store.meta().store_id) {
        outbox.remove(database, task.failpoints).await?;
    }
    let mut manifest = Manifest::new(task.plan, &table.schema, &table.name, standing.now);
    let staged = Staged::new(place);
    let (key, failpoints) = (&task.plan.source.key, task.failpoints);
    let look = postgres::archive(database, table, key, &mut manifest, staged.manifest(), alive, failpoints).await?;
    if look != *before {
        return Err(MigrateError::Refused {
            what: format!("Somebody wrote to {} while it was swept", table.qualified),
            cure: "find the writer and stop it, then run `heirloom retire` again; nothing was renamed".into(),
        });
    }
    postgres::rehearse(database, &manifest, staged.manifest(), alive, failpoints).await?;
    failpoints.pass(Point::BeforeManifest).await?;
    let manifest_digest = manifest.write(staged.manifest())?;
    failpoints.pass(Point::AfterManifest).await?;
    let bytes = std::fs::metadata(rows_path(staged.manifest())).map_or(0, |found| found.len());
    let mark = ArchiveMark {
        manifest: place.display().to_string(),
        manifest_digest,
        stream_digest: manifest.stream_digest.clone(),
        rows: manifest.rows,
        bytes,
        restored_at: task.clock.now(),
    };
    let (name, qualified) = {
        let mut client = database.client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        postgres::free_name(&tx, table, &day(standing.now).replace('-', "")).await?
    };
    let mut client = task.store.database().client().await?;
    let tx = client.transaction().await?;
    ledger::lock_head(&tx, task.plan.run_id, standing.head().as_ref()).await?;
    staged.keep(failpoints).await?;
    let by = standing.stamp(task);
    let archived = ledger::append(&tx, task.plan.run_id, &by, "archived", &mark).await?;
    let renamed = Renamed {
        proof: archived.hash,
        table: table.qualified.clone(),
        renamed: qualified,
        look: look.clone(),
        oid: Some(table.oid),
    };
    let entry = ledger::append(&tx, task.plan.run_id, &by, "renaming", &renamed).await?;
    failpoints.pass(Point::BeforeArchived).await?;
    tx.commit().await?;
    // One connection is enough: none is held while another is asked for.
    drop(client);
    failpoints.pass(Point::AfterArchived).await?;
    postgres::rename(database, table, &look, &name, failpoints).await?;
    Ok((mark, entry.head(), renamed))
}

/// A rename that was done by a process that ended before it could say so: the newest that was begun, when nothing came of
/// it by the chain, and the table has its new name all the same.
async fn pending(task: &Task<'_>, standing: &Standing) -> Result<Option<Renamed>> {
    let steps = ["renaming", "retired", "unretired"];
    let newest = standing.entries.iter().rev().find(|entry| steps.contains(&entry.what.as_str()));
    let Some(begun) = newest.filter(|entry| entry.what == "renaming") else { return Ok(None) };
    let renamed: Renamed = begun.read()?;
    let mut client = writable(task)?.client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let there = (postgres::find(&tx, &renamed.table, None).await?, postgres::find(&tx, &renamed.renamed, None).await?);
    Ok(matches!(there, (None, Some(_))).then_some(renamed))
}

/// Refuses where a rename is pending: nothing else can be done with a table that is not where the chain has it.
pub(crate) async fn none_pending(task: &Task<'_>, standing: &Standing) -> Result<()> {
    match pending(task, standing).await? {
        None => Ok(()),
        Some(_) => Err(MigrateError::Refused {
            what: format!("The table of {} is renamed already, and nothing says so yet", standing.run.name),
            cure: "run `heirloom retire` again: it writes down what was done; `heirloom unretire` then brings it back"
                .into(),
        }),
    }
}

/// Takes up a rename that is pending.
async fn taken_up(task: &Task<'_>, standing: &Standing, renamed: &Renamed) -> Result<Retirement> {
    let mut result = Retirement::of(task, standing, Phase::Kept);
    if let Some(head) = standing.head().filter(|_| !task.check_only) {
        record(task, &head, renamed, &mut result).await?;
    }
    Ok(result.with(Vec::new()))
}

/// Writes down that the table is renamed.
async fn record(task: &Task<'_>, head: &Head, renamed: &Renamed, result: &mut Retirement) -> Result<()> {
    let standing = Standing::of(&Task { anchor: Outside::Known(head), ..*task }, true).await?;
    let mut client = task.store.database().client().await?;
    let tx = client.transaction().await?;
    ledger::lock_head(&tx, task.plan.run_id, Some(head)).await?;
    let entry = ledger::append(&tx, task.plan.run_id, &standing.stamp(task), "retired", renamed).await?;
    let details = json!({ "table": renamed.table, "renamed": renamed.renamed });
    ledger::step(&tx, task.plan.run_id, RunState::Retired, &details).await?;
    task.failpoints.pass(Point::BeforeRetired).await?;
    tx.commit().await?;
    task.failpoints.pass(Point::AfterRetired).await?;
    result.phase = Phase::Kept;
    result.state = RunState::Retired;
    result.renamed = Some(renamed.renamed.clone());
    result.drop_at = grace_over(&standing, &entry);
    result.head = Some(entry.head());
    Ok(())
}

fn grace_over(standing: &Standing, retired: &Entry) -> Option<Timestamp> {
    let grace = SignedDuration::from_hours(24 * i64::from(standing.file.retire.grace));
    retired.at.checked_add(grace).ok()
}

async fn drop_table(
    task: &Task<'_>,
    standing: &Standing,
    place: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
    taken: &mut bool,
) -> Result<Retirement> {
    let database = writable(task)?;
    let mut result = Retirement::of(task, standing, Phase::Kept);
    let (Some(retired), Some(archived)) = (standing.newest("retired"), standing.newest("archived")) else {
        return Err(MigrateError::Ledger("a retired run has no entry that says so".into()));
    };
    let (renamed, mark): (Renamed, ArchiveMark) = (retired.read()?, archived.read()?);
    let mut gates = vec![head_gate(task, standing)];
    let over = result.drop_at.is_some_and(|at| standing.now >= at);
    let found = result.drop_at.map_or_else(String::new, |at| format!("until {at}"));
    gates.push(Gate::new("grace", over, found, "wait; `heirloom unretire PLAN` brings the table back at once"));
    let manifest = match Manifest::read(place, &mark) {
        Ok(manifest) => {
            gates.push(Gate::new(
                "archive",
                true,
                format!("{} rows, as they were restored and compared", mark.rows),
                "",
            ));
            Some(manifest)
        }
        Err(error) => {
            gates.push(Gate::new("archive", false, error.to_string(), "put the archive back from a copy"));
            None
        }
    };
    let mut client = database.client().await?;
    let tx = client.transaction().await?;
    postgres::see_all(&tx).await?;
    let known_as = manifest.as_ref().map(|manifest| manifest.table.as_str());
    let Some(table) = postgres::find(&tx, &renamed.renamed, known_as).await? else {
        // Dropped already: by a process that ended before it could say so, or by hand. The archive is whole either way.
        // Where a table has the old name, the way back may have ended so: nothing is to say then that there is none.
        let back = postgres::find(&tx, &renamed.table, None).await?;
        tx.rollback().await?;
        drop(client);
        if back.is_some() {
            let found = format!("{} is not there, and {} is", renamed.renamed, renamed.table);
            let cure =
                "when it came back, `heirloom unretire PLAN` writes that down; when it is another, rename that one";
            gates.push(Gate::new("table", false, found, cure));
        }
        let there = manifest.is_some() && gates.iter().all(|gate| gate.met);
        if there && !task.check_only {
            *taken = true;
            dropped(task, standing, &renamed, &mut result).await?;
        }
        return Ok(result.with(gates));
    };
    let plain = table.obstacles.is_empty();
    let found = if plain { format!("{}, ours to drop", table.qualified) } else { table.obstacles.join("; ") };
    gates.push(Gate::new("table", plain, found, "undo what was done to the table while it was kept"));
    let writers = postgres::writers(&tx, table.oid).await?;
    let found = if writers.is_empty() { "nobody holds a lock on it".to_owned() } else { writers.join(", ") };
    gates.push(Gate::new("no-writer", writers.is_empty(), found, "end those sessions"));
    let free = table.dependents.is_empty();
    let found = match free {
        true => format!("nothing needs it{}", mentioned(&table, "was not changed for it")),
        false => table.dependents.join(", "),
    };
    gates.push(Gate::new(
        "no-dependents",
        free,
        found,
        "drop or change what needs the table; nothing is dropped with it",
    ));
    if let Some(manifest) = &manifest {
        let locks = !task.check_only && gates.iter().all(|gate| gate.met);
        if locks {
            tx.batch_execute("set local lock_timeout = '5s'").await?;
            tx.batch_execute(&format!("lock table {} in access exclusive mode", table.qualified)).await?;
        }
        gates.push(news_gate(&tx, &table, manifest).await?);
        if gates.iter().any(|gate| !gate.met) {
            return Ok(result.with(gates));
        }
        let mut alive = Alive::new(manifest.rows, progress);
        let same = postgres::digest(&tx, &table.qualified, manifest, &mut alive).await? == manifest.stream_digest;
        let found = if same { "as it was archived" } else { "its rows are not those that were archived" };
        gates.push(Gate::new("unchanged", same, found, "bring it back with `heirloom unretire PLAN`, and soak again"));
        if same && locks {
            tx.batch_execute(&format!("drop table {}", table.qualified)).await?;
            task.failpoints.pass(Point::BeforeDrop).await?;
            tx.commit().await?;
            *taken = true;
            drop(client);
            task.failpoints.pass(Point::AfterDrop).await?;
            dropped(task, standing, &renamed, &mut result).await?;
        }
    }
    Ok(result.with(gates))
}

/// What was put on the table while it was kept would go with it.
async fn news_gate(tx: &deadpool_postgres::Transaction<'_>, table: &Table, manifest: &Manifest) -> Result<Gate> {
    let news = postgres::news(tx, table, manifest).await?;
    let there = postgres::columns(tx, table.oid).await?;
    let gone: Vec<&str> =
        manifest.columns.iter().filter(|column| !there.contains(column)).map(String::as_str).collect();
    let found = match (news.as_slice(), gone.as_slice()) {
        ([], []) => "nothing that is not in the archive".to_owned(),
        ([], gone) => format!("it is not what was archived: gone is {}", gone.join(", ")),
        (news, _) => format!("not in the archive: {}", news.join("; ")),
    };
    let cure = "undo what was done while it was kept, or bring it back with `heirloom unretire PLAN` and soak again";
    Ok(Gate::new("nothing-new", news.is_empty() && gone.is_empty(), found, cure))
}

/// Functions that name a table in their text, of which PostgreSQL does not know that they need it.
fn mentioned(table: &Table, what: &str) -> String {
    let shown = table.mentions.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    match table.mentions.len() {
        0 => String::new(),
        1..=5 => format!("; look whether this {what}, which names it in its text: {shown}"),
        many => format!("; look whether this {what}, which names it in its text: {shown} and {} more", many - 5),
    }
}

async fn dropped(task: &Task<'_>, standing: &Standing, renamed: &Renamed, result: &mut Retirement) -> Result<()> {
    let mut client = task.store.database().client().await?;
    let tx = client.transaction().await?;
    ledger::lock_head(&tx, task.plan.run_id, standing.head().as_ref()).await?;
    let payload = json!({ "table": renamed.table, "renamed": renamed.renamed });
    let entry = ledger::append(&tx, task.plan.run_id, &standing.stamp(task), "dropped", &payload).await?;
    task.failpoints.pass(Point::BeforeDropped).await?;
    tx.commit().await?;
    task.failpoints.pass(Point::AfterDropped).await?;
    result.phase = Phase::Dropped;
    result.renamed = None;
    result.head = Some(entry.head());
    Ok(())
}

/// The gates that the ledger knows, and the head outside it.
fn soak_gates(task: &Task<'_>, standing: &Standing) -> Result<Vec<Gate>> {
    let calendar = Calendar::of(&standing.entries, standing.days(), standing.now)?;
    let report = audit::check(
        &standing.run,
        &standing.entries,
        &audit::Guards::default(),
        task.anchor.head().map_or(&[], std::slice::from_ref),
    );
    let mut gates = ledger_gates(&standing.run, &standing.entries, &calendar, &report);
    gates.push(head_gate(task, standing));
    Ok(gates)
}

fn head_gate(task: &Task<'_>, standing: &Standing) -> Gate {
    let head = task.anchor.head();
    let renewed = standing.newest(anchor::ANCHORED).map_or_else(String::new, |entry| {
        format!(
            "; it was lost, and kept again by {} on {}: of what was before, the chain alone says so",
            entry.role, entry.at
        )
    });
    let found = match head {
        Some(head) => format!("entry {}, and the chain goes through it{renewed}", head.seq),
        None => "there is none, so a ledger restored from a backup would not be noticed".to_owned(),
    };
    let cure = "put the .audit file back beside the plan, or begin again with `heirloom soak start PLAN --restart`";
    Gate::new("head-outside", head.is_some(), found, cure)
}

async fn table_gates(
    task: &Task<'_>,
    tx: &deadpool_postgres::Transaction<'_>,
    table: Option<&Table>,
) -> Result<Vec<Gate>> {
    let Some(table) = table else {
        let found = format!("{} is not there", task.plan.source.table.name);
        return Ok(vec![Gate::new("table", false, found, "it was renamed or dropped by hand: look for it")]);
    };
    let mut against = table.obstacles.clone();
    for (may, what) in [
        (table.is_owner, "this role does not own it"),
        (table.may_create, "this role may not create in its schema"),
        (table.may_make_schema, "this role may not create a schema, where the archive is restored and compared"),
    ] {
        if !may {
            against.push(what.to_owned());
        }
    }
    let found = match against.is_empty() {
        true => format!("{}, ours to rename{}", table.qualified, mentioned(table, "fails without it")),
        false => against.join("; "),
    };
    let cure =
        "use a role that owns the table for the source's URL; a partition or a table with rules is retired by hand";
    let writers = postgres::writers(tx, table.oid).await?;
    let none = writers.is_empty();
    let who = if none { "nobody holds a lock to write".to_owned() } else { writers.join(", ") };
    let losses = postgres::losses(tx, table.oid).await?;
    let lost = if losses.is_empty() { "the archive brings all of it back".to_owned() } else { losses.join("; ") };
    let mend = "the archive could not bring this back: undo it, or use a role that may make it again";
    Ok(vec![
        Gate::new("table", against.is_empty(), found, cure),
        Gate::new("restorable", losses.is_empty(), lost, mend),
        Gate::new("no-writer", none, who, "end those sessions and stop what writes there"),
    ])
}

/// The database of the source's table.
pub(super) fn writable<'a>(task: &Task<'a>) -> Result<&'a Database> {
    let refuse = |what: &str, cure: &str| {
        Err(MigrateError::Refused { what: format!("{}: {what}", task.source.display()), cure: cure.to_owned() })
    };
    match (&task.plan.source.relation, task.source.marker()) {
        (Relation::Query(_), _) => refuse("what was handed down is a query", "retire the tables below it by hand"),
        (Relation::Table(_), None) => refuse(
            "only a table in PostgreSQL is retired",
            "when `heirloom soak status` says that the soak is over, move the file away whole: it is its own archive",
        ),
        (Relation::Table(_), Some(database)) => Ok(database),
    }
}

impl Retirement {
    /// As the chain has it.
    fn of(task: &Task<'_>, standing: &Standing, phase: Phase) -> Self {
        let kept = standing.newest("retired").filter(|_| phase == Phase::Kept);
        let renamed = kept.and_then(|entry| entry.read::<Renamed>().ok()).map(|renamed| renamed.renamed);
        let archived = standing.newest("archived").filter(|_| phase != Phase::Waiting);
        Self {
            name: standing.run.name.clone(),
            tenant: standing.run.tenant.clone(),
            phase,
            gates: Vec::new(),
            table: task.plan.source.table.name.clone(),
            renamed,
            archive: archived.and_then(|entry| entry.read().ok()),
            drop_at: kept.and_then(|entry| grace_over(standing, entry)),
            state: standing.run.state,
            holds: false,
            head: standing.head(),
        }
    }

    fn with(mut self, gates: Vec<Gate>) -> Self {
        self.holds = gates.iter().all(|gate| gate.met);
        self.gates = gates;
        self
    }
}
