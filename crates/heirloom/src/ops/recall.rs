//! `heirloom recall`: what is remembered about a question, by words and by vector.

use clap::Args;
use heirloom_store::{Hit, Recall as Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::shared::{self, Embedding};
use crate::ops::{Doors, Operation, Output};
use crate::text::{counted, excerpt};

/// Arguments of `heirloom recall`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// The question in words; any of them may match
    pub query: Option<String>,
    /// Only in this namespace (can be repeated)
    #[arg(long = "namespace", short, value_name = "NAMESPACE")]
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// How many at most, 1 to 1,000 [default: 10]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Only of this kind (can be repeated)
    #[arg(long = "kind", value_name = "KIND")]
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Lessons that nobody verified as well
    #[arg(long)]
    #[serde(default)]
    pub include_unverified: bool,
    /// The question as an embedding, a JSON array of numbers
    #[arg(long, value_name = "JSON")]
    pub embedding: Option<Embedding>,
    /// The model that made the embedding
    #[arg(long, value_name = "MODEL")]
    pub embedding_model: Option<String>,
}

impl Operation for Recall {
    const NAME: &'static str = "recall";
    const SUMMARY: &'static str = "Recall what is remembered about a question";
    const DETAIL: &'static str = "Example: heirloom recall -n team:research \"when is staging reset\"";
    const DOORS: Doors = Doors::ALL;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, &self.namespaces)?;
        let request = Request {
            query: self.query,
            embedding: self.embedding.map(|embedding| embedding.0),
            embedding_model: self.embedding_model,
            namespaces: Vec::new(),
            limit: self.limit,
            kinds: self.kinds,
            include_unverified: self.include_unverified,
        };
        let found = context.store().await?.recall(&scope, &request).await?;
        let mut text: String = found.hits.iter().map(hit).collect();
        if found.hits.is_empty() {
            text.push_str(&format!("Nothing is remembered about that in {scope}.\n"));
        }
        if found.ghosts_left_out > 0 {
            let left_out = counted(found.ghosts_left_out.unsigned_abs(), "unverified lesson");
            text.push_str(&format!("Left out: {left_out} (--include-unverified shows them).\n"));
        }
        Output::new(&found, text)
    }
}

fn hit(hit: &Hit) -> String {
    let mut head = format!("{:.3}  {}  {}", hit.score, hit.kind, hit.namespace);
    if let Some(topic) = &hit.topic {
        head.push_str(&format!("  {}", excerpt(topic, 24, 1)));
    }
    format!("{head}\n{}\n       {}\n\n", shared::indented(&excerpt(&hit.content, 73, 3)), hit.id)
}
