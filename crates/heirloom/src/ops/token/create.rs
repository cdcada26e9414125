//! `heirloom token create`: a token, whose secret is shown this one time.

use clap::Args;
use heirloom_store::{Moment, NewToken, Right};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom token create`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// What to call it
    pub name: String,
    /// A namespace it is for, or the beginning of some such as `team:acme.*` (can be repeated)
    #[arg(long = "namespace", short, value_name = "NAMESPACE")]
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// read, write (which includes read) or admin (everything) [default: read]
    #[arg(long, value_name = "RIGHT")]
    pub right: Option<String>,
    /// Most requests a minute [default: the server's]
    #[arg(long, value_name = "N")]
    pub rate: Option<i32>,
    /// Useless from this instant on (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<Moment>,
}

impl Operation for CreateToken {
    const NAME: &'static str = "token create";
    const SUMMARY: &'static str = "Make a token for HTTP";
    const DETAIL: &'static str = "Example: heirloom token create reviewer -n team:research --right write";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = false;
    const RIGHT: Right = Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let rights = self.right.as_deref().map_or(Ok(Right::Read), str::parse)?;
        let new = NewToken {
            name: self.name,
            namespaces: self.namespaces,
            rights,
            rate_per_minute: self.rate,
            expires_at: self.expires_at,
        };
        let made = context.store().await?.create_token(&new).await?;
        let text = format!(
            "{}\nThis is shown once; only its digest is kept. Send it as `Authorization: Bearer …`.\n",
            made.secret
        );
        Output::new(&made, text)
    }
}
