//! Where a migration stands when an operator comes to take a step: read once, checked, and not to be argued with.

use std::path::Path;

use heirloom_store::Store;
use jiff::Timestamp;
use serde_json::json;

use super::calendar::begins;
use crate::audit::anchor::{self, Outside};
use crate::audit::{self, Entry, Head};
use crate::clock::Clock;
use crate::error::{MigrateError, Result};
use crate::failpoint::Failpoints;
use crate::file::MigrationFile;
use crate::ledger::{self, RunState, RunSummary, Stamp};
use crate::plan::Plan;
use crate::source::Source;

/// What a step of a soak or of a retirement needs. One migration of one tenant.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The plan that was applied.
    pub plan: &'a Plan,
    /// Its source, opened.
    pub source: &'a dyn Source,
    /// The store.
    pub store: &'a Store,
    /// What time it is.
    pub clock: &'a Clock,
    /// Version of the program.
    pub program: &'a str,
    /// The newest head outside the database; [`anchor::read`] reads it from the file beside the plan.
    pub anchor: Outside<'a>,
    /// Look, and write nothing.
    pub check_only: bool,
    /// Queries for shadow recall, instead of those that the migration file names.
    pub shadow: Option<&'a Path>,
    /// Where it is to fail, for tests.
    pub failpoints: &'a Failpoints,
}

/// Where it stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its line in the ledger.
    pub run: RunSummary,
    /// Its chain.
    pub entries: Vec<Entry>,
    /// The migration file inside the plan.
    pub file: MigrationFile,
    /// Now, by the caller's clock.
    pub now: Timestamp,
    /// sha256 of the plan as the ledger keeps it, hex.
    kept_plan: Option<String>,
}

impl Standing {
    /// Reads and checks.
    ///
    /// # Errors
    /// [`MigrateError::Plan`] when the plan was never applied here, [`MigrateError::Refused`] when the chain does not hold,
    /// does not go through the head from outside or that is lost, was written by a newer program, or when the clock was moved back.
    pub async fn of(task: &Task<'_>, heed_anchor: bool) -> Result<Self> {
        task.plan.check_digest()?;
        let file = MigrationFile::parse(&task.plan.file.path, &task.plan.file.text)?;
        if !task.check_only {
            ledger::ensure(task.store.database()).await?;
        }
        let (run, kept, (entries, guards)) = {
            let client = task.store.database().client().await?;
            let known = ledger::exists(&client).await? && ledger::has_chain(&client).await?;
            let run = if known { ledger::find_run(&client, task.plan.run_id).await? } else { None };
            let run = run.ok_or_else(|| task.plan.never_applied())?;
            // A plan out of the ledger has no samples, and another seal for that.
            let kept = run.plan_digest != task.plan.digest
                && ledger::stored_plan(&client, task.plan.run_id).await?.digest == task.plan.digest;
            let chain = ledger::chain(&client, task.plan.run_id).await?;
            (run, kept, chain)
        };
        let standing = Self { run, entries, file, now: task.clock.now(), kept_plan: guards.kept_plan.clone() };
        standing.check_plan(task, kept)?;
        standing.check(task, &guards, heed_anchor)?;
        Ok(standing)
    }

    /// The plan must be the one that the chain began with: what the run's own row says may have been edited together with the
    /// plan's file. One out of the ledger (`kept`) is the ledger's own, which [`audit::check`] holds against the chain.
    fn check_plan(&self, task: &Task<'_>, kept: bool) -> Result<()> {
        let digest = audit::short(&task.plan.digest);
        let refuse = |what: String| {
            Err(MigrateError::Plan { plan: task.plan.name.clone(), what, cure: "use the plan that was applied".into() })
        };
        let run_id = task.plan.run_id;
        match audit::other_plan(&self.entries, &task.plan.digest).filter(|_| !kept) {
            Some((seq, said)) => refuse(format!(
                "entry {seq} of the chain of run {run_id} was made for the plan {}, and this is the plan {digest}",
                audit::short(&said)
            )),
            None if !kept && self.run.plan_digest != task.plan.digest => refuse(format!(
                "run {run_id} was applied from the plan {}, and this is the plan {digest}",
                audit::short(&self.run.plan_digest)
            )),
            None => self.check_days(),
        }
    }

