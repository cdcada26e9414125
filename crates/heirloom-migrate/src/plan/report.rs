//! The plan as a page for a terminal: what happens to every column and every value, what will be set aside, what to
//! think about, and whether anything refuses it.
//!
//! Plain ASCII of our own making, no colour (the caller's affair), no row content: samples stay in the plan file.
//! What comes from the source (names, values) has its control characters escaped, so that a value cannot draw on the
//! reader's screen.

use std::fmt::Write as _;

use super::{ColumnFate, Enumeration, Estimate, Fate, Finding, Plan, RejectCount, Severity};

/// Values shown a column; the plan file has all.
const MOST_VALUES: usize = 12;

/// Namespaces shown; the plan file has all.
const MOST_NAMESPACES: usize = 10;

/// The report, wrapped to `width` columns (at least 60).
pub fn report_text(plan: &Plan, width: usize) -> String {
    let mut page = Page { text: String::new(), width: width.max(60) };
    header(&mut page, plan);
    columns(&mut page, &plan.columns);
    enumerations(&mut page, &plan.enumerations);
    dimensions(&mut page, plan);
    namespaces(&mut page, plan);
    rejects(&mut page, &plan.rejects);
    findings(&mut page, &plan.findings);
    verdict(&mut page, plan);
    page.text
}

/// `unmapped-value in state`.
pub(crate) fn reject_name(reject: &RejectCount) -> String {
    let code = serde_json::to_value(reject.code).ok();
    let code = code.as_ref().and_then(serde_json::Value::as_str).unwrap_or("unknown");
    reject.field.as_ref().map_or_else(|| code.to_owned(), |field| format!("{code} in {field}"))
}

fn header(page: &mut Page, plan: &Plan) {
    let counts = &plan.counts;
    page.wrap("", "  ", &format!("Plan {}: {} -> {}", plan.name, plan.source.table.name, target_name(plan)));
    page.blank();
    page.field(
        "source",
        &format!("{}, {}, role {}", plan.source.display, plan.source.identity.server, plan.source.identity.role),
    );
    page.field("key", &plan.source.key.join(", "));
    page.field(
        "target",
        &format!("{}, {}, role {}", plan.target.display, plan.target.identity.server, plan.target.identity.role),
    );
    if let Some(found) = &plan.target.foreign {
        page.field("into", &format!("{}, {}, role {}", found.display, found.identity.server, found.identity.role));
    }
    page.field("made", &format!("{} by Heirloom {}", plan.created_at, plan.heirloom));
    page.blank();
    page.wrap(
        "",
        "",
        &format!(
            "{} read ({}): {} will be handed down, {} set aside.",
            rows(counts.rows),
            bytes(counts.bytes),
            number(counts.accepted),
            number(counts.rejected)
        ),
    );
    let mut known = Vec::new();
    for (count, what) in [
        (counts.present, "already there"),
        (counts.taken, "under an id that is taken"),
        (counts.forgotten, "forgotten before and left so"),
        (counts.expired, "past their time"),
        (counts.ghosts, "without provenance"),
    ] {
        if count > 0 {
            known.push(format!("{} {what}", number(count)));
        }
    }
    if !known.is_empty() {
        page.wrap("", "", &format!("Of these: {}.", known.join(", ")));
    }
    let beyond = plan.target.predicted.as_ref().map_or(0, |predicted| predicted.beyond_sight);
    if beyond > 0 {
        let what = plural(beyond, "namespace");
        page.wrap(
            "",
            "",
            &format!("{what} of the target show a part of themselves alone, so more may be there already."),
        );
    }
    page.wrap(
        "",
        "",
        &format!(
            "{} of at most {} or {}; {}.",
            plural(plan.chunks.len() as u64, "chunk"),
            limit(plan.limits.chunk_bytes),
            rows(plan.limits.chunk_rows),
            estimate(&plan.estimate)
        ),
    );
}

/// What it will take and what that is made of, as far as that is more than a second; and the memory of an index.
fn estimate(estimate: &Estimate) -> String {
    let (least, most) = estimate.range();
    let mut said = match most < 2.0 {
        true => "less than 2 s".to_owned(),
        false => format!("{} to {}", seconds(least), seconds(most)),
    };
    let parts: Vec<String> = [
        (estimate.copy_seconds, "to copy"),
        (estimate.rank_seconds, "to rank"),
        (estimate.kept_seconds, "in indexes that stand"),
        (estimate.index_seconds, "to index afterwards"),
    ]
    .into_iter()
    .filter(|(part, _)| *part >= 0.5)
    .map(|(part, what)| format!("{} {what}", seconds(part)))
    .collect();
    if !parts.is_empty() {
        said.push_str(&format!(": about {}", parts.join(", ")));
    }
    match (estimate.index_bytes, estimate.index_seconds > 0.0) {
        (0, _) => {}
        (memory, true) => said.push_str(&format!(
            "; the largest vector index takes {} of memory to build (bound by database.index_memory)",
            bytes(memory)
        )),
        (memory, false) => said.push_str(&format!("; {} of memory to build the vector index", bytes(memory))),
    }
    said
}

