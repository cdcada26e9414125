//! Text for people: aligned columns, counts with separators. What no door prints by itself.

/// `1805` as `1,805`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `2 rows`, `3 entries`: the count and the noun in the right number.
pub fn counted(n: u64, noun: &str) -> String {
    match noun.strip_suffix("ry") {
        _ if n == 1 => format!("{} {noun}", count(n)),
        Some(stem) => format!("{} {stem}ries", count(n)),
        None if noun.ends_with('s') => format!("{} {noun}es", count(n)),
        None => format!("{} {noun}s", count(n)),
    }
}

/// Bytes in the unit that leaves at most four digits.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n;
    let mut rest = 0;
    let mut unit = 0;
    while value >= 1024 && unit + 1 < UNITS.len() {
        rest = value % 1024;
        value /= 1024;
        unit += 1;
    }
    if unit == 0 || value >= 10 {
        format!("{value} {}", UNITS[unit])
    } else {
        format!("{value}.{} {}", rest * 10 / 1024, UNITS[unit])
    }
}

/// One line of at most `width` characters; what is cut off is marked.
pub fn line(text: &str, width: usize) -> String {
    let mut out = String::new();
    for (used, character) in text.chars().enumerate() {
        if used + 1 == width && text.chars().count() > width {
            out.push('…');
            return out;
        }
        out.push(if character.is_control() { ' ' } else { character });
    }
    out
}

/// At most `lines` lines of `width` characters of a text, on one screen: white space is folded, what is cut is marked.
pub fn excerpt(text: &str, width: usize, lines: usize) -> String {
    let folded = harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut wrapped: Vec<String> = wrap(&folded, width).into_iter().map(|part| line(&part, width)).collect();
    if wrapped.len() > lines {
        wrapped.truncate(lines);
        if let Some(last) = wrapped.last_mut() {
            // Room for the mark is made by a whole word.
            while last.chars().count() + 2 > width
                && let Some((before, _)) = last.rsplit_once(' ')
            {
                *last = before.to_owned();
            }
            *last = line(&format!("{last} …"), width);
        }
    }
    wrapped.join("\n")
}

/// A text that cannot draw on the reader's terminal: control characters but line breaks and tabs, and those that turn
/// the direction of writing around, are shown escaped.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => out.push(character),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.extend(character.escape_unicode()),
            character if character.is_control() => out.extend(character.escape_default()),
            character => out.push(character),
        }
    }
    out
}

/// Rows of cells, aligned: words to the left, numbers to the right, the last column as long as it likes.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    /// A table with these headings; a heading that starts with `>` is for a column of numbers.
    pub fn new(headings: &[&str]) -> Self {
        let right = headings.iter().map(|heading| heading.starts_with('>')).collect();
        let first = headings.iter().map(|heading| heading.trim_start_matches('>').to_owned()).collect::<Vec<_>>();
        let rows = if first.iter().all(String::is_empty) { Vec::new() } else { vec![first] };
        Self { rows, right }
    }

    /// Adds a row.
    pub fn row<I, S>(&mut self, cells: I)
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The lines, each indented by two; a last column of words that does not fit in 80 columns goes on below itself.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| self.rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let before: usize = widths.iter().take(columns.saturating_sub(1)).map(|width| width + 2).sum::<usize>() + 2;
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::from("  ");
            for (i, cell) in row.iter().enumerate() {
                let last = i + 1 == columns;
                let pad = " ".repeat(widths[i] - cell.chars().count());
                match (self.right.get(i).copied().unwrap_or(false), last) {
                    (true, _) => line.push_str(&format!("{pad}{cell}  ")),
                    (false, false) => line.push_str(&format!("{cell}{pad}  ")),
                    (false, true) => {
                        let below = format!("\n{}", " ".repeat(before));
                        line.push_str(&wrap(cell, WIDTH.saturating_sub(before).max(30)).join(&below));
                    }
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// The width that text output is made for.
pub const WIDTH: usize = 80;

/// Breaks a sentence at its spaces into lines of at most `width` characters; a longer word stays whole.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_separates_thousands() {
        assert_eq!([count(0), count(999), count(1805), count(1_234_567)], ["0", "999", "1,805", "1,234,567"]);
    }

    #[test]
    fn line_cuts_by_characters_and_shows_it() {
        assert_eq!(line("記憶を渡す", 3), "記憶…");
        assert_eq!(line("a\r\nb", 10), "a  b");
        assert_eq!(line("abc", 3), "abc");
    }

    #[test]
    fn an_excerpt_keeps_to_its_lines_and_cannot_draw() {
        assert_eq!(excerpt("one two three four", 8, 2), "one two\nthree …");
        assert_eq!(excerpt("a\u{1b}[2Jb\r\nc", 40, 1), "a\\u{1b}[2Jb c");
        assert_eq!(harmless("a\r\nb\u{202e}"), "a\\r\nb\\u{202e}");
    }

    #[test]
    fn table_aligns_numbers_to_the_right() {
        let mut table = Table::new(&["tenant", ">rows"]);
        table.row(["agents-team", "1,805"]);
        table.row(["reno", "1"]);
        assert_eq!(table.render(), "  tenant        rows\n  agents-team  1,805\n  reno             1\n");
    }

    #[test]
    fn table_goes_on_below_its_last_column() {
        let mut table = Table::new(&["", ""]);
        table.row(["name", &"word ".repeat(20)]);
        for line in table.render().lines().skip(1) {
            assert!(line.starts_with("        word"), "{line}");
            assert!(line.chars().count() <= WIDTH);
        }
        assert_eq!(wrap("a postgres://very-long b", 5), ["a", "postgres://very-long", "b"]);
    }

    #[test]
    fn bytes_keep_it_short() {
        assert_eq!([bytes(0), bytes(1536), bytes(20 << 20)], ["0 B", "1.5 KiB", "20 MiB"]);
    }
}
