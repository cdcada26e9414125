//! `heirloom revise`: a memory says something else from now on; what it said before is kept.

use clap::Args;
use heirloom_store::redact::redact;
use heirloom_store::{Revise as Request, Revised, Scope, Show, Store, StoreError, embedded_text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::config::EmbeddingProvider;
use crate::context::Context;
use crate::embed::Vectored;
use crate::error::Result;
use crate::ops::shared::{self, Embedding};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom revise`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revise {
    /// The memory's id
    pub id: Uuid,
    /// The namespace it lives in
    #[arg(long, short)]
    pub namespace: Option<String>,
    /// The new text; the embedding of the old one goes, and the provider makes one of the new
    #[arg(long, value_name = "TEXT")]
    pub content: Option<String>,
    /// The new role
    #[arg(long)]
    pub role: Option<String>,
    /// The new topic
    #[arg(long)]
    pub topic: Option<String>,
    /// The new metadata, as JSON
    #[arg(long, value_name = "JSON", value_parser = shared::json)]
    pub metadata: Option<Value>,
    /// The new embedding, a JSON array of numbers
    #[arg(long, value_name = "JSON")]
    pub embedding: Option<Embedding>,
    /// The model that made the new embedding
    #[arg(long, value_name = "MODEL")]
    pub embedding_model: Option<String>,
    /// New provenance: the commit it was learned from
    #[arg(long, value_name = "SHA")]
    pub commit_sha: Option<String>,
    /// New provenance: the digest of the artifact it was learned from
    #[arg(long, value_name = "HASH")]
    pub artifact_hash: Option<String>,
    /// Refuse when the memory is not at this version
    #[arg(long, value_name = "N")]
    pub expected_version: Option<i32>,
}

impl Operation for Revise {
    const NAME: &'static str = "revise";
    const SUMMARY: &'static str = "Change what a memory says";
    const DOORS: Doors = Doors::ALL;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let store = context.store().await?;
        let mut request = Request {
            id: self.id,
            namespace: None,
            content: self.content,
            role: self.role,
            topic: self.topic,
            metadata: self.metadata,
            embedding: self.embedding.map(|embedding| embedding.0),
            embedding_model: self.embedding_model,
            commit_sha: self.commit_sha,
            artifact_hash: self.artifact_hash,
            expected_version: self.expected_version,
        };
        let (done, vector) = revised(context, &store, &scope, &mut request).await?;
        let what = if done.changed { "Revised" } else { "It says that already; nothing was written" };
        let mut text = format!("{what}, in {}\n  {}\n  version {}\n", done.namespace, done.id, done.version);
        text.push_str(&shared::redacted(&done.redacted));
        let says = done.changed && (request.content.is_some() || request.topic.is_some());
        let warning = vector.warning.filter(|_| says);
        text.push_str(&shared::not_embedded(warning.as_deref()));
        let embedded = (says || request.embedding.is_some()).then_some(request.embedding.is_some());
        Output::new(&shared::Answer { done: &done, embedded, warning, ranked_by: None }, text)
    }
}

/// How often the memory may change under our hands before that is somebody else's to sort out.
const ROUNDS: usize = 4;

/// Revises, with the provider's vector of what the memory will say where the caller brings none. The vector is made of
/// the memory as it was read, so the version that was read is what gets revised; when somebody was faster, again.
async fn revised(
    context: &Context,
    store: &Store,
    scope: &Scope,
    request: &mut Request,
) -> Result<(Revised, Vectored)> {
    let own = request.embedding.is_some() || request.embedding_model.is_some();
    let says = request.content.is_some() || request.topic.is_some();
    if own || !says || context.config().embedding.provider == EmbeddingProvider::None {
        return Ok((store.revise(scope, request).await?, Vectored::default()));
    }
    let expected = request.expected_version;
    let mut left = ROUNDS;
    loop {
        let show = Show { id: request.id, namespace: request.namespace.clone() };
        let old = store.show(scope, &show).await?.memory;
        let topic = request.topic.as_deref().or(old.topic.as_deref());
        // As the store will write it: a provider sees no credential either.
        let text = redact(&embedded_text(topic, request.content.as_deref().unwrap_or(&old.content))).into_owned();
        // The same text keeps its vector.
        let same = text == embedded_text(old.topic.as_deref(), &old.content);
        let mut vector = Vectored::of(context, store.meta().dimension, None, None, Some(text).filter(|_| !same)).await;
        request.embedding.clone_from(&vector.embedding);
        request.embedding_model.clone_from(&vector.model);
        request.expected_version = expected.or(Some(old.version));
        let done = match store.revise(scope, request).await {
            Err(error) if vector.does_without(&error) => {
                (request.embedding, request.embedding_model) = (None, None);
                store.revise(scope, request).await
            }
            done => done,
        };
        match done {
            Err(StoreError::Conflict(_)) if expected.is_none() && left > 1 => left -= 1,
            done => return Ok((done?, vector)),
        }
    }
}
