//! How a range of rows looks, without its values: the version of each row under its key.
//!
//! Whatever a statement does to a row makes another version of it, so two looks that agree have nothing between them.

use super::{Read, Source, Table};
use crate::digest::{Digest, DigestSum, Key};
use crate::error::Result;
use crate::value::Value;

/// The read that gives nothing of a row but its key and these expressions.
pub(crate) fn narrow(read: &Read, expressions: Vec<String>) -> Read {
    let columns = read.table.columns.iter().filter(|column| read.key.contains(&column.name)).cloned().collect();
    Read { table: Table { columns, ..read.table.clone() }, expressions, ..read.clone() }
}

/// Count and sum over the versions of the rows of a read, by the expression of [`Source::row_version`]; `visit` is given
/// each key.
///
/// # Errors
/// As [`Source::scan`].
pub(crate) async fn versions(
    source: &dyn Source,
    read: &Read,
    version: &str,
    key: &Key,
    visit: &mut (dyn FnMut(&[String]) + Send),
) -> Result<DigestSum> {
    let (mut sum, mut buffer) = (DigestSum::default(), Vec::new());
    source
        .scan(&narrow(read, vec![version.to_owned()]), &mut |row, _bytes| {
            sum.add(look(&row.key, row.values.last(), key, &mut buffer));
            visit(&row.key);
            Ok(())
        })
        .await?;
    Ok(sum)
}

/// Digest of a row's version under its key; `buffer` is scratch space.
pub(crate) fn look(row_key: &[String], version: Option<&Value>, key: &Key, buffer: &mut Vec<u8>) -> Digest {
    buffer.clear();
    let version = match version {
        Some(Value::Text(text) | Value::Other(text)) => text.as_str(),
        _ => "",
    };
    for part in row_key.iter().map(String::as_str).chain([version]) {
        buffer.extend_from_slice(&(part.len() as u64).to_be_bytes());
        buffer.extend_from_slice(part.as_bytes());
    }
    key.digest(buffer)
}
