//! `heirloom remember`: one live memory into one namespace.

use clap::Args;
use heirloom_store::redact::redact;
use heirloom_store::{Moment, Remember as Request, embedded_text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::context::Context;
use crate::embed::Vectored;
use crate::error::Result;
use crate::ops::shared::{self, Embedding};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom remember`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remember {
    /// What to remember; kept byte for byte
    pub content: String,
    /// Where it belongs, such as team:research
    #[arg(long, short)]
    pub namespace: Option<String>,
    /// lesson (needs role and topic), fact, summary or checkpoint [default: fact]
    #[arg(long)]
    pub kind: Option<String>,
    /// What it is about
    #[arg(long)]
    pub topic: Option<String>,
    /// The role that learned it, such as reviewer
    #[arg(long)]
    pub role: Option<String>,
    /// 1 (least) to 5 (most) [default: 3]
    #[arg(long, value_name = "1-5")]
    pub importance: Option<i16>,
    /// The state it starts in [default: draft]
    #[arg(long)]
    pub state: Option<String>,
    /// Who says it: agent, runtime, user or imported [default: user]
    #[arg(long)]
    pub source: Option<String>,
    /// Provenance: the commit it was learned from
    #[arg(long, value_name = "SHA")]
    pub commit_sha: Option<String>,
    /// Provenance: the digest of the artifact it was learned from
    #[arg(long, value_name = "HASH")]
    pub artifact_hash: Option<String>,
    /// The run it was learned in
    #[arg(long, value_name = "RUN")]
    pub source_run_id: Option<String>,
    /// The task it was learned in
    #[arg(long, value_name = "TASK")]
    pub source_task_id: Option<String>,
    /// Pin it: a small boost in recall
    #[arg(long)]
    #[serde(default)]
    pub pin: bool,
    /// Anything else, as JSON
    #[arg(long, value_name = "JSON", value_parser = shared::json)]
    pub metadata: Option<Value>,
    /// Its embedding, a JSON array of numbers; the provider's when absent
    #[arg(long, value_name = "JSON")]
    pub embedding: Option<Embedding>,
    /// The model that made the embedding
    #[arg(long, value_name = "MODEL")]
    pub embedding_model: Option<String>,
    /// Never recall it from this instant on (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<Moment>,
    /// Its id; the same id and content again change nothing
    #[arg(long)]
    pub id: Option<Uuid>,
}

impl Operation for Remember {
    const NAME: &'static str = "remember";
    const SUMMARY: &'static str = "Remember something";
    const DETAIL: &'static str =
        "Example: heirloom remember -n team:research \"The staging database is reset every Sunday\"";
    const DOORS: Doors = Doors::ALL;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let namespace = shared::one_namespace(context, self.namespace.as_ref())?;
        let scope = shared::scope(context, [&namespace])?;
        let store = context.store().await?;
        // As the store will write it: a provider sees no credential either.
        let text = redact(&embedded_text(self.topic.as_deref(), &self.content)).into_owned();
        let mut vector = Vectored::of(
            context,
            store.meta().dimension,
            self.embedding.map(|own| own.0),
            self.embedding_model,
            Some(text),
        )
        .await;
        let mut request = Request {
            namespace,
            content: self.content,
            id: self.id,
            kind: Some(self.kind.unwrap_or_else(|| "fact".to_owned())),
            source: Some(self.source.unwrap_or_else(|| "user".to_owned())),
            role: self.role,
            topic: self.topic,
            importance: self.importance,
            state: self.state,
            commit_sha: self.commit_sha,
            artifact_hash: self.artifact_hash,
            source_run_id: self.source_run_id,
            source_task_id: self.source_task_id,
            pin: self.pin,
            metadata: self.metadata,
            embedding: vector.embedding.clone(),
            embedding_model: vector.model.clone(),
            expires_at: self.expires_at,
            ..Request::default()
        };
        let done = match store.remember(&scope, &request).await {
            Err(error) if vector.does_without(&error) => {
                (request.embedding, request.embedding_model) = (None, None);
                store.remember(&scope, &request).await?
            }
            done => done?,
        };
        let what = if done.created { "Remembered" } else { "Remembered before; nothing was written" };
        let mut text = format!("{what}, in {}\n  {}\n", done.namespace, done.id);
        text.push_str(&shared::redacted(&done.redacted));
        if done.ghost {
            text.push_str("A lesson without provenance is left out of recall; give --commit-sha or --artifact-hash.\n");
        }
        let warning = vector.warning.filter(|_| done.created);
        text.push_str(&shared::not_embedded(warning.as_deref()));
        let embedded = done.created.then_some(request.embedding.is_some());
        Output::new(&shared::Answer { done: &done, embedded, warning, ranked_by: None }, text)
    }
}
