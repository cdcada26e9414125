//! The second seed's state table, row by row. A row is set aside rather than guessed.

use heirloom_migrate::mapping::{Reject, RejectCode};

use crate::mapping_support::{guide, text};

fn state(status: &str) -> Result<String, Reject> {
    let states: Vec<_> = ["status", "lifecycle_state"]
        .into_iter()
        .map(|name| guide(&[(name, "text", text(status))]).map(|mapped| mapped.memory.state))
        .collect();
    assert_eq!(states[0].is_ok(), states[1].is_ok(), "{status} under either name");
    states.into_iter().next().expect("two names")
}

/// In the table's own spelling, in capitals, and with the spaces and line ends that real columns have.
fn all_become(statuses: &[&str], expected: &str) {
    for status in statuses {
        let capital = format!("{}{}", status[..1].to_uppercase(), &status[1..]);
        for spelling in
            [(*status).to_owned(), status.to_uppercase(), format!(" {capital}"), format!("\t{capital} \r\n")]
        {
            assert_eq!(state(&spelling).expect("a listed status"), expected, "{spelling:?}");
        }
    }
}

#[test]
fn pending_and_new_become_draft() {
    all_become(&["pending", "new"], "draft");
}

/// The guide allows candidate or validated; its example makes `active` canonical. Upwards is a human's decision.
#[test]
fn active_and_approved_become_candidate() {
    all_become(&["active", "approved"], "candidate");
}

#[test]
fn confirmed_and_verified_become_validated() {
    all_become(&["confirmed", "verified"], "validated");
}

#[test]
fn master_and_golden_become_canonical() {
    all_become(&["master", "golden"], "canonical");
}

#[test]
fn outdated_and_stale_become_deprecated() {
    all_become(&["outdated", "stale"], "deprecated");
}

/// A target of the guide's table that its own list of states leaves out.
#[test]
fn replaced_and_superseded_become_superseded() {
    all_become(&["replaced", "superseded"], "superseded");
}

#[test]
fn archived_and_deleted_become_archived() {
    all_become(&["archived", "deleted"], "archived");
}

#[test]
fn invalid_and_wrong_become_rejected() {
    all_become(&["invalid", "wrong"], "rejected");
}

#[test]
fn conflict_becomes_conflicted() {
    all_become(&["conflict"], "conflicted");
}

/// The guide's field table lists the states; a source that speaks of them already means what it says.
#[test]
fn a_state_by_its_own_name_stays_what_it_is() {
    for state in heirloom_store::STATES {
        all_become(&[state], state);
    }
    for listed in ["draft", "candidate", "validated", "canonical", "deprecated", "archived", "rejected", "conflicted"] {
        assert!(heirloom_store::STATES.contains(&listed), "{listed}");
    }
}

/// The guide's `else 'candidate'` is case and space sensitive: `Deleted` would come back to life.
#[test]
fn deleted_is_never_revived() {
    for status in ["deleted", "Deleted", "DELETED", " deleted ", "dElEtEd\n"] {
        assert_eq!(state(status).unwrap(), "archived", "{status:?}");
    }
    for status in ["deleted!", "soft-deleted", "deleted_at", "removed"] {
        assert_eq!(state(status).unwrap_err().code, RejectCode::UnmappedValue, "{status:?}");
    }
}

#[test]
fn a_status_that_the_table_does_not_have_is_set_aside() {
    for status in ["in review", "", " ", "drafty", "candidates"] {
        let reject = guide(&[("status", "text", text(status))]).unwrap_err();
        assert_eq!(reject.code, RejectCode::UnmappedValue, "{status:?}");
        assert_eq!((reject.field.as_deref(), reject.column.as_deref()), (Some("state"), Some("status")));
        assert!(status.trim().is_empty() || !reject.message.contains(status), "no content: {}", reject.message);
    }
}
