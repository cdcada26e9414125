//! `heirloom history`: what happened to a memory, whether it is still there or not.

use clap::Args;
use heirloom_store::{History as Found, Show as Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::shared;
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, line};

/// Arguments of `heirloom history`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The memory's id
    pub id: Uuid,
    /// The namespace it lives in, or lived in
    #[arg(long, short)]
    pub namespace: Option<String>,
}

impl Operation for History {
    const NAME: &'static str = "history";
    const SUMMARY: &'static str = "Show what happened to a memory";
    const DETAIL: &'static str =
        "What it said before, its steps from state to state, who did what. Of a forgotten one: when and by whom.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let found = context.store().await?.history(&scope, &Request { id: self.id, namespace: None }).await?;
        let text = text(&found);
        Output::new(&found, text)
    }
}

fn text(found: &Found) -> String {
    let mut table = Table::new(&["when", "what", "by"]);
    for act in found.activity.iter().rev() {
        let step = act
            .details
            .as_ref()
            .and_then(|details| Some((details.get("from")?.as_str()?, details.get("to")?.as_str()?)));
        let what = match step {
            Some((from, to)) => format!("{} {from} → {to}", act.action),
            None => act.action.clone(),
        };
        table.row([act.at.to_string(), what, line(&act.actor, 40)]);
    }
    let mut text = format!("{} in {}\n\n{}", found.id, found.namespace, table.render());
    if let Some(gone) = &found.forgotten {
        let reason = gone.reason.as_deref().map(|reason| format!(": {}", line(reason, 200))).unwrap_or_default();
        text.push_str(&format!("\nForgotten at {} by {}{reason}\n", gone.at, line(&gone.actor, 40)));
    }
    text
}
