//! Recalling: what a scope remembers about a question, best first.
//!
//! The ranking is one SQL function, `heirloom.recall`, which every door calls; this room checks the request, runs it as
//! the tenant inside a read-only transaction and hands the rows on. Deliberately absent: any ranking of its own, any
//! write. Reading a memory does not change it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::check;
use crate::error::Result;
use crate::memory::{KINDS, Moment};
use crate::scope::{Access, Scope};
use crate::store::Store;
use crate::width;

/// Most hits of one call.
pub const MAX_HITS: i64 = 1_000;

/// Longest question, in bytes. Its first 1,024 distinct words ask.
pub const MAX_QUESTION_BYTES: usize = 64 * 1024;

/// A question: words, a vector, or both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recall {
    /// The question in words; any of them may match, and no word is an operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The question as an embedding: at most as many finite numbers as the store's dimension, as many as its model's vectors
    /// have, not all zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Vec<f32>>,
    /// The model that made the embedding; memories embedded by another are then compared by words alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding_model: Option<String>,
    /// Only in these namespaces; all of the call's when empty.
    pub namespaces: Vec<String>,
    /// How many at most, 1 to 1,000; 10 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Only of these kinds; all when empty.
    pub kinds: Vec<String>,
    /// Whether lessons that nobody verified may come up too.
    pub include_unverified: bool,
    /// Each row by its own words and vector alone, whatever was remembered just before or after it.
    pub alone: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recalled {
    /// The memories, best first; equal scores by newest, then by id.
    pub hits: Vec<Hit>,
    /// How many matching lessons were left out because nobody verified them.
    pub ghosts_left_out: i64,
}

/// One memory that was found, and why: lexical, semantic, context and boost add up to the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hit {
    /// The memory's id.
    pub id: Uuid,
    /// Where it lives.
    pub namespace: String,
    /// The integer handle of the SQL door.
    pub lesson_id: i64,
    /// `lesson`, `fact`, `summary` or `checkpoint`.
    pub kind: String,
    /// `agent`, `runtime`, `user` or `imported`.
    pub source: String,
    /// The role that learned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What it says.
    pub content: String,
    /// 1 (least) to 5 (most).
    pub importance: i16,
    /// Its state.
    pub state: String,
    /// Whether it is pinned.
    pub pin: bool,
    /// When it was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Moment>,
    /// Anything else, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// How it may spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagation: Option<Value>,
    /// Never recalled from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Moment>,
    /// What it was ranked by; comparable within one call only.
    pub score: f64,
    /// What its words contributed, 0 to 1.
    pub lexical: f64,
    /// What its vector contributed, 0 to 1.
    pub semantic: f64,
    /// What its neighbours contributed.
    pub context: f64,
    /// What pin, importance and state contributed, −0.04 to 0.07.
    pub boost: f64,
    /// The bare cosine to the question's vector, −1 to 1; absent when one of the two has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
}

impl Store {
    /// Recalls what the scope remembers about a question. Reads only.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] names the field; [`crate::StoreError::Rights`] for a namespace outside the scope.
    pub async fn recall(&self, scope: &Scope, question: &Recall) -> Result<Recalled> {
        let rows = self.ask(scope, question, include_str!("../../sql/queries/recall.sql"), None).await?;
        let ghosts_left_out = rows.first().map_or(Ok(0), |row| row.try_get("ghosts_left_out"))?;
        let hits = rows.iter().filter_map(|row| Hit::from_row(row).transpose()).collect::<Result<_>>()?;
        Ok(Recalled { hits, ghosts_left_out })
    }

    /// The best of one topic that the scope remembers about a question, as many as are asked for. Reads only.
    ///
    /// # Errors
    /// As [`Store::recall`].
    pub async fn recall_of_topic(&self, scope: &Scope, question: &Recall, topic: &str) -> Result<Vec<Hit>> {
        let statement = include_str!("../../sql/queries/recall_topic.sql");
        let rows = self.ask(scope, question, statement, Some(topic)).await?;
        rows.iter().filter_map(|row| Hit::from_row(row).transpose()).collect()
    }