    /// A soak is as long as it was when it began.
    fn check_days(&self) -> Result<()> {
        let Some(began) = self.entries.iter().rev().find(|entry| entry.what == "soaking" && begins(entry)) else {
            return Ok(());
        };
        let asked = began.read::<serde_json::Value>()?["days"].as_u64();
        match asked.filter(|days| *days != u64::from(self.days())) {
            Some(days) => Err(MigrateError::Plan {
                plan: self.run.name.clone(),
                what: format!(
                    "its soak began for {days} days (entry {}), and it says {} by now",
                    began.seq,
                    self.days()
                ),
                cure: "use the plan that was applied".into(),
            }),
            None => Ok(()),
        }
    }

    fn check(&self, task: &Task<'_>, guards: &audit::Guards, heed_anchor: bool) -> Result<()> {
        let report = audit::check(&self.run, &self.entries, guards, &[]);
        if let Some(problem) = report.problems.first() {
            let place = problem.seq.map_or_else(String::new, |seq| format!("entry {seq}: "));
            return Err(MigrateError::Refused {
                what: format!("The chain of {} does not hold: {place}{}", self.run.name, problem.what),
                cure:
                    "restore the ledger from a backup that holds (`heirloom audit check` says all), or plan and apply \
                       again: a new run has a chain of its own"
                        .into(),
            });
        }
        if heed_anchor {
            anchor::hold(&self.entries, task.anchor)?;
        }
        let Some(newest) = self.entries.last() else { return Ok(()) };
        if audit::version(task.program) < audit::version(&newest.program) {
            return Err(MigrateError::Refused {
                what: format!(
                    "Version {} wrote the newest entry of the chain, and this is {}",
                    newest.program, task.program
                ),
                cure: "use that version or a newer one".into(),
            });
        }
        self.check_clock(task.clock)
    }

    fn check_clock(&self, clock: &Clock) -> Result<()> {
        let by_program = || self.entries.iter().filter(|entry| entry.clock != "database");
        if let Some(newest) = by_program().map(|entry| entry.at).max()
            && self.now < newest
        {
            return Err(MigrateError::Refused {
                what: format!("The clock was moved back: it says {}, and the newest entry is of {newest}", self.now),
                cure: "set the clock of this machine right".into(),
            });
        }
        if clock.kind() == "system" && by_program().any(|entry| entry.clock == "simulated") {
            return Err(MigrateError::Refused {
                what: "This run was soaked under the clock of a test".into(),
                cure: "plan and apply again: a new run has a chain of its own".into(),
            });
        }
        Ok(())
    }

    /// The end of the chain as it was read.
    pub fn head(&self) -> Option<Head> {
        self.entries.last().map(Entry::head)
    }

    /// The newest entry of a step.
    pub fn newest(&self, what: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.what == what)
    }

    /// Rows that the run had written when its soak began: what came since was caught up with.
    pub(crate) fn written_at_start(&self) -> u64 {
        let began = |entry: &&Entry| entry.what == "soaking" && begins(entry);
        let payload = self.entries.iter().rev().find(began).and_then(|entry| entry.read::<serde_json::Value>().ok());
        payload.and_then(|payload| payload["written"].as_u64()).unwrap_or(u64::MAX)
    }

    /// The payload of a `soaking` entry that begins a soak, on this proof.
    pub(crate) fn beginning(&self, proof: Option<&str>) -> serde_json::Value {
        json!({
            "proof": proof,
            "begins": true,
            "days": self.days(),
            "written": self.run.written(),
            "plan_digest": self.run.plan_digest,
            "kept_plan": self.kept_plan,
        })
    }

    /// Days that the file asks for.
    pub fn days(&self) -> u32 {
        self.file.soak.days
    }

    /// By which clock and program an entry is made. The time is that of the entry and not of the beginning: a step may work
    /// for an hour, and the database refuses a time that is not its own.
    pub(crate) fn stamp<'a>(&self, task: &Task<'a>) -> Stamp<'a> {
        Stamp::at(task.clock, task.clock.now(), task.program)
    }

    /// Refuses unless the run is in one of these states.
    pub(crate) fn require(&self, states: &[RunState], step: &str, cure: &str) -> Result<()> {
        if states.contains(&self.run.state) {
            return Ok(());
        }
        Err(MigrateError::Refused {
            what: format!("{} is {}, so it cannot be {step}", self.run.name, self.run.state.text()),
            cure: cure.to_owned(),
        })
    }
}
