//! Rows in key order, read in a thread that may block, handed over in batches through a bounded channel.

use std::collections::HashSet;

use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};
use tokio::sync::mpsc;

use super::connection::{Opened, failed, failed_row};
use super::describe::{self, ROWID};
use super::{Sqlite, key};
use crate::error::Result;
use crate::source::{Read, Visit, name};
use crate::value::{SourceRow, Value};

/// Rows of one hand-over, at most.
const BATCH_ROWS: usize = 256;
/// Bytes of one hand-over, as read; one row may be larger.
const BATCH_BYTES: usize = 1 << 20;
/// Hand-overs that may wait.
const WAITING: usize = 4;

type Batch = Vec<(SourceRow, usize)>;

/// Streams the range to `visit`; its error stops the reader and is returned.
pub(super) async fn run(sqlite: &Sqlite, read: &Read, visit: &mut Visit<'_>) -> Result<u64> {
    let (send, mut receive) = mpsc::channel::<Batch>(WAITING);
    let (own, what) = (sqlite.clone(), read.clone());
    let reader = tokio::task::spawn_blocking(move || {
        let opened = Opened::new(&own)?;
        rows(&own, opened.connection(), &what, &send)?;
        opened.close(&own)
    });
    let mut count = 0;
    let mut stopped = None;
    'batches: while let Some(batch) = receive.recv().await {
        for (row, bytes) in batch {
            if let Err(error) = visit(row, bytes) {
                stopped = Some(error);
                break 'batches;
            }
            count += 1;
        }
    }
    drop(receive);
    let ended = reader.await.unwrap_or_else(|error| Err(sqlite.broken(&error.to_string())));
    match stopped {
        Some(error) => Err(error),
        None => ended.map(|()| count),
    }
}

/// One column of the key: how it is spelt, and where its value stands in the row.
struct KeyColumn {
    /// With its collation, so that it orders and compares bytewise.
    sql: String,
    bare: String,
    place: usize,
    text_affinity: bool,
    nullable: bool,
}

fn rows(sqlite: &Sqlite, connection: &Connection, read: &Read, send: &mpsc::Sender<Batch>) -> Result<()> {
    let keys = keys(sqlite, read)?;
    no_null(sqlite, connection, read, &keys)?;
    let (sql, bound) = statement(sqlite, read, &keys)?;
    let mut statement = connection.prepare(&sql).map_err(|error| failed(sqlite, &error))?;
    let mut rows = statement.query(params_from_iter(bound)).map_err(|error| failed_row(sqlite, &error))?;
    let width = read.table.columns.len() + read.expressions.len();
    let wanted: Option<HashSet<&[String]>> = read.keys.as_ref().map(|keys| keys.iter().map(Vec::as_slice).collect());
    let (mut batch, mut held) = (Batch::new(), 0);
    while let Some(row) = rows.next().map_err(|error| failed_row(sqlite, &error))? {
        let (row, bytes) = decode(row, width, &keys).map_err(|error| failed_row(sqlite, &error))?;
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(row.key.as_slice())) {
            continue;
        }
        held += bytes;
        batch.push((row, bytes));
        if batch.len() >= BATCH_ROWS || held >= BATCH_BYTES {
            held = 0;
            if send.blocking_send(std::mem::take(&mut batch)).is_err() {
                // Whoever listened has stopped, and says why.
                return Ok(());
            }
        }
    }
    // No listener is no error here either.
    let _ = send.blocking_send(batch);
    Ok(())
}

fn keys(sqlite: &Sqlite, read: &Read) -> Result<Vec<KeyColumn>> {
    let columns = &read.table.columns;
    let mut extra = columns.len() + read.expressions.len();
    let mut keys = Vec::with_capacity(read.key.len());
    for part in &read.key {
        let bare = format!("t.{}", name::identifier(part));
        keys.push(match columns.iter().position(|column| column.name == *part) {
            Some(place) => KeyColumn {
                sql: format!("{bare} collate binary"),
                bare,
                place,
                text_affinity: key::is_text_affinity(&columns[place].declared),
                nullable: !columns[place].not_null,
            },
            None if part == ROWID => {
                extra += 1;
                KeyColumn { sql: bare.clone(), bare, place: extra - 1, text_affinity: false, nullable: false }
            }
            None => {
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                let what = format!("the key column `{part}` is not in {}", read.table.name);
                return Err(sqlite.refuse(what, format!("accepted: {}", names.join(", "))));
            }
        });
    }
    if keys.is_empty() {
        return Err(sqlite.refuse(format!("no key to read {} by", read.table.name), "write key = […] under [source]"));
    }
    Ok(keys)
}

