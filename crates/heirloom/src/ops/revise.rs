//! `heirloom revise`: a memory says something else from now on; what it said before is kept.

use clap::Args;
use heirloom_store::Revise as Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::context::Context;
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
    /// The new text; the embedding of the old one goes
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
        let request = Request {
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
        let done = context.store().await?.revise(&scope, &request).await?;
        let what = if done.changed { "Revised" } else { "It says that already; nothing was written" };
        Output::new(&done, format!("{what}, in {}\n  {}\n  version {}\n", done.namespace, done.id, done.version))
    }
}
