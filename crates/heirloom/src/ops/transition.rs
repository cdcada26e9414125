//! `heirloom transition`: a memory to another state of its life.

use clap::Args;
use heirloom_store::Transition as Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::shared;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom transition`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// The memory's id
    pub id: Uuid,
    /// The new state
    pub to: String,
    /// The namespace it lives in
    #[arg(long, short)]
    pub namespace: Option<String>,
    /// Why; kept in the history
    #[arg(long)]
    pub reason: Option<String>,
    /// Vouch for it: with `validated`, it counts as verified now
    #[arg(long)]
    #[serde(default)]
    pub verify: bool,
}

impl Operation for Transition {
    const NAME: &'static str = "transition";
    const SUMMARY: &'static str = "Move a memory to another state";
    const DETAIL: &'static str = "States: draft, candidate, validated, canonical, deprecated, superseded, archived, rejected, \
        conflicted. A step that is not allowed is refused with those that are.";
    const DOORS: Doors = Doors::ALL;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let request = Request { id: self.id, namespace: None, to: self.to, reason: self.reason, verify: self.verify };
        let done = context.store().await?.transition(&scope, &request).await?;
        Output::new(&done, format!("{} → {}, in {}\n  {}\n", done.from, done.to, done.namespace, done.id))
    }
}
