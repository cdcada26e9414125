//! The platform's `memory-backfill` on our engine: `agent_memories` of `DATABASE_URL` into the store that the plugin serves, by
//! the preset `molecule-v1`, with plan, apply and verify of every row in one command.
//!
//! Deliberately absent: the command's form (`compat/memory_backfill`), and a way around the engine: a row is handed down,
//! compared and set aside as by any other migration, and a later `heirloom plan` on the same table finds it handed down.

mod only;
mod plugin;

use heirloom_engine::{Database, Location};
use heirloom_migrate::apply::{self, ApplyRequest, Options, Stop};
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::ledger::{self, RejectFilter};
use heirloom_migrate::plan::{self, Limits, Plan};
use heirloom_migrate::source::{self, Source};
use heirloom_migrate::verify::{self, VerifyRequest};
use heirloom_store::{Store, StoreError, UpOptions};
use serde_json::json;

use crate::compat::memory_backfill::{Flags, Mode, backfilled, verified};
use crate::compat::plugin_v1::DIMENSION;
use crate::config::Env;
use crate::context::{Context, Progress};
use crate::error::{Error, Result};
use crate::ops::{Output, migration};
use crate::text::line;
use only::Only;

/// Lines that are printed of one kind; all are counted.
const MOST_LINES: usize = 200;

/// The file that this command stands for. Rows that cannot be handed down are set aside and counted, however many.
const FILE: &str = "name = \"memory-backfill\"\n\n[source]\nurl = \"store\"\npreset = \"molecule-v1\"\n\n[reject]\nbudget = \"100%\"\n";

/// Does what the flags ask for.
///
/// # Errors
/// When a variable is missing, the plugin does not answer, or the engine refuses. Rows that were set aside and differences
/// are no error: the output does not hold.
pub async fn run(context: &Context, flags: &Flags) -> Result<Output> {
    let config = context.config();
    if config.plugin.url.is_empty() {
        return Err(missing(Env::MEMORY_PLUGIN_URL, "the plugin's address, such as http://127.0.0.1:9100"));
    }
    let own = context.location()?;
    let source_url = match &own {
        Location::Server(url) => url.clone(),
        _ if config.origin("database.data") != "default" => "store".to_owned(),
        _ => return Err(missing(Env::DATABASE_URL, "the tenant's database, as a postgres:// URL")),
    };
    let plugin = plugin::Plugin::of(&config.plugin)?;
    if flags.mode != Mode::DryRun {
        plugin.health().await?;
    }
    let file = MigrationFile::parse("memory-backfill.toml", FILE)?;
    let database = database(context, &own, flags.mode).await?;
    let inner = source::open(&source_url, database).await?;
    let source = Only::new(inner, flags.workspace, flags.limit);
    let store = match flags.mode {
        Mode::DryRun => None,
        Mode::Verify => Some(Store::open(database).await?),
        Mode::Apply => Some(store(context, database).await?),
    };
    let plan = plan::make(plan::Request {
        foreign: None,
        file: &file,
        source: &source,
        target: database,
        heirloom: env!("CARGO_PKG_VERSION"),
        now: jiff::Timestamp::now(),
        limits: Limits::default(),
        progress: &mut |at| {
            if let plan::Progress::Reading { rows, of, .. } = at {
                tell(context, rows, of.unwrap_or(0), 0);
            }
        },
    })
    .await?;
    match (flags.mode, store) {
        (Mode::Apply, Some(store)) => Box::pin(hand_down(context, &plan, &source, &store, &plugin)).await,
        (Mode::Verify, Some(store)) => Box::pin(compare(context, flags, &plan, &source, &store, &plugin)).await,
        _ => dry(&plan),
    }
}

fn missing(name: &'static str, what: &str) -> Error {
    Error::Config { origin: name.to_owned(), what: "it is required".to_owned(), accepted: format!("set it to {what}") }
}

fn tell(context: &Context, done: u64, total: u64, rejected: u64) {
    context.watch().progress(&Progress { label: "memory-backfill".to_owned(), done, total, rejected });
}

/// Where the plugin keeps its memories. A dry run makes nothing: a throw-away stands in for a store that is not there.
async fn database<'a>(context: &'a Context, own: &Location, mode: Mode) -> Result<&'a Database> {
    let named = &context.config().plugin.database_url;
    let location = if named.is_empty() { own.clone() } else { Location::Server(named.clone()) };
    if mode == Mode::DryRun && !location.is_there() {
        return context.database_at(&Location::Temporary).await;
    }
    context.database_at(&location).await
}

/// The store, made as wide as the platform's vectors where there is none.
async fn store(context: &Context, database: &Database) -> Result<Store> {
    match Store::open(database).await {
        Err(StoreError::NotInstalled(_)) => {
            let config = context.config();
            let set = config.origin("store.dimension") != "default";
            let dimension = if set { config.store.dimension } else { DIMENSION };
            Ok(Store::up(database, &UpOptions { dimension, language: config.store.language.clone() }).await?)
        }
        opened => Ok(opened?),
    }
}

