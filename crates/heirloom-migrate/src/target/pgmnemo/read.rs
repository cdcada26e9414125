//! Lessons as they stand, framed by the decoder of verify.

use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::{Shown, Surface};
use super::{mark, unmark};
use crate::canon::FIELDS;
use crate::error::{MigrateError, Result};
use crate::verify::framed;

const ROWS: &str = include_str!("../../../sql/queries/pgmnemo_rows.sql");
const LIVE: &str = include_str!("../../../sql/queries/pgmnemo_live.sql");

pub(super) async fn rows(tx: &Transaction<'_>, surface: &Surface, ids: &[Uuid]) -> Result<Vec<Shown>> {
    let marks: Vec<String> = ids.iter().map(|id| mark(*id)).collect();
    tx.query(ROWS, &[&marks]).await?.iter().map(|row| lesson(row, surface)).collect()
}

fn lesson(row: &Row, surface: &Surface) -> Result<Shown> {
    let (text, number): (&str, i64) = (row.try_get("mark")?, row.try_get("lesson_id")?);
    let id = unmark(text).ok_or_else(|| MigrateError::Ledger(format!("lesson {number} bears a mark of no id")))?;
    let frames = FIELDS
        .iter()
        .enumerate()
        .map(|(at, field)| {
            if !surface.shows(field) {
                return Ok(Vec::new());
            }
            let column = row.columns().iter().position(|column| column.name() == *field);
            column
                .and_then(|column| framed(row, column, at))
                .ok_or_else(|| MigrateError::Ledger(format!("column {field} of lesson {number} cannot be read")))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Shown { id, namespace: row.try_get("namespace")?, frames, superseded: row.try_get("superseded")? })
}

pub(super) async fn live(tx: &Transaction<'_>, namespaces: &[&str]) -> Result<u64> {
    let count: i64 = tx.query_one(LIVE, &[&namespaces]).await?.try_get(0)?;
    Ok(u64::try_from(count).unwrap_or(0))
}
