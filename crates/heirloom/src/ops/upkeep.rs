//! `heirloom upkeep`: what recall ranks by, made fresh by hand, and what expired long ago forgotten. `serve` does it by itself.

use clap::Args;
use heirloom_store::Kept;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};
use crate::text::{Table, count};
use crate::upkept;

/// Arguments of `heirloom upkeep`: none.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upkeep {}

#[derive(Serialize)]
struct Done {
    /// Memories that had been expired for longer than they are kept.
    expired_forgotten: u64,
    #[serde(flatten)]
    kept: Kept,
}

impl Operation for Upkeep {
    const NAME: &'static str = "upkeep";
    const SUMMARY: &'static str = "Freshen what recall ranks by, and forget what expired long ago";
    const DETAIL: &'static str = "Counts words, centres models, indexes large namespaces, refreshes statistics. Forgets what has been expired for \
        longer than it is kept (upkeep.keep_expired); changes nothing that a memory says. On a server indexes, centres and \
        statistics are the owner's: run it as the owner, by cron say, or give `serve` the owner's URL for it (upkeep.url). Worth \
        running after many writes past Heirloom (SQL, a restored dump); writes through Heirloom and `apply` keep up by \
        themselves.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = false;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let keep_expired = context.config().upkeep.keep_expired();
        let (expired_forgotten, kept) = upkept::keep(&context.keeper().await?, keep_expired).await?;
        let mut table = Table::new(&["", ""]);
        table.row(["expired memories that were forgotten".to_owned(), count(expired_forgotten)]);
        table.row(["namespaces whose words were counted".to_owned(), count(kept.namespaces_counted)]);
        table.row(["memories that were filled in".to_owned(), count(kept.rows_ranked)]);
        let models: Vec<&str> =
            kept.models_centred.iter().map(|name| if name.is_empty() { "(unnamed)" } else { name }).collect();
        let models = if models.is_empty() { "0".to_owned() } else { models.join(", ") };
        table.row(["models that got a centre".to_owned(), models]);
        table.row(["namespaces that got indexes".to_owned(), count(kept.namespaces_indexed)]);
        table.row(["indexes that were given up".to_owned(), count(kept.indexes_dropped)]);
        let mut text = table.render();
        for spilled in &kept.graphs_spilled {
            text.push_str(&format!("\n{spilled}.\n"));
        }
        if kept.namespaces_not_indexed > 0 {
            text.push_str(&format!(
                "\n{} large namespaces got no indexes, because this database user does not own heirloom.memory: run \
                 upkeep once as the user that ran `heirloom up`.\n",
                count(kept.namespaces_not_indexed)
            ));
        }
        if kept.models_not_centred > 0 {
            text.push_str(&format!(
                "\n{} models got no centre, because this database user does not own heirloom.model; their vectors are \
                 compared as they are: run upkeep once as the user that ran `heirloom up`.\n",
                count(kept.models_not_centred)
            ));
        }
        Output::new(&Done { expired_forgotten, kept }, text)
    }
}
