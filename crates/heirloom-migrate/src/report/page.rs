//! HTML written tag by tag: nothing reaches the page but through the escape.

use std::fmt::Write;

/// A page in the making.
pub(crate) struct Page {
    text: String,
    open: Vec<&'static str>,
}

/// A column of a table: its heading, and whether it holds numbers.
pub(crate) struct Column(pub(crate) &'static str, pub(crate) bool);

/// A cell.
pub(crate) enum Cell {
    /// Words.
    Text(String),
    /// A digest, a key, a name: in monospace, broken anywhere.
    Code(String),
    /// Several names below each other.
    Codes(Vec<String>),
    /// A mark with a class (`good`, `bad`, `warn`, `quiet`) and its words.
    Mark(&'static str, String),
}

impl Page {
    pub(crate) fn new() -> Self {
        Self { text: String::from("<!doctype html>\n"), open: Vec::new() }
    }

    /// A page with its head, its `main` open: no script, nothing loaded from anywhere.
    pub(crate) fn titled(title: &str) -> Self {
        let mut page = Self::new();
        page.open("html", &[("lang", "en")]).open("head", &[]);
        page.void("meta", &[("charset", "utf-8")]);
        page.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
        page.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
        page.element("title", "", title).style(include_str!("style.css")).close();
        page.open("body", &[]).open("main", &[]);
        page
    }

    /// Opens an element; `attributes` are ours, their values are escaped.
    pub(crate) fn open(&mut self, tag: &'static str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(tag, attributes);
        self.open.push(tag);
        self
    }

    /// Closes the element opened last.
    pub(crate) fn close(&mut self) -> &mut Self {
        if let Some(tag) = self.open.pop() {
            let _ = writeln!(self.text, "</{tag}>");
        }
        self
    }

    /// An element without an end: `meta`.
    pub(crate) fn void(&mut self, tag: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(tag, attributes);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.text);
        self
    }

    /// Our own style sheet, which is no user's text.
    pub(crate) fn style(&mut self, css: &'static str) -> &mut Self {
        let _ = writeln!(self.text, "<style>\n{css}</style>");
        self
    }

    /// An element with words in it and a class, or none when that is empty.
    pub(crate) fn element(&mut self, tag: &'static str, class: &str, text: &str) -> &mut Self {
        let attributes = [("class", class)];
        self.open(tag, if class.is_empty() { &[] } else { &attributes }).text(text).close()
    }

    /// A line of a list of facts: what it is and what it says.
    pub(crate) fn fact(&mut self, name: &str, cell: &Cell) -> &mut Self {
        self.element("dt", "", name).open("dd", &[]);
        self.cell(cell);
        self.close()
    }

    /// A table; on a narrow screen each row becomes a list, so every cell knows its heading.
    pub(crate) fn table(&mut self, columns: &[Column], rows: impl Iterator<Item = Vec<Cell>>) -> &mut Self {
        self.open("table", &[]).open("thead", &[]).open("tr", &[]);
        for Column(heading, number) in columns {
            self.open("th", &[("scope", "col"), ("class", class(*number))]).text(heading).close();
        }
        self.close().close().open("tbody", &[]);
        for row in rows {
            self.open("tr", &[]);
            for (Column(heading, number), cell) in columns.iter().zip(&row) {
                self.open("td", &[("data-label", heading), ("class", class(*number))]);
                self.cell(cell);
                self.close();
            }
            self.close();
        }
        self.close().close()
    }

    /// The page, every element closed.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.text, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            escape(value, &mut self.text);
            self.text.push('"');
        }
        self.text.push('>');
    }

    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Text(text) => self.text(text),
            Cell::Code(code) => self.element("code", "", code),
            Cell::Codes(codes) => {
                self.open("span", &[("class", "several")]);
                for code in codes {
                    self.element("code", "", code);
                }
                self.close()
            }
            Cell::Mark(class, text) => self.element("span", &format!("mark {class}"), text),
        };
    }
}

fn class(number: bool) -> &'static str {
    if number { "number" } else { "words" }
}

/// The five signs that mean something to HTML, and control characters as what they are called.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            // Control characters and marks that turn the direction of writing could make a name look like another.
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup_but_ours() {
        let mut out = String::new();
        escape("<b a='1' b=\"2\">&\u{202e}\0", &mut out);
        assert_eq!(out, "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;\\u{202e}\\u{0}");
    }

    #[test]
    fn what_is_open_is_closed() {
        let mut page = Page::new();
        page.open("main", &[]).open("p", &[("class", "x")]).text("a");
        assert_eq!(page.finish(), "<!doctype html>\n<main><p class=\"x\">a</p>\n</main>\n");
    }
}
