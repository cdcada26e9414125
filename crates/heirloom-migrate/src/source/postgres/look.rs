//! What is there: relations, columns with their kinds, keys, rights. Catalog queries only.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use futures_util::future::try_join;
use tokio_postgres::Row;
use tokio_postgres::types::Oid;

use super::kind::{Kind, Spelt};
use super::{failed, name};
use crate::error::{MigrateError, Result};
use crate::source::{Column, Examined, Identity, MARK_COMMENT, Relation, Table, TreeRows};

const FIND: &str = include_str!("../../../sql/queries/source_find.sql");
const NAMES: &str = include_str!("../../../sql/queries/source_names.sql");
const TABLES: &str = include_str!("../../../sql/queries/source_tables.sql");
const COLUMNS: &str = include_str!("../../../sql/queries/source_columns.sql");
const HIDDEN: &str = include_str!("../../../sql/queries/source_hidden.sql");
const KEYS: &str = include_str!("../../../sql/queries/source_keys.sql");
const TYPES: &str = include_str!("../../../sql/queries/source_types.sql");
const IDENTITY: &str = include_str!("../../../sql/queries/source_identity.sql");
const SYSTEM: &str = include_str!("../../../sql/queries/source_system.sql");
const IS_HEAP: &str = include_str!("../../../sql/queries/source_is_heap.sql");

/// A relation with what a read of it needs.
pub(super) struct Looked {
    pub(super) table: Table,
    /// One a column.
    pub(super) kinds: Vec<Kind>,
    /// What stands behind `from`.
    pub(super) from: String,
    /// The table; none of a query.
    pub(super) found: Option<Found>,
}

/// A relation that is there and may be read.
#[derive(Debug, Clone)]
pub(super) struct Found {
    oid: Oid,
    qualified: String,
    estimated_rows: Option<i64>,
    /// A table of its own in a heap: what lies below anything else has to be asked for.
    is_plain_heap: bool,
}

struct Raw {
    number: i16,
    name: String,
    ty: Oid,
    modifier: i32,
    not_null: bool,
    generated: bool,
}

/// A table or a query.
pub(super) async fn relation(tx: &Transaction<'_>, relation: &Relation, source_name: &str) -> Result<Looked> {
    match relation {
        Relation::Table(written) => {
            let found = find(tx, written, source_name).await?;
            let of = [found.oid];
            // One answer is on its way while the other is asked for: a chunk's look is mostly waiting for these.
            let (mut raw, mut keys) = try_join(columns(tx, &of, source_name), keys(tx, &of, source_name)).await?;
            let raw = raw.remove(&found.oid).unwrap_or_default();
            let keys = keys.remove(&found.oid).unwrap_or_default();
            let table = table(tx, found.qualified.clone(), raw, keys, found.estimated_rows, source_name).await?;
            Ok(Looked { from: found.qualified.clone(), found: Some(found), ..table })
        }
        Relation::Query(query) => {
            let statement = tx
                .prepare(&format!("select * from {} as q", subquery(query)))
                .await
                .map_err(|error| failed(source_name, &error))?;
            let raw = statement
                .columns()
                .iter()
                .map(|column| Raw {
                    number: 0,
                    name: column.name().to_owned(),
                    ty: column.type_().oid(),
                    modifier: column.type_modifier(),
                    not_null: false,
                    generated: false,
                })
                .collect();
            let table = table(tx, "query".into(), raw, Vec::new(), None, source_name).await?;
            let names: Vec<&str> = table.table.columns.iter().map(|column| column.name.as_str()).collect();
            if let Some(twice) = (1..names.len()).find(|&at| names[..at].contains(&names[at])) {
                return Err(MigrateError::Source {
                    source_name: source_name.to_owned(),
                    what: format!("the query gives two columns named {}", names[twice]),
                    accepted: "give each a name of its own with `as`".into(),
                });
            }
            Ok(Looked { from: subquery(query), ..table })
        }
    }
}

/// As [`crate::source::Source::examine`].
pub(super) async fn examine(tx: &Transaction<'_>, wanted: &Relation, source_name: &str) -> Result<Examined> {
    let looked = relation(tx, wanted, source_name).await?;
    let row_version = row_version(tx, looked.found.as_ref(), source_name).await?;
    Ok(Examined { table: looked.table, row_version, system: system(tx, source_name).await? })
}

