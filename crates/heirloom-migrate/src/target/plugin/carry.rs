//! What a memory becomes in a plugin, and what has no place there. Pure.

use heirloom_store::{Memory, Moment};
use serde_json::Value;

use super::Capabilities;
use crate::mapping::{Reject, RejectCode};

/// States in which a memory is not recalled any more.
const RETIRED: [&str; 4] = ["deprecated", "superseded", "archived", "rejected"];

/// Microseconds of the years 0 to 9999, beyond which the contract's times cannot say a moment.
pub(super) const SAYABLE: std::ops::Range<i64> = -62_167_219_200_000_000..253_402_300_800_000_000;

/// Whether a search shows a field.
pub(in super::super) fn shows(field: &str, can: Capabilities) -> bool {
    match field {
        "namespace" | "kind" | "source" | "content" => true,
        "expires_at" => can.ttl,
        "pin" => can.pin,
        "propagation" => can.propagation,
        _ => false,
    }
}

fn refuse<T>(field: &str, message: &str) -> Result<T, Reject> {
    Err(Reject { code: RejectCode::NotCarried, field: Some(field.into()), column: None, message: message.into() })
}

/// Turns a memory into what a plugin shows of it; gives back the fields it has no place for. Times stay on the memory:
/// they are sent to whoever takes them, and the contract promises nothing.
pub(in super::super) fn carry(memory: &mut Memory, can: Capabilities) -> Result<Vec<&'static str>, Reject> {
    if !memory.is_active {
        return refuse("is_active", "a plugin recalls whatever it holds; accepted: active rows");
    }
    if RETIRED.contains(&memory.state.as_str()) {
        return refuse("state", "a plugin recalls whatever it holds; accepted: rows that are not retired");
    }
    if memory.valid_to.is_some_and(|end| end != Moment::Infinity) {
        return refuse("valid_to", "a plugin recalls whatever it holds; accepted: no end of validity, or expires_at");
    }
    match memory.expires_at {
        // For ever is what a memory is that says nothing.
        Some(Moment::Infinity) => memory.expires_at = None,
        Some(Moment::Micros(micros)) if SAYABLE.contains(&micros) => {}
        Some(_) => {
            return refuse("expires_at", "the contract says years from 0 to 9999; accepted: one of these, or none");
        }
        None => {}
    }
    // The contract takes these for no value.
    memory.propagation = memory.propagation.take().filter(|json| !is_nothing(json));
    if memory.propagation.as_ref().is_some_and(|json| !json.is_object()) {
        return refuse("propagation", "the contract takes an object; accepted: an object, or no value");
    }
    let mut lost = Vec::new();
    let mut none = |field: &'static str, says: bool| {
        if says {
            lost.push(field);
        }
    };
    none("kind", memory.kind == "lesson");
    if memory.kind == "lesson" {
        "fact".clone_into(&mut memory.kind);
    }
    if memory.source == "imported" {
        // That it was handed down is what we say of it, and not what it said.
        "runtime".clone_into(&mut memory.source);
    }
    let own = memory.namespace.strip_prefix("project:").map(str::to_owned);
    none("project_id", memory.project_id.take().is_some_and(|id| own != Some(id.to_string())));
    none("role", memory.role.take().is_some());
    none("topic", memory.topic.take().is_some());
    none("importance", std::mem::replace(&mut memory.importance, 3) != 3);
    none("state", std::mem::replace(&mut memory.state, "draft".into()) != "draft");
    none("state_changed_at", memory.state_changed_at.take().is_some());
    none("commit_sha", memory.commit_sha.take().is_some());
    none("artifact_hash", memory.artifact_hash.take().is_some());
    none("verified_at", memory.verified_at.take().is_some());
    none("source_run_id", memory.source_run_id.take().is_some());
    none("source_task_id", memory.source_task_id.take().is_some());
    none("pin", memory.pin && !can.pin);
    memory.pin &= can.pin;
    none("propagation", memory.propagation.is_some() && !can.propagation);
    memory.propagation = memory.propagation.take().filter(|_| can.propagation);
    none("metadata", memory.metadata.take().is_some_and(|json| !is_nothing(&json)));
    none("embedding", memory.embedding.is_some() && !can.embedding);
    memory.embedding = memory.embedding.take().filter(|_| can.embedding);
    none("embedding_model", memory.embedding_model.take().is_some());
    none("expires_at", memory.expires_at.is_some() && !can.ttl);
    memory.expires_at = memory.expires_at.take().filter(|_| can.ttl);
    none("valid_from", memory.valid_from.take().is_some());
    none("created_at", memory.created_at.is_some());
    none("updated_at", memory.updated_at.is_some());
    none("confidence", memory.confidence.take().is_some());
    none("content_type", memory.content_type.take().is_some());
    none("item_kind", std::mem::replace(&mut memory.item_kind, "note".into()) != "note");
    none("source_dag_id", memory.source_dag_id.take().is_some());
    memory.valid_to = None;
    Ok(lost)
}

