//! `heirloom token list`: the tokens there are, without their secrets.

use clap::Args;
use heirloom_store::{Right, Token};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};
use crate::text::Table;

/// Arguments of `heirloom token list`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTokens {
    /// Show revoked ones, too
    #[arg(long)]
    #[serde(default)]
    pub all: bool,
}

impl Operation for ListTokens {
    const NAME: &'static str = "token list";
    const SUMMARY: &'static str = "List tokens";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: Right = Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let mut tokens = context.store().await?.list_tokens().await?;
        tokens.retain(|token| self.all || token.revoked_at.is_none());
        if tokens.is_empty() {
            return Output::new(&json!({ "tokens": tokens }), "There are no tokens. Make one: heirloom token create\n");
        }
        let mut table = Table::new(&["name", "right", "namespaces", "until", "id"]);
        for token in &tokens {
            table.row([
                token.name.clone(),
                token.rights.as_str().to_owned(),
                token.namespaces.join(", "),
                until(token),
                token.id.to_string(),
            ]);
        }
        let text = table.render();
        Output::new(&json!({ "tokens": tokens }), text)
    }
}

fn until(token: &Token) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => at.to_string(),
        (None, None) => "-".to_owned(),
    }
}
