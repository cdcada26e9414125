//! The second seed's field table: all fifteen fields, under each of their names.

use heirloom_migrate::mapping::{Mapped, Note, RejectCode};
use heirloom_migrate::value::Value;
use heirloom_store::Memory;
use serde_json::json;

use crate::mapping_support::{at, guide, text};

fn memory(columns: &[(&str, &str, Value)]) -> Memory {
    mapped(columns).memory
}

fn mapped(columns: &[(&str, &str, Value)]) -> Mapped {
    guide(columns).unwrap_or_else(|reject| panic!("{reject:?}"))
}

#[test]
fn content_and_memory_text_become_content_byte_for_byte() {
    for name in ["content", "memory_text"] {
        let said = " Keep the  spaces,\r\nthe e\u{301} and the 🔑. ";
        assert_eq!(memory(&[(name, "text", text(said))]).content, said, "{name}");
    }
}

#[test]
fn layer_and_type_become_topic_and_stay_in_metadata() {
    for name in ["layer", "type"] {
        let memory = memory(&[(name, "text", text("Episodic"))]);
        assert_eq!(memory.topic.as_deref(), Some("Episodic"), "{name}");
        assert_eq!(memory.metadata, Some(json!({ name: "Episodic" })), "{name}");
    }
}

#[test]
fn layer_of_null_has_the_topic_the_preset_names() {
    let memory = memory(&[("layer", "text", Value::Null)]);
    assert_eq!((memory.topic.as_deref(), memory.metadata), (Some("general"), None));
}

#[test]
fn tags_and_properties_become_metadata() {
    let memory = memory(&[
        ("tags", "text[]", Value::Array(vec![text("jwt"), text("keys")])),
        ("properties", "jsonb", Value::Json("{\"owner\": \"ops\", \"n\": 1.00}".into())),
    ]);
    let expected = "{\"layer\":\"security\",\"n\":1.00,\"owner\":\"ops\",\"tags\":[\"jwt\",\"keys\"]}";
    let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
    assert_eq!(memory.metadata, Some(expected));
}

#[test]
fn tags_and_properties_of_json_null_say_nothing() {
    let mapped = mapped(&[("tags", "jsonb", Value::Json("null".into()))]);
    assert_eq!(mapped.memory.metadata, Some(json!({ "layer": "security" })));
    assert!(mapped.notes.contains(&Note::JsonNull));
}

#[test]
fn run_id_becomes_source_run_id_even_where_it_overflows_an_integer() {
    for run in ["17", "99999999999999999100", "099999999999999999121", "nightly-2025-03-01-2"] {
        assert_eq!(memory(&[("run_id", "text", text(run))]).source_run_id.as_deref(), Some(run));
    }
    let number = Value::Decimal("99999999999999999100".into());
    assert_eq!(memory(&[("run_id", "numeric", number)]).source_run_id.as_deref(), Some("99999999999999999100"));
}

#[test]
fn task_id_becomes_source_task_id() {
    assert_eq!(memory(&[("task_id", "bigint", Value::Int(i64::MAX))]).source_task_id.unwrap(), i64::MAX.to_string());
    assert_eq!(memory(&[("task_id", "text", text("T-9"))]).source_task_id.as_deref(), Some("T-9"));
}

#[test]
fn ttl_expires_after_and_retain_until_become_expires_at() {
    let created = ("created_at", "timestamp with time zone", Value::Moment(at("2026-01-01T00:00:00Z")));
    for (name, declared, value) in [
        ("ttl", "integer", Value::Int(86_400)),
        ("ttl", "interval", Value::Interval { months: 0, days: 1, micros: 0 }),
        ("ttl", "text", text("1 day")),
        ("ttl", "text", text("86400")),
        ("expires_after", "timestamp with time zone", Value::Moment(at("2026-01-02T00:00:00Z"))),
        ("expires_after", "text", text("2026-01-02T00:00:00Z")),
        ("expires_after", "text", text("24 hours")),
        ("expires_after", "interval", Value::Interval { months: 0, days: 1, micros: 0 }),
        ("retain_until", "timestamp with time zone", Value::Moment(at("2026-01-02T00:00:00Z"))),
    ] {
        let memory = memory(&[(name, declared, value.clone()), created.clone()]);
        assert_eq!(memory.expires_at, Some(at("2026-01-02T00:00:00Z")), "{name} {declared} {value:?}");
    }
}

#[test]
fn verified_and_verification_status_become_verified_at() {
    let created = ("created_at", "timestamp with time zone", Value::Moment(at("2026-01-01T00:00:00Z")));
    for (name, declared, value) in
        [("verified", "boolean", Value::Bool(true)), ("verification_status", "text", text("verified"))]
    {
        let memory = memory(&[(name, declared, value), created.clone()]);
        assert_eq!(memory.verified_at, Some(at("2026-01-01T00:00:00Z")), "{name}");
    }
}

#[test]
fn status_and_lifecycle_state_become_state() {
    for name in ["status", "lifecycle_state"] {
        assert_eq!(memory(&[(name, "text", text("confirmed"))]).state, "validated", "{name}");
    }
}

#[test]
fn status_defaults_to_candidate_where_the_row_has_none() {
    assert_eq!(memory(&[]).state, "candidate");
    assert_eq!(memory(&[("status", "text", Value::Null)]).state, "candidate");
}

