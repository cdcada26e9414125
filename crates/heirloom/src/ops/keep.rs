//! `heirloom keep`: pins a memory, or says when it expires.

use clap::Args;
use heirloom_store::{Keep as Request, Moment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::shared;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom keep`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// The memory's id
    pub id: Uuid,
    /// The namespace it lives in
    #[arg(long, short)]
    pub namespace: Option<String>,
    /// Pin it (true), or take the pin away (false)
    #[arg(long, value_name = "BOOL")]
    pub pin: Option<bool>,
    /// Never recall it from this instant on; one that has passed expires it now
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<Moment>,
    /// Let it never expire
    #[arg(long, conflicts_with = "expires_at")]
    #[serde(default)]
    pub never_expires: bool,
    /// Refuse when the memory is not at this version
    #[arg(long, value_name = "N")]
    pub expected_version: Option<i32>,
}

impl Operation for Keep {
    const NAME: &'static str = "keep";
    const SUMMARY: &'static str = "Pin a memory, or say when it expires";
    const DETAIL: &'static str = "Example: heirloom keep ID --pin true --never-expires";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let request = Request {
            id: self.id,
            namespace: None,
            pin: self.pin,
            expires_at: self.expires_at,
            never_expires: self.never_expires,
            expected_version: self.expected_version,
        };
        let done = context.store().await?.keep(&scope, &request).await?;
        let pinned = if done.pin { "pinned" } else { "not pinned" };
        let end = done.expires_at.map_or_else(|| "never expires".to_owned(), |at| format!("expires at {at}"));
        Output::new(&done, format!("Kept: {pinned}, {end}, in {}\n  {}\n", done.namespace, done.id))
    }
}
