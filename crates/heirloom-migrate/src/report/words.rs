//! Numbers, names and verdicts as a reader wants them.

use super::Evidence;
use crate::ledger::RunState;
use crate::mapping::RejectCode;
use crate::plan::{Fate, Severity};
use crate::soak::DayKind;
use crate::source::Identity;
use crate::verify::{Class, Explanation, LeftOut};

/// `1805` as `1,805`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun, plural by `s`.
pub(super) fn several(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(value), if value == 1 { "" } else { "s" })
}

/// A number, or a dash when nothing was compared.
pub(super) fn maybe(value: Option<u64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// `2026-11-22T12:00:00.123456Z` as `2026-11-22 12:00:00 UTC`; anything else as it is.
pub(super) fn moment(text: &str) -> String {
    match text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some((day, time)) => format!("{day} {} UTC", time.split('.').next().unwrap_or(time)),
        None => text.to_owned(),
    }
}

/// The page in one sentence, and whether it is good news.
pub(super) fn verdict(evidence: &[Evidence]) -> (bool, String) {
    let sum = |of: &dyn Fn(&Evidence) -> u64| evidence.iter().map(of).sum::<u64>();
    let all = evidence.len() as u64;
    let failing = evidence.iter().filter(|one| !one.holds).count() as u64;
    if all == 0 {
        return (false, "There is no migration here, so nothing was proven.".to_owned());
    }
    let of = if all == 1 { String::new() } else { format!(" of {}", several(all, "migration")) };
    if failing == 0 {
        let equal = sum(&|one| one.counts.equal.unwrap_or(0));
        let mut parts = vec![format!("{} equal in every column", number(equal))];
        let explained = sum(&|one| one.explained.values().sum());
        let live = sum(&|one| one.counts.live_rows.unwrap_or(0));
        let rejected = sum(&|one| one.counts.rejected);
        if explained > 0 {
            parts.push(format!("{} changed since, each for a recorded reason", number(explained)));
        }
        if rejected > 0 {
            parts.push(format!("{} set aside and kept", number(rejected)));
        }
        let rows = sum(&|one| one.counts.source_rows);
        let beside = match live {
            0 => String::new(),
            live => format!(" Beside them the store holds {} that did not come from here.", several(live, "row")),
        };
        return (true, format!("All {}{of} are accounted for: {}.{beside}", several(rows, "row"), list(&parts)));
    }
    let unread = evidence.iter().filter(|one| one.digests.is_none()).count() as u64;
    let different = sum(&|one| one.counts.differences.unwrap_or(0));
    let recall = evidence.iter().filter(|one| one.recall.as_ref().is_some_and(|proof| !proof.holds)).count() as u64;
    let mut parts = Vec::new();
    if different > 0 {
        parts.push(format!("{} that nothing explains", several(different, "difference")));
    }
    if recall > 0 {
        parts.push("rows that do not come back as they should when they are asked for".to_owned());
    }
    if unread > 0 {
        let which = if all == 1 { "it has".to_owned() } else { format!("{} have", number(unread)) };
        parts.push(format!("{which} not been verified"));
    }
    let reason = if parts.is_empty() { "see below".to_owned() } else { list(&parts) };
    let who = if all == 1 {
        "This migration is".to_owned()
    } else {
        format!("{}{of} {}", number(failing), if failing == 1 { "is" } else { "are" })
    };
    (false, format!("{who} not proven: {reason}."))
}

fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first, last] if !first.contains(", ") => format!("{first} and {last}"),
        // Parts have commas of their own, beside those within numbers.
        [first @ .., last] => format!("{}; and {last}", first.join("; ")),
    }
}

/// Who acted, and the rights that matter. Whether a role may write is worth a word only where it should not.
pub(super) fn identity(identity: &Identity, reader: bool) -> String {
    let mut text = identity.role.clone();
    for (holds, what) in [
        (identity.superuser, "superuser"),
        (identity.bypass_rls, "bypasses row security"),
        (reader && identity.can_write, "may write"),
        (reader && !identity.can_write, "read only"),
    ] {
        if holds {
            text.push_str(", ");
            text.push_str(what);
        }
    }
    text
}

/// Where a migration stands, with its colour.
pub(super) fn state(one: &Evidence) -> (&'static str, &'static str) {
    match (one.holds, one.digests.is_some(), one.state) {
        (true, ..) => ("good", "verified"),
        (false, true, _) => ("bad", "does not hold"),
        (false, false, RunState::Failed) => ("bad", "failed"),
        (false, false, RunState::Applying) => ("warn", "under way"),
        (false, false, RunState::Retired) => ("quiet", "retired"),
        (false, false, RunState::Applied | RunState::Verified | RunState::Soaking | RunState::Soaked) => {
            ("warn", "not verified here")
        }
    }
}

/// What a day of a soak was, with its colour.
pub(super) fn day(kind: DayKind) -> (&'static str, &'static str) {
    match kind {
        DayKind::Clean => ("good", "clean"),
        DayKind::Divergent => ("bad", "divergent"),
        DayKind::Missing => ("warn", "not swept"),
        DayKind::Open => ("quiet", "not over"),
    }
}

