//! `heirloom recall`: what is remembered about a question, by words and by vector.

use clap::Args;
use heirloom_store::{Hit, Recall as Request, Recalled};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::embed::Vectored;
use crate::error::{Error, Result};
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
    /// Each row by itself, whatever was remembered just before or after it
    #[arg(long)]
    #[serde(default)]
    pub alone: bool,
    /// The question as an embedding, a JSON array of numbers; the provider's when absent
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
        let store = context.store().await?;
        let (own, model) = (self.embedding.map(|own| own.0), self.embedding_model);
        let mut vector = Vectored::of(context, store.meta().dimension, own, model, self.query.clone()).await;
        let mut request = Request {
            query: self.query,
            embedding: vector.embedding.clone(),
            embedding_model: vector.model.clone(),
            namespaces: Vec::new(),
            limit: self.limit,
            kinds: self.kinds,
            include_unverified: self.include_unverified,
            alone: self.alone,
        };
        let found = match context.recall(&scope, &request).await {
            Err(Error::Store(error)) if vector.does_without(&error) => {
                (request.embedding, request.embedding_model) = (None, None);
                context.recall(&scope, &request).await?
            }
            found => found?,
        };
        let mut text: String = found.hits.iter().map(hit).collect();
        if found.hits.is_empty() {
            text.push_str(&format!("Nothing is remembered about that in {scope}.\n"));
        }
        if found.ghosts_left_out > 0 {
            let left_out = counted(found.ghosts_left_out.unsigned_abs(), "unverified lesson");
            text.push_str(&format!("Left out: {left_out} (--include-unverified shows them).\n"));
        }
        let ranked_by = ranked_by(&request, &found);
        if ranked_by == "words" {
            text.push_str(&shared::wrapped(&words_alone(&request, vector.warning.as_deref())));
        }
        let (warning, ranked_by) = (vector.warning, Some(ranked_by));
        Output::new(&shared::Answer { done: &found, embedded: None, warning, ranked_by }, text)
    }
}

/// What the hits were ranked by: a vector that none of them could be compared with took no part.
fn ranked_by(request: &Request, found: &Recalled) -> &'static str {
    let compared = found.hits.is_empty() || found.hits.iter().any(|hit| hit.similarity.is_some());
    let asked = request.query.as_deref().is_some_and(|words| !words.trim().is_empty());
    match request.embedding {
        Some(_) if !asked => "vectors",
        Some(_) if compared => "words and vectors",
        _ => "words",
    }
}

/// Why no vector took part, for a person.
fn words_alone(request: &Request, warning: Option<&str>) -> String {
    match (warning, &request.embedding_model) {
        (Some(warning), _) => format!("Ranked by words alone. {warning}."),
        (None, Some(model)) if request.embedding.is_some() => {
            format!("Ranked by words alone: nothing found has a vector of the model {model} (see heirloom reembed).")
        }
        (None, _) if request.embedding.is_some() => "Ranked by words alone: nothing found has a vector.".to_owned(),
        (None, _) => "Ranked by words alone: no embedding provider is set (embedding.provider).".to_owned(),
    }
}

fn hit(hit: &Hit) -> String {
    let mut head = format!("{:.3}  {}  {}", hit.score, hit.kind, hit.namespace);
    if let Some(topic) = &hit.topic {
        head.push_str(&format!("  {}", excerpt(topic, 24, 1)));
    }
    format!("{head}\n{}\n       {}\n\n", shared::indented(&excerpt(&hit.content, 73, 3)), hit.id)
}
