//! Remembering: one live memory into one namespace.
//!
//! Idempotent by id: the same id with the same content changes nothing. An id lives once in a store, so an id of another
//! namespace and an id that was forgotten are refused; the check runs as the auditing role, because the writer's own
//! rights end at its scope.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Transaction;
use uuid::Uuid;

use crate::activity::{self, Line};
use crate::check;
use crate::error::{Result, StoreError};
use crate::locate;
use crate::memory::{ITEM_KINDS, KINDS, SOURCES, STATES};
use crate::redact;
use crate::scope::{Access, Scope};
use crate::store::Store;

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
    /// One of the nine states; `draft` when absent.
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
    /// Its embedding: at most as many finite numbers as the store's dimension, not all zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Vec<f32>>,
    /// The model that made the embedding; recall compares vectors of one model only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_model: Option<String>,
    /// Never recalled from this instant on (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Valid from this instant on (RFC 3339); now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Valid until just before this instant (RFC 3339); for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// A classification of the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `note` (default), `skill_md`, `template`, `script`, `reference`, `config` or `spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_kind: Option<String>,
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
    /// False when the same memory was there already and nothing was written.
    pub created: bool,
    /// A lesson without provenance: kept, and left out of recall unless unverified ones are asked for.
    pub ghost: bool,
    /// Credentials that were taken out before anything was written, by label; absent when there were none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redacted: BTreeMap<String, u64>,
}

/// The rights of the auditing role for one look, and back.
const AS_AUDIT: &str = "set local role heirloom_audit";
const AS_SERVE: &str = "set local role heirloom_serve";

impl Store {
    /// Remembers one thing. One transaction; the activity line commits with it.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] names the field; [`StoreError::Rights`] for a namespace outside the scope;
    /// [`StoreError::Conflict`] for an id that holds other content, lives in another namespace or was forgotten.
    pub async fn remember(&self, scope: &Scope, new: &Remember) -> Result<Remembered> {
        scope.require(&new.namespace)?;
        let (new, redacted) = redact::remember(new);
        let new = new.as_ref();
        let checked = Checked::of(new, self.meta().dimension)?;
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        // Before the id is held: a load that is making this namespace would be waited for with the id in hand.
        make_namespace(&tx, &new.namespace).await?;
        if let Some(id) = new.id {
            locate::hold_id(&tx, id).await?;
            if let Some(known) = known(&tx, id, new).await? {
                tx.commit().await?;
                return Ok(Remembered { redacted, ..known });
            }
        }
        let id = new.id.unwrap_or_else(Uuid::now_v7);
        let lesson_id = insert(&tx, id, new, &checked).await?;
        activity::record(
            &tx,
            scope,
            Line { action: "remember", namespace: &new.namespace, id, content: Some(&new.content), details: None },
        )
        .await?;
        tx.execute("select heirloom.count_words_if_stale($1)", &[&new.namespace]).await?;
        tx.commit().await?;
        Ok(Remembered {
            id,
            namespace: new.namespace.clone(),
            lesson_id,
            created: true,
            ghost: checked.kind == "lesson" && new.commit_sha.is_none() && new.artifact_hash.is_none(),
            redacted,
        })
    }
}

/// The values of a request that are not taken as they stand.
struct Checked<'a> {
    kind: &'a str,
    source: &'a str,
    importance: i16,
    state: &'a str,
    item_kind: &'a str,
    propagation: Option<&'a Value>,
    metadata: Option<&'a Value>,
    embedding: Option<pgvector::Vector>,
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
        check::window(new.valid_from, new.valid_to)?;
        Ok(Self {
            kind,
            source: check::one_of("source", new.source.as_deref().unwrap_or("agent"), &SOURCES)?,
            importance: check::importance(new.importance.unwrap_or(3))?,
            state: check::one_of("state", new.state.as_deref().unwrap_or("draft"), &STATES)?,
            item_kind: check::one_of("item_kind", new.item_kind.as_deref().unwrap_or("note"), &ITEM_KINDS)?,
            propagation: check::json("propagation", new.propagation.as_ref())?,
            metadata: check::json("metadata", new.metadata.as_ref())?,
            embedding: new
                .embedding
                .as_deref()
                .map(|values| check::embedding("embedding", values, dimension))
                .transpose()?,
        })
    }
}

/// The memory that already has this id, when it is the same; a refusal when it is not; `None` when the id is free.
async fn known(tx: &Transaction<'_>, id: Uuid, new: &Remember) -> Result<Option<Remembered>> {
    tx.batch_execute(AS_AUDIT).await?;
    let row = tx.query_one(include_str!("../sql/queries/id_taken.sql"), &[&id]).await?;
    tx.batch_execute(AS_SERVE).await?;
    let taken: Option<String> = row.try_get("namespace")?;
    let Some(namespace) = taken else {
        if row.try_get("forgotten")? {
            return Err(StoreError::Conflict(format!(
                "The memory {id} was forgotten and stays forgotten: leave the id out, or choose another"
            )));
        }
        return Ok(None);
    };
    if namespace != new.namespace {
        return Err(StoreError::Conflict(format!(
            "The id {id} belongs to a memory of another namespace: leave the id out, or choose another"
        )));
    }
    let row = tx
        .query_one(
            "select lesson_id, content = $3 as same, kind = 'lesson' and verified_at is null as ghost \
             from heirloom.memory where namespace = $1 and id = $2",
            &[&namespace, &id, &new.content],
        )
        .await?;
    if !row.try_get::<_, bool>("same")? {
        return Err(StoreError::Conflict(format!("The memory {id} says something else: to change it, use revise")));
    }
    Ok(Some(Remembered {
        id,
        namespace,
        lesson_id: row.try_get("lesson_id")?,
        created: false,
        ghost: row.try_get("ghost")?,
        redacted: BTreeMap::new(),
    }))
}

async fn make_namespace(tx: &Transaction<'_>, name: &str) -> Result<()> {
    tx.execute("insert into heirloom.namespace (name) values ($1) on conflict (name) do nothing", &[&name]).await?;
    Ok(())
}

async fn insert(tx: &Transaction<'_>, id: Uuid, new: &Remember, checked: &Checked<'_>) -> Result<i64> {
    let row = tx
        .query_one(
            include_str!("../sql/queries/remember.sql"),
            &[
                &id,
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
                &new.expires_at,
                &new.valid_from,
                &new.valid_to,
                &new.content_type,
                &checked.item_kind,
            ],
        )
        .await?;
    Ok(row.try_get(0)?)
}
