//! The key of a source: what the file says, else the table's primary key, else an error that lists what could serve.

use crate::error::{MigrateError, Result};
use crate::file::MigrationFile;
use crate::source::Table;

/// The key columns of a source.
///
/// # Errors
/// [`MigrateError::File`] for a key column the table does not have, [`MigrateError::Source`] when there is no key.
pub fn columns(file: &MigrationFile, table: &Table, display: &str) -> Result<Vec<String>> {
    let names = || table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    for column in &file.source.key {
        // A source may have a key that is no column, such as SQLite's `rowid`; it lists it with the unique ones.
        let listed = table.unique_keys.iter().flatten().any(|known| *known == column.value);
        if !listed && !table.columns.iter().any(|known| known.name == column.value) {
            return Err(MigrateError::File {
                place: column.place.clone(),
                what: format!("key column \"{}\" is not in {}", column.value, table.name),
                accepted: format!("its columns are {}", names()),
            });
        }
    }
    if !file.source.key.is_empty() {
        return Ok(file.source.key.iter().map(|column| column.value.clone()).collect());
    }
    if !table.primary_key.is_empty() {
        return Ok(table.primary_key.clone());
    }
    let written = |columns: &[String]| {
        let quoted: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        format!("key = [{}]", quoted.join(", "))
    };
    let accepted = match table.unique_keys.as_slice() {
        [] => {
            format!("write key = […] under [source] with columns that are unique together; its columns are {}", names())
        }
        sets => {
            let sets: Vec<String> = sets.iter().map(|set| written(set)).collect();
            format!("write {} under [source], which the table keeps unique", sets.join(" or "))
        }
    };
    Err(MigrateError::Source {
        source_name: format!("{display} {}", table.name),
        what: "it has no primary key, and the file names no key".to_owned(),
        accepted,
    })
}
