//! `heirloom namespaces`: the namespaces a caller may see, with what they hold.

use clap::Args;
use heirloom_store::{MAX_NAMESPACES, Namespace, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, pages};
use crate::text::{Table, count};

/// Arguments of `heirloom namespaces`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Namespaces {
    /// How many at most, 1 to 10,000 [default: all]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for Namespaces {
    const NAME: &'static str = "namespaces";
    const SUMMARY: &'static str = "List the namespaces you may see, with what they hold";
    const DETAIL: &'static str = "Whatever the caller covers: a token's own names and those that match its patterns, whether or \
        not they hold something; for the owner of the store, all of them.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let store = context.store().await?;
        let caller = context.caller();
        let own = caller.own();
        let mut names = store.name_namespaces().await?;
        names.retain(|name| caller.allows(name));
        names.extend(own.iter().cloned());
        names.sort_unstable();
        names.dedup();
        let cursors = pages::cursors(context, &self)?;
        let (names, next) = pages::page(names, String::clone, |_| true, self.limit, &cursors, self.cursor.as_deref())?;
        let mut found: Vec<Namespace> = Vec::with_capacity(names.len());
        // A scope holds so many; each of them is read as the tenant.
        for names in names.chunks(MAX_NAMESPACES) {
            found.extend(store.list_namespaces(&Scope::new(names.iter().cloned())?).await?);
        }
        let mut table = Table::new(&["namespace", ">memories", ""]);
        for one in &found {
            table.row([
                &*one.name,
                &count(one.memories.unwrap_or(0).unsigned_abs()),
                if one.expired { "expired" } else { "" },
            ]);
        }
        let text = if found.is_empty() { "There are no namespaces yet.\n".to_owned() } else { table.render() };
        let text = text + &pages::more(next.as_deref());
        // Names that hold nothing yet can be written to all the same: at most as many as the caller has by name.
        let empty: Vec<&String> =
            own.iter().filter(|name| names.contains(name) && !found.iter().any(|one| one.name == **name)).collect();
        Output::new(&json!({ "namespaces": found, "empty": empty, "next": next }), text)
    }
}
