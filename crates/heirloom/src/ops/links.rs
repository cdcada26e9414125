//! `heirloom links`: what a memory is linked to, and what was remembered beside it.

use clap::Args;
use heirloom_store::{LinksOf, Neighbour};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, pages, shared};
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
    /// How many links at most, 1 to 1,000 [default: 50]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page of links before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for Links {
    const NAME: &'static str = "links";
    const SUMMARY: &'static str = "Show what a memory is linked to and what stands beside it";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let cursors = pages::cursors(context, &self)?;
        let place = cursors.take(self.cursor.as_deref())?.map(str::to_owned);
        let request = LinksOf { id: self.id, namespace: None, limit: self.limit, cursor: place };
        let mut found = context.store().await?.links(&scope, &request).await?;
        found.next = found.next.as_deref().map(|place| cursors.give(place));
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
        let text = table.render() + &pages::more(found.next.as_deref());
        Output::new(&found, text)
    }
}