/// SQLite lets a declared key be NULL; a range would silently pass such a row by.
fn no_null(sqlite: &Sqlite, connection: &Connection, read: &Read, keys: &[KeyColumn]) -> Result<()> {
    let from = describe::from(&read.relation, &read.table);
    for (part, column) in read.key.iter().zip(keys).filter(|(_, column)| column.nullable) {
        let sql = format!("select exists (select 1 from {from} where {} is null)", column.bare);
        let found: bool = connection.query_row(&sql, [], |row| row.get(0)).map_err(|error| failed(sqlite, &error))?;
        if found {
            return Err(sqlite.refuse(
                format!("{} has rows whose key column `{part}` is null", read.table.name),
                "write another key under [source], such as key = [\"rowid\"]",
            ));
        }
    }
    Ok(())
}

fn statement(sqlite: &Sqlite, read: &Read, keys: &[KeyColumn]) -> Result<(String, Vec<Stored>)> {
    let mut cells: Vec<String> =
        read.table.columns.iter().map(|column| format!("t.{}", name::identifier(&column.name))).collect();
    cells.extend(read.expressions.iter().map(|sql| format!("({sql}\n)")));
    cells.extend(keys.iter().filter(|key| key.place >= cells.len()).map(|key| key.bare.clone()).collect::<Vec<_>>());
    let spelt: Vec<&str> = keys.iter().map(|key| key.sql.as_str()).collect();
    let spelt = spelt.join(", ");
    let (mut bound, mut conditions) = (Vec::new(), Vec::new());
    for (sign, edge) in [(">", &read.range.after), ("<=", &read.range.upto)] {
        let Some(edge) = edge else { continue };
        if edge.len() != keys.len() {
            let what = format!("a range of {} key columns for a key of {}", edge.len(), keys.len());
            return Err(sqlite.refuse(what, "plan again: the key has changed"));
        }
        let mut places = Vec::with_capacity(keys.len());
        for (text, key) in edge.iter().zip(keys) {
            let (value, is_text) = key::read(text, key.text_affinity);
            bound.push(value);
            places.push(if is_text { format!("cast(?{} as text)", bound.len()) } else { format!("?{}", bound.len()) });
        }
        conditions.push(format!("({spelt}) {sign} ({})", places.join(", ")));
    }
    let filter = if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) };
    let from = describe::from(&read.relation, &read.table);
    Ok((format!("select {} from {from}{filter} order by {spelt}", cells.join(", ")), bound))
}

/// What SQLite says against an expression.
pub(super) fn misfit(
    sqlite: &Sqlite,
    connection: &Connection,
    read: &Read,
    expression: &str,
) -> Result<Option<String>> {
    let from = describe::from(&read.relation, &read.table);
    match connection.prepare(&format!("select ({expression}\n) from {from}")) {
        Ok(_) => Ok(None),
        // Of these the statement is the cause; `msg` names it without quoting it.
        Err(rusqlite::Error::SqlInputError { msg, .. }) => Ok(Some(msg)),
        Err(rusqlite::Error::SqliteFailure(code, Some(msg))) if code.code == rusqlite::ErrorCode::Unknown => {
            Ok(Some(msg))
        }
        Err(error) => Err(failed(sqlite, &error)),
    }
}

fn decode(row: &Row<'_>, width: usize, keys: &[KeyColumn]) -> rusqlite::Result<(SourceRow, usize)> {
    let mut values = Vec::with_capacity(width);
    let mut bytes = 0;
    for place in 0..width {
        let (value, size) = cell(row.get_ref(place)?);
        bytes += size;
        values.push(value);
    }
    let mut written = Vec::with_capacity(keys.len());
    for key in keys {
        // `no_null` has looked within the same transaction.
        written.push(key::write(row.get_ref(key.place)?, key.text_affinity).unwrap_or_default());
    }
    Ok((SourceRow { key: written, values }, bytes))
}

/// A value of its stored class, and its size.
fn cell(value: ValueRef<'_>) -> (Value, usize) {
    match value {
        ValueRef::Null => (Value::Null, 0),
        ValueRef::Integer(number) => (Value::Int(number), 8),
        ValueRef::Real(number) => (Value::Float64(number), 8),
        ValueRef::Blob(bytes) => (Value::Bytes(bytes.to_vec()), bytes.len()),
        ValueRef::Text(bytes) => {
            let value = match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(_) => Value::InvalidText(bytes.to_vec()),
            };
            (value, bytes.len())
        }
    }
}
