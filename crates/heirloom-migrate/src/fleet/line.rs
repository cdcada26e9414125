//! The table of the seed: a line a tenant, and their sum. A value; how it looks is the affair of who shows it.

use serde::Serialize;
use uuid::Uuid;

use crate::ledger::{RunState, RunSummary};
use crate::report::number;
use crate::soak::Shadow;
use crate::source::Identity;

/// Where a tenant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is no plan yet.
    Unplanned,
    /// There is a plan, and nothing moved.
    Planned,
    /// Some chunk is not done.
    Applying,
    /// Every chunk is done.
    Applied,
    /// Every row was compared, and that was recorded.
    Verified,
    /// Old and new are watched.
    Soaking,
    /// The watch is over.
    Soaked,
    /// The source's table is put away.
    Retired,
    /// The last step did not come to its end, or did not hold.
    Failed,
}

impl State {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unplanned => "unplanned",
            Self::Planned => "planned",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Verified => "verified",
            Self::Soaking => "soaking",
            Self::Soaked => "soaked",
            Self::Retired => "retired",
            Self::Failed => "failed",
        }
    }
}

impl From<RunState> for State {
    fn from(run: RunState) -> Self {
        match run {
            RunState::Applying => Self::Applying,
            RunState::Applied => Self::Applied,
            RunState::Verified => Self::Verified,
            RunState::Failed => Self::Failed,
            RunState::Soaking => Self::Soaking,
            RunState::Soaked => Self::Soaked,
            RunState::Retired => Self::Retired,
        }
    }
}

/// One side of a tenant, as a report may show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Kind and place, no credential.
    pub place: String,
    /// The role.
    pub role: String,
    /// Superuser?
    pub superuser: bool,
    /// Bypasses row-level security?
    pub bypass_rls: bool,
}

impl Side {
    /// A side as a plan or a look found it.
    pub fn of(place: &str, identity: &Identity) -> Self {
        Self {
            place: place.to_owned(),
            role: identity.role.clone(),
            superuser: identity.superuser,
            bypass_rls: identity.bypass_rls,
        }
    }

    /// The role, with what is too much about it; a dash where nobody knows.
    pub fn said(side: Option<&Self>) -> String {
        match side {
            None => "–".to_owned(),
            Some(side) if side.superuser => format!("{} (superuser)", side.role),
            Some(side) if side.bypass_rls => format!("{} (bypassrls)", side.role),
            Some(side) => side.role.clone(),
        }
    }
}

/// Why a tenant's step failed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// A stable name.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
}

/// A tenant's line. A number that nobody knows yet is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The tenant.
    pub tenant: String,
    /// Where it stands.
    pub state: State,
    /// Rows of the source; migrated, skipped and rejected add up to it once it is applied.
    pub source_rows: Option<u64>,
    /// Rows of the source that the store has.
    pub migrated: Option<u64>,
    /// Rows that were left as the store has them: forgotten there, or changed on both sides.
    pub skipped: Option<u64>,
    /// Rows that were set aside.
    pub rejected: Option<u64>,
    /// Rows that differ for a reason that the store's own records give.
    pub explained: Option<u64>,
    /// Rows that were compared and are equal in every field.
    pub verified: Option<u64>,
    /// Whole days of the watch that count.
    pub soaked_days: Option<u64>,
    /// Rows written by this command.
    pub written: u64,
    /// Differences that nobody explains, found by this command.
    pub differences: Option<u64>,
    /// How long this command took for it, seconds.
    pub seconds: f64,
    /// Its plan.
    pub plan: Option<String>,
    /// The plan's digest.
    pub plan_digest: Option<String>,
    /// The run that the plan became.
    pub run_id: Option<Uuid>,
    /// Who reads.
    pub source: Option<Side>,
    /// Who writes.
    pub target: Option<Side>,
    /// How far the answers of both sides agreed, where there were questions for them.
    pub shadow: Option<Shadow>,
    /// Other tenants whose rows its identity was tried on and could not read.
    pub probed: Option<u64>,
    /// What is worth knowing and no failure.
    pub notes: Vec<String>,
    /// Why its step failed.
    pub failure: Option<Failure>,
}

