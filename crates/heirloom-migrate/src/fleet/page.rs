//! The fleet's report: the table of tenants with who read and wrote, as Markdown and as one self-contained page. Its data is
//! the lines themselves. No content, no credential.

use super::line::{HEADINGS, Line, SHADOW_HEADINGS, Side, Totals};
use crate::report::page::{Cell, Column, Page};

/// What the numbers mean, once for both forms.
const LEGEND: &str = "Migrated rows are in the store, skipped ones were left as the store has them (forgotten there, or \
    changed on both sides), rejected ones were set aside with their original bytes; the three add up to the source. \
    Verified rows were read again on both sides and are equal in every field; explained ones differ for a reason that the \
    store's own records give.";

/// What the table of shadow recall means.
const SHADOW: &str = "Questions asked of old and new by the newest sweep: the share of the old side's first ten answers that the \
    new side gave too, and by how many places they moved. It gates nothing.";

/// The table as Markdown.
pub fn markdown(title: &str, made: &str, lines: &[Line]) -> String {
    let row =
        |cells: &[String]| format!("| {} |\n", cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join(" | "));
    let mut text = format!("# {}\n\n{}\n\n", plain(title), verdict(lines));
    text.push_str(&row(&HEADINGS.map(str::to_owned)));
    text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n");
    lines.iter().for_each(|line| text.push_str(&row(&line.cells())));
    if lines.len() > 1 {
        text.push_str(&row(&Totals::of(lines).cells()));
    }
    text.push_str(&format!("\n{LEGEND}\n"));
    if lines.iter().any(|line| line.source.is_some() || line.target.is_some()) {
        text.push_str("\n| tenant | reads as | writes as | tried on |\n| --- | --- | --- | ---: |\n");
        for line in lines {
            let tried = line.probed.map_or_else(|| "–".to_owned(), |others| format!("{others} others"));
            text.push_str(&row(&[
                line.tenant.clone(),
                Side::said(line.source.as_ref()),
                Side::said(line.target.as_ref()),
                tried,
            ]));
        }
    }
    let mut asked = lines.iter().filter_map(Line::shadow_cells).peekable();
    if asked.peek().is_some() {
        text.push_str(&format!("\n{SHADOW}\n\n{}", row(&SHADOW_HEADINGS.map(str::to_owned))));
        text.push_str("| --- | ---: | ---: | ---: | ---: |\n");
        asked.for_each(|cells| text.push_str(&row(&cells)));
    }
    for line in lines {
        if let Some(failure) = &line.failure {
            text.push_str(&format!("\n- **{}** failed: {}", plain(&line.tenant), plain(&failure.message)));
            failure.hints.iter().for_each(|hint| text.push_str(&format!("; {}", plain(hint))));
        }
        line.notes.iter().for_each(|note| text.push_str(&format!("\n- {}: {}", plain(&line.tenant), plain(note))));
    }
    format!("{}\n\nMade by Heirloom {made}.\n", text.trim_end())
}

/// One page: no script, nothing loaded from anywhere.
pub fn html(title: &str, made: &str, lines: &[Line]) -> String {
    let mut page = Page::titled(title);
    page.open("header", &[]).element("h1", "", title);
    let good = lines.iter().all(Line::holds);
    page.element("p", if good { "verdict good" } else { "verdict bad" }, &verdict(lines));
    let headings =
        ["Tenant", "Source rows", "Migrated", "Skipped", "Rejected", "Explained", "Verified", "Soaked days", "State"];
    let columns: Vec<Column> =
        headings.into_iter().enumerate().map(|(at, name)| Column(name, at > 0 && at < 8)).collect();
    let row = |cells: [String; 9], class: &'static str| {
        let mut cells: Vec<Cell> = cells.into_iter().map(Cell::Text).collect();
        if let Some(Cell::Text(state)) = cells.pop() {
            cells.push(if state.is_empty() { Cell::Text(state) } else { Cell::Mark(class, state) });
        }
        cells
    };
    let mut rows: Vec<Vec<Cell>> =
        lines.iter().map(|line| row(line.cells(), if line.holds() { "good" } else { "bad" })).collect();
    let summed = lines.len() > 1;
    if summed {
        rows.push(row(Totals::of(lines).cells(), "bad"));
    }
    page.open("div", &[("class", if summed { "tenants summed" } else { "tenants" })]);
    page.table(&columns, rows.into_iter()).close().element("p", "quiet", LEGEND).close();
    let asked: Vec<[String; 5]> = lines.iter().filter_map(Line::shadow_cells).collect();
    if !asked.is_empty() {
        let headings = ["Tenant", "Questions", "Answered", "Overlap@10", "Rank shift"];
        let columns: Vec<Column> = headings.into_iter().enumerate().map(|(at, name)| Column(name, at > 0)).collect();
        let rows = asked.into_iter().map(|cells| cells.into_iter().map(Cell::Text).collect());
        page.open("div", &[("class", "tenants")]).table(&columns, rows).close().element("p", "quiet", SHADOW);
    }
    for line in lines {
        section(&mut page, line);
    }
    page.open("footer", &[]).element(
        "p",
        "",
        &format!("Made by Heirloom {made}. This page holds no memory's content."),
    );
    page.finish()
}

