//! What changed since, by a column of change times: where to begin to look, and in which ranges; and in which ranges keys lie.

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

/// As [`crate::source::Source::places`].
pub(super) async fn places(
    tx: &Transaction<'_>,
    read: &Read,
    keys: &[Vec<String>],
    ranges: &[&KeyRange],
    source_name: &str,
) -> Result<Vec<usize>> {
    let looked = look::relation(tx, &read.relation, source_name).await?;
    let columns = scan::keys(read, &looked, source_name)?;
    let (mut arrays, mut names, mut order) = (Vec::new(), Vec::new(), Vec::new());
    for (at, column) in columns.iter().enumerate() {
        arrays.push(format!("${}::text[]", at + 2));
        names.push(format!("k{at}"));
        order.push(scan::ordered(&format!("t.k{at}::{}", column.declared), column.kind));
    }
    let (arrays, names, order) = (arrays.join(", "), names.join(", "), order.join(", "));
    // Keys and the ends of ranges in one order: before a key stand the ends of as many ranges as lie before it. A range owns
    // its own end.
    let sql = format!(
        "select p.n, p.place from (
             select t.n, count(*) filter (where t.n is null) over (order by {order}, t.n is null rows unbounded preceding) as place
             from unnest($1::bigint[], {arrays}) as t (n, {names})
         ) as p where p.n is not null"
    );
    let ends: Vec<&Vec<String>> = ranges.iter().filter_map(|range| range.upto.as_ref()).collect();
    let numbers: Vec<Option<i64>> =
        (0..keys.len()).map(|n| i64::try_from(n).ok()).chain(ends.iter().map(|_| None)).collect();
    let texts: Vec<Vec<&str>> = (0..columns.len())
        .map(|at| keys.iter().chain(ends.iter().copied()).map(|key| key.get(at).map_or("", String::as_str)).collect())
        .collect();
    let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![&numbers];
    parameters.extend(texts.iter().map(|column| column as &(dyn tokio_postgres::types::ToSql + Sync)));
    let rows = tx.query(&sql, &parameters).await.map_err(|error| failed(source_name, &error))?;
    let mut places = vec![0; keys.len()];
    for row in rows {
        let read = |at: usize| row.try_get::<_, i64>(at).map_err(|error| failed(source_name, &error));
        if let (Ok(n), Ok(place)) = (usize::try_from(read(0)?), usize::try_from(read(1)?))
            && let Some(of) = places.get_mut(n)
        {
            *of = place;
        }
    }
    Ok(places)
}