impl Line {
    /// The line of a tenant of whom nothing is known.
    pub fn new(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            state: State::Unplanned,
            source_rows: None,
            migrated: None,
            skipped: None,
            rejected: None,
            explained: None,
            verified: None,
            soaked_days: None,
            written: 0,
            differences: None,
            seconds: 0.0,
            plan: None,
            plan_digest: None,
            run_id: None,
            source: None,
            target: None,
            shadow: None,
            probed: None,
            notes: Vec::new(),
            failure: None,
        }
    }

    /// Fills in what the ledger says of the run.
    pub fn ran(&mut self, run: &RunSummary) {
        self.state = run.state.into();
        let skipped = run.forgotten + run.conflicts;
        self.source_rows = Some(run.rows);
        self.migrated = Some(run.rows.saturating_sub(run.rejected + skipped));
        self.skipped = Some(skipped);
        self.rejected = Some(run.rejected);
    }

    /// Ends it as failed.
    pub fn fails(&mut self, failure: Failure) {
        self.state = State::Failed;
        self.failure = Some(failure);
    }

    /// Fills in what shadow recall came to. That it was not asked to the end fails nobody.
    pub fn asked(&mut self, shadow: Option<Shadow>) {
        let failed = shadow.as_ref().and_then(|shadow| shadow.failed.as_ref());
        self.notes.extend(failed.map(|why| format!("shadow recall was not asked to the end: {why}")));
        self.shadow = shadow;
    }

    /// The cells of the table of shadow recall, in the order of [`SHADOW_HEADINGS`]; `None` where nobody asked.
    pub fn shadow_cells(&self) -> Option<[String; 5]> {
        let shadow = self.shadow.as_ref()?;
        let of_answered = |text: String| if shadow.answered > 0 { text } else { "–".to_owned() };
        Some([
            self.tenant.clone(),
            number(shadow.queries),
            number(shadow.answered),
            of_answered(format!("{:.0} %", shadow.overlap * 100.0)),
            of_answered(format!("{:.1}", shadow.rank_shift)),
        ])
    }

    /// Whether its step came to its end and held.
    pub fn holds(&self) -> bool {
        self.failure.is_none() && self.state != State::Failed
    }

    /// The cells of the seed's table, in the order of [`HEADINGS`].
    pub fn cells(&self) -> [String; 9] {
        let known = |n: Option<u64>| n.map_or_else(|| "–".to_owned(), number);
        [
            self.tenant.clone(),
            known(self.source_rows),
            known(self.migrated),
            known(self.skipped),
            known(self.rejected),
            known(self.explained),
            known(self.verified),
            known(self.soaked_days),
            self.state.word().to_owned(),
        ]
    }
}

/// Headings of the table; all but the first and the last are of numbers.
pub const HEADINGS: [&str; 9] =
    ["tenant", "source", "migrated", "skipped", "rejected", "explained", "verified", "soaked", "state"];

/// Headings of the table of shadow recall; all but the first are of numbers.
pub const SHADOW_HEADINGS: [&str; 5] = ["tenant", "questions", "answered", "overlap@10", "rank shift"];

/// The sum of several lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Tenants.
    pub tenants: u64,
    /// Tenants whose step failed or did not hold.
    pub failed: u64,
    /// As in [`Line`].
    pub source_rows: u64,
    /// As in [`Line`].
    pub migrated: u64,
    /// As in [`Line`].
    pub skipped: u64,
    /// As in [`Line`].
    pub rejected: u64,
    /// As in [`Line`].
    pub explained: u64,
    /// As in [`Line`].
    pub verified: u64,
    /// As in [`Line`].
    pub written: u64,
}

impl Totals {
    /// Adds lines up; a number that nobody knows counts nothing.
    pub fn of(lines: &[Line]) -> Self {
        let mut sum = Self { tenants: lines.len() as u64, ..Self::default() };
        for line in lines {
            sum.failed += u64::from(!line.holds());
            sum.source_rows += line.source_rows.unwrap_or(0);
            sum.migrated += line.migrated.unwrap_or(0);
            sum.skipped += line.skipped.unwrap_or(0);
            sum.rejected += line.rejected.unwrap_or(0);
            sum.explained += line.explained.unwrap_or(0);
            sum.verified += line.verified.unwrap_or(0);
            sum.written += line.written;
        }
        sum
    }

    /// The cells of the last line of the table.
    pub fn cells(&self) -> [String; 9] {
        let state = match self.failed {
            0 => String::new(),
            failed => format!("{failed} failed"),
        };
        [
            format!("{} tenants", number(self.tenants)),
            number(self.source_rows),
            number(self.migrated),
            number(self.skipped),
            number(self.rejected),
            number(self.explained),
            number(self.verified),
            String::new(),
            state,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_the_word_that_the_ledger_writes() {
        for word in ["applying", "applied", "verified", "failed", "soaking", "soaked", "retired"] {
            let run = RunState::of_step(word).unwrap();
            let state = State::from(run);
            assert_eq!((state.word(), serde_json::json!(state)), (word, word.into()));
        }
    }

    #[test]
    fn sums_count_what_is_known() {
        let lines = [
            Line { source_rows: Some(5), migrated: Some(4), rejected: Some(1), written: 4, ..Line::new("a") },
            Line { state: State::Failed, ..Line::new("b") },
        ];
        let sum = Totals::of(&lines);
        assert_eq!(
            (sum.tenants, sum.failed, sum.source_rows, sum.migrated, sum.rejected, sum.written),
            (2, 1, 5, 4, 1, 4)
        );
        assert_eq!(sum.cells()[0], "2 tenants");
    }
}
