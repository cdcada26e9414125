//! `heirloom forget`: one memory, for good.

use clap::Args;
use heirloom_store::Forget as Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::shared;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom forget`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// The memory's id
    pub id: Uuid,
    /// The namespace it lives in
    #[arg(long, short)]
    pub namespace: Option<String>,
    /// Why; kept, so it should not repeat the content
    #[arg(long)]
    pub reason: Option<String>,
}

impl Operation for Forget {
    const NAME: &'static str = "forget";
    const SUMMARY: &'static str = "Forget a memory for good";
    const DETAIL: &'static str = "The memory, its revisions and the source row it came from are deleted. What stays says only that \
        it was forgotten, so that no migration brings it back.";
    const DOORS: Doors = Doors::ALL;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let request = Request { id: self.id, namespace: None, reason: self.reason };
        let done = context.store().await?.forget(&scope, &request).await?;
        Output::new(&done, format!("Forgotten, in {}\n  {}\n", done.namespace, done.id))
    }
}
