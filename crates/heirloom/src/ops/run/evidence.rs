//! `heirloom run evidence`: the evidence of a run as data and as one page, made anew, written nowhere.

use clap::Args;
use heirloom_migrate::report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::migration::Opened;
use crate::ops::report::write;
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom run evidence`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunEvidence {
    /// The run [default: the latest]
    pub run_id: Option<Uuid>,
}

impl Operation for RunEvidence {
    const NAME: &'static str = "run evidence";
    const SUMMARY: &'static str = "Make the evidence of a run: a page and its data";
    const DETAIL: &'static str = "Compares every row again and asks recall for some of them, as `heirloom report` does, which \
        also signs it. No content is in either.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;
    const RIGHT: heirloom_store::Right = heirloom_store::Right::Admin;

    async fn run(self, context: &Context) -> Result<Output> {
        let (_, plan, database) = super::stored(context, self.run_id).await?;
        let path = heirloom_migrate::plan::Plan::path_for(std::path::Path::new(&plan.file.path));
        let opened = Opened::of(context, plan, database).await?;
        let evidence = [write::one(context, &opened, &path).await?];
        let [one] = &evidence;
        let json = json!({
            "holds": one.holds, "data": report::json(&evidence), "page": report::html(&one.name, &evidence),
        });
        Ok(Output::new(&json, report::json(&evidence))?.holding(one.holds))
    }
}
