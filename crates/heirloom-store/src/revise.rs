//! Revising: a memory says something else from now on, and what it said before is kept.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::activity::{self, Line};
use crate::check;
use crate::error::Result;
use crate::locate;
use crate::redact;
use crate::scope::{Access, Scope};
use crate::store::Store;
use crate::width;

/// What a memory says from now on. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revise {
    /// Which memory.
    pub id: Uuid,
    /// Its namespace; needed only when several namespaces of the call hold the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The new text: not blank, without NUL, at most 256 KiB. The embedding of the old text goes unless a new one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The new role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The new topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The new metadata; `{}` empties it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// The new embedding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Vec<f32>>,
    /// The model that made the new embedding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_model: Option<String>,
    /// New provenance: the memory counts as verified now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_sha: Option<String>,
    /// New provenance: the memory counts as verified now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_hash: Option<String>,
    /// The version the caller read; another one in the store is refused. Absent: the last writer wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<i32>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revised {
    /// The memory's id.
    pub id: Uuid,
    /// Where it lives.
    pub namespace: String,
    /// The integer handle of the SQL door.
    pub lesson_id: i64,
    /// Its version now; 1 when it was never revised.
    pub version: i32,
    /// False when it said all of that already and nothing was written.
    pub changed: bool,
    /// Credentials that were taken out before anything was written, by label; absent when there were none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redacted: BTreeMap<String, u64>,
}

impl Store {
    /// Changes what a memory says. The old text, role, topic and metadata are kept as a revision.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] names the field; [`crate::StoreError::NotFound`] or [`crate::StoreError::Forgotten`] when the scope has
    /// no such memory; [`crate::StoreError::Conflict`] when the version is not the expected one.
    pub async fn revise(&self, scope: &Scope, change: &Revise) -> Result<Revised> {
        let (change, redacted) = redact::revise(change);
        let change = change.as_ref();
        let embedding = check_change(change, self.meta().dimension)?;
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        let old = locate::lock(&tx, scope, change.id, change.namespace.as_deref()).await?;
        check::version(change.id, old.version, change.expected_version)?;
        let metadata = check::json("metadata", change.metadata.as_ref())?;
        let new_content = change.content.as_deref().is_some_and(|text| text != old.content);
        let changed = new_content
            || differs(&change.role, &old.role)
            || differs(&change.topic, &old.topic)
            || (change.metadata.is_some() && metadata != old.metadata.as_ref())
            || embedding.is_some()
            || change.commit_sha.is_some()
            || change.artifact_hash.is_some();
        if !changed {
            tx.commit().await?;
            return Ok(Revised {
                id: change.id,
                namespace: old.namespace,
                lesson_id: old.lesson_id,
                version: old.version,
                changed,
                redacted,
            });
        }
        if let (Some(vector), Some(model)) = (&change.embedding, &change.embedding_model) {
            width::hold(&tx, &old.namespace, model, vector.len()).await?;
        }
        tx.execute(include_str!("../sql/queries/keep_revision.sql"), &[&old.namespace, &change.id, &scope.actor()])
            .await?;
        let row = tx
            .query_one(
                include_str!("../sql/queries/revise.sql"),
                &[
                    &old.namespace,
                    &change.id,
                    &change.content,
                    &change.role,
                    &change.topic,
                    &change.metadata.is_some(),
                    &metadata,
                    &embedding,
                    &change.embedding_model,
                    &(new_content || embedding.is_some()),
                    &change.commit_sha,
                    &change.artifact_hash,
                ],
            )
            .await?;
        let version: i32 = row.try_get(0)?;
        activity::record(
            &tx,
            scope,
            Line {
                action: "revise",
                namespace: &old.namespace,
                id: change.id,
                content: Some(change.content.as_deref().unwrap_or(&old.content)),
                details: Some(json!({ "version": version })),
            },
        )
        .await?;
        tx.commit().await?;
        self.tell(&client);
        Ok(Revised { id: change.id, namespace: old.namespace, lesson_id: old.lesson_id, version, changed, redacted })
    }
}

fn differs(new: &Option<String>, old: &Option<String>) -> bool {
    new.is_some() && new != old
}

fn check_change(change: &Revise, dimension: usize) -> Result<Option<pgvector::Vector>> {
    if let Some(content) = &change.content {
        check::content(content)?;
    }
    for (field, text) in [
        ("role", &change.role),
        ("topic", &change.topic),
        ("embedding_model", &change.embedding_model),
        ("commit_sha", &change.commit_sha),
        ("artifact_hash", &change.artifact_hash),
    ] {
        check::label(field, text.as_deref())?;
    }
    check::json("metadata", change.metadata.as_ref())?;
    if change.embedding.is_none() && change.embedding_model.is_some() {
        return Err(check::invalid("embedding_model", "no embedding beside it", "a model only with its embedding"));
    }
    let says_something = change.content.is_some()
        || change.role.is_some()
        || change.topic.is_some()
        || change.metadata.is_some()
        || change.embedding.is_some()
        || change.commit_sha.is_some()
        || change.artifact_hash.is_some();
    if !says_something {
        return Err(check::invalid("content", "absent, and nothing else to change", "at least one thing to change"));
    }
    change.embedding.as_deref().map(|values| check::embedding("embedding", values, dimension)).transpose()
}
