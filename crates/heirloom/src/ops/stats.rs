//! `heirloom stats`: numbers about namespaces, for an overview.

use clap::Args;
use heirloom_store::Stats as Counted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::asked::Asked;
use crate::context::Context;
use crate::error::Result;
use crate::ops::shared;
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, count};

/// Arguments of `heirloom stats`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    /// Only of this namespace (can be repeated)
    #[arg(long = "namespace", short, value_name = "NAMESPACE")]
    #[serde(default)]
    pub namespaces: Vec<String>,
}

#[derive(Serialize)]
struct Found {
    #[serde(flatten)]
    stats: Counted,
    /// The latest recalls that this process answered in these namespaces, at most 1,000: when, how long, how many hits.
    recalls: Vec<Asked>,
}

impl Operation for Stats {
    const NAME: &'static str = "stats";
    const SUMMARY: &'static str = "Count what namespaces hold";
    const DETAIL: &'static str = "By namespace, kind, state and day; what expires in the next 60 days; the latest recalls \
        that this process answered, their time and number of hits.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, &self.namespaces)?;
        let stats = context.store().await?.stats(&scope).await?;
        let recalls = context.recalls().of(|name| scope.contains(name));
        let mut table = Table::new(&["", ">"]);
        for (what, number) in [
            ("memories", stats.memories),
            ("unverified lessons", stats.ghosts),
            ("expired", stats.expired),
            ("expire within seven days", stats.expiring),
            ("pinned", stats.pinned),
            ("with an embedding", stats.embedded),
            ("handed down", stats.migrated),
        ] {
            table.row([what, &count(number.unsigned_abs())]);
        }
        let text = table.render();
        Output::new(&Found { stats, recalls }, text)
    }
}
