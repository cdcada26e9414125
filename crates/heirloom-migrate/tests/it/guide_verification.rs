//! The second seed's section 5: truthy gives the time of verification, else of creation; falsy gives a ghost. A commit
//! decides nothing: the guide's example drops the verification of rows without one, its own section keeps it.

use heirloom_migrate::mapping::Note;
use heirloom_migrate::value::Value;
use heirloom_store::Moment;

use crate::mapping_support::{at, compile, guide, row, table, text};

const CREATED: &str = "2026-01-01T00:00:00Z";
const VERIFIED: &str = "2026-02-02T00:00:00.000002Z";

/// When it was verified, and whether it is a ghost.
fn verification(columns: &[(&str, &str, Value)], time: Option<&str>) -> (Option<Moment>, bool) {
    let mut columns = columns.to_vec();
    columns.push(("created_at", "timestamp with time zone", Value::Moment(at(CREATED))));
    let time = time.map_or(Value::Null, |time| Value::Moment(at(time)));
    columns.push(("verified_at", "timestamp with time zone", time));
    let mapped = guide(&columns).expect("the row maps");
    (mapped.memory.verified_at, mapped.notes.contains(&Note::Ghost))
}

#[test]
fn verified_true_takes_the_time_of_verification() {
    for yes in [
        ("boolean", Value::Bool(true)),
        ("integer", Value::Int(1)),
        ("text", text(" TRUE ")),
        ("numeric", Value::Decimal("1".into())),
    ] {
        let found = verification(&[("verified", yes.0, yes.1.clone())], Some(VERIFIED));
        assert_eq!(found, (Some(at(VERIFIED)), false), "{yes:?}");
    }
}

#[test]
fn verified_true_without_a_time_takes_the_time_of_creation() {
    let found = verification(&[("verified", "boolean", Value::Bool(true))], None);
    assert_eq!(found, (Some(at(CREATED)), false));
}

#[test]
fn verified_true_without_any_time_is_a_ghost_because_no_time_is_invented() {
    let mapped = guide(&[("verified", "boolean", Value::Bool(true))]).unwrap();
    assert_eq!(mapped.memory.verified_at, None);
    assert!(mapped.notes.contains(&Note::Ghost));
}

#[test]
fn verification_status_verified_counts_as_verified() {
    for words in ["verified", "Verified", " VERIFIED "] {
        let found = verification(&[("verification_status", "text", text(words))], Some(VERIFIED));
        assert_eq!(found, (Some(at(VERIFIED)), false), "{words:?}");
    }
    let both = [("verified", "boolean", Value::Bool(false)), ("verification_status", "text", text("verified"))];
    assert_eq!(verification(&both, None), (Some(at(CREATED)), false));
}

#[test]
fn falsy_is_a_ghost_even_where_a_time_stands_beside_it() {
    for (column, declared, value) in [
        ("verified", "boolean", Value::Bool(false)),
        ("verified", "boolean", Value::Null),
        ("verified", "integer", Value::Int(0)),
        ("verified", "numeric", Value::Decimal("0".into())),
        ("verified", "text", text("no")),
        ("verification_status", "text", text("unverified")),
        ("verification_status", "text", text("pending")),
        ("verification_status", "text", text("approved")),
        ("verification_status", "text", text("confirmed")),
        ("verification_status", "text", text("")),
    ] {
        assert_eq!(verification(&[(column, declared, value.clone())], Some(VERIFIED)), (None, true), "{value:?}");
    }
}

#[test]
fn a_file_may_say_which_other_words_mean_verified() {
    let columns = [("id", "bigint"), ("body", "text"), ("review", "text"), ("made", "timestamp with time zone")];
    let table = table("public.notes", &columns);
    let verbs = "when_true = [\"made\"], values = { Approved = \"true\", yes = \"no\" }";
    let toml = format!(
        "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"public.notes\"\n[namespace]\ntemplate = \"team:a\"\n\
         [map]\nkind = {{ value = \"fact\" }}\ncontent = \"body\"\nverified_at = {{ from = \"review\", {verbs} }}\n"
    );
    let program = compile(&toml, &table, None);
    for (word, is_verified) in [(" approved", true), ("verified", true), ("yes", false), ("confirmed", false)] {
        let values = vec![Value::Int(1), text("Text"), text(word), Value::Moment(at(CREATED))];
        let verified = program.map(&row("1", values)).unwrap().memory.verified_at.is_some();
        assert_eq!(verified, is_verified, "{word}");
    }
}

#[test]
fn verified_without_a_commit_stays_verified() {
    for commit in [Value::Null, text("a3f9b12")] {
        let columns = [("verified", "boolean", Value::Bool(true)), ("git_sha", "text", commit)];
        assert_eq!(verification(&columns, Some(VERIFIED)), (Some(at(VERIFIED)), false));
    }
}

#[test]
fn unverified_with_a_commit_is_a_ghost_that_keeps_its_commit() {
    let mapped = guide(&[("verified", "boolean", Value::Bool(false)), ("git_sha", "text", text("a3f9b12"))]).unwrap();
    assert_eq!(mapped.memory.commit_sha.as_deref(), Some("a3f9b12"));
    assert!(mapped.memory.verified_at.is_none() && mapped.notes.contains(&Note::Ghost));
}
