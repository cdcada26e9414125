//! The source row verbatim: what `heirloom.origin` keeps, what a reject keeps, and the way back.
//!
//! One JSON object, column to value, in the table's column order; computed expressions follow as `$expr0`, `$expr1`, …
//! (`$$expr0` where a column of the table has such a name).
//! Numbers keep their digits (`1.00` stays `1.00`), everything else is the text PostgreSQL itself would print and read
//! back (ISO times in UTC, `\x` binary, `[1,2]` vectors, `{…}` arrays). What has no such form is tagged:
//! `{"$text": base64}` for text that is not UTF-8, `{"$blob": base64}` for binary of a dynamically typed source,
//! `{"$real": "Infinity"}` for a float outside JSON.

mod frame;
mod read;
pub(super) mod time;
mod write;

use serde_json::{Map, Value as Json};

use crate::error::{MigrateError, Result};
use crate::source::Table;
use crate::value::SourceRow;

pub use frame::frames;
pub use write::verbatim;

/// The whole row, as the reject store keeps it.
pub fn row(table: &Table, row: &SourceRow) -> String {
    kept(table, row, &[])
}

/// The row without the columns (by index) that the memory itself carries unchanged.
pub fn kept(table: &Table, row: &SourceRow, carried: &[usize]) -> String {
    let mut object = Map::with_capacity(row.values.len());
    let expression = expressions(table);
    for (i, value) in row.values.iter().enumerate() {
        if carried.contains(&i) {
            continue;
        }
        let (name, ty) = match table.columns.get(i) {
            Some(column) => (column.name.clone(), Some(column.ty)),
            None => (format!("{expression}{}", i - table.columns.len()), None),
        };
        object.insert(name, verbatim(value, ty));
    }
    Json::Object(object).to_string()
}

/// What the names of computed expressions begin with: `$expr`, behind as many more `$` as no column of the table has.
fn expressions(table: &Table) -> String {
    let mut prefix = "$expr".to_owned();
    while table.columns.iter().any(|column| column.name.starts_with(&prefix)) {
        prefix.insert(0, '$');
    }
    prefix
}

/// The row again, typed by the table, from what [`row`] wrote.
///
/// # Errors
/// [`MigrateError::Read`] when the text is not what [`row`] writes for this table; it names the column, never the value.
pub fn restore(table: &Table, key: &[String], text: &str) -> Result<SourceRow> {
    let wrong = |what: &str| MigrateError::Read {
        source_name: table.name.clone(),
        reason: format!("the kept bytes of a row do not fit its table: {what}"),
    };
    // As a map: as any JSON, an object whose first column bears serde_json's own word for a number is read as one.
    let object: Map<String, Json> = serde_json::from_str(text).map_err(|_| wrong("no JSON object"))?;
    let mut values = Vec::with_capacity(object.len());
    for column in &table.columns {
        let json = object.get(&column.name).ok_or_else(|| wrong(&format!("column {} is missing", column.name)))?;
        let value = read::value(json, column.ty, &column.declared)
            .ok_or_else(|| wrong(&format!("column {} is not {}", column.name, column.declared)))?;
        values.push(value);
    }
    let expression = expressions(table);
    for i in 0.. {
        let Some(json) = object.get(&format!("{expression}{i}")) else { break };
        values.push(read::untyped(json).ok_or_else(|| wrong(&format!("expression {i}")))?);
    }
    Ok(SourceRow { key: key.to_vec(), values })
}

#[cfg(test)]
mod tests;