/// Whether every row of a relation lies in a heap, which keeps the transaction that wrote it.
pub(super) async fn is_heap(tx: &Transaction<'_>, found: Option<&Found>, source_name: &str) -> Result<bool> {
    match found {
        None => Ok(false),
        Some(found) if found.is_plain_heap => Ok(true),
        Some(found) => {
            let row = tx.query_one(IS_HEAP, &[&found.oid]).await.map_err(|error| failed(source_name, &error))?;
            Ok(row.get(0))
        }
    }
}

/// The expression whose value changes whenever a row is written: the number of the transaction and a place of its own, which
/// a heap keeps.
pub(super) async fn row_version(
    tx: &Transaction<'_>,
    found: Option<&Found>,
    source_name: &str,
) -> Result<Option<String>> {
    let is_heap = is_heap(tx, found, source_name).await?;
    Ok(is_heap.then(|| "s.tableoid::text || '/' || s.xmin::text || s.ctid::text".to_owned()))
}

/// Whether a column of a table is a nullable time that bears the marker's comment.
pub(super) async fn is_marker(
    tx: &Transaction<'_>,
    relation: &Relation,
    column: &str,
    source_name: &str,
) -> Result<bool> {
    let Relation::Table(written) = relation else { return Ok(false) };
    let found = find(tx, written, source_name).await?;
    let row = tx
        .query_opt(include_str!("../../../sql/queries/source_is_marker.sql"), &[&found.oid, &column, &MARK_COMMENT])
        .await
        .map_err(|error| failed(source_name, &error))?;
    Ok(row.is_some_and(|row| row.get(0)))
}

/// A query in parentheses, whether it ends in a semicolon or in a comment.
fn subquery(query: &str) -> String {
    format!("({}\n)", query.trim_end().trim_end_matches(';'))
}

/// Every readable relation of the user's schemas.
pub(super) async fn tables(tx: &Transaction<'_>, source_name: &str) -> Result<Vec<Table>> {
    let found = tx.query(TABLES, &[]).await.map_err(|error| failed(source_name, &error))?;
    let oids: Vec<Oid> = found.iter().map(|row| row.get("oid")).collect();
    let mut columns = columns(tx, &oids, source_name).await?;
    let mut keys = keys(tx, &oids, source_name).await?;
    let mut tables = Vec::with_capacity(found.len());
    for row in found {
        let oid: Oid = row.get("oid");
        let raw = columns.remove(&oid).unwrap_or_default();
        let keys = keys.remove(&oid).unwrap_or_default();
        let rows: Option<i64> = row.get("estimated_rows");
        tables.push(table(tx, row.get("qualified"), raw, keys, rows, source_name).await?.table);
    }
    Ok(tables)
}

/// The relation that a written name means, most literal first.
pub(super) async fn find(tx: &Transaction<'_>, written: &str, source_name: &str) -> Result<Found> {
    let wrong =
        |what: String, accepted: String| MigrateError::Source { source_name: source_name.to_owned(), what, accepted };
    let spellings = name::spellings(written);
    let names: Vec<&str> = spellings.iter().map(|spelling| spelling.name.as_str()).collect();
    let schemas: Vec<&str> = spellings.iter().filter_map(|spelling| spelling.schema.as_deref()).collect();
    let there = tx.query(FIND, &[&names, &schemas]).await.map_err(|error| failed(source_name, &error))?;
    let means = |row: &&Row, spelling: &name::Spelling| {
        let in_schema = match &spelling.schema {
            Some(schema) => row.get::<_, &str>("schema") == schema,
            None => row.get("is_visible"),
        };
        in_schema && row.get::<_, &str>("name") == spelling.name
    };
    let found = spellings.iter().find_map(|spelling| there.iter().find(|row| means(row, spelling)));
    let Some(row) = found else {
        let there = tx.query(NAMES, &[]).await.map_err(|error| failed(source_name, &error))?;
        let there: Vec<String> = there.iter().map(|row| row.get(0)).collect();
        return Err(wrong(format!("there is no table {written}"), name::there_is(written, &there)));
    };
    let qualified: String = row.get("qualified");
    let schema: String = row.get("schema");
    if !row.get::<_, bool>("may_enter") {
        return Err(wrong(
            format!("this role may not use schema {schema}"),
            format!("grant usage on schema {schema} to it"),
        ));
    }
    let oid: Oid = row.get("oid");
    if !row.get::<_, bool>("may_read") {
        // Without the right to the table, the right to each of its columns does as well.
        let columns = tx.query(HIDDEN, &[&oid]).await.map_err(|error| failed(source_name, &error))?;
        let hidden: Vec<String> =
            columns.iter().filter(|row| !row.get::<_, bool>("may_read")).map(|row| row.get("name")).collect();
        let what = match hidden.len() {
            0 if !columns.is_empty() => None,
            some if some == columns.len() => Some(format!("this role may not read {qualified}")),
            _ => Some(format!("this role may not read {} of {qualified}", hidden.join(", "))),
        };
        if let Some(what) = what {
            return Err(wrong(what, format!("grant select on {qualified} to it")));
        }
    }
    let (estimated_rows, is_plain_heap) = (row.get("estimated_rows"), row.get("is_plain_heap"));
    Ok(Found { oid, qualified, estimated_rows, is_plain_heap })
}

