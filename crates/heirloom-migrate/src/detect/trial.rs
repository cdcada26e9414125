//! A proposed file on trial: parsed, compiled, and run on the rows that were looked at.

use std::collections::BTreeMap;

use super::look::Look;
use crate::error::Result;
use crate::file::MigrationFile;
use crate::mapping::{Context, Program};
use crate::source::{Source, Table};

/// Width of a store's vectors unless it was made otherwise; a wider vector is kept, never a reject.
const DIMENSION: usize = 1024;

/// Rows that would be set aside, by reason and field.
pub(super) type Rejects = BTreeMap<String, u64>;

/// Runs a file on the look.
///
/// # Errors
/// What keeps the file from being compiled against the table, or its tree from being read.
pub(super) async fn run(
    source: &dyn Source,
    text: &str,
    table: &Table,
    key: &[String],
    look: &Look,
) -> Result<Rejects> {
    let file = MigrationFile::parse("detected.toml", text)?;
    let tree = match &file.source.tree {
        Some(tree) => Some(source.tree(&tree.table.value, &tree.id.value, &tree.parent.value).await?),
        None => None,
    };
    let context = Context {
        system: String::new(),
        tenant: file.name.clone(),
        tree,
        dimension: DIMENSION,
        key: if file.source.key.is_empty() {
            key.to_vec()
        } else {
            file.source.key.iter().map(|part| part.value.clone()).collect()
        },
        surface: None,
    };
    let program = Program::compile(&file, table, context)?;
    let mut rejects = Rejects::new();
    for row in &look.rows {
        if let Err(reject) = program.map(row) {
            let code = serde_json::to_value(reject.code).ok();
            let code = code.as_ref().and_then(serde_json::Value::as_str).unwrap_or("rejected").to_owned();
            let place = reject.field.map_or_else(String::new, |field| format!(" of {field}"));
            *rejects.entry(format!("{code}{place}")).or_default() += 1;
        }
    }
    Ok(rejects)
}

/// The budget that lets these rejects pass, and why it is what it is.
pub(super) fn budget(rejects: &Rejects, look: &Look) -> (String, Vec<String>) {
    let count: u64 = rejects.values().sum();
    let rows = look.rows.len() as u64;
    if count == 0 {
        return ("0".to_owned(), Vec::new());
    }
    let reasons: Vec<String> = rejects.iter().map(|(reason, count)| format!("{reason} ({count})")).collect();
    let mut notes = vec![format!("{count} of {rows} rows that were looked at would be: {}", reasons.join(", "))];
    if look.whole {
        return (count.to_string(), notes);
    }
    // Twice the share that was seen, in hundredths of a per cent, rounded up.
    let hundredths = (count * 20_000).div_ceil(rows.max(1)).min(10_000);
    notes.push("the table is larger than the look: twice the share that was seen".to_owned());
    (format!("{}.{:02}%", hundredths / 100, hundredths % 100), notes)
}
