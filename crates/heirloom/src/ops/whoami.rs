//! `heirloom whoami`: who calls, what they may do, and what answers.

use clap::Args;
use heirloom_store::Right;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom whoami`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Whoami {}

impl Operation for Whoami {
    const NAME: &'static str = "whoami";
    const SUMMARY: &'static str = "Show who calls and what they may do";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let caller = context.caller();
        let (who, namespaces) = match caller {
            Caller::Owner(config) => ("owner".to_owned(), config.namespaces.clone()),
            Caller::Token(token) => (token.name.clone(), token.namespaces.clone()),
            Caller::Guest(guest) => ("guest".to_owned(), guest.config.namespaces.clone()),
        };
        let rights: Vec<&str> = [Right::Read, Right::Write, Right::Admin]
            .into_iter()
            .filter_map(|right| caller.has(right).then_some(right.as_str()))
            .collect();
        let store = context.store().await?;
        let meta = store.meta();
        let text = format!("{who}, may {}\n", rights.join(", "));
        let mut about = json!({ "dimension": meta.dimension, "schema_version": meta.schema_version });
        // What a door enciphers is keyed by the store's id, so a tenant is not told it.
        if caller.has(Right::Admin) {
            about["id"] = json!(meta.store_id);
        }
        let json = json!({
            "name": who,
            "owner": matches!(caller, Caller::Owner(_)),
            "rights": rights,
            "namespaces": namespaces,
            "version": env!("CARGO_PKG_VERSION"),
            "store": about,
        });
        Output::new(&json, text)
    }
}
