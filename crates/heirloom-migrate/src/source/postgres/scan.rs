//! Rows of a key range in key order, by binary COPY.

use deadpool_postgres::Transaction;
use futures_util::{StreamExt, pin_mut};

use super::copy::Tuples;
use super::kind::Kind;
use super::look::{self, Looked};
use super::{decode, failed, name};
use crate::error::{MigrateError, Result};
use crate::source::{KeyRange, Read, Table, Visit, is_of_statement};
use crate::value::{SourceRow, Value};

/// How one cell arrives: one field, or two for an array, whose text stands in when it has several dimensions.
struct Cell {
    kind: Kind,
    declared: String,
    fields: usize,
}

/// Streams the rows of a read.
pub(super) async fn rows(tx: &Transaction<'_>, read: &Read, source_name: &str, visit: &mut Visit<'_>) -> Result<u64> {
    let looked = look::relation(tx, &read.relation, source_name).await?;
    let (sql, cells) = select(tx, read, &looked, source_name).await?;
    let stream = tx
        .copy_out(&format!("copy ({sql}) to stdout (format binary)"))
        .await
        .map_err(|error| failed(source_name, &error))?;
    pin_mut!(stream);
    let mut tuples = Tuples::default();
    let mut count = 0;
    while let Some(bytes) = stream.next().await {
        tuples.push(&bytes.map_err(|error| failed(source_name, &error))?);
        while let Some((fields, size)) = tuples.next().map_err(|_| broken(source_name))? {
            let row = row(&fields, &cells, read, source_name)?;
            count += 1;
            visit(row, size)?;
        }
    }
    if tuples.ended() { Ok(count) } else { Err(broken(source_name)) }
}

fn broken(source_name: &str) -> MigrateError {
    MigrateError::Read { source_name: source_name.to_owned(), reason: "the COPY stream is cut off or garbled".into() }
}

async fn select(tx: &Transaction<'_>, read: &Read, looked: &Looked, source_name: &str) -> Result<(String, Vec<Cell>)> {
    let place = |column: &str| looked.table.columns.iter().position(|there| there.name == column);
    let mut cells = Vec::new();
    let mut list = Vec::new();
    for column in &read.table.columns {
        let Some(at) = place(&column.name) else {
            let what = format!("column {} of {} is gone", column.name, read.table.name);
            return Err(wrong(source_name, what, "make a new plan"));
        };
        let kind = looked.kinds[at].clone();
        list.extend(fields(&kind, &format!("s.{}", name::identifier(&column.name))));
        cells.push(Cell { fields: width(&kind), kind, declared: column.declared.clone() });
    }
    for (expression, kind) in
        read.expressions.iter().zip(expression_kinds(tx, &read.expressions, looked, source_name).await?)
    {
        list.extend(fields(&kind, &format!("({expression}\n)")));
        cells.push(Cell { fields: width(&kind), kind, declared: "an expression of the file".into() });
    }
    let keys = keys(read, looked, source_name)?;
    list.extend(keys.iter().map(|key| format!("({})::text", key.plain)));
    let mut sql = format!("select {} from {} as s", list.join(", "), looked.from);
    let wanted = wanted(read, &read.range, &keys, source_name)?;
    if !wanted.is_empty() {
        sql.push_str(&format!(" where {wanted}"));
    }
    if !keys.is_empty() {
        let mut order: Vec<String> = keys.iter().map(|key| ordered(&key.plain, key.kind)).collect();
        if !is_unique(&read.key, &looked.table) && look::is_heap(tx, looked.found.as_ref(), source_name).await? {
            // Of rows that share a key one is the first, in whatever range they are read. Of a view or a query nobody can say.
            order.extend(["s.tableoid".to_owned(), "s.ctid".to_owned()]);
        }
        sql.push_str(&format!(" order by {}", order.join(", ")));
    }
    Ok((sql, cells))
}

