//! The table of the seed on 80 columns: whole at the end, line by line while it runs.

use heirloom_migrate::fleet::{Line, SHADOW_HEADINGS, Side, Totals};

use crate::text::{Table, WIDTH, harmless, line, wrap};

/// Short enough for 80 columns beside numbers of seven digits; the report spells them out.
pub(super) const HEADINGS: [&str; 9] =
    ["tenant", "source", "migrated", "skip", "reject", "explain", "verified", "soak", "state"];

/// Lines that are shown whole; of a larger fleet, only those that failed and the sum.
const SHOWN: usize = 60;

/// One line, as wide as the next.
pub(super) fn live(cells: &[String; 9]) -> String {
    const WIDTHS: [usize; 9] = [14, 9, 9, 5, 7, 8, 9, 5, 9];
    let mut text = String::new();
    for (at, (cell, width)) in cells.iter().zip(WIDTHS).enumerate() {
        let cell = line(cell, width);
        let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
        match at {
            0 | 8 => text.push_str(&format!("{cell}{pad}")),
            _ => text.push_str(&format!("{pad}{cell}")),
        }
        if at == 7 {
            text.push(' ');
        }
    }
    text.trim_end().to_owned()
}

/// The line of one that waits: how far it is, and why it goes no further.
pub(super) fn waiting(cells: &[String; 9], reason: &str) -> String {
    let [tenant, source, migrated, ..] = cells;
    let far = live(&[tenant, source, migrated, "", "", "", "", "", ""].map(|cell: &str| cell.to_owned()));
    line(&format!("{far}  waits: {}", harmless(reason)), WIDTH - 2)
}

/// The table with its sum, then what failed and what to do.
pub(super) fn table(lines: &[Line]) -> String {
    let few = lines.len() <= SHOWN;
    let shown: Vec<&Line> = lines.iter().filter(|line| few || !line.holds()).take(SHOWN).collect();
    let mut rows: Vec<[String; 9]> = shown.iter().map(|line| line.cells()).collect();
    if lines.len() > 1 {
        rows.push(Totals::of(lines).cells());
    }
    let most = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([HEADINGS[at].len()]).max().unwrap_or(0)
    };
    // What the other columns leave is the name's; the full name is in JSON and in the report.
    let others: usize = (1..9).map(|at| most(at) + 2).sum();
    let name = WIDTH.saturating_sub(others + 2).max(8);
    let headings: Vec<String> = HEADINGS
        .iter()
        .enumerate()
        .map(|(at, heading)| if (1..8).contains(&at) { format!(">{heading}") } else { (*heading).to_owned() })
        .collect();
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for mut row in rows {
        row[0] = line(&row[0], name);
        table.row(row);
    }
    let mut text = table.render();
    if !few {
        text.push_str(&format!("\n{} tenants that hold are not listed\n", lines.len() - shown.len()));
    }
    for line in &shown {
        if let Some(failure) = &line.failure {
            paragraph(&mut text, &format!("{}: {}", line.tenant, failure.message));
            failure.hints.iter().for_each(|hint| indented(&mut text, &format!("hint: {hint}")));
        }
    }
    for (note, tenants) in notes(&shown) {
        match tenants.as_slice() {
            [tenant] => paragraph(&mut text, &format!("{tenant}: {note}")),
            many => paragraph(&mut text, &format!("{} tenants: {note}", many.len())),
        }
    }
    text
}

/// Who reads and writes for each tenant; of a large fleet, only where a role is more than it should be.
pub(super) fn roles(lines: &[Line]) -> String {
    let plain = |line: &Line| {
        [&line.source, &line.target].into_iter().flatten().all(|side| !side.superuser && !side.bypass_rls)
    };
    let mut table = Table::new(&["tenant", "reads as", "writes as"]);
    let mut any = false;
    for one in lines.iter().filter(|line| lines.len() <= SHOWN || !plain(line)).take(SHOWN) {
        if one.source.is_none() && one.target.is_none() {
            continue;
        }
        any = true;
        table.row([line(&one.tenant, 20), line(&Side::said(one.source.as_ref()), 26), Side::said(one.target.as_ref())]);
    }
    if any { format!("\n{}", table.render()) } else { String::new() }
}

