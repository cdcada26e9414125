//! Entries of the chain: appended here, finished and guarded by the database.

use deadpool_postgres::{GenericClient, Transaction};
use heirloom_engine::Cached;
use heirloom_store::activity;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::chunk::{count_sql, unsigned};
use crate::audit::{Entry, Guards, Head, version};
use crate::clock::Clock;
use crate::error::{MigrateError, Result};

/// Version of this crate, as entries name it.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// What the entry of an apply is called that wrote something while the run soaked.
pub(super) const CAUGHT_UP: &str = "caught-up";

const APPEND: &str = include_str!("../../sql/queries/append_entry.sql");
const ENTRIES: &str = include_str!("../../sql/queries/entries.sql");
const KEPT_PLAN: &str = include_str!("../../sql/queries/kept_plan.sql");
const GUARDS: &str = include_str!("../../sql/queries/audit_guards.sql");

/// By which clock and version an entry is made.
#[derive(Debug, Clone)]
pub struct Stamp<'a> {
    at: Option<Timestamp>,
    clock: &'static str,
    program: &'a str,
}

impl<'a> Stamp<'a> {
    /// The database says what time it is: steps that nothing counts days from.
    pub fn database(program: &'a str) -> Self {
        Self { at: None, clock: "database", program }
    }

    /// The caller's clock says so, at a moment that was read from it before.
    pub fn at(clock: &Clock, at: Timestamp, program: &'a str) -> Self {
        Self { at: Some(at), clock: clock.kind(), program }
    }

    /// Its version.
    pub fn program(&self) -> &str {
        self.program
    }
}

/// Appends an entry, and a line about it to the store's activity. Both commit with whatever else the caller's transaction
/// does.
pub async fn append(
    tx: &Transaction<'_>,
    run_id: Uuid,
    by: &Stamp<'_>,
    what: &str,
    payload: &(impl Serialize + Sync),
) -> Result<Entry> {
    let payload = serde_json::to_string(payload).map_err(|error| MigrateError::Ledger(error.to_string()))?;
    // What comes after three numbers says nothing about which version is older.
    let [major, minor, patch] = version(by.program);
    let program = format!("{major}.{minor}.{patch}");
    let row = tx.query_one_cached(APPEND, &[&run_id, &by.at, &by.clock, &program, &what, &payload]).await?;
    let home: Option<&str> = row.try_get("home")?;
    activity::migration(tx, home, serde_json::json!({ "run_id": run_id, "step": what })).await?;
    entry(&row)
}

/// The chain of a run, oldest first.
pub async fn entries(client: &impl GenericClient, run_id: Uuid) -> Result<Vec<Entry>> {
    client.query(ENTRIES, &[&run_id]).await?.iter().map(entry).collect()
}

/// The chain of a run and what guards it; neither where the ledger is of a version that had none.
pub async fn chain(client: &impl GenericClient, run_id: Uuid) -> Result<(Vec<Entry>, Guards)> {
    match has_chain(client).await? {
        true => Ok((entries(client, run_id).await?, guards(client, run_id).await?)),
        false => Ok((Vec::new(), Guards::default())),
    }
}

/// Whether this ledger has chains at all; one of an older version is not upgraded by being looked at.
pub async fn has_chain(client: &impl GenericClient) -> Result<bool> {
    Ok(client.query_one("select to_regclass('heirloom_migrate.audit') is not null", &[]).await?.try_get(0)?)
}

/// Takes the chain of a run for this transaction, as long as it still ends where the caller read it.
///
/// # Errors
/// [`MigrateError::Refused`] when somebody else went on in the meantime: two operators are at work.
pub async fn lock_head(tx: &Transaction<'_>, run_id: Uuid, read: Option<&Head>) -> Result<()> {
    lock(tx, run_id, read, "").await
}

/// The same where a follower may have caught up in the meantime: its entries are no step of an operator's.
///
/// # Errors
/// As [`lock_head`].
pub async fn lock_head_beside_a_follower(tx: &Transaction<'_>, run_id: Uuid, read: Option<&Head>) -> Result<()> {
    lock(tx, run_id, read, CAUGHT_UP).await
}

async fn lock(tx: &Transaction<'_>, run_id: Uuid, read: Option<&Head>, passed: &str) -> Result<()> {
    tx.execute("select from heirloom_migrate.run where run_id = $1 for no key update", &[&run_id]).await?;
    let seq = count_sql(read.map_or(0, |head| head.seq));
    let sql = "select count(*) from heirloom_migrate.audit where run_id = $1 and seq > $2 and what <> $3";
    let others: i64 = tx.query_one(sql, &[&run_id, &seq, &passed]).await?.try_get(0)?;
    if others == 0 {
        return Ok(());
    }
    Err(MigrateError::Refused {
        what: "Somebody else took a step of this migration in the meantime".into(),
        cure: "look with `heirloom soak status`, then run the same command again; nothing was written".into(),
    })
}

/// Which of the triggers that guard the chain are missing or off, and which plan the run is kept with.
pub async fn guards(client: &impl GenericClient, run_id: Uuid) -> Result<Guards> {
    let rows = client.query(GUARDS, &[]).await?;
    let missing = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?;
    Ok(Guards { missing, kept_plan: kept_plan(client, run_id).await? })
}

/// sha256 of a run's plan as the ledger keeps it, hex; `None` when there is no such run.
pub(super) async fn kept_plan(client: &impl GenericClient, run_id: Uuid) -> Result<Option<String>> {
    Ok(client.query_opt_cached(KEPT_PLAN, &[&run_id]).await?.map(|row| row.try_get(0)).transpose()?)
}

fn entry(row: &tokio_postgres::Row) -> Result<Entry> {
    Ok(Entry {
        run_id: row.try_get("run_id")?,
        seq: unsigned(row.try_get("seq")?),
        at: row.try_get("at")?,
        db_at: row.try_get("db_at")?,
        clock: row.try_get("clock")?,
        role: row.try_get("role")?,
        place: row.try_get("place")?,
        program: row.try_get("program")?,
        what: row.try_get("what")?,
        payload: row.try_get("payload")?,
        payload_digest: row.try_get("payload_digest")?,
        prev: row.try_get("prev")?,
        hash: row.try_get("hash")?,
    })
}
