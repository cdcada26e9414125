//! What the contracts of others ask of the memory: write, search, forget, restore. The one narrow place between a
//! foreign contract and the store.
//!
//! Their world has facts, summaries and checkpoints of an agent, a runtime or a user. What Heirloom knows beyond that
//! is shown as the nearest of these, as the views of the schema `memory_plugin` do: a lesson as a fact, an import as a
//! runtime's.

use heirloom_store::redact::redact;
use heirloom_store::{
    Forget, Forgotten, Hit, List, Memory, Moment, Recall, Record, Remember, Remembered, Right, Scope, embedded_text,
};
use serde_json::Value;
use uuid::Uuid;

use crate::context::Context;
use crate::embed::Vectored;
use crate::error::{Error, Result};

/// The kinds that the contracts know.
pub const KINDS: [&str; 3] = ["fact", "summary", "checkpoint"];

/// The sources that the contracts know.
pub const SOURCES: [&str; 3] = ["agent", "runtime", "user"];

/// Longest text that is looked for letter by letter, in bytes.
const MAX_LITERAL: usize = 1_024;

/// A memory as the contracts see one.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its id.
    pub id: Uuid,
    /// Where it lives.
    pub namespace: String,
    /// What it says.
    pub content: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// One of [`SOURCES`].
    pub source: String,
    /// What it is about; the tag of the workspace routes.
    pub topic: Option<String>,
    /// How it may spread.
    pub propagation: Option<Value>,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// Whether it is pinned.
    pub pin: bool,
    /// When it was made.
    pub created_at: Option<Moment>,
    /// How well it answers, 0 to 1; absent where nothing was compared.
    pub score: Option<f64>,
}

/// A question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Question {
    /// Words; blank ones ask for nothing.
    pub query: String,
    /// A vector; an empty one is none.
    pub embedding: Vec<f32>,
    /// Only of these kinds; all when empty.
    pub kinds: Vec<String>,
    /// Only of this topic.
    pub topic: Option<String>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before ended; of use where nothing is asked.
    pub cursor: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The memories, best first; the pinned ones and then the newest first where nothing was asked.
    pub memories: Vec<Seen>,
    /// The cursor of the next page of a list.
    pub next: Option<String>,
}

/// Writes a memory, or lets the one of this id say this from now on. A provider's vector goes with it where it brings
/// none.
///
/// # Errors
/// As [`heirloom_store::Store::commit`]; [`crate::Error::Forbidden`] without the right to write.
pub async fn write(context: &Context, scope: &Scope, new: Remember) -> Result<Remembered> {
    context.caller().require(Right::Write)?;
    let store = context.store().await?;
    // As the store will write it: a provider sees no credential either.
    let text = redact(&embedded_text(new.topic.as_deref(), &new.content)).into_owned();
    let mut vector = Vectored::of(context, store.meta().dimension, new.embedding, None, Some(text)).await;
    let new = Remember { embedding: vector.embedding.clone(), embedding_model: vector.model.clone(), ..new };
    match store.commit(scope, &new).await {
        Err(error) if vector.does_without(&error) => {
            let new = Remember { embedding: None, embedding_model: None, ..new };
            Ok(store.commit(scope, &new).await?)
        }
        done => Ok(done?),
    }
}

/// Brings a memory back as it was; one that is there stays as it is.
///
/// # Errors
/// As [`heirloom_store::Store::restore`]; [`crate::Error::Forbidden`] without the right to write.
pub async fn restore(context: &Context, scope: &Scope, old: &Memory) -> Result<Remembered> {
    context.caller().require(Right::Write)?;
    Ok(context.store().await?.restore(scope, old).await?)
}

/// Forgets a memory for good.
///
/// # Errors
/// As [`heirloom_store::Store::forget`]; [`crate::Error::Forbidden`] without the right to write.
pub async fn forget(context: &Context, scope: &Scope, id: Uuid) -> Result<Forgotten> {
    context.caller().require(Right::Write)?;
    Ok(context.store().await?.forget(scope, &Forget { id, ..Forget::default() }).await?)
}

