//! The traps: what looks right in a migration and is not. One file a trap, one name in every place.
//!
//! Each check looks at `facts::Facts`, which one scan of the source has filled in bounded memory, and says what it
//! found, in how many rows, and what to write in the migration file. Findings warn; they never refuse (a refusal is
//! the plan's own, for loss and for rejects above the budget). Absent: SQL, row content, credentials.

pub(crate) mod facts;
mod gone;
mod json_keys;
pub(crate) mod words;

use crate::plan::Finding;
pub use crate::plan::Severity;
use facts::Facts;

/// A trap the planner looks for.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its id, in kebab-case; the file, the test and the anchor in `docs/reference/findings.md` bear the same name.
    pub id: &'static str,
    /// The most severe it is found with.
    pub severity: Severity,
    /// One line: what goes wrong.
    pub title: &'static str,
    /// What it means, for any source.
    pub means: &'static str,
    /// What to do, for any source; a plan says it with the names of its own columns.
    pub cure: &'static str,
    check: fn(&Facts<'_>) -> Option<Found>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("id", &self.id).field("title", &self.title).finish_non_exhaustive()
    }
}

/// What a check says when its trap is there.
pub(crate) struct Found {
    severity: Severity,
    rows: Option<u64>,
    what: String,
    write: String,
}

impl Found {
    fn danger(rows: impl Into<Option<u64>>, what: impl Into<String>, write: impl Into<String>) -> Option<Self> {
        Some(Self { severity: Severity::Danger, rows: rows.into(), what: what.into(), write: write.into() })
    }

    fn warning(rows: impl Into<Option<u64>>, what: impl Into<String>, write: impl Into<String>) -> Option<Self> {
        Some(Self { severity: Severity::Warning, rows: rows.into(), what: what.into(), write: write.into() })
    }

    fn note(rows: impl Into<Option<u64>>, what: impl Into<String>, write: impl Into<String>) -> Option<Self> {
        Some(Self { severity: Severity::Note, rows: rows.into(), what: what.into(), write: write.into() })
    }
}

macro_rules! registry {
    ($($(#[doc = $group:literal])* $module:ident,)*) => {
        $(mod $module;)*

        /// Every trap, in the order of the seeds; the only list.
        pub const ALL: &[Check] = &[$($module::CHECK,)*];

        #[cfg(test)]
        const MODULES: &[&str] = &[$(stringify!($module),)*];
    };
}

registry! {
    scope_flattened,
    workspace_missing,
    created_at_unmapped,
    created_at_missing,
    embedding_unmentioned,
    count_proof,
    spot_check,
    json_null,
    shared_identity,
    marker_writes_source,
    outbox_writes_source,
    mocked_database,
    secret_in_clear,
    rows_hidden,
    source_not_frozen,
    late_writer,
    team_middle_node,
    global_narrowed,
    ambiguous_state,
    superseded_state,
    state_case,
    state_revived,
    verified_without_commit,
    ttl_from_now,
    already_expired,
    run_id_overflow,
    priority_rounded,
    idempotency_guard,
    updated_at_from_created,
    tenant_bypass,
    invisible_without_provenance,
    dimension_mismatch,
    model_widths,
    content_hash_collision,
    closed_by_target,
    entity_name_taken,
    not_carried,
    duplicate_content,
    duplicate_key,
    id_taken,
    naive_timestamp,
    ambiguous_local_time,
    sub_microsecond,
    infinite_time,
    large_value,
    nul_in_text,
    invalid_utf8,
    json_unstorable,
    json_duplicate_key,
    vector_not_finite,
    half_precision_vector,
    float_as_text,
    deletes_unseen,
    many_values,
}

/// Runs every check over the facts; most severe first, then in the order of [`ALL`].
pub(crate) fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = ALL
        .iter()
        .filter_map(|check| {
            let Found { severity, rows, what, write } = (check.check)(facts)?;
            Some(Finding { id: check.id.to_owned(), severity, rows, what, write })
        })
        .collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// `a, b and c`, at most `most` of them.
pub(crate) fn list<S: AsRef<str>>(items: &[S], most: usize) -> String {
    let shown: Vec<&str> = items.iter().take(most).map(AsRef::as_ref).collect();
    let more = items.len().saturating_sub(most);
    match (shown.split_last(), more) {
        (None, _) => String::new(),
        (Some((last, [])), 0) => (*last).to_owned(),
        (Some((last, rest)), 0) => format!("{} and {last}", rest.join(", ")),
        (Some(_), more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// `1 row holds`, `2 rows hold`.
pub(crate) fn rows_do(count: u64, verb: &str) -> String {
    let verb = match (count, verb) {
        (1, "have") => "has".to_owned(),
        (1, "are") => "is".to_owned(),
        (1, "were") => "was".to_owned(),
        (1, "go") => "goes".to_owned(),
        (1, verb) => format!("{verb}s"),
        _ => verb.to_owned(),
    };
    format!("{} {verb}", rows(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_file_name() {
        for (check, module) in ALL.iter().zip(MODULES) {
            assert_eq!(check.id.replace('-', "_"), *module);
            assert!(!check.title.is_empty());
        }
    }

    #[test]
    fn a_check_is_found_with_the_severity_it_is_listed_with() {
        let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/finding");
        let words = [(Severity::Danger, "danger"), (Severity::Warning, "warning"), (Severity::Note, "note")];
        for (check, module) in ALL.iter().zip(MODULES) {
            let text = std::fs::read_to_string(room.join(format!("{module}.rs"))).unwrap();
            let found = words.iter().find(|(_, word)| text.contains(&format!("Found::{word}("))).map(|(most, _)| *most);
            assert_eq!(found, Some(check.severity), "{module}");
        }
    }

    #[test]
    fn every_file_is_in_the_registry() {
        let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/finding");
        for entry in std::fs::read_dir(room).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().replace(".rs", "");
            if !["mod", "facts", "gone", "words", "json_keys"].contains(&name.as_str()) {
                assert!(MODULES.contains(&name.as_str()), "{name} is not in the registry");
            }
        }
    }

    #[test]
    fn every_check_has_a_test_that_bears_its_name() {
        let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
        let tests: String = std::fs::read_dir(room)
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("finding_"))
            .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
            .collect();
        for module in MODULES {
            assert!(tests.contains(&format!("fn {module}()")), "no test for {module}");
        }
    }

    #[test]
    fn verbs_agree() {
        assert_eq!(rows_do(1, "have"), "1 row has");
        assert_eq!(rows_do(1, "lack"), "1 row lacks");
        assert_eq!(rows_do(2, "are"), "2 rows are");
    }

    #[test]
    fn list_reads_like_a_sentence() {
        assert_eq!(list::<&str>(&[], 3), "");
        assert_eq!(list(&["a"], 3), "a");
        assert_eq!(list(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
    }
}
