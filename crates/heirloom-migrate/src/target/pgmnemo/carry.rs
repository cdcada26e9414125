//! What a memory becomes as a lesson, and what has no place there. Pure.

use heirloom_store::{Memory, Moment};

use super::super::{Closing, Gate};
use crate::mapping::{Reject, RejectCode};

/// Fields that pgmnemo has no column for: verify cannot compare them.
pub(in super::super) const HIDDEN: [&str; 4] = ["kind", "pin", "propagation", "embedding_model"];

/// What a trigger of pgmnemo sets with every update, recall among them.
pub(in super::super) const STAMPED: &str = "updated_at";

/// Where a lesson of no project is.
const UNASSIGNED: &str = "custom:unassigned";

fn refuse<T>(code: RejectCode, field: &str, message: &str) -> Result<T, Reject> {
    Err(Reject { code, field: Some(field.into()), column: None, message: message.into() })
}

/// Turns a memory into what pgmnemo shows of it; gives back the fields it has no place for.
pub(in super::super) fn carry(memory: &mut Memory, gate: Gate, is_ours: bool) -> Result<Vec<&'static str>, Reject> {
    let project = match memory.namespace.strip_prefix("project:") {
        Some(number) => number.parse::<i32>().ok().filter(|project| project.to_string() == number).map(Some),
        None if memory.namespace == UNASSIGNED => Some(None),
        None => None,
    };
    let Some(project) = project.filter(|project| memory.project_id.is_none_or(|own| *project == Some(own))) else {
        return refuse(
            RejectCode::NotCarried,
            "namespace",
            "pgmnemo tells tenants apart by a project's number; accepted: project:NUMBER, the row's own project_id, or \
             custom:unassigned for a row of no project",
        );
    };
    memory.project_id = project;
    for (field, there) in [("role", memory.role.is_some()), ("topic", memory.topic.is_some())] {
        if !there {
            return refuse(RejectCode::FieldMissing, field, "pgmnemo has no lesson without it; map it");
        }
    }
    let Some(created_at) = memory.created_at else {
        return refuse(RejectCode::FieldMissing, "created_at", "pgmnemo would put the time of the import; map it");
    };
    let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    if !said(&memory.commit_sha) && !said(&memory.artifact_hash) {
        if gate == Gate::Enforce {
            return refuse(
                RejectCode::FieldMissing,
                "commit_sha",
                "pgmnemo's gate takes no lesson without commit_sha or artifact_hash; map one, or write [target] gate = \"warn\"",
            );
        }
        if is_ours {
            memory.verified_at = None;
        }
    }
    if let Some(task) = &memory.source_task_id
        && task.parse::<i64>().ok().is_none_or(|number| number.to_string() != *task)
    {
        return refuse(
            RejectCode::NotCarried,
            "source_task_id",
            "pgmnemo holds a bigint; accepted: digits, or no value",
        );
    }
    let mut lost = Vec::new();
    if memory.kind != "lesson" {
        lost.push("kind");
        "lesson".clone_into(&mut memory.kind);
    }
    if memory.source == "user" {
        lost.push("source");
        "agent".clone_into(&mut memory.source);
    }
    if std::mem::take(&mut memory.pin) {
        lost.push("pin");
    }
    if memory.propagation.take().is_some() {
        lost.push("propagation");
    }
    if memory.embedding_model.take().is_some() {
        lost.push("embedding_model");
    }
    // Its columns hold no NULL, and their defaults are the time of the import.
    memory.updated_at.get_or_insert(created_at);
    memory.state_changed_at.get_or_insert(created_at);
    memory.valid_from.get_or_insert(created_at);
    memory.confidence.get_or_insert(0.5);
    memory.valid_to = memory.valid_to.filter(|end| *end != Moment::Infinity);
    Ok(lost)
}

/// What pgmnemo compares when it closes: role, topic and the commit or else the artifact, joined by bars.
pub(super) fn compared(memory: &Memory) -> String {
    let provenance = memory.commit_sha.as_deref().or(memory.artifact_hash.as_deref()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}|{}|{provenance}", text(&memory.role), text(&memory.topic))
}

