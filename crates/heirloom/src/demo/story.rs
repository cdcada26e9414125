//! The story: what happened in the demo, as one screen of text and as one JSON object. Pure: a value in, text out.
//!
//! The report says what was found; whether that is what was promised is judged here, in one place
//! ([`DemoReport::holds`]), for the exit code and for the last line alike.

use std::path::PathBuf;

use serde::Serialize;

use crate::text::{Table, WIDTH, count, counted, excerpt, wrap};

/// How one tenant fared. The counts add up: `source_rows = migrated + rejected + skipped`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantStory {
    /// The tenant.
    pub name: String,
    /// Rows of its legacy table.
    pub source_rows: u64,
    /// Rows the store got from it.
    pub migrated: u64,
    /// Rows set aside with a reason and their bytes.
    pub rejected: u64,
    /// Rows that were in the store already, or had been forgotten there.
    pub skipped: u64,
    /// Memories of its namespaces that are not from the table, each explained by the store's own records.
    pub explained: u64,
    /// Rows compared on both sides in every field and found equal.
    pub verified: u64,
    /// Rows written by a second `apply`.
    pub rerun_written: u64,
    /// Whether a row changed by hand was found, with its row and column.
    pub tamper_found: bool,
    /// Migrated rows that recall gave back.
    pub recalled: u64,
    /// How many were asked for.
    #[serde(skip)]
    pub asked: u64,
    /// Differences of the first `verify` that nothing explains.
    #[serde(skip)]
    pub unexplained: u64,
    /// Memories found in its namespaces at the end.
    #[serde(skip)]
    pub in_store: u64,
}

impl TenantStory {
    /// Whether everything promised for this tenant came true.
    pub fn holds(&self) -> bool {
        self.source_rows == self.migrated + self.rejected + self.skipped
            && self.in_store == self.migrated + self.skipped + self.explained
            && self.verified == self.migrated + self.skipped
            && self.unexplained == 0
            && self.rerun_written == 0
            && self.tamper_found
            && self.recalled == self.asked
            && self.asked > 0
    }
}

/// A finding of a plan worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Its id, e.g. `scope-flattened`.
    pub id: String,
    /// Whose plan.
    pub tenant: String,
    /// Rows concerned.
    pub rows: Option<u64>,
    /// What it is about, in few words.
    pub what: String,
}

/// A row changed by hand, as `verify` named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tampered {
    /// Whose row.
    pub tenant: String,
    /// The row's key at the source.
    pub key: String,
    /// The column.
    pub column: String,
}

/// A question and what came back first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// The question.
    pub query: String,
    /// The beginning of the memory.
    pub content: String,
}

/// How long the steps took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timings {
    /// Opening the store and creating the legacy tables.
    pub create: f64,
    /// All plans.
    pub plan: f64,
    /// All first applies.
    pub apply: f64,
    /// All first verifications.
    pub verify: f64,
    /// All second applies.
    pub rerun: f64,
    /// Everything.
    pub total: f64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoReport {
    /// Where the store is, in words.
    pub store: String,
    /// The tenants, in the order of the story.
    pub tenants: Vec<TenantStory>,
    /// Findings worth telling, most severe first.
    pub findings: Vec<Noted>,
    /// Rows set aside a reason, over all tenants.
    pub rejects: Vec<(String, u64)>,
    /// The live memories written after the migration: tenant and id.
    pub live: Vec<(String, String)>,
    /// The changed row that is told in full.
    pub tampered: Option<Tampered>,
    /// The recalls that are told in full.
    pub recalled: Vec<Recalled>,
    /// The steps' times.
    pub timings: Timings,
    /// The evidence page (HTML).
    pub report: PathBuf,
    /// The same as JSON.
    pub report_json: PathBuf,
}

/// The JSON form, a contract: `tenants` and the path of the page.
#[derive(Debug, Serialize)]
struct Json<'a> {
    tenants: &'a [TenantStory],
    report: String,
}

impl DemoReport {
    /// Whether all of it held, which is exit code 0.
    pub fn holds(&self) -> bool {
        !self.tenants.is_empty() && self.tenants.iter().all(TenantStory::holds)
    }

    /// The object that `--json` prints.
    pub fn json(&self) -> serde_json::Value {
        let json = Json { tenants: &self.tenants, report: self.report.display().to_string() };
        // Strings, numbers and booleans always have a JSON form.
        serde_json::to_value(json).unwrap_or_default()
    }