fn target_name(plan: &Plan) -> String {
    if let Some(found) = &plan.target.foreign {
        return format!("{} ({} dimensions)", found.surface.table(), found.dimension);
    }
    match plan.target.store_id {
        Some(_) => format!("the store ({} dimensions)", plan.target.dimension),
        None => format!("a new store ({} dimensions)", plan.target.dimension),
    }
}

fn columns(page: &mut Page, columns: &[ColumnFate]) {
    page.heading("Columns");
    let mut table = vec![[String::from("column"), "type".into(), "becomes".into(), "null".into()]];
    for column in columns {
        let mut becomes = match column.fate {
            Fate::Mapped => column.to.join(", "),
            Fate::Kept => format!("kept in {}", column.to.join(" and ")),
            Fate::Dropped => "dropped".to_owned(),
            Fate::Lost => "LOST".to_owned(),
        };
        if let Some(note) = &column.note {
            let _ = write!(becomes, " ({note})");
        }
        let nulls = if column.nulls == 0 { "-".to_owned() } else { number(column.nulls) };
        table.push([clean(&column.column), clean(&column.declared), clean(&becomes), nulls]);
    }
    page.table(&table);
}

fn enumerations(page: &mut Page, enumerations: &[Enumeration]) {
    for enumeration in enumerations {
        page.heading(&format!("Values of {} -> {}", clean(&enumeration.column), enumeration.field));
        let mut table = Vec::new();
        for value in enumeration.values.iter().take(MOST_VALUES) {
            let shown = value.value.as_ref().map_or_else(|| "NULL".to_owned(), |text| quoted(text));
            table.push([shown, number(value.count), "->".to_owned(), clean(&value.becomes)]);
        }
        page.table(&table);
        let more = enumeration.values.len().saturating_sub(MOST_VALUES);
        if more > 0 || enumeration.unlisted > 0 {
            let unlisted = match enumeration.unlisted {
                0 => String::new(),
                count => format!("; {} hold values beyond the {} listed", rows(count), super::MOST_VALUES),
            };
            page.line(&format!("  and {more} more values, all in the plan file{unlisted}"));
        }
    }
}

fn dimensions(page: &mut Page, plan: &Plan) {
    if plan.dimensions.iter().all(|count| count.dimensions.is_none()) {
        return;
    }
    page.heading("Embeddings");
    let table: Vec<[String; 3]> = plan
        .dimensions
        .iter()
        .map(|count| {
            let width = count.dimensions.map_or_else(|| "none".to_owned(), |width| format!("{width} dimensions"));
            [width, number(count.rows), count.becomes.clone()]
        })
        .collect();
    page.table(&table);
}

fn namespaces(page: &mut Page, plan: &Plan) {
    page.heading(&plural(plan.namespaces.len() as u64, "namespace"));
    let table: Vec<[String; 2]> = plan
        .namespaces
        .iter()
        .take(MOST_NAMESPACES)
        .map(|count| [clean(&count.namespace), number(count.rows)])
        .collect();
    page.table(&table);
    let rest = plan.namespaces.get(MOST_NAMESPACES..).unwrap_or_default();
    if !rest.is_empty() {
        let total = rest.iter().map(|count| count.rows).sum();
        page.line(&format!("  and {} more with {}", number(rest.len() as u64), rows(total)));
    }
}

fn rejects(page: &mut Page, rejects: &[RejectCount]) {
    if rejects.is_empty() {
        return;
    }
    page.heading("Set aside");
    for reject in rejects {
        let key = reject.example_key.join(", ");
        page.wrap("  ", "    ", &format!("{} {}, e.g. key {key}", number(reject.count), reject_name(reject)));
        page.wrap("      ", "      ", &reject.message);
    }
}

fn findings(page: &mut Page, findings: &[Finding]) {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    page.heading(&format!(
        "Findings: {}, {}, {}",
        plural(count(Severity::Danger), "danger"),
        plural(count(Severity::Warning), "warning"),
        plural(count(Severity::Note), "note")
    ));
    for finding in findings {
        let mark = match finding.severity {
            Severity::Danger => "!!",
            Severity::Warning => "! ",
            Severity::Note => "  ",
        };
        let of = finding.rows.map_or_else(String::new, |count| format!(" ({})", rows(count)));
        page.line(&format!("{mark} {}{of}", finding.id));
        page.wrap("      ", "      ", &format!("{}.", finding.what));
        match finding.write.strip_prefix("nothing") {
            None => page.wrap("      -> ", "         ", &finding.write),
            Some("") => {}
            Some(rest) => page.wrap("      ok ", "         ", rest.trim_start_matches([';', ',', ' '])),
        }
    }
}