/// What a lesson is compared by. Our own door closes none of another project, and none without a commit.
pub(in super::super) fn closing(memory: &Memory, is_ours: bool) -> Option<Closing> {
    if is_ours && memory.commit_sha.as_ref().is_none_or(|commit| commit.trim().is_empty()) {
        return None;
    }
    Some(Closing {
        hash: hash(&compared(memory), memory.project_id.filter(|_| is_ours)),
        project: memory.project_id,
        open: memory.valid_to.is_none(),
    })
}

pub(super) fn hash(compared: &str, project: Option<i32>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(compared.as_bytes());
    if let Some(project) = project {
        hasher.update(&[0]);
        hasher.update(&project.to_be_bytes());
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(namespace: &str) -> Memory {
        let mut memory = Memory::new(uuid::Uuid::nil(), namespace, "Tests run before the deploy.");
        memory.kind = "lesson".into();
        memory.source = "imported".into();
        memory.role = Some("dev".into());
        memory.topic = Some("ci".into());
        memory.commit_sha = Some("a3f9b12".into());
        memory.created_at = Some(Moment::Micros(1));
        memory
    }

    #[test]
    fn a_lesson_is_valid_since_it_was_made() {
        let mut memory = lesson("project:42");
        assert_eq!(carry(&mut memory, Gate::Enforce, false), Ok(vec![]));
        assert_eq!((memory.project_id, memory.valid_from), (Some(42), Some(Moment::Micros(1))));
        assert_eq!((memory.updated_at, memory.state_changed_at), (Some(Moment::Micros(1)), Some(Moment::Micros(1))));
    }

    #[test]
    fn only_a_project_s_number_is_a_tenant() {
        for namespace in ["team:a", "project:042", "project:x", "project:99999999999", "project:-0", "workspace:42"] {
            let rejected = carry(&mut lesson(namespace), Gate::Enforce, false).unwrap_err();
            assert_eq!((rejected.code, rejected.field.as_deref()), (RejectCode::NotCarried, Some("namespace")));
        }
        let mut other = Memory { project_id: Some(7), ..lesson("project:42") };
        assert!(carry(&mut other, Gate::Enforce, false).is_err());
        assert!(carry(&mut lesson(UNASSIGNED), Gate::Enforce, false).is_ok());
    }

    #[test]
    fn nothing_goes_missing_unsaid() {
        let mut memory = lesson("project:1");
        memory.kind = "fact".into();
        memory.source = "user".into();
        memory.pin = true;
        memory.propagation = Some(serde_json::json!({}));
        memory.embedding_model = Some("m".into());
        let lost = carry(&mut memory, Gate::Enforce, false).unwrap();
        assert_eq!(lost, ["kind", "source", "pin", "propagation", "embedding_model"]);
        assert_eq!(carry(&mut memory, Gate::Enforce, false), Ok(vec![]), "what is carried once is carried");
    }

    #[test]
    fn what_cannot_be_said_is_set_aside() {
        let whole = lesson("project:1");
        for (field, mut memory) in [
            ("role", Memory { role: None, ..whole.clone() }),
            ("topic", Memory { topic: None, ..whole.clone() }),
            ("created_at", Memory { created_at: None, ..whole.clone() }),
            ("commit_sha", Memory { commit_sha: Some(" ".into()), ..whole.clone() }),
            ("source_task_id", Memory { source_task_id: Some("T-1".into()), ..whole.clone() }),
        ] {
            assert_eq!(carry(&mut memory, Gate::Enforce, false).unwrap_err().field.as_deref(), Some(field));
        }
        let mut ghost = Memory { commit_sha: None, ..lesson("project:1") };
        assert!(carry(&mut ghost, Gate::Warn, false).is_ok());
    }

    #[test]
    fn bars_are_compared_as_pgmnemo_does() {
        let mut one = Memory { role: Some("a|b".into()), topic: Some("c".into()), ..lesson("project:1") };
        let mut other = Memory { role: Some("a".into()), topic: Some("b|c".into()), ..lesson("project:2") };
        carry(&mut one, Gate::Enforce, false).unwrap();
        carry(&mut other, Gate::Enforce, false).unwrap();
        let hash = |memory: &Memory, is_ours| closing(memory, is_ours).unwrap().hash;
        assert_eq!(hash(&one, false), hash(&other, false));
        assert_ne!(hash(&one, true), hash(&other, true), "our own door asks for the project too");
    }
}
