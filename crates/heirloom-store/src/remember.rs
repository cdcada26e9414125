//! Remembering: one live memory into one namespace, in one round trip.
//!
//! Idempotent by id: the same id with the same content changes nothing; [`Store::commit`] lets the same id say something
//! else. An id lives once in a store, so an id of another namespace and an id that was forgotten are refused. The
//! rules of a write stand in `heirloom.write_memory`; what a value must be is checked here, before anything is sent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::check;
use crate::error::{Result, StoreError};
use crate::memory::{ITEM_KINDS, KINDS, Moment, SOURCES, STATES};
use crate::redact;
use crate::scope::{Access, Scope};
use crate::store::Store;
use crate::width;

/// What to remember. Text is kept byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remember {
    /// Where it belongs, such as `team:research`; created on first use.
    pub namespace: String,
    /// What is to be remembered: not blank, without NUL, at most 256 KiB.
    pub content: String,
    /// Its id; a new version 7 uuid when absent. The same id and content again change nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// `lesson` (default; needs role and topic), `fact`, `summary` or `checkpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Who says it: `agent` (default), `runtime`, `user` or `imported`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The role that learned it, such as `reviewer`; required of a lesson.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What it is about; required of a lesson.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// 1 (least) to 5 (most); 3 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<i16>,
    /// One of the nine states; `draft` when absent. A commit over what is there leaves its state alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Provenance: the commit it was learned from. With it or an artifact hash the memory counts as verified now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_sha: Option<String>,
    /// Provenance: the digest of the artifact it was learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_hash: Option<String>,
    /// The run it was learned in; neighbours of one run are recalled together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_run_id: Option<String>,
    /// The task it was learned in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_task_id: Option<String>,
    /// The run graph it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_dag_id: Option<String>,
    /// Whether it is pinned: a small boost in recall.
    #[serde(default)]
    pub pin: bool,
    /// How it may spread; opaque to the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagation: Option<Value>,
    /// Anything else, as JSON; `null` and `{}` say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Its embedding: at most as many finite numbers as the store's dimension, as many as the others of its model have, not
    /// all zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Vec<f32>>,
    /// The model that made the embedding; recall compares vectors of one model only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_model: Option<String>,
    /// Never recalled from this instant on (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Valid from this instant on (RFC 3339); now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// Valid until just before this instant (RFC 3339); for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Moment>,
    /// A classification of the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `note` (default), `skill_md`, `template`, `script`, `reference`, `config` or `spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_kind: Option<String>,
    /// When it was made, where that was not now (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Moment>,
    /// When it last changed what it says (RFC 3339); `created_at` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Moment>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remembered {
    /// The memory's id.
    pub id: Uuid,
    /// Where it lives.
    pub namespace: String,
    /// The integer handle of the SQL door.
    pub lesson_id: i64,
    /// False when the memory was there already: nothing was written, or a commit overwrote it.
    pub created: bool,
    /// A lesson without provenance: kept, and left out of recall unless unverified ones are asked for.
    pub ghost: bool,
    /// Credentials that were taken out before anything was written, by label; absent when there were none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redacted: BTreeMap<String, u64>,
}

impl Store {
    /// Remembers one thing. One transaction; the activity line commits with it.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] names the field; [`StoreError::Rights`] for a namespace outside the scope;
    /// [`StoreError::Conflict`] for an id that holds other content, lives in another namespace or was forgotten, and
    /// for a namespace that has come to its end.
    pub async fn remember(&self, scope: &Scope, new: &Remember) -> Result<Remembered> {
        self.write(scope, new, false).await
    }

    /// Remembers one thing, or lets the memory of this id say from now on what is said here: what it said before is kept
    /// as a revision, `created_at` and the state stay, and what is absent is reset. The vector of an unchanged text
    /// stays, too. Saying all of it again changes nothing.
    ///
    /// # Errors
    /// As [`Store::remember`], but that other content is no conflict; another state is, because states change by
    /// transitions.
    pub async fn commit(&self, scope: &Scope, new: &Remember) -> Result<Remembered> {
        self.write(scope, new, true).await
    }

    async fn write(&self, scope: &Scope, new: &Remember, overwrite: bool) -> Result<Remembered> {
        scope.require(&new.namespace)?;
        let (new, redacted) = redact::remember(new);
        let call = Call::of(scope, &new, overwrite, self.meta().dimension)?;
        let client = self.database().client().await?;
        let rows =
            scope.ask(&client, Access::Write, WRITE, &call.values()).await.map_err(|error| call.refused(error))?;
        self.tell(&client);
        call.remembered(rows.first(), redacted)
    }
}

/// One memory by `heirloom.write_memory`.
pub(crate) const WRITE: &str = include_str!("../sql/queries/remember.sql");

/// A call of it, checked.
pub(crate) struct Call<'a> {
    pub(crate) id: Uuid,
    new: &'a Remember,
    actor: Option<&'a str>,
    overwrite: bool,
    is_id_given: bool,
    sha256: Vec<u8>,
    checked: Checked<'a>,
}

impl<'a> Call<'a> {
    /// Writes `new`, which holds no credential any more.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] names the field.
    pub(crate) fn of(scope: &'a Scope, new: &'a Remember, overwrite: bool, dimension: usize) -> Result<Self> {
        Ok(Self {
            checked: Checked::of(new, dimension)?,
            id: new.id.unwrap_or_else(Uuid::now_v7),
            is_id_given: new.id.is_some(),
            sha256: Sha256::digest(&new.content).to_vec(),
            actor: scope.actor(),
            new,
            overwrite,
        })
    }