/// What would be done, every row validated.
fn dry(plan: &Plan) -> Result<Output> {
    let counts = plan.counts;
    let skipped = counts.present + counts.forgotten;
    let copied = counts.accepted.saturating_sub(skipped);
    let mut text = String::new();
    for home in plan.namespaces.iter().take(MOST_LINES) {
        text.push_str(&format!("[dry] ns={} rows={}\n", home.namespace, home.rows));
    }
    for reject in &plan.rejects {
        let key = line(&reject.example_key.join(","), 64);
        text.push_str(&format!("[dry] rows={} first id={key}: {}\n", reject.count, line(&reject.message, 200)));
    }
    text.push_str(&backfilled(counts.rows, copied, skipped, counts.rejected));
    let json = json!({
        "mode": "dry-run", "scanned": counts.rows, "copied": copied, "skipped": skipped, "errors": counts.rejected,
        "namespaces": plan.namespaces, "rejects": plan.rejects, "refusals": plan.refusals,
    });
    plan.refusals.iter().for_each(|refusal| text.insert_str(0, &format!("[err] {refusal}\n")));
    Ok(Output::new(&json, text)?.holding(counts.rejected == 0 && plan.refusals.is_empty()))
}

async fn hand_down(
    context: &Context,
    plan: &Plan,
    source: &dyn Source,
    store: &Store,
    plugin: &plugin::Plugin,
) -> Result<Output> {
    let stop = Stop::default();
    let mut progress = |at: apply::Progress| tell(context, at.rows, at.planned_rows, at.rejected);
    let running = apply::run(ApplyRequest {
        foreign: None,
        plan,
        source,
        store,
        heirloom: env!("CARGO_PKG_VERSION"),
        stop: stop.clone(),
        check_only: false,
        options: Options { failpoints: crate::ops::apply::failpoints()?, ..Options::default() },
        progress: &mut progress,
    });
    tokio::pin!(running);
    let done = tokio::select! {
        done = &mut running => done,
        () = context.cancel().cancelled() => {
            stop.ask();
            running.await
        }
    }?;
    let skipped = done.present + done.forgotten + done.conflicts;
    let mut text = String::new();
    let rejects = {
        let client = store.database().client().await?;
        let filter = RejectFilter {
            name: None,
            source: Some(plan.origin_source()),
            open_only: true,
            after: 0,
            limit: MOST_LINES as i64,
            by_key: true,
        };
        ledger::list_rejects(&client, &filter).await?
    };
    for reject in &rejects {
        let key = line(&reject.key.join(","), 64);
        text.push_str(&format!("[err-mem] id={key}: {}\n", line(&reject.message, 200)));
    }
    // That the rows are in a store says little when the plugin looks into another.
    // One that went away meanwhile takes nothing back: the rows are committed, and the counts are the answer.
    let seen = plugin.shows(plan, 1).await.unwrap_or_else(|error| vec![error.to_string()]);
    seen.iter().for_each(|problem| text.push_str(&format!("[err] {problem}\n")));
    text.push_str(&backfilled(done.rows, done.written, skipped, done.rejected));
    if done.stopped {
        text.push_str("Stopped; the same command goes on where it stopped\n");
    }
    let json = json!({
        "mode": "apply", "scanned": done.rows, "copied": done.written, "skipped": skipped, "errors": done.rejected,
        "run_id": done.run_id, "stopped": done.stopped, "plugin": seen,
    });
    Ok(Output::new(&json, text)?.holding(done.rejected == 0 && seen.is_empty() && !done.stopped))
}

async fn compare(
    context: &Context,
    flags: &Flags,
    plan: &Plan,
    source: &Only,
    store: &Store,
    plugin: &plugin::Plugin,
) -> Result<Output> {
    let found = verify::run(VerifyRequest {
        foreign: None,
        plan,
        source,
        store,
        show_content: false,
        progress: &mut |done, total| tell(context, done, total, 0),
    })
    .await?;
    // Where a part of the rows is looked at, those handed down beyond it are no difference.
    let mismatches = match source.is_all() {
        true => found.difference_count,
        false => found.chunks.iter().map(|chunk| chunk.differences).sum(),
    };
    let whole = source.is_all();
    let differences: Vec<_> = found
        .differences
        .iter()
        .filter(|one| whole || one.class != verify::Class::Unexpected)
        .take(MOST_LINES)
        .collect();
    let mut text = String::new();
    for one in &differences {
        let (key, column) = (line(&one.key.join(","), 64), one.column.as_deref().unwrap_or("-"));
        text.push_str(&format!("[mismatch] id={key} column={column} {}\n", migration::word(&one.class)));
    }
    let seen = plugin.shows(plan, flags.sample).await?;
    seen.iter().for_each(|problem| text.push_str(&format!("[err] {problem}\n")));
    let (workspaces, errors) = (plan.namespaces.len() as u64, seen.len() as u64);
    let explained: u64 = found.explained.values().sum();
    let matches = found.equal + explained;
    text.push_str(&verified(workspaces, matches, mismatches, errors));
    let json = json!({
        "mode": "verify", "workspaces_sampled": workspaces, "matches": matches, "mismatches": mismatches,
        "errors": errors, "explained": found.explained, "rejected": found.rejected, "differences": differences,
        "plugin": seen,
    });
    Ok(Output::new(&json, text)?.holding(mismatches == 0 && errors == 0))
}
