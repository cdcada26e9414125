//! What the operations on a soak share: a plan with both its sides open, the clock, and the head outside the database.

use std::path::{Path, PathBuf};

use heirloom_migrate::audit::Head;
use heirloom_migrate::audit::anchor::{self, Outside};
use heirloom_migrate::clock::Clock;
use heirloom_migrate::failpoint::Failpoints;
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::plan::Plan;
use heirloom_migrate::retire;
use heirloom_migrate::soak::{Calendar, Divergence, Shadow, Task};
use heirloom_migrate::source::Source;
use heirloom_store::Store;
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::apply::failpoints;
use crate::ops::migration::{self, Opened};
use crate::text::{Table, count, line};

/// Divergences that are shown on a terminal.
const SHOWN: usize = 20;

/// The head of a plan's chain as it lies in a file beside the plan.
pub(crate) struct Beside {
    path: PathBuf,
    head: Option<Head>,
    failpoints: Failpoints,
}

impl Beside {
    /// Reads the head of a run beside its plan.
    pub(crate) fn read(plan: &Path, run_id: Uuid) -> Result<Self> {
        let path = anchor::path_for(plan);
        let head = anchor::read(&path, run_id)?;
        Ok(Self { path, head, failpoints: failpoints()? })
    }

    /// What the library asks for.
    pub(crate) fn task<'t>(
        &'t self,
        plan: &'t Plan,
        source: &'t dyn Source,
        store: &'t Store,
        clock: &'t Clock,
        check_only: bool,
    ) -> Task<'t> {
        let program = env!("CARGO_PKG_VERSION");
        let anchor = self.head.as_ref().map_or(Outside::Missing(&self.path), Outside::Known);
        Task { plan, source, store, clock, program, anchor, check_only, shadow: None, failpoints: &self.failpoints }
    }

    /// Whether no head of the run lies there.
    pub(crate) fn is_missing(&self) -> bool {
        self.head.is_none()
    }

    /// Keeps the newest head beside the plan.
    pub(crate) async fn keep(&self, newest: Option<&Head>) -> Result<()> {
        match newest.filter(|newest| self.head.as_ref() != Some(*newest)) {
            Some(newest) => Ok(anchor::write(&self.path, newest, &self.failpoints).await?),
            None => Ok(()),
        }
    }
}

/// A plan on the desk.
pub(super) struct Desk<'a> {
    pub(super) opened: Opened<'a>,
    pub(super) store: Store,
    clock: Clock,
    path: PathBuf,
    beside: Beside,
}

impl<'a> Desk<'a> {
    /// Opens both sides of a plan, and reads the head beside it.
    pub(super) async fn open(context: &'a Context, plan: &Path) -> Result<Self> {
        let opened = Opened::to_read(context, plan).await?;
        let store = Store::open(opened.database).await?;
        let beside = Beside::read(plan, opened.plan.run_id)?;
        Ok(Self { opened, store, clock: context.clock(), path: plan.to_owned(), beside })
    }

    /// What the library asks for.
    pub(super) fn task(&self, check_only: bool) -> Task<'_> {
        self.beside.task(&self.opened.plan, self.opened.source.as_ref(), &self.store, &self.clock, check_only)
    }

    /// Keeps the newest head beside the plan.
    pub(super) async fn keep(&self, head: Option<&Head>) -> Result<()> {
        self.beside.keep(head).await
    }

    /// Where the archive of the plan's source lies or will lie.
    pub(super) fn archive(&self) -> PathBuf {
        retire::path_for(&self.path, &self.opened.plan, self.opened.file.retire.archive.as_deref())
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.opened.plan
    }
}

/// The queries of a sweep's shadow recall, where the migration file names none of its own: those that are given, else those
/// that were recorded, once there are any.
pub(crate) fn queries(given: Option<PathBuf>, recorded: &Path, file: &MigrationFile) -> Option<PathBuf> {
    let recorded = || (file.soak.shadow.is_none() && recorded.is_file()).then(|| recorded.to_owned());
    given.or_else(recorded)
}

/// How far a soak is, in one line.
pub(super) fn progress(calendar: &Calendar) -> String {
    let days = format!("{} of {} days count", calendar.counted, calendar.needed);
    match (calendar.started_at, calendar.over, calendar.running_since, calendar.over_at) {
        (None, ..) => "not started".to_owned(),
        (_, true, ..) => format!("{days}; it is over"),
        (_, _, None, _) => format!("{days}; the clock waits for a clean sweep"),
        (_, _, _, Some(at)) => format!("{days}; over at {} UTC at the earliest", minute(&at.to_string())),
        _ => days,
    }
}

/// How far the answers of old and new agreed.
pub(super) fn shadow(shadow: &Shadow) -> String {
    let told = format!(
        "Of {} queries the old side answered {}: {:.0} % of its answers came from the new side too, {:.1} places away.{}",
        count(shadow.queries),
        count(shadow.answered),
        shadow.overlap * 100.0,
        shadow.rank_shift,
        match shadow.elsewhere {
            0 => String::new(),
            others => format!(" {} more are of other tenants' namespaces.", count(others)),
        }
    );
    let failed = shadow.failed.as_ref().map(|why| format!(" Not asked to the end: {why}")).unwrap_or_default();
    let lines = crate::text::wrap(&format!("{told}{failed}"), 78);
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

/// `2026-11-22T12:00:31Z` as `2026-11-22 12:00`.
pub(super) fn minute(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
}

/// Where each divergence is; empty when there is none.
pub(super) fn divergences(all: &[Divergence], number: u64) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["divergence", "key", "column"]);
    for one in all.iter().take(SHOWN) {
        let column = one.column.clone().unwrap_or_else(|| "the row".to_owned());
        table.row([migration::word(&one.kind), line(&one.key.join(", "), 36), column]);
    }
    let more = number.saturating_sub(all.len().min(SHOWN) as u64);
    let more = if more > 0 { format!("  and {} more\n", count(more)) } else { String::new() };
    format!("\n{}{more}", table.render())
}

/// A gate a line, met or not, with what to do.
pub(super) fn gates(gates: &[retire::Gate]) -> String {
    let mut text = String::new();
    for gate in gates {
        let mark = if gate.met { "met  " } else { "short" };
        for (at, part) in crate::text::wrap(&format!("{}: {}", gate.id, gate.found), 72).iter().enumerate() {
            text.push_str(&if at == 0 { format!("  {mark} {part}\n") } else { format!("        {part}\n") });
        }
        for part in crate::text::wrap(&gate.cure, 70) {
            if !part.is_empty() {
                text.push_str(&format!("        → {part}\n"));
            }
        }
    }
    text
}
