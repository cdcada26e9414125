//! The proposed migration file as text, with the reasons beside the words.

use super::fields::Entry;

/// Longest line of an array before it is broken.
const WIDTH: usize = 110;

/// Everything a file says.
pub(super) struct Sheet<'a> {
    pub(super) name: &'a str,
    pub(super) url: &'a str,
    pub(super) table: &'a str,
    pub(super) preset: Option<&'a str>,
    /// `key = […]`, when the table declares none.
    pub(super) key: Option<String>,
    /// `[source.tree]`, of a preset that has one.
    pub(super) tree: Option<[(&'static str, String); 4]>,
    /// Template and comments; `None` with a preset.
    pub(super) namespace: Option<(String, Vec<String>)>,
    pub(super) map: Vec<Entry>,
    /// Budget and comments.
    pub(super) budget: (String, Vec<String>),
}

impl Sheet<'_> {
    pub(super) fn text(&self) -> String {
        let mut lines = vec![
            "# Written by `heirloom detect`. Look at what it says, then: heirloom plan, apply, verify.".to_owned(),
            format!("name = {}", quote(self.name)),
            String::new(),
            "[source]".to_owned(),
        ];
        if self.url == super::SECRET {
            comment(&mut lines, "the URL has a password in it: put it into this variable");
        }
        lines.push(format!("url = {}", quote(self.url)));
        if let Some(preset) = self.preset {
            lines.push(format!("preset = {}", quote(preset)));
        }
        lines.push(format!("table = {}", quote(self.table)));
        lines.extend(self.key.clone());
        if let Some(tree) = &self.tree {
            lines.push("\n[source.tree]".to_owned());
            lines.extend(tree.iter().map(|(word, value)| format!("{word} = {}", quote(value))));
        }
        if let Some((template, notes)) = &self.namespace {
            lines.push("\n# Who will see each row.".to_owned());
            notes.iter().for_each(|note| comment(&mut lines, note));
            lines.push("[namespace]".to_owned());
            lines.push(format!("template = {}", quote(template)));
        }
        if !self.map.is_empty() {
            lines.push("\n# What is not named here stays verbatim in the origin of each memory.\n[map]".to_owned());
        }
        for entry in &self.map {
            entry.notes.iter().for_each(|note| comment(&mut lines, note));
            lines.push(format!("{} = {}", entry.field, entry.spec));
        }
        lines.push(
            "\n# How many rows may be set aside, with their bytes and reasons, before apply stops.\n[reject]"
                .to_owned(),
        );
        self.budget.1.iter().for_each(|note| comment(&mut lines, note));
        lines.push(format!("budget = {}", quote(&self.budget.0)));
        lines.push(String::new());
        lines.join("\n")
    }
}

fn comment(lines: &mut Vec<String>, text: &str) {
    // A line break in a quoted name would end the comment.
    lines.push(format!("# {}", text.replace(['\n', '\r'], " ")));
}

/// A TOML string.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if other.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(other))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// An inline table of values that are TOML already.
pub(super) fn inline(pairs: &[(&str, String)]) -> String {
    let bare = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let written: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{} = {value}", if bare(key) { (*key).to_owned() } else { quote(key) }))
        .collect();
    format!("{{ {} }}", written.join(", "))
}

/// An array of values that are TOML already, one a line when it is long.
pub(super) fn list(items: &[String]) -> String {
    let short = format!("[{}]", items.join(", "));
    if short.len() <= WIDTH { short } else { format!("[\n    {},\n]", items.join(",\n    ")) }
}