    /// What [`WRITE`] takes.
    pub(crate) fn values(&self) -> [&(dyn ToSql + Sync); 31] {
        let (new, checked) = (self.new, &self.checked);
        [
            &self.overwrite,
            &self.actor,
            &self.sha256,
            &self.is_id_given,
            &self.id,
            &new.namespace,
            &checked.kind,
            &checked.source,
            &new.role,
            &new.topic,
            &new.content,
            &checked.importance,
            &checked.state,
            &new.commit_sha,
            &new.artifact_hash,
            &new.source_run_id,
            &new.source_task_id,
            &new.source_dag_id,
            &new.pin,
            &checked.propagation,
            &checked.metadata,
            &checked.embedding,
            &new.embedding_model,
            &checked.width,
            &new.expires_at,
            &new.valid_from,
            &new.valid_to,
            &new.content_type,
            &checked.item_kind,
            &new.created_at,
            &new.updated_at,
        ]
    }

    /// What its row says.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is none.
    pub(crate) fn remembered(&self, row: Option<&Row>, redacted: BTreeMap<String, u64>) -> Result<Remembered> {
        let row = row.ok_or_else(|| StoreError::Conflict("The database wrote nothing and said nothing".into()))?;
        Ok(Remembered {
            id: self.id,
            namespace: self.new.namespace.clone(),
            lesson_id: row.try_get("lesson_id")?,
            created: row.try_get("created")?,
            ghost: row.try_get("ghost")?,
            redacted,
        })
    }

    /// What `heirloom.write_memory` refuses, in words.
    pub(crate) fn refused(&self, error: StoreError) -> StoreError {
        let (id, new) = (self.id, self.new);
        let error = width::refused(error, new.embedding.as_ref().map(Vec::len));
        let StoreError::Database(refusal) = &error else { return error };
        StoreError::Conflict(match refusal.code().map(tokio_postgres::error::SqlState::code) {
            Some("HL001") => {
                format!("The memory {id} was forgotten and stays forgotten: leave the id out, or choose another")
            }
            Some("HL002") => {
                format!("The id {id} belongs to a memory of another namespace: leave the id out, or choose another")
            }
            Some("HL003") => format!("The memory {id} says something else: to change it, use revise"),
            Some("HL004") => format!(
                "The namespace {} has come to its end: give it a later one, or none, or write to another",
                new.namespace
            ),
            Some("HL005") => {
                format!("The memory {id} is in another state: leave the state out, and move it by a transition")
            }
            _ => return error,
        })
    }
}

/// The values of a request that are not taken as they stand.
struct Checked<'a> {
    kind: &'a str,
    source: &'a str,
    importance: i16,
    state: Option<&'a str>,
    item_kind: &'a str,
    propagation: Option<&'a Value>,
    metadata: Option<&'a Value>,
    embedding: Option<pgvector::Vector>,
    /// Of the embedding, before it was padded.
    width: Option<i32>,
}

impl<'a> Checked<'a> {
    fn of(new: &'a Remember, dimension: usize) -> Result<Self> {
        check::content(&new.content)?;
        let kind = check::one_of("kind", new.kind.as_deref().unwrap_or("lesson"), &KINDS)?;
        let labels = [
            ("role", &new.role),
            ("topic", &new.topic),
            ("commit_sha", &new.commit_sha),
            ("artifact_hash", &new.artifact_hash),
            ("source_run_id", &new.source_run_id),
            ("source_task_id", &new.source_task_id),
            ("source_dag_id", &new.source_dag_id),
            ("embedding_model", &new.embedding_model),
            ("content_type", &new.content_type),
        ];
        for (field, text) in labels {
            check::label(field, text.as_deref())?;
        }
        for (field, text) in [("role", &new.role), ("topic", &new.topic)] {
            if kind == "lesson" && text.is_none() {
                return Err(check::invalid(field, "absent", "a lesson needs one; a fact or a summary does not"));
            }
        }
        if new.embedding.is_none() && new.embedding_model.is_some() {
            return Err(check::invalid("embedding_model", "no embedding beside it", "a model only with its embedding"));
        }
        for (field, moment) in [
            ("expires_at", new.expires_at),
            ("valid_from", new.valid_from),
            ("valid_to", new.valid_to),
            ("created_at", new.created_at),
            ("updated_at", new.updated_at),
        ] {
            check::moment(field, moment)?;
        }
        check::window(new.valid_from, new.valid_to)?;
        Ok(Self {
            kind,
            source: check::one_of("source", new.source.as_deref().unwrap_or("agent"), &SOURCES)?,
            importance: check::importance(new.importance.unwrap_or(3))?,
            state: new.state.as_deref().map(|state| check::one_of("state", state, &STATES)).transpose()?,
            item_kind: check::one_of("item_kind", new.item_kind.as_deref().unwrap_or("note"), &ITEM_KINDS)?,
            propagation: check::json("propagation", new.propagation.as_ref())?,
            metadata: check::json("metadata", new.metadata.as_ref())?,
            width: new.embedding.as_ref().map(|values| i32::try_from(values.len()).unwrap_or(i32::MAX)),
            embedding: new
                .embedding
                .as_deref()
                .map(|values| check::embedding("embedding", values, dimension))
                .transpose()?,
        })
    }
}
