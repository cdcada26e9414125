//! Whether a chain holds: in itself, against the state of its run, against what guards it, and against a head from outside.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::entry::NOTHING;
use super::{Entry, Head, anchor};
use crate::ledger::{RunState, RunSummary};

/// How far a database's clock may run back between two entries, in seconds: what setting a clock right does.
const SLACK: i64 = 60;

/// What the database says of a chain beside its entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guards {
    /// Triggers that guard it, and that are not there or do not fire.
    pub missing: Vec<String>,
    /// sha256 of the run's plan as the ledger keeps it, hex; absent when nobody asked.
    pub kept_plan: Option<String>,
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The entry; absent when the chain as a whole is concerned.
    pub seq: Option<u64>,
    /// What does not hold.
    pub what: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// The run.
    pub run_id: Uuid,
    /// The migration's name.
    pub name: String,
    /// How many entries there are.
    pub entries: u64,
    /// The newest; absent when there is none.
    pub head: Option<Head>,
    /// The state that the run is in.
    pub state: RunState,
    /// Whether a head from outside the database was there to compare with.
    pub anchored: bool,
    /// Everything that does not hold.
    pub problems: Vec<Problem>,
    /// Whether all holds.
    pub holds: bool,
}

/// Checks a chain, and that it goes through each head that is known from outside. Pure: what it needs was read before.
pub fn check(run: &RunSummary, entries: &[Entry], guards: &Guards, outside: &[Head]) -> AuditReport {
    let state = run.state;
    let mut problems = Vec::new();
    let mut say = |seq: Option<u64>, what: String| problems.push(Problem { seq, what });
    let mut before = Before::default();
    for entry in entries {
        one(entry, &before, &mut say);
        before.take(entry);
    }
    let stated = entries.iter().rev().find_map(|entry| RunState::of_step(&entry.what));
    if let Some(stated) = stated.filter(|stated| *stated != state) {
        say(None, format!("the run is {}, and the chain says {}", state.text(), stated.text()));
    }
    if stated.is_none() && state.is_soaked_or_later() {
        say(None, format!("the run is {}, and no entry says so", state.text()));
    }
    let plan = ("the plan of the run", Some(run.plan_digest.as_str()), PlanMark::digest as fn(&PlanMark) -> _);
    let kept = ("the plan in the ledger", guards.kept_plan.as_deref(), PlanMark::kept as fn(&PlanMark) -> _);
    for (which, is, says) in [plan, kept] {
        let other = |(_, said): &(u64, String)| is.is_some_and(|is| is != said);
        if let Some((seq, said)) = planned(entries, says).find(other) {
            let (is, said) = (short(is.unwrap_or_default()), short(&said));
            say(Some(seq), format!("it was made for the plan {said}, and {which} is {is} by now"));
        }
    }
    for guard in &guards.missing {
        say(
            None,
            format!("the trigger {guard} is not there or does not fire; `heirloom up` does not put it back by itself"),
        );
    }
    for what in outside.iter().filter_map(|head| anchor::problem(entries, head)) {
        say(None, what);
    }
    AuditReport {
        run_id: run.run_id,
        name: run.name.clone(),
        entries: entries.len() as u64,
        head: entries.last().map(Entry::head),
        state,
        anchored: !outside.is_empty(),
        holds: problems.is_empty(),
        problems,
    }
}

/// What an entry says of the plan that it was made for. `planned` and the `soaking` entries that begin a soak do.
#[derive(Debug, Deserialize)]
struct PlanMark {
    plan_digest: Option<String>,
    kept_plan: Option<String>,
}

impl PlanMark {
    fn digest(&self) -> Option<String> {
        self.plan_digest.clone()
    }

    fn kept(&self) -> Option<String> {
        self.kept_plan.clone()
    }
}

/// What the entries say of their plan, with their numbers, oldest first.
fn planned<'a>(
    entries: &'a [Entry],
    says: impl Fn(&PlanMark) -> Option<String> + 'a,
) -> impl Iterator<Item = (u64, String)> + 'a {
    let of_plan = |entry: &&Entry| matches!(entry.what.as_str(), "planned" | "soaking");
    entries.iter().filter(of_plan).filter_map(move |entry| Some((entry.seq, says(&entry.read().ok()?)?)))
}

/// The number of the first entry that was made for a plan of another digest, and that digest.
pub(crate) fn other_plan(entries: &[Entry], digest: &str) -> Option<(u64, String)> {
    planned(entries, PlanMark::digest).find(|(_, said)| said != digest)
}

/// As much of a digest as tells it from another.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

/// What came before an entry.
#[derive(Default)]
struct Before<'a> {
    entry: Option<&'a Entry>,
    /// The newest time by a program's clock.
    newest: Option<Timestamp>,
    /// Whether a test's clock was used.
    simulated: bool,
}

impl<'a> Before<'a> {
    fn take(&mut self, entry: &'a Entry) {
        self.entry = Some(entry);
        self.simulated |= entry.clock == "simulated";
        if entry.clock != "database" {
            self.newest = self.newest.max(Some(entry.at));
        }
    }
}

fn one(entry: &Entry, earlier: &Before<'_>, say: &mut impl FnMut(Option<u64>, String)) {
    let seq = Some(entry.seq);
    let (number, prev) = earlier.entry.map_or((1, NOTHING), |before| (before.seq + 1, before.hash.as_str()));
    if entry.seq != number {
        say(seq, format!("entry {number} is missing before it"));
    }
    if entry.prev != prev {
        say(seq, "it does not follow the entry before it".to_owned());
    }
    if entry.payload_digest != entry.expected_payload_digest() {
        say(seq, "its payload was changed".to_owned());
    }
    if entry.hash != entry.expected_hash() {
        say(seq, "it was changed: its hash is not that of its fields".to_owned());
    }
    let Some(before) = earlier.entry else { return };
    if version(&entry.program) < version(&before.program) {
        say(seq, format!("version {} wrote it after version {}", entry.program, before.program));
    }
    if entry.db_at.as_second() + SLACK < before.db_at.as_second() {
        say(seq, "the database's clock was moved back before it".to_owned());
    }
    if entry.clock != "database" && earlier.newest.is_some_and(|newest| entry.at < newest) {
        say(seq, "the program's clock was moved back before it".to_owned());
    }
    if entry.clock == "system" && earlier.simulated {
        say(seq, "it follows entries by the clock of a test".to_owned());
    }
}

/// The three numbers of a version: the digits that each part begins with, 0 where there are none.
pub(crate) fn version(text: &str) -> [u64; 3] {
    let mut parts = text.split('.');
    [(); 3].map(|()| {
        let digits = parts.next().unwrap_or_default().chars().map_while(|digit| digit.to_digit(10)).take(9);
        digits.fold(0, |number, digit| number * 10 + u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_version_is_three_numbers() {
        assert_eq!(version("1.20.3"), [1, 20, 3]);
        assert_eq!(version("1.2.3-rc.1"), [1, 2, 3]);
        assert_eq!(version("1.2rc.3"), [1, 2, 3]);
        assert_eq!(version("test"), [0, 0, 0]);
        assert_eq!(version(""), [0, 0, 0]);
        assert!(version("9.1.0-dev") >= version("9.1.0"));
    }
}