/// What a severity is called, with its colour.
pub(super) fn severity(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Danger => ("bad", "danger"),
        Severity::Warning => ("warn", "warning"),
        Severity::Note => ("quiet", "note"),
    }
}

/// What became of a column.
pub(super) fn fate(fate: Fate) -> (&'static str, &'static str) {
    match fate {
        Fate::Mapped => ("quiet", "mapped"),
        Fate::Kept => ("quiet", "kept"),
        Fate::Dropped => ("warn", "left behind"),
        Fate::Lost => ("bad", "lost"),
    }
}

/// Why rows were set aside.
pub(super) fn reject(code: RejectCode) -> &'static str {
    match code {
        RejectCode::EmptyContent => "The content is empty",
        RejectCode::Nul => "Text holds a NUL character, which PostgreSQL cannot store",
        RejectCode::InvalidUtf8 => "Text is not UTF-8",
        RejectCode::InvalidJson => "JSON that cannot be stored",
        RejectCode::NamespaceMissing => "A part of the namespace is missing",
        RejectCode::NamespaceInvalid => "The namespace does not follow the grammar",
        RejectCode::NotCarried => "A value that the target has no way to say",
        RejectCode::ModelWidth => "An embedding of another width than its model has in the store",
        RejectCode::WouldHide => "The target would hide it or another for it",
        RejectCode::NamespaceNotPlanned => "A namespace that the plan did not announce",
        RejectCode::UnmappedValue => "A value that no rule of the migration file covers",
        RejectCode::TypeMismatch => "A value that cannot be read as the field's type",
        RejectCode::OutOfRange => "A number or a time out of range",
        RejectCode::Dimension => "An embedding whose dimension does not fit",
        RejectCode::VectorInvalid => "An embedding that is not finite or is all zeros",
        RejectCode::FieldMissing => "A required field has no value",
        RejectCode::TooLarge => "A value longer than the store takes",
        RejectCode::DuplicateKey => "Two source rows with the same identity",
        RejectCode::Database => "Refused by the database",
    }
}

/// What kind of difference.
pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::Missing => "missing in the target",
        Class::Altered => "another value",
        Class::WrongTenant => "in another namespace",
        Class::Unexpected => "in the target without a source row",
        Class::SourceChanged => "changed in the source since",
        Class::Foreign => "its id is held by another row",
        Class::NotRejected => "should have been set aside",
        Class::MarkedOnly => "marked at the source, and never handed down",
    }
}

/// Why a difference is none to worry about.
pub(super) fn explanation(explanation: Explanation) -> &'static str {
    match explanation {
        Explanation::Edited => "Revised in the store; the revision is kept",
        Explanation::Forgotten => "Forgotten in the store; its tombstone says so",
        Explanation::Transitioned => "Moved to another state; the transition is recorded",
        Explanation::Superseded => "Superseded by another memory; the transition is recorded",
        Explanation::Consolidated => "Consolidated into another memory; the link is kept",
        Explanation::Closed => "Closed by the target; a newer one of its kind is open there",
        Explanation::Stamped => "Touched in the target, which stamps each time; nothing else changed",
        Explanation::Expired => "Expired and not there any more",
        Explanation::CatchingUp => "Still changing at the source, and the store follows",
    }
}

/// Why recall leaves a row out.
pub(super) fn left_out(reason: LeftOut) -> &'static str {
    match reason {
        LeftOut::Expired => "expired",
        LeftOut::Ghost => "never verified",
        LeftOut::Inactive => "inactive",
        LeftOut::State => "in a state that is not recalled",
        LeftOut::NotYetValid => "not valid yet",
        LeftOut::NoLongerValid => "no longer valid",
        LeftOut::NoWords => "without words to ask for",
        LeftOut::SameText => "the same text as a thousand others",
        LeftOut::Gone => "gone in the meantime",
    }
}

/// A door that recall was asked at.
pub(super) fn door(name: &str) -> &str {
    match name {
        "sql" => "SQL",
        "http" => "HTTP, /v1/search",
        "mcp" => "MCP, the tool recall",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let shown: Vec<String> = [0, 999, 1_805, 10_000_000].map(number).into();
        assert_eq!(shown, ["0", "999", "1,805", "10,000,000"]);
        assert_eq!((several(1, "row"), several(2, "row")), ("1 row".to_owned(), "2 rows".to_owned()));
    }

    #[test]
    fn a_comma_within_a_number_sets_nothing_apart() {
        let parts = |words: &[&str]| list(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(parts(&["2,443 equal", "9 set aside"]), "2,443 equal and 9 set aside");
        assert_eq!(
            parts(&["3 changed, each for a reason", "9 set aside"]),
            "3 changed, each for a reason; and 9 set aside"
        );
        assert_eq!(parts(&["1", "2", "3"]), "1; 2; and 3");
    }

    #[test]
    fn moments_read_without_fractions() {
        assert_eq!(moment("2026-11-22T12:00:00.123Z"), "2026-11-22 12:00:00 UTC");
        assert_eq!(moment("yesterday"), "yesterday");
    }
}
