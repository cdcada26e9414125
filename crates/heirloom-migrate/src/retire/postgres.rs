//! A table in PostgreSQL: looked at, archived, restored into a scratch schema and compared, renamed, dropped, made again.
//!
//! Rows are compared by the bytes that COPY sends for them in the order of their key. The scratch schema lives in one
//! transaction that is rolled back, so that nothing of it is ever left behind.

use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use deadpool_postgres::Transaction;
use futures_util::{SinkExt, StreamExt, pin_mut};
use heirloom_engine::Database;
use tokio_postgres::types::Oid;

use super::alive::Alive;
use super::archive::{self, Manifest, Statement, Writer};
use super::definition::{added, first_difference};
use crate::error::{MigrateError, Result};
use crate::failpoint::{Failpoints, Point};
use crate::source::identifier;

const TABLE: &str = include_str!("../../sql/queries/retire_table.sql");
const WRITERS: &str = include_str!("../../sql/queries/retire_writers.sql");
const COLUMNS: &str = include_str!("../../sql/queries/retire_columns.sql");
const STATEMENTS: &str = include_str!("../../sql/queries/archive_ddl.sql");
const SEQUENCES: &str = include_str!("../../sql/queries/retire_sequences.sql");
const LOSSES: &str = include_str!("../../sql/queries/retire_losses.sql");
const OPEN_PUBLICATIONS: &str = include_str!("../../sql/queries/retire_publications.sql");
const DEFAULTS: &str = include_str!("../../sql/queries/retire_defaults.sql");

/// From this phase on a statement speaks of owner, grants and publications, which a scratch place does not rehearse.
const RIGHTS: i32 = 90;

/// From this phase on a statement speaks of grants: what nobody granted is taken back before.
const GRANTS: i32 = 91;

/// From this phase on a statement gives it back to a publication.
const PUBLICATIONS: i32 = 94;

/// The phase in which a sequence is set to where it stood.
const POSITIONS: i32 = 50;

/// From this phase on a statement is run after the rows came.
const AFTER_ROWS: i32 = 50;

/// The phase in which the table itself is made.
const TABLE_PHASE: i32 = 20;

/// Bytes that are sent at a time.
const BLOCK: usize = 256 * 1024;

/// A table as it is now.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) oid: Oid,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) qualified: String,
    pub(super) is_owner: bool,
    pub(super) may_create: bool,
    pub(super) may_make_schema: bool,
    pub(super) obstacles: Vec<String>,
    pub(super) dependents: Vec<String>,
    /// Functions that name it in a text which PostgreSQL does not look into.
    pub(super) mentions: Vec<String>,
}

/// How a table looks: how many rows, and a sum over the version of each. Whoever writes a row changes it.
pub(super) type Look = (i64, String);

/// The table of this name; `None` when there is none. `known_as` is what others call it, where it has another name now.
pub(super) async fn find(tx: &Transaction<'_>, written: &str, known_as: Option<&str>) -> Result<Option<Table>> {
    let Some(row) = tx.query_opt(TABLE, &[&written, &known_as]).await? else { return Ok(None) };
    Ok(Some(Table {
        oid: row.try_get("oid")?,
        schema: row.try_get("schema")?,
        name: row.try_get("name")?,
        qualified: row.try_get("qualified")?,
        is_owner: row.try_get("is_owner")?,
        may_create: row.try_get("may_create")?,
        may_make_schema: row.try_get("may_make_schema")?,
        obstacles: row.try_get("obstacles")?,
        dependents: row.try_get("dependents")?,
        mentions: row.try_get("mentions")?,
    }))
}

/// From here on a transaction reads every row, or PostgreSQL refuses: an owner whose table forces its policies would else
/// see some of the rows, archive those, and drop the others with them.
pub(super) async fn see_all(tx: &Transaction<'_>) -> Result<()> {
    Ok(tx.batch_execute("set local row_security = off").await?)
}

