//! `heirloom report`, in full `heirloom report write`: compares, asks, and writes the evidence of one or more migrations as JSON and as one page.

use std::path::{Path, PathBuf};

use clap::Args;
use heirloom_migrate::plan::Plan;
use heirloom_migrate::report::{self, Evidence, Parts, Signer};
use heirloom_migrate::verify::{self, VerifyRequest};
use heirloom_migrate::{MigrateError, ledger};
use heirloom_store::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::{Context, Progress};
use crate::error::{Error, Result};
use crate::ops::migration::{self, Opened};
use crate::ops::{Doors, Operation, Output};
use crate::proof::{Http, Mcp, Served};
use crate::text::{Table, count};

/// Rows of each namespace that recall is asked for.
const SAMPLE: usize = 5;

/// Arguments of `heirloom report`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Plans that were applied, all to one store; without any, the latest run of each migration
    #[serde(default)]
    pub plans: Vec<PathBuf>,
    /// Where to write report.html and report.json [default: heirloom-report]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Operation for Report {
    const NAME: &'static str = "report write";
    const SUMMARY: &'static str = "Write the evidence of migrations: a page and its data";
    const DETAIL: &'static str = "Compares every row again and asks for some of them over SQL, HTTP and MCP, as their own tenant and as everybody else, then writes report.html, a page that \
        needs nothing else, and report.json, signed when the settings name a key. No content is in either. Exit code 3 when something does not hold.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let signer = context.config().report.key()?.map(|text| Signer::parse(&text)).transpose()?;
        let opened = match self.plans.is_empty() {
            true => stored(context).await?,
            false => Opened::all(context, &self.plans).await?.into_iter().zip(self.plans.clone()).collect(),
        };
        let mut evidence = Vec::new();
        for (opened, path) in &opened {
            evidence.push(one(context, opened, path).await?);
        }
        let out = context.path(self.out.as_deref().unwrap_or(Path::new("heirloom-report")));
        let title = match evidence.as_slice() {
            [one] => one.name.clone(),
            _ => "Migrations".to_owned(),
        };
        let (page, data) = (out.join("report.html"), out.join("report.json"));
        write(&out, &page, &report::html(&title, &evidence))?;
        let text_of_data = report::json(&evidence);
        // A key that cannot be used is said before anything is written.
        let signed = signer.map(|signer| signer.sign(text_of_data.as_bytes()));
        write(&out, &data, &text_of_data)?;
        let signature = super::check::beside(&data);
        match &signed {
            Some(signed) => {
                let text =
                    serde_json::to_string_pretty(signed).map_err(|error| Error::Bug(format!("no JSON: {error}")))?;
                write(&out, &signature, &(text + "\n"))?;
            }
            // One of an earlier report would be of other bytes.
            None => match std::fs::remove_file(&signature) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::file(&signature)(error));
                }
                _ => {}
            },
        }
        let holds = evidence.iter().all(|one| one.holds);
        let signed_by = signed.map(|signed| signed.public_key);
        let json =
            json!({ "page": page, "data": data, "signed_by": signed_by, "holds": holds, "migrations": evidence });
        let mut text = text(&evidence, &page, &data);
        if let Some(key) = signed_by {
            text.push_str(&format!("Signed by {key}\n"));
        }
        Ok(Output::new(&json, text)?.holding(holds))
    }
}

/// The latest run of each migration, its plan as the ledger keeps it.
async fn stored(context: &Context) -> Result<Vec<(Opened<'_>, PathBuf)>> {
    let database = context.existing().await?;
    let plans = {
        let client = database.client().await?;
        let runs = if ledger::exists(&client).await? { ledger::runs(&client).await? } else { Vec::new() };
        let mut plans = Vec::new();
        for run in migration::latest(runs) {
            plans.push(ledger::stored_plan(&client, run.run_id).await?);
        }
        plans
    };
    if plans.is_empty() {
        return Err(MigrateError::Refused {
            what: "Nothing was handed down yet, so there is nothing to report".to_owned(),
            cure: "start with `heirloom detect URL`".to_owned(),
        }
        .into());
    }
    let mut opened = Vec::new();
    for plan in plans {
        let path = Plan::path_for(Path::new(&plan.file.path));
        opened.push((Opened::of(context, plan, database).await?, path));
    }
    Ok(opened)
}

/// The evidence of one migration: everything compared again, some of it recalled.
pub(in crate::ops) async fn one(context: &Context, opened: &Opened<'_>, path: &Path) -> Result<Evidence> {
    let plan = &opened.plan;
    let store = Store::open(opened.database).await?;
    let (run, rejects) = {
        let client = opened.database.client().await?;
        let run = match ledger::exists(&client).await? {
            true => ledger::find_run(&client, plan.run_id).await?,
            false => None,
        };
        let run = run.ok_or_else(|| plan.never_applied())?;
        (run, ledger::reject_counts(&client, &plan.origin_source()).await?)
    };
    let verification = verify::run(VerifyRequest {
        foreign: opened.foreign.as_deref(),
        plan,
        source: opened.source.as_ref(),
        store: &store,
        show_content: false,
        progress: &mut |done, total| {
            context.watch().progress(&Progress { label: plan.name.clone(), done, total, rejected: 0 });
        },
    })
    .await?;
    // Recall answers for the store alone.
    let recall = match opened.foreign {
        None => {
            let served = Served::new(context);
            let (http, mcp) = (Http(&served), Mcp(&served));
            Some(verify::recall_proof(plan, &store, SAMPLE, &[&http, &mcp]).await?)
        }
        Some(_) => None,
    };
    let soak = {
        let client = opened.database.client().await?;
        heirloom_migrate::soak::status(&client, &run, context.clock().now()).await?
    };
    let mut evidence = Evidence::of(&Parts {
        plan,
        run: &run,
        rejects: &rejects,
        verification: Some(&verification),
        recall: recall.as_ref(),
        soak: Some(&soak),
        plan_path: &path.display().to_string(),
        heirloom: env!("CARGO_PKG_VERSION"),
        generated_at: jiff::Timestamp::now(),
    });
    // The ledger keeps a plan without its samples; what was applied is the plan with them.
    evidence.plan.digest.clone_from(&run.plan_digest);
    Ok(evidence)
}

fn write(dir: &Path, path: &Path, text: &str) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
    std::fs::write(path, text).map_err(Error::file(path))
}

fn text(evidence: &[Evidence], page: &Path, data: &Path) -> String {
    let mut table = Table::new(&["migration", ">rows", ">migrated", ">set aside", ">differences", ""]);
    for one in evidence {
        let differences = one.counts.differences.map_or_else(|| "-".to_owned(), count);
        let verdict = if one.holds { "holds" } else { "does not hold" };
        let (rows, migrated) = (count(one.counts.source_rows), count(one.counts.migrated));
        table.row([&*one.name, &rows, &migrated, &count(one.counts.rejected), &differences, verdict]);
    }
    format!("{}\nThe page is {}\nThe data is {}\n", table.render(), page.display(), data.display())
}
