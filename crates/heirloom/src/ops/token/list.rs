//! `heirloom token list`: the tokens there are, without their secrets.

use clap::Args;
use heirloom_store::{Right, Token};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, pages};
use crate::text::Table;

/// Arguments of `heirloom token list`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTokens {
    /// Show revoked ones, too
    #[arg(long)]
    #[serde(default)]
    pub all: bool,
    /// How many at most, 1 to 10,000 [default: all]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for ListTokens {
    const NAME: &'static str = "token list";
    const SUMMARY: &'static str = "List tokens";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: Right = Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let all = context.store().await?.list_tokens().await?;
        let shown = |token: &Token| self.all || token.revoked_at.is_none();
        let cursors = pages::cursors(context, &self)?;
        let name = |token: &Token| token.id.to_string();
        let (tokens, next) = pages::page(all, name, shown, self.limit, &cursors, self.cursor.as_deref())?;
        if tokens.is_empty() {
            return Output::new(
                &json!({ "tokens": tokens, "next": next }),
                "There are no tokens. Make one: heirloom token create\n",
            );
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
        let text = table.render() + &pages::more(next.as_deref());
        Output::new(&json!({ "tokens": tokens, "next": next }), text)
    }
}

fn until(token: &Token) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => at.to_string(),
        (None, None) => "-".to_owned(),
    }
}