async fn columns(tx: &Transaction<'_>, oids: &[Oid], source_name: &str) -> Result<HashMap<Oid, Vec<Raw>>> {
    let mut found: HashMap<Oid, Vec<Raw>> = HashMap::new();
    for row in tx.query(COLUMNS, &[&oids]).await.map_err(|error| failed(source_name, &error))? {
        found.entry(row.get("relation")).or_default().push(Raw {
            number: row.get("number"),
            name: row.get("name"),
            ty: row.get("type"),
            modifier: row.get("modifier"),
            not_null: row.get("not_null"),
            generated: row.get("generated"),
        });
    }
    Ok(found)
}

/// Of each whether it is the primary key, and the numbers of its columns.
type Keys = Vec<(bool, Vec<i16>)>;

/// The names of a key's columns; `None` where one of them may be null, or is none that is read.
fn named(key: &[i16], raw: &[Raw]) -> Option<Vec<String>> {
    let name = |number: &i16| {
        let column = raw.iter().find(|column| column.number == *number)?;
        column.not_null.then(|| column.name.clone())
    };
    key.iter().map(name).collect()
}

async fn keys(tx: &Transaction<'_>, oids: &[Oid], source_name: &str) -> Result<HashMap<Oid, Keys>> {
    let mut found: HashMap<Oid, Keys> = HashMap::new();
    for row in tx.query(KEYS, &[&oids]).await.map_err(|error| failed(source_name, &error))? {
        found.entry(row.get("relation")).or_default().push((row.get("is_primary"), row.get("columns")));
    }
    Ok(found)
}

async fn table(
    tx: &Transaction<'_>,
    qualified: String,
    raw: Vec<Raw>,
    keys: Keys,
    rows: Option<i64>,
    source_name: &str,
) -> Result<Looked> {
    let mut primary_key = Vec::new();
    let mut unique_keys = Vec::new();
    for (is_primary, columns) in keys {
        match named(&columns, &raw) {
            Some(columns) if is_primary => primary_key = columns,
            Some(columns) => unique_keys.push(columns),
            None => {}
        }
    }
    let types = types(tx, &raw, source_name).await?;
    let (mut columns, mut kinds) = (Vec::with_capacity(raw.len()), Vec::with_capacity(raw.len()));
    for (raw, Spelt { declared, kind, dimensions }) in raw.into_iter().zip(types) {
        let (name, not_null, generated) = (raw.name, raw.not_null, raw.generated);
        columns.push(Column { name, declared, ty: kind.ty(), not_null, generated, dimensions });
        kinds.push(kind);
    }
    let estimated_rows = rows.and_then(|rows| u64::try_from(rows).ok());
    let table = Table { name: qualified, columns, primary_key, unique_keys, estimated_rows };
    Ok(Looked { table, kinds, from: String::new(), found: None })
}

