//! `heirloom token revoke`: a token opens nothing any more.

use clap::Args;
use heirloom_store::Right;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom token revoke`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {
    /// Its name or its id
    pub token: String,
}

impl Operation for RevokeToken {
    const NAME: &'static str = "token revoke";
    const SUMMARY: &'static str = "Revoke a token";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = false;
    const RIGHT: Right = Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let token = context.store().await?.revoke_token(&self.token).await?;
        let text = format!("Revoked {}. A server that is running refuses it within two seconds.\n", token.name);
        Output::new(&token, text)
    }
}