/// What says as much as no value.
pub(super) fn is_nothing(json: &Value) -> bool {
    json.is_null() || json.as_object().is_some_and(serde_json::Map::is_empty)
}

/// The kind of a namespace, which the contract wants to hear: that of its prefix, where it knows it.
pub(super) fn namespace_kind(name: &str) -> &'static str {
    match name.split(':').next() {
        Some("workspace") => "workspace",
        Some("team") => "team",
        Some("org") => "org",
        _ => "custom",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: Capabilities = Capabilities { words: true, embedding: true, ttl: true, pin: true, propagation: true };

    fn fact() -> Memory {
        let mut memory = Memory::new(uuid::Uuid::nil(), "team:a", "Tests run before the deploy.");
        memory.kind = "fact".into();
        memory
    }

    #[test]
    fn what_the_contract_says_goes_whole() {
        let mut memory = Memory {
            pin: true,
            propagation: Some(json!({ "a": null })),
            embedding: Some(vec![1.0]),
            expires_at: Some(Moment::Micros(1)),
            ..fact()
        };
        let before = memory.clone();
        assert_eq!(carry(&mut memory, ALL), Ok(vec![]));
        assert_eq!(memory, before);
        let none = Capabilities::default();
        assert_eq!(carry(&mut memory, none), Ok(vec!["pin", "propagation", "embedding", "expires_at"]));
        assert_eq!(memory, Memory { pin: false, propagation: None, embedding: None, expires_at: None, ..before });
    }

    #[test]
    fn nothing_goes_missing_unsaid() {
        let mut memory = Memory {
            kind: "lesson".into(),
            source: "imported".into(),
            project_id: Some(7),
            role: Some("dev".into()),
            topic: Some("ci".into()),
            importance: 5,
            state: "candidate".into(),
            metadata: Some(json!({ "n": 1 })),
            embedding_model: Some("m".into()),
            created_at: Some(Moment::Micros(1)),
            confidence: Some(0.5),
            item_kind: "spec".into(),
            ..fact()
        };
        let lost = carry(&mut memory, ALL).unwrap();
        let said = [
            "kind",
            "project_id",
            "role",
            "topic",
            "importance",
            "state",
            "metadata",
            "embedding_model",
            "created_at",
            "confidence",
            "item_kind",
        ];
        assert_eq!(lost, said);
        assert_eq!((memory.kind.as_str(), memory.source.as_str()), ("fact", "runtime"));
        assert_eq!(carry(&mut memory, ALL), Ok(vec!["created_at"]), "it is sent all the same");
        let mut own = Memory { namespace: "project:7".into(), project_id: Some(7), ..fact() };
        assert_eq!(carry(&mut own, ALL), Ok(vec![]), "its namespace says the project");
    }

    #[test]
    fn nothing_retired_comes_back_to_life_and_nothing_unsayable_is_sent() {
        let year = |micros: i64| Some(Moment::Micros(micros));
        for (field, mut memory) in [
            ("is_active", Memory { is_active: false, ..fact() }),
            ("state", Memory { state: "archived".into(), ..fact() }),
            ("valid_to", Memory { valid_to: Some(Moment::Micros(1)), ..fact() }),
            ("expires_at", Memory { expires_at: Some(Moment::NegativeInfinity), ..fact() }),
            ("expires_at", Memory { expires_at: year(SAYABLE.end), ..fact() }),
            ("expires_at", Memory { expires_at: year(SAYABLE.start - 1), ..fact() }),
            ("propagation", Memory { propagation: Some(json!([1])), ..fact() }),
        ] {
            let reject = carry(&mut memory, ALL).unwrap_err();
            assert_eq!((reject.code, reject.field.as_deref()), (RejectCode::NotCarried, Some(field)));
        }
        let mut endless = Memory {
            expires_at: Some(Moment::Infinity),
            valid_to: Some(Moment::Infinity),
            propagation: Some(json!({})),
            ..fact()
        };
        assert_eq!(carry(&mut endless, ALL), Ok(vec![]));
        assert_eq!((endless.expires_at, endless.valid_to, endless.propagation), (None, None, None));
    }

    #[test]
    fn a_namespace_is_of_the_kind_of_its_prefix() {
        for (name, kind) in
            [("workspace:a", "workspace"), ("team:a", "team"), ("org:a", "org"), ("project:1", "custom")]
        {
            assert_eq!(namespace_kind(name), kind);
        }
    }
}
