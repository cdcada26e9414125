//! What changed since, by a column of change times: where to begin to look, and in which ranges.

use std::time::Duration;

use deadpool_postgres::Transaction;

use super::{failed, look, name, scan};
use crate::error::Result;
use crate::source::{Column, KeyRange, Read, Relation, Since, Type};

const HORIZON: &str = include_str!("../../../sql/queries/source_horizon.sql");

/// Ranges that one statement asks about.
const ASKED: usize = 200;

/// As [`crate::source::Source::horizon`].
pub(super) async fn horizon(
    tx: &Transaction<'_>,
    relation: &Relation,
    column: &Column,
    overlap: Duration,
    source_name: &str,
) -> Result<Option<Since>> {
    let now = match column.ty {
        Type::Moment => "now()",
        // Nobody says whose day it is; a day covers every zone.
        Type::LocalTime => "(now() at time zone 'UTC' + interval '1 day')",
        _ => return Ok(None),
    };
    let looked = look::relation(tx, relation, source_name).await?;
    let sql = HORIZON
        .replace("{column}", &format!("s.{}", name::identifier(&column.name)))
        .replace("{now}", now)
        .replace("{from}", &looked.from);
    let row = tx.query_one(&sql, &[&overlap.as_secs_f64()]).await.map_err(|error| failed(source_name, &error))?;
    let from: String = row.try_get(0).map_err(|error| failed(source_name, &error))?;
    Ok(Some(Since { column: column.name.clone(), declared: column.declared.clone(), from }))
}

/// As [`crate::source::Source::touched`].
pub(super) async fn touched(
    tx: &Transaction<'_>,
    read: &Read,
    ranges: &[&KeyRange],
    source_name: &str,
) -> Result<Vec<usize>> {
    let looked = look::relation(tx, &read.relation, source_name).await?;
    let keys = scan::keys(read, &looked, source_name)?;
    let mut questions = Vec::with_capacity(ranges.len());
    for (at, range) in ranges.iter().enumerate() {
        let wanted = scan::wanted(read, range, &keys, source_name)?;
        let wanted = if wanted.is_empty() { "true".to_owned() } else { wanted };
        questions.push(format!("select {at} where exists (select from {} as s where {wanted})", looked.from));
    }
    let mut touched = Vec::new();
    for some in questions.chunks(ASKED) {
        let rows = tx.query(&some.join(" union all "), &[]).await.map_err(|error| failed(source_name, &error))?;
        for row in rows {
            let at: i32 = row.try_get(0).map_err(|error| failed(source_name, &error))?;
            touched.extend(usize::try_from(at));
        }
    }
    Ok(touched)
}