/// How far the answers of old and new agree, where somebody asked.
pub(super) fn shadows(lines: &[Line]) -> String {
    let rows: Vec<[String; 5]> = lines.iter().filter_map(Line::shadow_cells).take(SHOWN).collect();
    if rows.is_empty() {
        return String::new();
    }
    let headings = SHADOW_HEADINGS.map(|name| if name == "tenant" { name.to_owned() } else { format!(">{name}") });
    let mut table = Table::new(&headings.each_ref().map(String::as_str));
    for mut row in rows {
        row[0] = line(&row[0], 28);
        table.row(row);
    }
    format!("\n{}", table.render())
}

/// Each note once, with the tenants it is about.
fn notes<'l>(lines: &[&'l Line]) -> Vec<(&'l str, Vec<&'l str>)> {
    let mut notes: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in lines {
        for note in &line.notes {
            match notes.iter_mut().find(|(known, _)| *known == note) {
                Some((_, tenants)) => tenants.push(&line.tenant),
                None => notes.push((note, vec![&line.tenant])),
            }
        }
    }
    notes
}

fn paragraph(text: &mut String, sentence: &str) {
    text.push_str(&format!("\n{}\n", wrap(&harmless(sentence), WIDTH - 2).join("\n  ")));
}

fn indented(text: &mut String, sentence: &str) {
    text.push_str(&format!("  {}\n", wrap(&harmless(sentence), WIDTH - 4).join("\n    ")));
}

#[cfg(test)]
mod tests {
    use heirloom_migrate::fleet::{Failure, State};

    use super::*;

    #[test]
    fn the_seeds_table_fits_in_80_columns() {
        let mut lines: Vec<Line> = [("agents-team", 1_805), ("hongming", 144), ("chloe-dong", 1), ("reno-stars", 102)]
            .into_iter()
            .map(|(tenant, rows)| Line {
                state: State::Verified,
                source_rows: Some(rows),
                migrated: Some(rows),
                skipped: Some(0),
                rejected: Some(0),
                explained: Some(0),
                verified: Some(rows),
                ..Line::new(tenant)
            })
            .collect();
        let text = table(&lines);
        assert!(
            text.contains("\n  agents-team   1,805     1,805     0       0        0     1,805     –  verified\n"),
            "{text}"
        );
        assert!(text.contains("\n  4 tenants     2,052     2,052     0       0        0     2,052"), "{text}");
        lines[1].fails(Failure { code: "x".into(), message: "word ".repeat(40), hints: vec!["do ".repeat(40)] });
        lines[2].tenant = "a-tenant-with-a-name-of-sixty-four-letters".into();
        let text = table(&lines);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(lines.iter().all(|line| live(&line.cells()).chars().count() <= WIDTH));
        assert!(text.contains("1 failed") && text.contains("hint: do"));
    }

    #[test]
    fn who_waits_says_why_in_one_line() {
        let line = Line { source_rows: Some(1_805), migrated: Some(12), ..Line::new("agents-team") };
        assert_eq!(
            waiting(&line.cells(), "3 sessions wait for a lock"),
            "agents-team       1,805       12  waits: 3 sessions wait for a lock"
        );
        let long = waiting(&line.cells(), &format!("the file /{} is there\n", "x".repeat(90)));
        assert!(long.chars().count() <= WIDTH - 2 && !long.contains('\n'), "{long}");
    }

    #[test]
    fn of_a_large_fleet_only_what_failed_is_listed() {
        let mut lines: Vec<Line> = (0..100).map(|at| Line::new(&format!("t{at}"))).collect();
        lines[70].fails(Failure { code: "x".into(), message: "down".into(), hints: Vec::new() });
        let text = table(&lines);
        assert!(
            text.contains("t70") && !text.contains("t71") && text.contains("99 tenants that hold are not listed"),
            "{text}"
        );
    }

    #[test]
    fn who_reads_and_writes_is_shown_with_what_is_too_much() {
        let side =
            |role: &str, superuser| Side { place: String::new(), role: role.into(), superuser, bypass_rls: true };
        let line = Line { source: Some(side("reader", false)), target: Some(side("root", true)), ..Line::new("a") };
        let text = roles(&[line, Line::new("b")]);
        assert!(text.ends_with("\n  a       reader (bypassrls)  root (superuser)\n"), "{text}");
        assert_eq!(roles(&[Line::new("b")]), "");
    }
}
