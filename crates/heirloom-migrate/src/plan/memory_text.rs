//! A memory's fields as text, for samples and value tables.

use heirloom_store::Memory;

use super::shown::moment_text;

/// One field of a memory by its name; `None` is null (or no such field).
pub(crate) fn field(memory: &Memory, name: &str) -> Option<String> {
    let json = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
    match name {
        "id" => Some(memory.id.to_string()),
        "namespace" => Some(memory.namespace.clone()),
        "project_id" => memory.project_id.map(|id| id.to_string()),
        "kind" => Some(memory.kind.clone()),
        "source" => Some(memory.source.clone()),
        "role" => memory.role.clone(),
        "topic" => memory.topic.clone(),
        "content" => Some(memory.content.clone()),
        "importance" => Some(memory.importance.to_string()),
        "state" => Some(memory.state.clone()),
        "state_changed_at" => memory.state_changed_at.map(moment_text),
        "commit_sha" => memory.commit_sha.clone(),
        "artifact_hash" => memory.artifact_hash.clone(),
        "verified_at" => memory.verified_at.map(moment_text),
        "source_run_id" => memory.source_run_id.clone(),
        "source_task_id" => memory.source_task_id.clone(),
        "pin" => Some(memory.pin.to_string()),
        "propagation" => json(&memory.propagation),
        "metadata" => json(&memory.metadata),
        "embedding" => memory.embedding.as_ref().map(|floats| format!("({} dimensions)", floats.len())),
        "embedding_model" => memory.embedding_model.clone(),
        "expires_at" => memory.expires_at.map(moment_text),
        "valid_from" => memory.valid_from.map(moment_text),
        "valid_to" => memory.valid_to.map(moment_text),
        "created_at" => memory.created_at.map(moment_text),
        "updated_at" => memory.updated_at.map(moment_text),
        "confidence" => memory.confidence.map(|number| number.to_string()),
        "is_active" => Some(memory.is_active.to_string()),
        "content_type" => memory.content_type.clone(),
        "item_kind" => Some(memory.item_kind.clone()),
        "source_dag_id" => memory.source_dag_id.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_compared_field_has_a_text() {
        let mut memory = Memory::new(uuid::Uuid::nil(), "team:a", "text");
        memory.role = Some("r".into());
        memory.embedding = Some(vec![0.5; 4]);
        memory.created_at = Some(heirloom_store::Moment::Infinity);
        assert_eq!(field(&memory, "embedding").as_deref(), Some("(4 dimensions)"));
        assert_eq!(field(&memory, "created_at").as_deref(), Some("infinity"));
        assert_eq!(field(&memory, "topic"), None);
        for name in ["namespace", "kind", "source", "content", "importance", "state", "pin", "is_active", "item_kind"] {
            assert!(field(&memory, name).is_some(), "{name}");
        }
    }
}
