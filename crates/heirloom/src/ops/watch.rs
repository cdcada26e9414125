//! The sweeps that `heirloom serve` makes by itself, of every migration in its store that soaks.
//!
//! The plan is the ledger's own, and the source is opened by what the plan says; a source whose variable is not set where the
//! server runs is told in the log, and its day counts only when somebody else sweeps. The head is kept in the log of the
//! chain alone: the file beside the plan is written by the next command that finds it.

use heirloom_migrate::audit::anchor::Outside;
use heirloom_migrate::ledger::{self, RunState};
use heirloom_migrate::soak::{self, Sweep, Task};
use heirloom_store::Store;
use uuid::Uuid;

use crate::context::{Cancel, Context};
use crate::error::Result;
use crate::notify;
use crate::ops::apply::failpoints;
use crate::ops::desk;
use crate::ops::migration::{self, Opened};

/// Sweeps as often as the settings say, until it is cancelled.
pub(super) async fn sweeps(context: Context, cancel: Cancel) {
    let Some(period) = context.config().soak.period() else { return };
    loop {
        if let Err(error) = Box::pin(round(&context)).await {
            tracing::warn!(%error, "the migrations that soak cannot be listed; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = cancel.cancelled() => return,
        }
    }
}

/// One sweep of each; one that fails keeps no other from being made.
async fn round(context: &Context) -> Result<()> {
    for run_id in soaking(context).await? {
        match Box::pin(one(context, run_id)).await {
            Ok(sweep) if sweep.record.clean => {
                tracing::info!(migration = sweep.name, counted = sweep.calendar.counted, "swept, clean");
            }
            Ok(sweep) => {
                tracing::warn!(migration = sweep.name, divergences = sweep.record.divergence_count, "divergence");
                for failed in notify::diverged(&context.config().notify, &sweep).await {
                    tracing::warn!("{failed}");
                }
            }
            Err(error) => tracing::warn!(%run_id, %error, "not swept"),
        }
    }
    Ok(())
}

async fn soaking(context: &Context) -> Result<Vec<Uuid>> {
    let client = context.existing().await?.client().await?;
    if !ledger::exists(&client).await? {
        return Ok(Vec::new());
    }
    let runs = ledger::runs(&client).await?;
    let states = [RunState::Soaking, RunState::Soaked];
    let latest = migration::latest(runs.into_iter().filter(|run| states.contains(&run.state)));
    Ok(latest.into_iter().map(|run| run.run_id).collect())
}

async fn one(context: &Context, run_id: Uuid) -> Result<Sweep> {
    let database = context.existing().await?;
    let plan = {
        let client = database.client().await?;
        ledger::stored_plan(&client, run_id).await?
    };
    let opened = Opened::of(context, plan, database).await?;
    let store = Store::open(database).await?;
    let clock = context.clock();
    let queries = desk::queries(None, &context.config().soak.record, &opened.file);
    let failpoints = failpoints()?;
    let task = Task {
        plan: &opened.plan,
        source: opened.source.as_ref(),
        store: &store,
        clock: &clock,
        program: env!("CARGO_PKG_VERSION"),
        anchor: Outside::Elsewhere,
        check_only: false,
        shadow: queries.as_deref(),
        failpoints: &failpoints,
    };
    Ok(soak::sweep(&task, false, &mut |_, _| {}).await?)
}