fn verdict(page: &mut Page, plan: &Plan) {
    if plan.refusals.is_empty() {
        page.heading("Nothing keeps this plan from being applied.");
        return;
    }
    page.heading("This plan cannot be applied");
    for refusal in &plan.refusals {
        page.wrap("  - ", "    ", &format!("{refusal}."));
    }
}

/// Text that grows line by line.
struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.blank();
        self.line(heading);
    }

    fn field(&mut self, name: &str, value: &str) {
        self.wrap(&format!("  {name:<8}"), "          ", value);
    }

    /// Breaks text between words; a word longer than the line stands alone.
    fn wrap(&mut self, first: &str, next: &str, text: &str) {
        let text = clean(text);
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in text.split_whitespace() {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > self.width {
                self.line(&line);
                line = next.to_owned();
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(&line);
    }

    /// Columns padded to their widest cell; the last but one may be cut so that a row keeps to the page.
    fn table<const N: usize>(&mut self, rows: &[[String; N]]) {
        let mut widths = [0; N];
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let total = widths.iter().sum::<usize>() + 2 * N;
        let over = total.saturating_sub(self.width);
        let widest = (0..N).max_by_key(|at| widths[*at]).unwrap_or(0);
        widths[widest] = widths[widest].saturating_sub(over).max(16);
        for row in rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                let shown: String = if cell.chars().count() > width {
                    cell.chars().take(width.saturating_sub(3)).chain("...".chars()).collect()
                } else {
                    cell.clone()
                };
                let is_number = !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit() || c == ',')
                    || matches!(cell.as_str(), "-" | "null");
                let _ = if is_number { write!(line, "  {shown:>width$}") } else { write!(line, "  {shown:<width$}") };
            }
            self.line(&line);
        }
    }
}

/// Control characters and the ones that turn writing around, escaped; an ellipsis as three dots.
fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2026}' => shown.push_str("..."),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                shown.extend(c.escape_unicode());
            }
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

/// A value as the source spells it, in quotes when its edges could be missed.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.trim() != text { format!("\"{}\"", clean(text)) } else { clean(text) }
}

/// `2,052`.
fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

fn rows(count: u64) -> String {
    plural(count, "row")
}

fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}

fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut amount = count as f64 / 1000.0;
    let mut unit = 0;
    while amount >= 1000.0 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// A limit as it was set: in MiB or KiB where it is a whole number of them.
fn limit(count: u64) -> String {
    match count {
        count if count >= 1 << 20 && count.is_multiple_of(1 << 20) => format!("{} MiB", number(count >> 20)),
        count if count >= 1 << 10 && count.is_multiple_of(1 << 10) => format!("{} KiB", number(count >> 10)),
        count => plural(count, "byte"),
    }
}

fn seconds(amount: f64) -> String {
    match amount {
        amount if amount < 1.5 => "1 s".to_owned(),
        amount if amount < 120.0 => format!("{amount:.0} s"),
        amount if amount < 7200.0 => format!("{:.0} min", amount / 60.0),
        amount => format!("{:.1} h", amount / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(2052), "2,052");
        assert_eq!(number(1_000_000), "1,000,000");
    }

    #[test]
    fn a_value_cannot_draw_on_the_screen() {
        let shown = clean("a\u{1b}[2Jb\u{202e}c\r\n木");
        assert_eq!(shown, "a\\u{1b}[2Jb\\u{202e}c\\r\\n木");
        assert_eq!(quoted(" draft"), "\" draft\"");
    }

    #[test]
    fn bytes_and_seconds_read_well() {
        assert_eq!(bytes(12), "12 B");
        assert_eq!(bytes(1_400_000), "1.4 MB");
        assert_eq!(seconds(0.6), "1 s");
        assert_eq!(seconds(3000.0), "50 min");
    }

    #[test]
    fn a_limit_reads_as_it_was_set() {
        assert_eq!(limit(16 << 20), "16 MiB");
        assert_eq!(limit(64 << 10), "64 KiB");
        assert_eq!(limit(1_000_000), "1,000,000 bytes");
    }

    #[test]
    fn text_is_wrapped_between_words() {
        let mut page = Page { text: String::new(), width: 20 };
        page.wrap("- ", "  ", "one two three four five six");
        assert!(page.text.lines().all(|line| line.chars().count() <= 20), "{}", page.text);
        assert_eq!(page.text.split_whitespace().filter(|word| *word != "-").count(), 6);
    }
}