/// Whether the table keeps a key unique.
fn is_unique(key: &[String], table: &Table) -> bool {
    let held = |unique: &Vec<String>| !unique.is_empty() && unique.iter().all(|column| key.contains(column));
    held(&table.primary_key) || table.unique_keys.iter().any(held)
}

/// A column of the key.
pub(super) struct KeyColumn<'a> {
    plain: String,
    pub(super) kind: &'a Kind,
    pub(super) declared: &'a str,
    not_null: bool,
}

/// The columns of a read's key, in their order.
pub(super) fn keys<'a>(read: &Read, looked: &'a Looked, source_name: &str) -> Result<Vec<KeyColumn<'a>>> {
    let columns = &looked.table.columns;
    read.key
        .iter()
        .map(|column| {
            let at = columns.iter().position(|there| there.name == *column).ok_or_else(|| {
                wrong(
                    source_name,
                    format!("key column {column} is not in {}", read.table.name),
                    "name columns of the table",
                )
            })?;
            let plain = format!("s.{}", name::identifier(column));
            let (declared, not_null) = (columns[at].declared.as_str(), columns[at].not_null);
            Ok(KeyColumn { plain, kind: &looked.kinds[at], declared, not_null })
        })
        .collect()
}

/// What stands behind `where`, for a range instead of the read's own; empty when every row is meant.
pub(super) fn wanted(read: &Read, range: &KeyRange, keys: &[KeyColumn<'_>], source_name: &str) -> Result<String> {
    let edges = [&range.after, &range.upto];
    if edges.into_iter().flatten().any(|edge| edge.is_empty() || edge.len() != keys.len()) {
        let what = format!("a range that does not fit a key of {} columns", keys.len());
        return Err(wrong(source_name, what, "make a new plan"));
    }
    let order: Vec<String> = keys.iter().map(|key| ordered(&key.plain, key.kind)).collect();
    let bound = |texts: &[String], operator: &str| {
        let literals: Vec<String> = keys
            .iter()
            .zip(texts)
            .map(|(key, text)| ordered(&format!("{}::{}", name::literal(text), key.declared), key.kind))
            .collect();
        format!("({}) {operator} ({})", order.join(", "), literals.join(", "))
    };
    let bounds: Vec<String> =
        [range.after.as_ref().map(|key| bound(key, ">")), range.upto.as_ref().map(|key| bound(key, "<="))]
            .into_iter()
            .flatten()
            .collect();
    let mut both = Vec::new();
    if !bounds.is_empty() {
        // No comparison finds a key that is null. The last range owns such a row, where it is an error and no loss.
        let nullable = keys.iter().filter(|key| range.upto.is_none() && !key.not_null);
        let owned: Vec<String> =
            std::iter::once(bounds.join(" and ")).chain(nullable.map(|key| format!("{} is null", key.plain))).collect();
        both.push(format!("({})", owned.join(" or ")));
    }
    if let Some(since) = &read.since {
        let (column, from) = (name::identifier(&since.column), name::literal(&since.from));
        both.push(format!("s.{column} >= {from}::{}", since.declared));
    }
    both.extend(read.keys.as_ref().map(|wanted| among(wanted, keys)));
    Ok(both.join(" and "))
}

/// The condition that a row has one of these keys.
fn among(wanted: &[Vec<String>], keys: &[KeyColumn<'_>]) -> String {
    if wanted.is_empty() {
        return "false".to_owned();
    }
    let values = |texts: &Vec<String>| {
        let literals: Vec<String> =
            keys.iter().zip(texts).map(|(key, text)| format!("{}::{}", name::literal(text), key.declared)).collect();
        format!("({})", literals.join(", "))
    };
    let list: Vec<String> = wanted.iter().map(values).collect();
    let columns: Vec<&str> = keys.iter().map(|key| key.plain.as_str()).collect();
    // A list finds its rows by the index; rows of several columns are joined.
    let values = if keys.len() == 1 { "" } else { "values " };
    format!("({}) in ({values}{})", columns.join(", "), list.join(", "))
}

fn wrong(source_name: &str, what: String, accepted: &str) -> MigrateError {
    MigrateError::Source { source_name: source_name.to_owned(), what, accepted: accepted.to_owned() }
}

/// The same order on every system, whatever its collations.
pub(super) fn ordered(expression: &str, kind: &Kind) -> String {
    if kind.collated() { format!("({expression}) collate \"C\"") } else { expression.to_owned() }
}

fn width(kind: &Kind) -> usize {
    if matches!(kind, Kind::Array(_)) { 2 } else { 1 }
}

fn fields(kind: &Kind, expression: &str) -> Vec<String> {
    if width(kind) == 1 {
        return vec![kind.select(expression)];
    }
    let flat = format!("coalesce(array_ndims({expression}), 1) = 1 and coalesce(array_lower({expression}, 1), 1) = 1");
    vec![
        format!("case when {flat} then {} end", kind.select(expression)),
        format!("case when not ({flat}) then ({expression})::text end"),
    ]
}

/// What the server says against an expression.
pub(super) async fn misfit(
    tx: &Transaction<'_>,
    read: &Read,
    expression: &str,
    source_name: &str,
) -> Result<Option<String>> {
    let looked = look::relation(tx, &read.relation, source_name).await?;
    match expression_kinds(tx, &[expression.to_owned()], &looked, source_name).await {
        Ok(_) => Ok(None),
        Err(MigrateError::ReadRefused { refusal, .. }) if is_of_statement(&refusal) => Ok(Some(refusal.to_string())),
        Err(error) => Err(error),
    }
}

/// What computed expressions give, asked of the server without reading a row.
async fn expression_kinds(
    tx: &Transaction<'_>,
    expressions: &[String],
    looked: &Looked,
    source_name: &str,
) -> Result<Vec<Kind>> {
    if expressions.is_empty() {
        return Ok(Vec::new());
    }
    let list: Vec<String> = expressions.iter().enumerate().map(|(i, sql)| format!("({sql}\n) as e{i}")).collect();
    let query = format!("select {} from {} as s", list.join(", "), looked.from);
    let relation = crate::source::Relation::Query(query);
    Ok(look::relation(tx, &relation, source_name).await?.kinds)
}

fn row(fields: &[Option<bytes::Bytes>], cells: &[Cell], read: &Read, source_name: &str) -> Result<SourceRow> {
    let mut values = Vec::with_capacity(cells.len());
    let mut at = 0;
    for (i, cell) in cells.iter().enumerate() {
        let value = match (fields.get(at).and_then(Option::as_ref), cell.fields) {
            (Some(bytes), _) => decode::value(&cell.kind, bytes),
            (None, 2) => match fields.get(at + 1).and_then(Option::as_ref) {
                Some(text) => decode::value(&Kind::Other, text),
                None => Some(Value::Null),
            },
            (None, _) => Some(Value::Null),
        };
        at += cell.fields;
        values.push(value.ok_or_else(|| MigrateError::Read {
            source_name: source_name.to_owned(),
            reason: format!(
                "a value of column {} ({}) is beyond what can be read",
                read.table.columns.get(i).map_or("(expression)", |column| &column.name),
                cell.declared
            ),
        })?);
    }
    let mut key = Vec::with_capacity(read.key.len());
    for column in &read.key {
        let text = fields.get(at).and_then(Option::as_ref).and_then(|bytes| std::str::from_utf8(bytes).ok());
        at += 1;
        key.push(text.map(str::to_owned).ok_or_else(|| MigrateError::Source {
            source_name: source_name.to_owned(),
            what: format!("key column {column} is null in a row of {}", read.table.name),
            accepted: "write a key whose columns are never null".into(),
        })?);
    }
    Ok(SourceRow { key, values })
}