/// The type of each column. The server is asked only where one of them is not the same everywhere.
async fn types(tx: &Transaction<'_>, raw: &[Raw], source_name: &str) -> Result<Vec<Spelt>> {
    let known: Option<Vec<Spelt>> = raw.iter().map(|column| Spelt::built_in(column.ty, column.modifier)).collect();
    if let Some(known) = known {
        return Ok(known);
    }
    let oids: Vec<Oid> = raw.iter().map(|column| column.ty).collect();
    let modifiers: Vec<i32> = raw.iter().map(|column| column.modifier).collect();
    let types = tx.query(TYPES, &[&oids, &modifiers]).await.map_err(|error| failed(source_name, &error))?;
    Ok(types.iter().map(spelt).collect())
}

fn spelt(row: &Row) -> Spelt {
    let (name, typtype): (String, String) = (row.get("name"), row.get("kind"));
    let element: Option<String> = row.get("element");
    let element_kind: Option<String> = row.get("element_kind");
    let element_built_in: Option<bool> = row.get("element_built_in");
    let element = match (&element, &element_kind, element_built_in) {
        (Some(name), Some(kind), Some(built_in)) => Some((name.as_str(), kind.as_str(), built_in)),
        _ => None,
    };
    // On the embedded engine pgvector lies in pg_catalog.
    let built_in = row.get::<_, bool>("built_in") && !matches!(name.as_str(), "vector" | "halfvec");
    let kind = Kind::of(&name, &typtype, built_in, element);
    let modifier: i32 = row.get("modifier");
    let is_vector = matches!(kind, Kind::Vector | Kind::HalfVector);
    let dimensions = is_vector.then(|| usize::try_from(modifier).ok()).flatten();
    Spelt { declared: row.get("declared"), kind, dimensions }
}

/// Who reads. The fingerprint of the system names neither host nor role: cluster identifier, database oid and name.
pub(super) async fn identity(tx: &Transaction<'_>, relation: &Relation, source_name: &str) -> Result<Identity> {
    let oids = match relation {
        Relation::Table(written) => vec![find(tx, written, source_name).await?.oid],
        Relation::Query(query) => {
            let statement = tx
                .prepare(&format!("select * from {} as q", subquery(query)))
                .await
                .map_err(|error| failed(source_name, &error))?;
            statement.columns().iter().filter_map(tokio_postgres::Column::table_oid).collect()
        }
    };
    let row = tx.query_one(IDENTITY, &[&oids]).await.map_err(|error| failed(source_name, &error))?;
    Ok(Identity {
        role: row.get("role"),
        superuser: row.get("superuser"),
        bypass_rls: row.get("bypass_rls"),
        can_write: row.get("can_write"),
        filtered: row.get("filtered"),
        server: format!("PostgreSQL {}", row.get::<_, String>("version")),
        system: fingerprint(tx, &row, source_name).await?,
    })
}

/// The fingerprint of the system alone.
pub(super) async fn system(tx: &Transaction<'_>, source_name: &str) -> Result<String> {
    let row = tx.query_one(SYSTEM, &[]).await.map_err(|error| failed(source_name, &error))?;
    fingerprint(tx, &row, source_name).await
}

/// Cluster identifier, database oid and name, where `row` holds the database and whether this role may see the cluster's.
async fn fingerprint(tx: &Transaction<'_>, row: &Row, source_name: &str) -> Result<String> {
    let cluster = if row.get::<_, bool>("may_see_system") {
        let sql = "select system_identifier::text from pg_catalog.pg_control_system()";
        tx.query_one(sql, &[]).await.map_err(|error| failed(source_name, &error))?.get(0)
    } else {
        String::new()
    };
    let (database, database_name): (Oid, String) = (row.get("database"), row.get("database_name"));
    let fingerprint = blake3::hash(format!("{cluster}/{database}/{database_name}").as_bytes()).to_hex();
    Ok(format!("postgres-{}", &fingerprint[..16]))
}

/// A table of parents, whole.
pub(super) async fn tree(
    tx: &Transaction<'_>,
    table: &str,
    id: &str,
    parent: &str,
    source_name: &str,
) -> Result<TreeRows> {
    let qualified = find(tx, table, source_name).await?.qualified;
    let (id, parent) = (name::identifier(id), name::identifier(parent));
    let rows = tx
        .query(
            &format!("select ({id})::text, ({parent})::text from {qualified} where {id} is not null order by ({id})::text collate \"C\""),
            &[],
        )
        .await
        .map_err(|error| failed(source_name, &error))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
