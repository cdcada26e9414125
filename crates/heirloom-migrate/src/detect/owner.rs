//! Who will see each row of a table never seen: the first column of owners whose values make namespaces.

use super::fields::Seen;
use super::score::last_part;
use super::synonyms::{OWNERS, fold};
use crate::value::Value;

/// Share of rows that must have an owner for a column to say it.
const MOST: f64 = 0.8;

/// The template, and what to say about it.
pub(super) fn template(seen: &Seen<'_>) -> (String, Vec<String>) {
    let mut notes = Vec::new();
    for (name, kind) in OWNERS {
        let found = seen.table.columns.iter().position(|column| fold(&column.name) == *name);
        let Some(at) = found else { continue };
        let column = &seen.table.columns[at].name;
        if column.contains(['{', '}']) {
            continue;
        }
        let rows = seen.look.rows.len();
        let good =
            seen.look.rows.iter().filter(|row| row.values.get(at).is_some_and(|value| fits(kind, value))).count();
        #[expect(clippy::cast_precision_loss, reason = "a share of a bounded look")]
        if rows > 0 && (good as f64) < rows as f64 * MOST {
            notes.push(format!("`{column}` makes a namespace for only {good} of {rows} rows that were looked at"));
            continue;
        }
        if good < rows {
            notes.push(format!("{} of {rows} rows that were looked at say no owner and are set aside", rows - good));
        }
        return (format!("{kind}:{{{column}}}"), notes);
    }
    notes.push("no column says whose a row is: all who see this namespace see all rows".to_owned());
    (format!("custom:{}", plain(last_part(&seen.table.name))), notes)
}

fn fits(kind: &str, value: &Value) -> bool {
    let text = match value {
        Value::Text(text) | Value::Other(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Uuid(uuid) => uuid.to_string(),
        _ => return false,
    };
    heirloom_store::namespace::validate(&format!("{kind}:{text}")).is_ok()
}

/// A name of the letters that namespaces and file names share.
pub(super) fn plain(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '-' }).collect();
    if plain.is_empty() { "table".to_owned() } else { plain }
}