    async fn ask(&self, scope: &Scope, question: &Recall, statement: &str, topic: Option<&str>) -> Result<Vec<Row>> {
        let namespaces = scope.narrowed(&question.namespaces)?;
        let (embedding, limit) = check_question(question, self.meta().dimension)?;
        check::label("topic", topic)?;
        let kinds = (!question.kinds.is_empty()).then_some(&question.kinds);
        let with_neighbours = !question.alone;
        let found = question.embedding.as_ref().map(Vec::len);
        let width = found.map(|found| i32::try_from(found).unwrap_or(i32::MAX));
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![
            &question.query,
            &embedding,
            &namespaces,
            &limit,
            &kinds,
            &question.include_unverified,
            &question.embedding_model,
            &with_neighbours,
            &width,
        ];
        if topic.is_some() {
            values.push(&topic);
        }
        let client = self.database().client().await?;
        let rows = scope.ask(&client, Access::Read, statement, &values).await;
        rows.map_err(|error| width::refused(error, found))
    }
}

fn check_question(question: &Recall, dimension: usize) -> Result<(Option<pgvector::Vector>, i32)> {
    let accepted = || format!("words, an embedding, or both; without NUL, at most {MAX_QUESTION_BYTES} bytes");
    match question.query.as_deref() {
        None if question.embedding.is_none() => return Err(check::invalid("query", "absent", accepted())),
        Some(text) if text.trim().is_empty() && question.embedding.is_none() => {
            return Err(check::invalid("query", "it is blank", accepted()));
        }
        Some(text) if text.contains('\0') => return Err(check::invalid("query", "a NUL", accepted())),
        Some(text) if text.len() > MAX_QUESTION_BYTES => {
            return Err(check::invalid("query", format!("{} bytes", text.len()), accepted()));
        }
        _ => {}
    }
    check::label("embedding_model", question.embedding_model.as_deref())?;
    for kind in &question.kinds {
        check::one_of("kinds", kind, &KINDS)?;
    }
    let limit = question.limit.unwrap_or(10);
    let wanted = i32::try_from(limit).ok().filter(|limit| (1..=MAX_HITS).contains(&i64::from(*limit)));
    let Some(wanted) = wanted else {
        return Err(check::invalid("limit", limit.to_string(), format!("1 to {MAX_HITS}")));
    };
    let embedding = question.embedding.as_deref();
    let embedding = embedding.map(|values| check::embedding("embedding", values, dimension)).transpose()?;
    Ok((embedding, wanted))
}

impl Hit {
    /// Reads a row of `recall.sql`; `None` for the row that only says how many ghosts there were.
    fn from_row(row: &Row) -> Result<Option<Self>> {
        let Some(id) = row.try_get("id")? else { return Ok(None) };
        Ok(Some(Self {
            id,
            namespace: row.try_get("namespace")?,
            lesson_id: row.try_get("lesson_id")?,
            kind: row.try_get("kind")?,
            source: row.try_get("source")?,
            role: row.try_get("role")?,
            topic: row.try_get("topic")?,
            content: row.try_get("content")?,
            importance: row.try_get("importance")?,
            state: row.try_get("state")?,
            pin: row.try_get("pin")?,
            verified_at: row.try_get("verified_at")?,
            metadata: row.try_get("metadata")?,
            propagation: row.try_get("propagation")?,
            expires_at: row.try_get("expires_at")?,
            created_at: row.try_get("created_at")?,
            score: row.try_get("score")?,
            lexical: row.try_get("lexical")?,
            semantic: row.try_get("semantic")?,
            context: row.try_get("context")?,
            boost: row.try_get("boost")?,
            similarity: row.try_get("similarity")?,
        }))
    }
}
