//! Leases on chunks, and who is at work.
//!
//! A lease says who should work on a chunk; it runs out by the database's clock, or with the session that took it. What
//! keeps a runner that lost its lease from committing is the fencing token: each claim raises it, and the statement that
//! marks a chunk done names the token it was claimed under.

use deadpool_postgres::GenericClient;
use heirloom_engine::Cached;
use serde::Serialize;
use std::time::Duration;
use uuid::Uuid;

use super::chunk::{count_sql, ordinal_sql, unsigned};
use crate::error::Result;

const CLAIM: &str = include_str!("../../sql/queries/claim_chunk.sql");
const RENEW: &str = include_str!("../../sql/queries/renew_leases.sql");
const RELEASE: &str = include_str!("../../sql/queries/release_leases.sql");
const HOLDS: &str = include_str!("../../sql/queries/holds_lease.sql");
const BEAT: &str = include_str!("../../sql/queries/beat.sql");
const RUNNERS: &str = include_str!("../../sql/queries/runners.sql");

/// A claimed chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run_id: Uuid,
    /// The chunk.
    pub ordinal: u32,
    /// The fencing token.
    pub fence: i64,
}

/// Claims the next chunk nobody works on, or exactly this one; `None` when there is none to be had.
pub async fn claim(
    client: &impl GenericClient,
    run_id: Uuid,
    runner: Uuid,
    length: Duration,
    only: Option<u32>,
) -> Result<Option<Lease>> {
    let only = only.map(ordinal_sql).transpose()?;
    let row = client.query_opt_cached(CLAIM, &[&run_id, &runner, &millis(length), &only]).await?;
    row.map(|row| {
        let ordinal: i32 = row.try_get(0)?;
        Ok(Lease { run_id, ordinal: u32::try_from(ordinal).unwrap_or_default(), fence: row.try_get(1)? })
    })
    .transpose()
}

/// Renews all leases of a runner; gives back how many it holds.
pub async fn renew(client: &impl GenericClient, run_id: Uuid, runner: Uuid, length: Duration) -> Result<u64> {
    Ok(client.execute_cached(RENEW, &[&run_id, &runner, &millis(length)]).await?)
}

/// Gives back the leases of a runner, or everybody's where no other process can be at work.
pub async fn release(client: &impl GenericClient, run_id: Uuid, runner: Option<Uuid>) -> Result<u64> {
    Ok(client.execute_cached(RELEASE, &[&run_id, &runner]).await?)
}

/// Whether nobody has claimed the chunk since.
pub async fn holds(client: &impl GenericClient, lease: &Lease) -> Result<bool> {
    let row = client.query_opt_cached(HOLDS, &[&lease.run_id, &ordinal_sql(lease.ordinal)?, &lease.fence]).await?;
    row.map_or(Ok(false), |row| Ok(row.try_get(0)?))
}

/// How many chunks of a run are not done.
pub async fn pending(client: &impl GenericClient, run_id: Uuid) -> Result<u64> {
    let sql = "select count(*) from heirloom_migrate.chunk where run_id = $1 and state = 'pending'";
    Ok(unsigned(client.query_one_cached(sql, &[&run_id]).await?.try_get(0)?))
}

/// Whether a runner holds leases of a run or was heard.
pub async fn knows_runner(client: &impl GenericClient, run_id: Uuid, runner: Uuid) -> Result<bool> {
    let sql = "select exists (select from heirloom_migrate.chunk where run_id = $1 and holder = $2) \
               or exists (select from heirloom_migrate.runner where runner_id = $2)";
    Ok(client.query_one_cached(sql, &[&run_id, &runner]).await?.try_get(0)?)
}

/// What a process says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// The runner.
    pub runner: Uuid,
    /// The run.
    pub run_id: Uuid,
    /// Chunks it works on at a time.
    pub workers: usize,
    /// Rows dealt with so far.
    pub rows: u64,
    /// Bytes of source rows dealt with so far.
    pub bytes: u64,
    /// Why it waits.
    pub waiting: Option<String>,
}

/// Records a heartbeat.
pub async fn beat(client: &impl GenericClient, beat: &Beat) -> Result<()> {
    let process = i32::try_from(std::process::id()).unwrap_or_default();
    let workers = i32::try_from(beat.workers).unwrap_or(i32::MAX);
    let (rows, bytes) = (count_sql(beat.rows), count_sql(beat.bytes));
    client
        .execute_cached(BEAT, &[&beat.runner, &beat.run_id, &process, &workers, &rows, &bytes, &beat.waiting])
        .await?;
    Ok(())
}

/// A process that ends takes its row away, and those of processes that were not heard for an hour.
pub async fn leave(client: &impl GenericClient, run_id: Uuid, runner: Uuid) -> Result<()> {
    client
        .execute_cached(
            "delete from heirloom_migrate.runner \
             where run_id = $1 and (runner_id = $2 or heartbeat_at < clock_timestamp() - interval '1 hour')",
            &[&run_id, &runner],
        )
        .await?;
    Ok(())
}

