//! The page: the verdict in one sentence, a table of tenants, then a section a migration.

use super::page::{Cell, Column, Page};
use super::words::{self, maybe, number};
use super::{Evidence, section};

/// One self-contained page: no script, nothing loaded from anywhere, light and dark, fit for print.
pub fn html(title: &str, evidence: &[Evidence]) -> String {
    let mut page = Page::titled(title);
    head(&mut page, title, evidence);
    for (at, one) in evidence.iter().enumerate() {
        section::migration(&mut page, one, &anchor(at));
    }
    foot(&mut page, evidence);
    page.finish()
}

fn anchor(at: usize) -> String {
    format!("m{}", at + 1)
}

fn head(page: &mut Page, title: &str, evidence: &[Evidence]) {
    let (good, verdict) = words::verdict(evidence);
    page.open("header", &[]).element("h1", "", title);
    page.element("p", if good { "verdict good" } else { "verdict bad" }, &verdict);
    if !evidence.is_empty() {
        tenants(page, evidence);
    }
    page.close();
}

fn tenants(page: &mut Page, evidence: &[Evidence]) {
    let columns = [
        Column("Tenant", false),
        Column("Source rows", true),
        Column("Migrated", true),
        Column("Set aside", true),
        Column("Explained", true),
        Column("Verified", true),
        Column("State", false),
    ];
    let line = |one: &Evidence| {
        let (class, state) = words::state(one);
        vec![
            Cell::Text(one.tenant.clone()),
            Cell::Text(number(one.counts.source_rows)),
            Cell::Text(number(one.counts.migrated)),
            Cell::Text(number(one.counts.rejected)),
            Cell::Text(maybe(one.counts.explained)),
            Cell::Text(maybe(one.counts.equal)),
            Cell::Mark(class, state.to_owned()),
        ]
    };
    let mut lines: Vec<Vec<Cell>> = evidence.iter().map(line).collect();
    if evidence.len() > 1 {
        lines.push(total(evidence));
    }
    page.open("div", &[("class", if evidence.len() > 1 { "tenants summed" } else { "tenants" })]);
    page.table(&columns, lines.into_iter()).close();
}

fn total(evidence: &[Evidence]) -> Vec<Cell> {
    let sum = |of: &dyn Fn(&Evidence) -> u64| Cell::Text(number(evidence.iter().map(of).sum()));
    let holding = evidence.iter().filter(|one| one.holds).count();
    vec![
        Cell::Text("All".to_owned()),
        sum(&|one| one.counts.source_rows),
        sum(&|one| one.counts.migrated),
        sum(&|one| one.counts.rejected),
        sum(&|one| one.counts.explained.unwrap_or(0)),
        sum(&|one| one.counts.equal.unwrap_or(0)),
        Cell::Text(format!("{holding} of {} verified", evidence.len())),
    ]
}

fn foot(page: &mut Page, evidence: &[Evidence]) {
    let Some(first) = evidence.first() else { return };
    page.open("footer", &[]);
    page.element(
        "p",
        "",
        "Verified means: the source row was read again, mapped again and found equal to the stored row in every column. \
         Set aside means: the row could not be stored as it is; its original bytes are kept until it is mended. \
         Explained means: the store's own records say who changed the row after it was handed down, or that the row was \
         written live and never came from this source. \
         This page holds no memory's content.",
    );
    let made = format!("Made by Heirloom {} on {}.", first.versions.report, words::moment(&first.generated_at));
    page.element("p", "", &made).close();
}
