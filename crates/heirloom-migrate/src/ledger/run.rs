//! The runs: one a plan that was applied.

use deadpool_postgres::{GenericClient, Transaction};
use heirloom_engine::Cached;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::{self, PROGRAM, Stamp};
use super::chunk::{ordinal_sql, unsigned};
use crate::error::{MigrateError, Result};
use crate::plan::Plan;

const SUMMARY: &str = include_str!("../../sql/queries/run_summary.sql");

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Some chunk is not done.
    Applying,
    /// Every chunk is done.
    Applied,
    /// Every row was compared and no unexplained difference found.
    Verified,
    /// Stopped by something that needs a human.
    Failed,
    /// Old and new are watched side by side.
    Soaking,
    /// Watched for as long as the file asks, with no unexplained difference.
    Soaked,
    /// The source's table is renamed, or dropped after its grace.
    Retired,
}

impl RunState {
    const ALL: [Self; 7] =
        [Self::Applying, Self::Applied, Self::Verified, Self::Failed, Self::Soaking, Self::Soaked, Self::Retired];

    /// The word it is written as.
    pub fn text(self) -> &'static str {
        match self {
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Soaking => "soaking",
            Self::Soaked => "soaked",
            Self::Retired => "retired",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        Self::of_step(text).ok_or_else(|| MigrateError::Ledger(format!("unknown run state {text}")))
    }

    /// The state that an entry of the chain leads to, by its word; `None` for one that leads to none.
    pub fn of_step(what: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.text() == what)
    }

    /// Whether the soak has begun: from here on only [`super::step`] moves a run.
    pub fn is_soaked_or_later(self) -> bool {
        matches!(self, Self::Soaking | Self::Soaked | Self::Retired)
    }
}

/// One line a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// The run.
    pub run_id: Uuid,
    /// The migration's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// The source (see [`Plan::origin_source`]).
    pub source: String,
    /// The plan's digest.
    pub plan_digest: String,
    /// Where it stands.
    pub state: RunState,
    /// When it was first applied, RFC 3339.
    pub started_at: String,
    /// When its last chunk was done.
    pub applied_at: Option<String>,
    /// When it was last verified.
    pub verified_at: Option<String>,
    /// Version of the binary.
    pub heirloom: String,
    /// Database role that ran it.
    pub actor: String,
    /// Chunks in the plan.
    pub chunks: u64,
    /// Chunks done.
    pub chunks_done: u64,
    /// Rows read in done chunks.
    pub rows: u64,
    /// Rows written, over all passes.
    pub inserted: u64,
    /// Rows overwritten because the source changed, over all passes.
    pub updated: u64,
    /// Rows handed down again because the store had lost them, over all passes.
    pub restored: u64,
    /// Rows in the store that this run did not insert, updated ones among them.
    pub present: u64,
    /// Rows forgotten in the store.
    pub forgotten: u64,
    /// Rows changed on both sides.
    pub conflicts: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Rows that it was the last to meet and that still wait; fewer than `rejected` once a later run met them.
    pub open: u64,
}

impl RunSummary {
    /// Rows that it wrote into the store, over all passes.
    pub fn written(&self) -> u64 {
        self.inserted + self.updated + self.restored
    }
}

/// Enters a plan as a run with its chunks, or finds it there.
///
/// # Errors
/// [`MigrateError::Plan`] when the ledger holds another plan under the same run id.
pub async fn register(tx: &Transaction<'_>, plan: &Plan, heirloom: &str) -> Result<()> {
    // Samples are content and of no use to a run.
    let stored = Plan { samples: Vec::new(), ..plan.clone() };
    let stored = serde_json::to_string(&stored).map_err(|error| MigrateError::Ledger(error.to_string()))?;
    let source = plan.origin_source();
    let home = match plan.namespaces.as_slice() {
        [one] => Some(&one.namespace),
        _ => None,
    };
    let inserted = tx
        .execute_cached(
            "insert into heirloom_migrate.run (run_id, name, tenant, source, plan_digest, plan, heirloom, home) \
             values ($1, $2, $3, $4, $5, $6::text::json, $7, $8) on conflict (run_id) do nothing",
            &[&plan.run_id, &plan.name, &plan.tenant, &source, &plan.digest, &stored, &heirloom, &home],
        )
        .await?;
    if inserted == 0 {
        let known: String = tx
            .query_one_cached("select plan_digest from heirloom_migrate.run where run_id = $1", &[&plan.run_id])
            .await?
            .try_get(0)?;
        if known != plan.digest {
            return Err(MigrateError::Plan {
                plan: plan.name.clone(),
                what: format!("run {} was applied from a plan with another digest", plan.run_id),
                cure: "make a new plan and apply that".into(),
            });
        }
        return Ok(());
    }
    let (mut ordinals, mut after, mut upto) = (Vec::new(), Vec::new(), Vec::new());
    for chunk in &plan.chunks {
        ordinals.push(ordinal_sql(chunk.ordinal)?);
        after.push(json(chunk.range.after.as_ref())?);
        upto.push(json(chunk.range.upto.as_ref())?);
    }
    let sql = "insert into heirloom_migrate.chunk (run_id, ordinal, after_key, upto_key) \
               select $1, c.* from unnest($2::integer[], $3::json[], $4::json[]) as c";
    tx.execute_cached(sql, &[&plan.run_id, &ordinals, &after, &upto]).await?;
    let by = Stamp::database(PROGRAM);
    let kept_plan = audit::kept_plan(tx, plan.run_id).await?;
    let planned = serde_json::json!({ "plan_digest": plan.digest, "kept_plan": kept_plan });
    audit::append(tx, plan.run_id, &by, "planned", &planned).await?;
    audit::append(tx, plan.run_id, &by, "applying", &serde_json::json!({ "chunks": plan.chunks.len() })).await?;
    add_event(tx, plan.run_id, "started", &serde_json::json!({ "chunks": plan.chunks.len() })).await
}