    /// The story, for 80 columns and one screen.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.beginning(&mut out);
        self.findings(&mut out);
        self.table(&mut out);
        self.live(&mut out);
        self.proofs(&mut out);
        self.ending(&mut out);
        out
    }

    fn beginning(&self, out: &mut String) {
        let rows: u64 = self.tenants.iter().map(|tenant| tenant.source_rows).sum();
        paragraph(
            out,
            &format!(
                "{} memories of {}, handed down into {}.",
                count(rows),
                counted(self.tenants.len() as u64, "team"),
                self.store
            ),
        );
        heading(out, "The teams' own tables, from a fixed seed", self.timings.create);
    }

    fn findings(&self, out: &mut String) {
        heading(out, "Plan: reads every row, writes nothing", self.timings.plan);
        for noted in self.findings.iter().take(5) {
            let rows = noted.rows.map_or_else(String::new, |rows| format!(", {}", counted(rows, "row")));
            hanging(out, &format!("{} ({}{rows}): {}", noted.id, noted.tenant, noted.what));
        }
        let more = self.findings.len().saturating_sub(5) as u64;
        if more > 0 {
            out.push_str(&format!("  and {} in the evidence\n", counted(more, "finding")));
        }
    }

    fn table(&self, out: &mut String) {
        heading(out, "Apply: one transaction a chunk, with its ledger row", self.timings.apply);
        heading(out, "Verify: both sides read again, every row, every field", self.timings.verify);
        let mut table =
            Table::new(&["", ">rows", ">migrated", ">set aside", ">verified", ">again", "tampering", ">recalled"]);
        for tenant in &self.tenants {
            table.row([
                tenant.name.clone(),
                count(tenant.source_rows),
                count(tenant.migrated),
                count(tenant.rejected),
                count(tenant.verified),
                count(tenant.rerun_written),
                if tenant.tamper_found { "found" } else { "MISSED" }.to_owned(),
                format!("{}/{}", tenant.recalled, tenant.asked),
            ]);
        }
        out.push_str(&table.render());
        if !self.rejects.is_empty() {
            let reasons: Vec<_> = self.rejects.iter().map(|(code, rows)| format!("{} {code}", count(*rows))).collect();
            paragraph(out, &format!("Set aside with their bytes: {}.", reasons.join(", ")));
        }
    }

    fn live(&self, out: &mut String) {
        for tenant in self.tenants.iter().filter(|tenant| tenant.explained > 0) {
            let before = tenant.source_rows;
            out.push('\n');
            paragraph(
                out,
                &format!(
                    "{} writes on: {} → {}. Explained row by row: {} migrated, {} set aside, {} written live.",
                    tenant.name,
                    count(before),
                    count(before + tenant.explained),
                    count(tenant.migrated + tenant.skipped),
                    count(tenant.rejected),
                    count(tenant.explained),
                ),
            );
            for (_, id) in self.live.iter().filter(|(name, _)| *name == tenant.name) {
                out.push_str(&format!("  {id}  no origin row; written by remember\n"));
            }
        }
    }

    fn proofs(&self, out: &mut String) {
        let written: u64 = self.tenants.iter().map(|tenant| tenant.rerun_written).sum();
        heading(out, &format!("Apply again: {} written", counted(written, "row")), self.timings.rerun);
        if let Some(tampered) = &self.tampered {
            out.push('\n');
            let what = "In each team one row was changed by hand, found and put back. Verify named";
            paragraph(out, &format!("{what} at {}:", tampered.tenant));
            hanging(out, &format!("{} of {}", tampered.column, tampered.key));
        }
        if !self.recalled.is_empty() {
            out.push_str("\nRecalled from what was handed down:\n");
        }
        for recalled in &self.recalled {
            // White space is folded, and what is too long ends between two words.
            let told = format!("{:?} → {}", recalled.query, recalled.content);
            out.push_str(&format!("  {}\n", excerpt(&told, WIDTH - 4, 1)));
        }
    }

    fn ending(&self, out: &mut String) {
        out.push_str(&format!("\nEvidence: {}\n", self.report.display()));
        out.push_str(&format!("          {}\n", self.report_json.display()));
        let broken: Vec<_> = self.tenants.iter().filter(|tenant| !tenant.holds()).map(|t| t.name.as_str()).collect();
        let verdict = if self.holds() {
            "All of it held.".to_owned()
        } else {
            format!("It did NOT hold for {}.", broken.join(", "))
        };
        out.push_str(&format!("{verdict} {:.1} s.\n", self.timings.total));
    }
}

fn paragraph(out: &mut String, text: &str) {
    for line in wrap(text, WIDTH) {
        out.push_str(&line);
        out.push('\n');
    }
}

/// A paragraph whose first line stands out to the left.
fn hanging(out: &mut String, text: &str) {
    for (at, line) in wrap(text, WIDTH - 4).iter().enumerate() {
        out.push_str(if at == 0 { "  " } else { "    " });
        out.push_str(line);
        out.push('\n');
    }
}

/// A step and its time at the right edge.
fn heading(out: &mut String, what: &str, seconds: f64) {
    let time = format!("{seconds:.1} s");
    let space = WIDTH.saturating_sub(what.chars().count() + time.len()).max(1);
    out.push_str(&format!("\n{what}{}{time}\n", " ".repeat(space)));
}

#[cfg(test)]
mod tests;