/// Answers a question from a scope: by vector and words where both are given, by the one that is given, and with the
/// newest where neither is. Words that recall finds nothing for are looked for letter by letter.
///
/// # Errors
/// As [`heirloom_store::Store::recall`] and [`heirloom_store::Store::list`]; [`crate::Error::Forbidden`] without the
/// right to read.
pub async fn search(context: &Context, scope: &Scope, mut question: Question) -> Result<Answer> {
    context.caller().require(Right::Read)?;
    if question.kinds.iter().any(|kind| kind == "fact") {
        question.kinds.push("lesson".to_owned());
    }
    let asks = !question.query.trim().is_empty();
    if !asks && question.embedding.is_empty() {
        return listed(context, scope, question, None).await;
    }
    let store = context.store().await?;
    let given = Some(question.embedding.clone()).filter(|vector| !vector.is_empty());
    let by_vector_alone = given.is_some() && !asks;
    let words = asks.then(|| question.query.clone());
    let mut vector = Vectored::of(context, store.meta().dimension, given, None, words.clone()).await;
    let request = Recall {
        query: words,
        embedding: vector.embedding.clone(),
        embedding_model: vector.model.clone(),
        kinds: question.kinds.clone(),
        limit: Some(question.limit),
        ..Recall::default()
    };
    let topic = question.topic.as_deref();
    let hits = match hits(context, scope, &request, topic).await {
        Err(Error::Store(error)) if vector.does_without(&error) => {
            let request = Recall { embedding: None, embedding_model: None, ..request };
            hits(context, scope, &request, topic).await?
        }
        found => found?,
    };
    let memories: Vec<Seen> = scored(hits, by_vector_alone);
    if memories.is_empty() && asks && question.query.len() <= MAX_LITERAL {
        let literal = question.query.clone();
        let found = listed(context, scope, question, Some(literal)).await?;
        return Ok(Answer { next: None, ..found });
    }
    Ok(Answer { memories, next: None })
}

/// What recall finds, of one topic or of all.
async fn hits(context: &Context, scope: &Scope, request: &Recall, topic: Option<&str>) -> Result<Vec<Hit>> {
    match topic {
        Some(topic) => context.recall_of_topic(scope, request, topic).await,
        None => Ok(context.recall(scope, request).await?.hits),
    }
}

/// What recall would show, the pinned ones first.
async fn listed(context: &Context, scope: &Scope, question: Question, text: Option<String>) -> Result<Answer> {
    let request = List {
        kinds: question.kinds,
        topic: question.topic,
        recallable: true,
        order: Some("pinned".to_owned()),
        limit: Some(question.limit),
        cursor: question.cursor,
        text,
        ..List::default()
    };
    let page = context.store().await?.list(scope, &request).await?;
    Ok(Answer { memories: page.items.into_iter().map(Seen::from).collect(), next: page.next })
}

/// Hits with scores of 0 to 1 in their order: the cosine where a vector asked alone, else what recall ranked by, scaled
/// down where it is more than 1.
fn scored(hits: Vec<Hit>, by_vector_alone: bool) -> Vec<Seen> {
    if by_vector_alone {
        let mut near: Vec<(f64, Hit)> =
            hits.into_iter().filter_map(|hit| hit.similarity.map(|similarity| (similarity, hit))).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        return near.into_iter().map(|(similarity, hit)| seen(hit, similarity.clamp(0.0, 1.0))).collect();
    }
    let most = hits.first().map_or(1.0, |hit| hit.score).max(1.0);
    hits.into_iter().map(|hit| (hit.score, hit)).map(|(score, hit)| seen(hit, (score / most).clamp(0.0, 1.0))).collect()
}

fn seen(hit: Hit, score: f64) -> Seen {
    Seen {
        id: hit.id,
        namespace: hit.namespace,
        content: hit.content,
        kind: kind(hit.kind),
        source: source(hit.source),
        topic: hit.topic,
        propagation: hit.propagation,
        expires_at: hit.expires_at,
        pin: hit.pin,
        created_at: hit.created_at,
        score: Some(score),
    }
}

impl From<Record> for Seen {
    fn from(record: Record) -> Self {
        Self {
            id: record.id,
            namespace: record.namespace,
            content: record.content,
            kind: kind(record.kind),
            source: source(record.source),
            topic: record.topic,
            propagation: record.propagation,
            expires_at: record.expires_at,
            pin: record.pin,
            created_at: record.created_at,
            score: None,
        }
    }
}

fn kind(kind: String) -> String {
    if kind == "lesson" { "fact".to_owned() } else { kind }
}

fn source(source: String) -> String {
    if source == "imported" { "runtime".to_owned() } else { source }
}
