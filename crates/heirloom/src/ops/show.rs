//! `heirloom show`: one memory, where it came from and what happened to it.

use clap::Args;
use heirloom_store::{Show as Request, Shown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ops::shared;
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, counted};

/// Arguments of `heirloom show`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The memory's id
    pub id: Uuid,
    /// The namespace it lives in
    #[arg(long, short)]
    pub namespace: Option<String>,
}

impl Operation for Show {
    const NAME: &'static str = "show";
    const SUMMARY: &'static str = "Show a memory, its origin and its history";
    const DOORS: Doors = Doors::ALL;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let shown = context.store().await?.show(&scope, &Request { id: self.id, namespace: None }).await?;
        let text = text(&shown)?;
        Output::new(&shown, text)
    }
}

fn text(shown: &Shown) -> Result<String> {
    let record = serde_json::to_value(&shown.memory).map_err(|error| Error::Bug(error.to_string()))?;
    let mut table = Table::new(&["", ""]);
    for (name, value) in record.as_object().into_iter().flatten().filter(|(name, _)| *name != "content") {
        let value = match value {
            Value::String(text) => crate::text::line(text, 200),
            other => other.to_string(),
        };
        table.row([name.clone(), value]);
    }
    if let Some(origin) = &shown.origin {
        table.row(["origin", &format!("{} {}", origin.source, origin.source_key)]);
        table.row(["handed down", &format!("{}, run {}", origin.handed_down_at, origin.run_id)]);
    }
    for step in &shown.transitions {
        let reason = step.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        table.row([step.at.to_string(), format!("{} → {} by {}{reason}", step.from, step.to, step.actor)]);
    }
    if shown.revisions > 0 {
        table.row(["earlier", &counted(shown.revisions.unsigned_abs(), "version")]);
    }
    Ok(format!("{}\n{}\n", table.render(), crate::text::harmless(&shown.memory.content)))
}