#[test]
fn agent_role_and_agent_become_role() {
    for name in ["agent_role", "agent"] {
        assert_eq!(memory(&[(name, "text", text("Developer "))]).role.as_deref(), Some("Developer "), "{name}");
    }
}

#[test]
fn project_and_project_id_become_project_id() {
    for name in ["project", "project_id"] {
        assert_eq!(memory(&[(name, "integer", Value::Int(42))]).project_id, Some(42), "{name}");
        assert_eq!(memory(&[(name, "text", text("42"))]).project_id, Some(42), "{name}");
    }
}

#[test]
fn project_as_a_slug_stays_in_metadata() {
    let memory = memory(&[("project", "text", text("apollo"))]);
    assert_eq!((memory.project_id, memory.namespace.as_str()), (None, "project:apollo"));
    assert_eq!(memory.metadata.unwrap()["project"], "apollo");
}

#[test]
fn importance_becomes_importance() {
    for importance in 1..=5 {
        assert_eq!(memory(&[("importance", "integer", Value::Int(importance))]).importance, importance as i16);
    }
    let reject = guide(&[("importance", "integer", Value::Int(9))]).unwrap_err();
    assert_eq!((reject.code, reject.column.as_deref()), (RejectCode::OutOfRange, Some("importance")));
}

#[test]
fn priority_from_1_to_10_is_normalised_to_importance() {
    for (priority, importance) in [(1, 1), (2, 1), (3, 2), (5, 3), (6, 3), (7, 4), (8, 4), (9, 5), (10, 5)] {
        let memory = memory(&[("priority", "integer", Value::Int(priority))]);
        assert_eq!(memory.importance, importance, "priority {priority}");
    }
    let rounded = |priority| mapped(&[("priority", "integer", Value::Int(priority))]).notes.contains(&Note::Rounded);
    assert!(rounded(5) && !rounded(1) && !rounded(10));
}

#[test]
fn importance_defaults_to_3_where_it_is_unknown() {
    assert_eq!(memory(&[]).importance, 3);
    assert_eq!(memory(&[("priority", "integer", Value::Null)]).importance, 3);
}

#[test]
fn commit_and_git_sha_become_commit_sha() {
    for name in ["commit", "git_sha"] {
        assert_eq!(memory(&[(name, "text", text("a3f9b12"))]).commit_sha.as_deref(), Some("a3f9b12"), "{name}");
    }
}

#[test]
fn artifact_id_and_hash_become_artifact_hash() {
    for name in ["artifact_id", "hash"] {
        let memory = memory(&[(name, "text", text("sha256:00ff"))]);
        assert_eq!(memory.artifact_hash.as_deref(), Some("sha256:00ff"), "{name}");
    }
}

/// The guide prefers `sha256:` and does not ask for it; nothing is put before what the source says.
#[test]
fn artifact_hash_without_a_prefix_is_kept_as_it_is() {
    for hash in ["00ff", "SHA256:00FF", "md5:9e107d9d372bb6826bd81d3542a419d6"] {
        assert_eq!(memory(&[("hash", "text", text(hash))]).artifact_hash.as_deref(), Some(hash));
    }
}

/// In production the guide wants either of them; without, a row is handed down all the same, and counted.
#[test]
fn a_row_with_neither_commit_nor_artifact_hash_is_a_ghost_and_no_reject() {
    let mapped = mapped(&[("git_sha", "text", Value::Null), ("artifact_id", "text", Value::Null)]);
    assert_eq!((mapped.memory.commit_sha, mapped.memory.artifact_hash), (None, None));
    assert!(mapped.notes.contains(&Note::Ghost));
}

#[test]
fn embedding_of_1024_becomes_embedding() {
    let elements = vec![0.5_f32; 1024];
    let memory = memory(&[("embedding", "vector(1024)", Value::Vector(elements.clone()))]);
    assert_eq!(memory.embedding, Some(elements));
}

#[test]
fn embedding_of_null_is_allowed() {
    let mapped = mapped(&[("embedding", "vector", Value::Null)]);
    assert_eq!(mapped.memory.embedding, None);
    assert!(!mapped.notes.contains(&Note::NeedsEmbedding));
}

#[test]
fn embedding_of_another_width_is_kept_verbatim_and_counted() {
    let mapped = mapped(&[("embedding", "vector", Value::Vector(vec![0.25; 1536]))]);
    assert_eq!(mapped.memory.embedding, None);
    assert!(mapped.notes.contains(&Note::NeedsEmbedding));
    let origin: serde_json::Value = serde_json::from_str(&mapped.origin).unwrap();
    assert_eq!(origin["embedding"].as_str().unwrap().split(',').count(), 1536);
}

#[test]
fn created_at_becomes_created_at_and_is_never_invented() {
    let created = at("2024-03-01T12:34:56.789012Z");
    let column = ("created_at", "timestamp with time zone", Value::Moment(created));
    assert_eq!(memory(&[column]).created_at, Some(created));
    let none = mapped(&[]);
    assert_eq!((none.memory.created_at, none.memory.updated_at), (None, None));
    assert!(none.notes.contains(&Note::CreatedAtMissing));
}