/// Sessions that write to a table, or are about to.
pub(super) async fn writers(tx: &Transaction<'_>, oid: Oid) -> Result<Vec<String>> {
    let rows = tx.query(WRITERS, &[&oid]).await?;
    rows.iter()
        .map(|row| {
            let (name, pid, mode): (String, i32, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let who = if pid == 0 { "a prepared transaction".to_owned() } else { format!("session {pid}") };
            let name = if name.is_empty() { String::new() } else { format!(" of {name}") };
            Ok(format!("{who}{name} ({mode})"))
        })
        .collect()
}

/// How a table looks.
pub(super) async fn look(tx: &Transaction<'_>, qualified: &str) -> Result<Look> {
    let sql = format!(
        "select count(*), coalesce(sum(hashtextextended(s.tableoid::text || '/' || s.xmin::text || s.ctid::text, 0)::numeric), 0)::text \
         from {qualified} as s"
    );
    let row = tx.query_one(&sql, &[]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Everything in a table's schema without a qualifier.
async fn path(tx: &Transaction<'_>, schemas: &[&str]) -> Result<()> {
    let list: Vec<String> = schemas.iter().map(|schema| identifier(schema)).collect();
    tx.batch_execute(&format!("set local search_path = {}", list.join(", "))).await?;
    Ok(())
}

/// The statements that make a table again. Leaves the search path at these schemas.
async fn statements(tx: &Transaction<'_>, oid: Oid, schemas: &[&str]) -> Result<Vec<Statement>> {
    path(tx, schemas).await?;
    let rows = tx.query(STATEMENTS, &[&oid]).await?;
    let mut all: Vec<Statement> =
        rows.iter().map(|row| Ok(Statement { phase: row.try_get(0)?, sql: row.try_get(1)? })).collect::<Result<_>>()?;
    let after = all.partition_point(|statement| statement.phase < POSITIONS);
    all.splice(after..after, positions(tx, oid).await?);
    Ok(all)
}

/// Where each of a table's own sequences stands, as the statement that sets it there.
async fn positions(tx: &Transaction<'_>, oid: Oid) -> Result<Vec<Statement>> {
    let mut positions = Vec::new();
    for row in tx.query(SEQUENCES, &[&oid]).await? {
        let (name, literal, start): (&str, &str, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let at = tx.query_one(&format!("select last_value, is_called from {name}"), &[]).await?;
        let (at, called): (i64, bool) = (at.try_get(0)?, at.try_get(1)?);
        let sql = match called {
            true => format!("select setval({literal}, {at})"),
            false if at != start => format!("select setval({literal}, {at}, false)"),
            false => continue,
        };
        positions.push(Statement { phase: POSITIONS, sql });
    }
    Ok(positions)
}

/// What is on a table that its archive cannot bring back.
pub(super) async fn losses(tx: &Transaction<'_>, oid: Oid) -> Result<Vec<String>> {
    tx.query(LOSSES, &[&oid]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// What a table that is kept has and its archive does not, so that dropping it would lose it: each in words, or as the
/// statement that would make it. Where its sequences stand is no part of it.
pub(super) async fn news(tx: &Transaction<'_>, table: &Table, manifest: &Manifest) -> Result<Vec<String>> {
    let mut news: Vec<String> = columns(tx, table.oid)
        .await?
        .into_iter()
        .filter(|column| !manifest.columns.contains(column))
        .map(|column| format!("the column {column}"))
        .collect();
    let names = tx.query_one("select quote_ident($1), quote_ident($2)", &[&table.name, &manifest.table]).await?;
    let (now, then): (&str, &str) = (names.try_get(0)?, names.try_get(1)?);
    let mut statements = statements(tx, table.oid, &[&table.schema]).await?;
    // Its name while it is kept has the day in it, and is that of nothing else that a statement could name.
    statements.iter_mut().for_each(|statement| statement.sql = statement.sql.replace(now, then));
    statements.retain(|statement| statement.phase != POSITIONS && manifest.knows(statement.phase));
    let added = added(&manifest.statements, &statements);
    let defines = |statement: &&Statement| statement.phase == TABLE_PHASE;
    if news.is_empty() && added.iter().any(defines) {
        news.push("columns or options that are defined otherwise".to_owned());
    }
    news.extend(added.into_iter().filter(|statement| !defines(statement)).map(|statement| statement.sql.clone()));
    Ok(news)
}

/// The columns of a table that are carried, quoted, in their order.
pub(super) async fn columns(tx: &Transaction<'_>, oid: Oid) -> Result<Vec<String>> {
    tx.query(COLUMNS, &[&oid]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The rows as COPY sends them, in the order of the key; rows with one key in the order in which they lie.
fn copy_out(qualified: &str, columns: &[String], key: &[String]) -> String {
    let order: Vec<&str> = key.iter().map(String::as_str).chain(["ctid"]).collect();
    let list = columns.join(", ");
    format!("copy (select {list} from {qualified} order by {}) to stdout (format binary)", order.join(", "))
}

async fn stream(tx: &Transaction<'_>, sql: &str, take: &mut (dyn FnMut(&[u8]) -> Result<()> + Send)) -> Result<()> {
    let stream = tx.copy_out(sql).await?;
    pin_mut!(stream);
    while let Some(bytes) = stream.next().await {
        take(&bytes?)?;
    }
    Ok(())
}

/// blake3 of the rows as an archive would hold them, hex.
pub(super) async fn digest(
    tx: &Transaction<'_>,
    qualified: &str,
    manifest: &Manifest,
    alive: &mut Alive<'_>,
) -> Result<String> {
    let mut digest = blake3::Hasher::new();
    stream(tx, &copy_out(qualified, &manifest.columns, &manifest.key), &mut |bytes| {
        digest.update(bytes);
        alive.passed(bytes.len());
        Ok(())
    })
    .await?;
    Ok(digest.finalize().to_hex().to_string())
}

/// Archives a table: rows beside the manifest's place; the manifest is filled in and not yet written.
pub(super) async fn archive(
    database: &Database,
    table: &Table,
    key: &[String],
    manifest: &mut Manifest,
    place: &Path,
    alive: &mut Alive<'_>,
    failpoints: &Failpoints,
) -> Result<Look> {
    let mut client = database.client().await?;
    let tx = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    see_all(&tx).await?;
    let look = look(&tx, &table.qualified).await?;
    manifest.rows = u64::try_from(look.0).unwrap_or(0);
    manifest.columns = columns(&tx, table.oid).await?;
    manifest.key = key.iter().map(|column| identifier(column)).collect();
    manifest.statements = statements(&tx, table.oid, &[&table.schema]).await?;
    let mut writer = Writer::new(place)?;
    stream(&tx, &copy_out(&table.qualified, &manifest.columns, &manifest.key), &mut |bytes| {
        alive.passed(bytes.len());
        writer.push(bytes)
    })
    .await?;
    failpoints.pass(Point::BeforeArchiveRows).await?;
    (manifest.stream_bytes, manifest.stream_digest, manifest.file_digest) = writer.finish()?;
    failpoints.pass(Point::AfterArchiveRows).await?;
    Ok(look)
}

/// Restores an archive into a scratch schema, compares rows and statements, and rolls all of it back.
///
/// # Errors
/// [`MigrateError::Refused`] when what came back is not what was archived.
pub(super) async fn rehearse(
    database: &Database,
    manifest: &Manifest,
    place: &Path,
    alive: &mut Alive<'_>,
    failpoints: &Failpoints,
) -> Result<()> {
    let scratch = format!("heirloom_scratch_{}", manifest.run_id.simple());
    let mut client = database.client().await?;
    let tx = client.transaction().await?;
    see_all(&tx).await?;
    tx.batch_execute(&format!("create schema {}", identifier(&scratch))).await?;
    let schemas = [scratch.as_str(), manifest.schema.as_str()];
    restore(&tx, manifest, place, &schemas, RIGHTS, alive).await?;
    let made = format!("{}.{}", identifier(&scratch), identifier(&manifest.table));
    let oid: Option<Oid> = tx.query_one("select to_regclass($1)::oid", &[&made]).await?.try_get(0)?;
    let differs = |what: &str| MigrateError::Refused {
        what: format!("The archive of {} does not come back as it was: {what}", manifest.table),
        cure: "the table stays where it is; tell us what kind of column or constraint it has".into(),
    };
    let oid = oid.ok_or_else(|| differs("there is no table"))?;
    if digest(&tx, &made, manifest, alive).await? != manifest.stream_digest {
        return Err(differs("its rows have another digest"));
    }
    let again = statements(&tx, oid, &schemas).await?;
    let rehearsed = |all: &[Statement]| -> Vec<Statement> {
        all.iter().filter(|statement| statement.phase < RIGHTS).cloned().collect()
    };
    if let Some(first) = first_difference(&rehearsed(&manifest.statements), &rehearsed(&again)) {
        return Err(differs(&format!("of its definition, phase {first} differs")));
    }
    failpoints.pass(Point::BeforeRehearsed).await?;
    tx.rollback().await?;
    failpoints.pass(Point::AfterRehearsed).await
}

/// Makes a table again in the first of these schemas: what it is, its rows, what is put on it, up to a phase. Gives
/// back what was left out: places in publications that are there no more, or that this role may not change by now.
pub(super) async fn restore(
    tx: &Transaction<'_>,
    manifest: &Manifest,
    place: &Path,
    schemas: &[&str],
    up_to: i32,
    alive: &mut Alive<'_>,
) -> Result<Vec<String>> {
    path(tx, schemas).await?;
    let run = async |from: i32, to: i32| -> Result<()> {
        for statement in manifest.statements.iter().filter(|one| (from..to).contains(&one.phase)) {
            tx.batch_execute(&statement.sql).await?;
        }
        Ok(())
    };
    run(i32::MIN, AFTER_ROWS).await?;
    let made = format!("{}.{}", identifier(schemas.first().copied().unwrap_or_default()), identifier(&manifest.table));
    let sink = tx
        .copy_in::<_, Bytes>(&format!("copy {made} ({}) from stdin (format binary)", manifest.columns.join(", ")))
        .await?;
    pin_mut!(sink);
    let mut rows = archive::reader(place)?;
    loop {
        let mut block = vec![0; BLOCK];
        let read = rows.read(&mut block).map_err(|error| archive::io(place, &error))?;
        if read == 0 {
            break;
        }
        block.truncate(read);
        alive.passed(read);
        sink.send(Bytes::from(block)).await?;
    }
    sink.finish().await?;
    run(AFTER_ROWS, up_to.min(GRANTS)).await?;
    if up_to > GRANTS && manifest.knows(GRANTS) {
        let oid: Oid = tx.query_one("select to_regclass($1)::oid", &[&made]).await?.try_get(0)?;
        for row in tx.query(DEFAULTS, &[&oid]).await? {
            tx.batch_execute(row.try_get(0)?).await?;
        }
    }
    run(GRANTS, up_to.clamp(GRANTS, PUBLICATIONS)).await?;
    let open = tx.query(OPEN_PUBLICATIONS, &[]).await?;
    let open = open.iter().map(|row| row.try_get(0)).collect::<std::result::Result<Vec<&str>, _>>()?;
    let mut left_out = Vec::new();
    for statement in manifest.statements.iter().filter(|one| (PUBLICATIONS..up_to).contains(&one.phase)) {
        match open.iter().any(|begins| statement.sql.starts_with(begins)) {
            true => tx.batch_execute(&statement.sql).await?,
            false => left_out.push(statement.sql.clone()),
        }
    }
    Ok(left_out)
}

/// Renames a table, when nobody has written to it since it looked like this.
pub(super) async fn rename(
    database: &Database,
    table: &Table,
    looked: &Look,
    to: &str,
    failpoints: &Failpoints,
) -> Result<()> {
    let mut client = database.client().await?;
    let tx = client.transaction().await?;
    see_all(&tx).await?;
    tx.batch_execute("set local lock_timeout = '5s'").await?;
    tx.batch_execute(&format!("lock table {} in access exclusive mode", table.qualified)).await?;
    if look(&tx, &table.qualified).await? != *looked {
        return Err(MigrateError::Refused {
            what: format!("Somebody wrote to {} after the last sweep", table.qualified),
            cure: "find the writer and stop it, then sweep again; nothing was renamed".into(),
        });
    }
    tx.batch_execute(&format!("alter table {} rename to {}", table.qualified, identifier(to))).await?;
    failpoints.pass(Point::BeforeRename).await?;
    tx.commit().await?;
    Ok(())
}

/// A name for a retired table that nothing in its schema has, and that name with the schema, quoted where it has to be.
pub(super) async fn free_name(tx: &Transaction<'_>, table: &Table, date: &str) -> Result<(String, String)> {
    let mark = format!("__retired_{date}");
    // PostgreSQL keeps 63 bytes of a name.
    let mut keep = table.name.len().min(63 - mark.len() - 3);
    while !table.name.is_char_boundary(keep) {
        keep -= 1;
    }
    for nth in 1..100 {
        let again = if nth == 1 { String::new() } else { format!("_{nth}") };
        let name = format!("{}{mark}{again}", &table.name[..keep]);
        let sql = "select q.name, to_regclass(q.name) is not null from format('%I.%I', $1::text, $2::text) as q (name)";
        let row = tx.query_one(sql, &[&table.schema, &name]).await?;
        let (qualified, taken): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
        if !taken {
            return Ok((name, qualified));
        }
    }
    Err(MigrateError::Refused {
        what: format!("A hundred tables are called {}{mark} already", table.name),
        cure: "drop or rename some of them".into(),
    })
}