fn json(key: Option<&Vec<String>>) -> Result<Option<serde_json::Value>> {
    key.map(serde_json::to_value).transpose().map_err(|error| MigrateError::Ledger(error.to_string()))
}

/// Moves a run to a state up to `verified` and records the step, in the events and in the chain. Nothing is written when
/// it is there already, but that it was verified again is a proof of its own. A run that soaks, or did, is not moved back
/// by being applied or verified again; the chain says what was written.
pub async fn set_state(
    tx: &Transaction<'_>,
    run_id: Uuid,
    state: RunState,
    details: &serde_json::Value,
) -> Result<bool> {
    let sql = "select state from heirloom_migrate.run where run_id = $1 for no key update";
    let row = tx.query_one_cached(sql, &[&run_id]).await?;
    let now = RunState::parse(row.try_get(0)?)?;
    let by = Stamp::database(PROGRAM);
    if now.is_soaked_or_later() {
        let what = if state == RunState::Verified { "compared" } else { audit::CAUGHT_UP };
        audit::append(tx, run_id, &by, what, details).await?;
        return Ok(false);
    }
    if now != state || state == RunState::Verified {
        audit::append(tx, run_id, &by, state.text(), details).await?;
    }
    if now == state {
        return Ok(false);
    }
    move_to(tx, run_id, state).await?;
    add_event(tx, run_id, state.text(), details).await?;
    Ok(true)
}

/// A run that was verified is not any more, in the very transaction that writes rows: whoever is killed after it leaves no
/// proof behind that speaks of rows it has not seen.
pub async fn unprove(tx: &Transaction<'_>, run_id: Uuid, written: u64) -> Result<()> {
    if written == 0 {
        return Ok(());
    }
    let sql = "select state = 'verified' from heirloom_migrate.run where run_id = $1";
    let verified: bool = tx.query_one_cached(sql, &[&run_id]).await?.try_get(0)?;
    if verified {
        set_state(tx, run_id, RunState::Applied, &serde_json::json!({ "written": written })).await?;
    }
    Ok(())
}

/// Moves a run along the soak. The entry that says so must be the newest of the chain, of this transaction, and quote the
/// proof before it; the database refuses it otherwise.
pub async fn step(tx: &Transaction<'_>, run_id: Uuid, state: RunState, details: &serde_json::Value) -> Result<()> {
    move_to(tx, run_id, state).await?;
    add_event(tx, run_id, state.text(), details).await
}

async fn move_to(tx: &Transaction<'_>, run_id: Uuid, state: RunState) -> Result<()> {
    tx.execute_cached(
        "update heirloom_migrate.run set state = $2, \
         applied_at = case when $2 = 'applied' then now() else applied_at end, \
         verified_at = case when $2 = 'verified' then now() else verified_at end \
         where run_id = $1 and state <> $2",
        &[&run_id, &state.text()],
    )
    .await?;
    Ok(())
}

/// Appends a step to the run's events. Details hold counts and ids, never content.
pub async fn add_event(tx: &Transaction<'_>, run_id: Uuid, step: &str, details: &serde_json::Value) -> Result<()> {
    tx.execute_cached(
        "insert into heirloom_migrate.event (run_id, step, details) values ($1, $2, $3)",
        &[&run_id, &step, details],
    )
    .await?;
    Ok(())
}

/// All runs, newest first.
pub async fn runs(client: &impl GenericClient) -> Result<Vec<RunSummary>> {
    summaries(client, None).await
}

/// One run.
pub async fn find_run(client: &impl GenericClient, run_id: Uuid) -> Result<Option<RunSummary>> {
    Ok(summaries(client, Some(vec![run_id])).await?.pop())
}

/// Where one run stands; `None` when there is no such run.
pub async fn state_of(client: &impl GenericClient, run_id: Uuid) -> Result<Option<RunState>> {
    let sql = "select state from heirloom_migrate.run where run_id = $1";
    client.query_opt_cached(sql, &[&run_id]).await?.map(|row| RunState::parse(row.try_get(0)?)).transpose()
}

async fn summaries(client: &impl GenericClient, only: Option<Vec<Uuid>>) -> Result<Vec<RunSummary>> {
    let rows = client.query_cached(SUMMARY, &[&only]).await?;
    rows.iter()
        .map(|row| {
            let count = |name: &str| row.try_get::<_, i64>(name).map(unsigned);
            let time =
                |name: &str| row.try_get::<_, Option<jiff::Timestamp>>(name).map(|at| at.map(|at| at.to_string()));
            Ok(RunSummary {
                run_id: row.try_get("run_id")?,
                name: row.try_get("name")?,
                tenant: row.try_get("tenant")?,
                source: row.try_get("source")?,
                plan_digest: row.try_get("plan_digest")?,
                state: RunState::parse(row.try_get("state")?)?,
                started_at: time("started_at")?.unwrap_or_default(),
                applied_at: time("applied_at")?,
                verified_at: time("verified_at")?,
                heirloom: row.try_get("heirloom")?,
                actor: row.try_get("actor")?,
                chunks: count("chunks")?,
                chunks_done: count("chunks_done")?,
                rows: count("rows")?,
                inserted: count("inserted")?,
                updated: count("updated")?,
                restored: count("restored")?,
                present: count("present")?,
                forgotten: count("forgotten")?,
                conflicts: count("conflicts")?,
                rejected: count("rejected")?,
                open: count("open")?,
            })
        })
        .collect()
}
