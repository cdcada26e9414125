//! `heirloom links`: what a memory is linked to, and what was remembered beside it.

use clap::Args;
use heirloom_store::{Neighbour, Show as Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::shared;
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, excerpt};

/// Arguments of `heirloom links`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// The memory's id
    pub id: Uuid,
    /// The namespace it lives in
    #[arg(long, short)]
    pub namespace: Option<String>,
}

impl Operation for Links {
    const NAME: &'static str = "links";
    const SUMMARY: &'static str = "Show what a memory is linked to and what stands beside it";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let found = context.store().await?.links(&scope, &Request { id: self.id, namespace: None }).await?;
        let mut table = Table::new(&["", "id", ""]);
        let mut row = |how: String, memory: &Neighbour| {
            table.row([how, memory.id.to_string(), excerpt(&memory.content, 40, 1)]);
        };
        for link in &found.links {
            let arrow = if link.outward { "→" } else { "←" };
            row(format!("{arrow} {}", link.relation), &link.memory);
        }
        found.after.iter().for_each(|memory| row("after".to_owned(), memory));
        found.before.iter().for_each(|memory| row("before".to_owned(), memory));
        let text = table.render();
        Output::new(&found, text)
    }
}
