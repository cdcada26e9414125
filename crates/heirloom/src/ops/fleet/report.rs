//! `heirloom fleet report`: the table of the fleet as data, Markdown and a page.

use std::path::{Path, PathBuf};

use clap::Args;
use heirloom_migrate::fleet::{html, markdown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fleet::{Asked, Fleet, step};
use crate::ops::{Doors, Operation, Output};

/// Arguments of `heirloom fleet report`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetReport {
    /// Which tenants of which file
    #[command(flatten)]
    #[serde(flatten)]
    pub asked: Asked,
    /// Where to write them [default: heirloom-report]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Operation for FleetReport {
    const NAME: &'static str = "fleet report";
    const SUMMARY: &'static str = "Write the table of the fleet: JSON, Markdown and a page";
    const DETAIL: &'static str = "What `heirloom fleet status` shows, written as fleet.json, fleet.md and fleet.html. The evidence of a single tenant, every \
        row compared again, is `heirloom report tenants/NAME.plan.json`. No content is in any of it.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let fleet = Fleet::to_read(context, &self.asked).await?;
        let lines = fleet.run(Vec::new(), |item, crew, pulse, _| step::status::run(item, crew, pulse)).await;
        fleet.close().await;
        let mut output = fleet.output(&lines, "")?;
        let out = context.path(self.out.as_deref().unwrap_or(Path::new("heirloom-report")));
        let now = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default();
        let made = format!("{} on {now}", env!("CARGO_PKG_VERSION"));
        let title = &fleet.file.name;
        let mut data = output.json.clone();
        if let Some(data) = data.as_object_mut() {
            data.insert("made".to_owned(), made.clone().into());
        }
        let data = serde_json::to_string_pretty(&data).map_err(|error| Error::Bug(format!("no JSON: {error}")))?;
        std::fs::create_dir_all(&out).map_err(Error::file(&out))?;
        let mut written = Vec::new();
        for (name, text) in [
            ("fleet.json", data + "\n"),
            ("fleet.md", markdown(title, &made, &lines)),
            ("fleet.html", html(title, &made, &lines)),
        ] {
            let path = out.join(name);
            std::fs::write(&path, text).map_err(Error::file(&path))?;
            output.text.push_str(&format!("\nwritten: {}", path.display()));
            written.push(path.display().to_string());
        }
        output.text.push('\n');
        if let Some(json) = output.json.as_object_mut() {
            json.insert("written".to_owned(), written.into());
        }
        Ok(output)
    }
}