/// A process at work, as the ledger last heard of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Runner {
    /// Its id, new for each process.
    pub runner_id: Uuid,
    /// Where it connects from.
    pub place: String,
    /// Its process id there.
    pub process: i32,
    /// Chunks it works on at a time.
    pub workers: i32,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// Rows it has dealt with.
    pub rows: u64,
    /// Bytes of source rows it has dealt with.
    pub bytes: u64,
    /// Chunks it holds.
    pub chunks: u64,
    /// Why it waits; `None` while it works.
    pub waiting: Option<String>,
    /// Seconds since it was last heard.
    pub silent_seconds: f64,
    /// Rows a second since it began.
    pub rows_per_second: f64,
}

/// Who is at work on a run.
pub async fn runners(client: &impl GenericClient, run_id: Uuid) -> Result<Vec<Runner>> {
    let rows = client.query(RUNNERS, &[&run_id]).await?;
    rows.iter()
        .map(|row| {
            let started_at: jiff::Timestamp = row.try_get("started_at")?;
            let (done, worked) = (unsigned(row.try_get("rows")?), row.try_get::<_, f64>("worked")?);
            Ok(Runner {
                runner_id: row.try_get("runner_id")?,
                place: row.try_get("place")?,
                process: row.try_get("process")?,
                workers: row.try_get("workers")?,
                started_at: started_at.to_string(),
                rows: done,
                bytes: unsigned(row.try_get("bytes")?),
                chunks: unsigned(row.try_get("chunks")?),
                waiting: row.try_get("waiting")?,
                silent_seconds: row.try_get("silent")?,
                rows_per_second: if worked > 0.0 { done as f64 / worked } else { 0.0 },
            })
        })
        .collect()
}

/// What is going on in a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Live {
    /// Rows the plan counted.
    pub planned_rows: u64,
    /// One character for a stretch of chunks: `#` done, `+` begun, `>` claimed, `.` waiting; at most 64.
    pub map: String,
    /// Who is at work.
    pub runners: Vec<Runner>,
    /// Rows that a comparison under way has behind it; `None` while nobody compares.
    pub comparing: Option<u64>,
}

/// Looks at what is going on in a run.
pub async fn live(client: &impl GenericClient, run_id: Uuid) -> Result<Live> {
    let sql = "select coalesce((r.plan -> 'counts' ->> 'rows')::bigint, 0) from heirloom_migrate.run as r where r.run_id = $1";
    let planned: Option<i64> = client.query_opt_cached(sql, &[&run_id]).await?.map(|row| row.try_get(0)).transpose()?;
    let rows = client.query(include_str!("../../sql/queries/chunk_map.sql"), &[&run_id]).await?;
    let map = rows.iter().map(|row| Ok(row.try_get::<_, &str>(0)?.to_owned())).collect::<Result<String>>()?;
    Ok(Live {
        planned_rows: unsigned(planned.unwrap_or(0)),
        map,
        runners: runners(client, run_id).await?,
        comparing: super::comparing(client, run_id).await?,
    })
}

/// Whether the ledger knows who is at work; an older one is not upgraded by being looked at.
pub async fn has_runners(client: &impl GenericClient) -> Result<bool> {
    Ok(client.query_one_cached("select to_regclass('heirloom_migrate.runner') is not null", &[]).await?.try_get(0)?)
}

/// Whether a process hands anything down to this store just now, of whatever run: one that was heard lately.
pub async fn somebody_at_work(client: &impl GenericClient) -> Result<bool> {
    let sql = "select exists (select from heirloom_migrate.runner as r where r.heartbeat_at > clock_timestamp() - interval '2 minutes')";
    Ok(client.query_one_cached(sql, &[]).await?.try_get(0)?)
}

/// What else a server is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Busy {
    /// Bytes that its furthest replica lags behind.
    pub lag: u64,
    /// Sessions that wait for a lock.
    pub waiting: u64,
    /// Sessions at work, ours left out.
    pub active: u64,
}

/// Who asks, where that role may not see what other sessions do, so that [`busy`] would count none.
pub async fn blind(client: &impl GenericClient) -> Result<Option<String>> {
    let sql = "select case when not pg_has_role('pg_read_all_stats', 'usage') then current_user::text end";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}

/// Asks a server what else it is busy with. Reads only.
pub async fn busy(client: &impl GenericClient) -> Result<Busy> {
    let row = client.query_one_cached(include_str!("../../sql/queries/busy.sql"), &[]).await?;
    let count = |name: &str| row.try_get::<_, i64>(name).map(unsigned);
    Ok(Busy { lag: count("lag")?, waiting: count("waiting")?, active: count("active")? })
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}
