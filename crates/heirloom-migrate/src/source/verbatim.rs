//! The source row verbatim: what `heirloom.origin` keeps, what a reject keeps, and the way back.
//!
//! One JSON object, column to value, in the table's column order; computed expressions follow as `$expr0`, `$expr1`, ….
//! Numbers keep their digits (`1.00` stays `1.00`), everything else is the text PostgreSQL itself would print and read
//! back (ISO times in UTC, `\x` binary, `[1,2]` vectors, `{…}` arrays). What has no such form is tagged:
//! `{"$text": base64}` for text that is not UTF-8, `{"$blob": base64}` for binary of a dynamically typed source,
//! `{"$real": "Infinity"}` for a float outside JSON.

mod read;
mod time;
mod write;

use serde_json::{Map, Value as Json};

use crate::error::{MigrateError, Result};
use crate::source::Table;
use crate::value::SourceRow;

pub use write::verbatim;

/// The whole row, as the reject store keeps it and the source digest is taken over.
pub fn row(table: &Table, row: &SourceRow) -> String {
    kept(table, row, &[])
}

/// The row without the columns (by index) that the memory itself carries unchanged.
pub fn kept(table: &Table, row: &SourceRow, carried: &[usize]) -> String {
    let mut object = Map::with_capacity(row.values.len());
    for (i, value) in row.values.iter().enumerate() {
        if carried.contains(&i) {
            continue;
        }
        let (name, ty) = match table.columns.get(i) {
            Some(column) => (column.name.clone(), Some(column.ty)),
            None => (format!("$expr{}", i - table.columns.len()), None),
        };
        object.insert(name, verbatim(value, ty));
    }
    Json::Object(object).to_string()
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
    let Json::Object(object) = serde_json::from_str(text).map_err(|_| wrong("no JSON object"))? else {
        return Err(wrong("no JSON object"));
    };
    let mut values = Vec::with_capacity(object.len());
    for column in &table.columns {
        let json = object.get(&column.name).ok_or_else(|| wrong(&format!("column {} is missing", column.name)))?;
        let value = read::value(json, column.ty, &column.declared)
            .ok_or_else(|| wrong(&format!("column {} is not {}", column.name, column.declared)))?;
        values.push(value);
    }
    for i in 0.. {
        let Some(json) = object.get(&format!("$expr{i}")) else { break };
        values.push(read::untyped(json).ok_or_else(|| wrong(&format!("expression {i}")))?);
    }
    Ok(SourceRow { key: key.to_vec(), values })
}

#[cfg(test)]
mod tests;