fn section(page: &mut Page, line: &Line) {
    page.open("article", &[]).element("h2", "", &line.tenant);
    if let Some(failure) = &line.failure {
        page.element("p", "bad", &failure.message);
        for hint in &failure.hints {
            page.element("p", "", hint);
        }
    }
    page.open("dl", &[]);
    for (name, one) in [("Reads as", &line.source), ("Writes as", &line.target)] {
        if let Some(one) = one {
            page.fact(name, &Cell::Text(format!("{}, in {}", Side::said(Some(one)), one.place)));
        }
    }
    if let Some(others) = line.probed {
        page.fact("Could not read", &Cell::Text(format!("rows of {others} other tenants that it was tried on")));
    }
    for (name, text) in [("Plan", &line.plan), ("Digest of the plan", &line.plan_digest)] {
        if let Some(text) = text {
            page.fact(name, &Cell::Code(text.clone()));
        }
    }
    if let Some(run) = line.run_id {
        page.fact("Run", &Cell::Code(run.to_string()));
    }
    for note in &line.notes {
        page.fact("Note", &Cell::Text(note.clone()));
    }
    page.close().close();
}

fn verdict(lines: &[Line]) -> String {
    let sum = Totals::of(lines);
    let number = crate::report::number;
    match sum.failed {
        0 => format!(
            "{} tenants: {} of {} rows are in the store, and {} were found equal in every field.",
            number(sum.tenants),
            number(sum.migrated),
            number(sum.source_rows),
            number(sum.verified)
        ),
        failed => format!("{} of {} tenants failed; what to do stands with each.", number(failed), number(sum.tenants)),
    }
}

/// A cell that cannot end its own or be markup.
fn plain(text: &str) -> String {
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    one_line.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::super::line::{Failure, State};
    use super::*;

    fn lines() -> Vec<Line> {
        let side = Side { place: "postgres://r@h/d".into(), role: "r".into(), superuser: true, bypass_rls: false };
        let done = Line {
            state: State::Verified,
            source_rows: Some(1_805),
            migrated: Some(1_803),
            skipped: Some(1),
            rejected: Some(1),
            explained: Some(0),
            verified: Some(1_803),
            source: Some(side),
            probed: Some(3),
            ..Line::new("agents-team")
        };
        let mut failed = Line::new("a|<b>");
        failed.fails(Failure { code: "x".into(), message: "down\nnow".into(), hints: vec!["start it".into()] });
        vec![done, failed]
    }

    #[test]
    fn markdown_is_the_table_with_its_sum_and_the_cures() {
        let text = markdown("seed", "0.1.0", &lines());
        for line in [
            "1 of 2 tenants failed; what to do stands with each.",
            "| agents-team | 1,805 | 1,803 | 1 | 1 | 0 | 1,803 | – | verified |",
            "| a\\|&lt;b> | – | – | – | – | – | – | – | failed |",
            "| 2 tenants | 1,805 | 1,803 | 1 | 1 | 0 | 1,803 |  | 1 failed |",
            "| agents-team | r (superuser) | – | 3 others |",
            "- **a\\|&lt;b>** failed: down now; start it",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn the_page_escapes_what_it_is_given() {
        let page = html("<seed>", "0.1.0", &lines());
        assert!(
            page.contains("&lt;seed&gt;")
                && !page.contains("<b>")
                && page.contains("r (superuser), in postgres://r@h/d")
        );
        assert_eq!(page.matches("<article>").count(), 2);
    }
}
