//! What is in the file: tables, their columns and keys, the columns of a query.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::connection::failed;
use super::{Sqlite, key};
use crate::error::Result;
use crate::source::{Column, Relation, Table, TreeRows, Type, name};

/// The key of a table that declares none: SQLite's own row number.
pub(super) const ROWID: &str = "rowid";

/// A relation of the file's main schema.
struct Found {
    name: String,
    kind: String,
    without_rowid: bool,
}

/// Fails when the file is no database.
pub(super) fn probe(sqlite: &Sqlite, connection: &Connection) -> Result<()> {
    connection
        .query_row("select count(*) from sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map(|_| ())
        .map_err(|error| failed(sqlite, &error))
}

/// What stands behind `from`, quoted.
pub(super) fn from(relation: &Relation, table: &Table) -> String {
    match relation {
        Relation::Table(_) => format!("main.{} as t", name::identifier(&table.name)),
        // The line break ends a trailing comment.
        Relation::Query(query) => format!("({}\n) as t", query.trim_end().trim_end_matches(';')),
    }
}

pub(super) fn relation(sqlite: &Sqlite, connection: &Connection, relation: &Relation) -> Result<Table> {
    match relation {
        Relation::Table(written) => {
            let there = names(connection).map_err(|error| failed(sqlite, &error))?;
            let bare = written.strip_prefix("main.").unwrap_or(written);
            let found = there
                .iter()
                .find(|found| found.name == *written || found.name == bare)
                .or_else(|| there.iter().find(|found| found.name.eq_ignore_ascii_case(bare.trim_matches('"'))));
            let Some(found) = found else {
                let names: Vec<String> = there.iter().map(|found| found.name.clone()).collect();
                return Err(sqlite.refuse(format!("no table `{written}`"), name::there_is(written, &names)));
            };
            table(connection, found).map_err(|error| failed(sqlite, &error))
        }
        Relation::Query(query) => {
            let mut shape = Table {
                name: "query".into(),
                columns: Vec::new(),
                primary_key: Vec::new(),
                unique_keys: Vec::new(),
                estimated_rows: None,
            };
            let sql = format!("select * from {}", from(relation, &shape));
            let refused = |what: String| sqlite.refuse(what, "write one `select`, without a parameter");
            let statement = connection.prepare(&sql).map_err(|error| refused(format!("the query: {error}")))?;
            if !statement.readonly() || statement.parameter_count() > 0 || query.trim().is_empty() {
                return Err(refused("the query is not one that can be read as it stands".into()));
            }
            let plain = |name: &str| column(name.to_owned(), String::new(), false, false);
            shape.columns = statement.column_names().into_iter().map(plain).collect();
            Ok(shape)
        }
    }
}

/// Every table and view, without SQLite's own.
pub(super) fn tables(sqlite: &Sqlite, connection: &Connection) -> Result<Vec<Table>> {
    let there = names(connection).map_err(|error| failed(sqlite, &error))?;
    let mut tables = Vec::with_capacity(there.len());
    for found in &there {
        // A view on a missing table, or a virtual table of a module that is not here, is no reason to show nothing.
        match table(connection, found) {
            Ok(table) => tables.push(table),
            Err(error) => tracing::debug!(table = found.name, %error, "left out: it cannot be read"),
        }
    }
    Ok(tables)
}

/// A table of parents, in the text that mapping compares.
pub(super) fn tree(sqlite: &Sqlite, connection: &Connection, table: &str, id: &str, parent: &str) -> Result<TreeRows> {
    let shape = relation(sqlite, connection, &Relation::Table(table.to_owned()))?;
    for column in [id, parent] {
        if !shape.columns.iter().any(|known| known.name == column) {
            let names: Vec<&str> = shape.columns.iter().map(|known| known.name.as_str()).collect();
            let what = format!("no column `{column}` in {}", shape.name);
            return Err(sqlite.refuse(what, format!("accepted: {}", names.join(", "))));
        }
    }
    let relation = Relation::Table(shape.name.clone());
    let sql =
        format!("select t.{}, t.{} from {}", name::identifier(id), name::identifier(parent), from(&relation, &shape));
    let read = || -> rusqlite::Result<TreeRows> {
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = TreeRows::new();
        while let Some(row) = rows.next()? {
            if let Some(node) = plain(row.get_ref(0)?) {
                found.push((node, plain(row.get_ref(1)?)));
            }
        }
        Ok(found)
    };
    read().map_err(|error| failed(sqlite, &error))
}

fn plain(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        other => key::write(other, true),
    }
}

fn names(connection: &Connection) -> rusqlite::Result<Vec<Found>> {
    let mut statement = connection.prepare("select name, type, wr from pragma_table_list where schema = 'main'")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let one = Found { name: row.get(0)?, kind: row.get(1)?, without_rowid: row.get(2)? };
        if !one.name.starts_with("sqlite_") && one.kind != "shadow" {
            found.push(one);
        }
    }
    found.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(found)
}

fn table(connection: &Connection, found: &Found) -> rusqlite::Result<Table> {
    let mut statement =
        connection.prepare("select name, type, \"notnull\", pk, hidden from pragma_table_xinfo(?1) order by cid")?;
    let mut rows = statement.query([&found.name])?;
    let mut columns = Vec::new();
    let mut key: Vec<(i64, String)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let (not_null, place, hidden): (bool, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        if hidden == 1 {
            continue;
        }
        if place > 0 {
            key.push((place, name.clone()));
        }
        columns.push(column(name, declared, not_null, hidden >= 2));
    }
    key.sort();
    let mut unique_keys = unique(connection, found, &columns)?;
    let has_rowid = found.kind == "table" && !found.without_rowid;
    if has_rowid && !columns.iter().any(|column| column.name.eq_ignore_ascii_case(ROWID)) {
        unique_keys.push(vec![ROWID.to_owned()]);
    }
    let count = format!("select count(*) from main.{}", name::identifier(&found.name));
    let estimated_rows = match found.kind.as_str() {
        "table" => connection.query_row(&count, [], |row| row.get::<_, i64>(0)).ok(),
        _ => None,
    };
    Ok(Table {
        name: found.name.clone(),
        columns,
        primary_key: key.into_iter().map(|(_, name)| name).collect(),
        unique_keys,
        estimated_rows: estimated_rows.and_then(|rows| u64::try_from(rows).ok()),
    })
}

/// Unique indexes over NOT NULL columns of the table, whole rows only.
fn unique(connection: &Connection, found: &Found, columns: &[Column]) -> rusqlite::Result<Vec<Vec<String>>> {
    let mut indexes = connection.prepare(
        "select name from pragma_index_list(?1) where \"unique\" and not partial and origin <> 'pk' order by seq desc",
    )?;
    let names: Vec<String> = indexes.query_map([&found.name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut sets = Vec::new();
    for index in names {
        let mut parts = connection.prepare("select name from pragma_index_info(?1) order by seqno")?;
        let set: Vec<Option<String>> = parts.query_map([&index], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let not_null = |name: &String| columns.iter().any(|column| column.name == *name && column.not_null);
        // `None` is an expression or the rowid.
        if let Some(set) = set.into_iter().collect::<Option<Vec<String>>>()
            && set.iter().all(not_null)
        {
            sets.push(set);
        }
    }
    Ok(sets)
}

fn column(name: String, declared: String, not_null: bool, generated: bool) -> Column {
    Column { name, declared, ty: Type::Dynamic, not_null, generated, dimensions: None }
}
