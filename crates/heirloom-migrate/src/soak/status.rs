//! Where a soak stands, from the ledger alone: no source is opened, nothing is written.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::calendar::Calendar;
use super::record::{Divergence, SweepRecord};
use crate::audit::{self, Entry, Head};
use crate::error::Result;
use crate::file::MigrationFile;
use crate::ledger::{self, RunState, RunSummary};
use crate::retire::{self, Gate};

/// Where a soak stands.
#[derive(Debug, Clone, Serialize)]
pub struct SoakStatus {
    /// The run.
    pub run_id: Uuid,
    /// The migration's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// Where the run stands.
    pub state: RunState,
    /// Day by day.
    pub calendar: Calendar,
    /// What the newest sweep found; absent before the first.
    pub last: Option<SweepRecord>,
    /// What the newest sweep with a divergence found, when the clock did not run through since.
    pub divergences: Vec<Divergence>,
    /// What `retire` asks for, as far as the ledger can say; the source is asked by `retire` itself.
    pub gates: Vec<Gate>,
    /// The end of the chain.
    pub head: Option<Head>,
    /// Whether the chain holds in itself.
    pub chain_holds: bool,
}

/// Looks where the soak of a run stands.
///
/// # Errors
/// [`crate::MigrateError::Ledger`] when its plan is of another form.
pub async fn status(client: &impl GenericClient, run: &RunSummary, now: Timestamp) -> Result<SoakStatus> {
    let run_id = run.run_id;
    let plan = ledger::stored_plan(client, run_id).await?;
    let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
    let (entries, guards) = ledger::chain(client, run_id).await?;
    let calendar = Calendar::of(&entries, file.soak.days, now)?;
    let newest = |clean: Option<bool>| -> Result<Option<SweepRecord>> {
        let sweeps = entries.iter().rev().filter(|entry| entry.what == "sweep").map(Entry::read::<SweepRecord>);
        for sweep in sweeps {
            let sweep = sweep?;
            if clean.is_none_or(|clean| clean == sweep.clean) {
                return Ok(Some(sweep));
            }
        }
        Ok(None)
    };
    let report = audit::check(run, &entries, &guards, &[]);
    let gates = retire::ledger_gates(run, &entries, &calendar, &report);
    Ok(SoakStatus {
        run_id,
        name: run.name.clone(),
        tenant: run.tenant.clone(),
        state: run.state,
        last: newest(None)?,
        divergences: newest(Some(false))?.map(|sweep| sweep.divergences).unwrap_or_default(),
        calendar,
        gates,
        head: report.head.clone(),
        chain_holds: report.holds,
    })
}
