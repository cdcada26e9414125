//! The marker: an additive column on the source that says which rows were handed down, when the file asks for it.
//!
//! It is a projection of the ledger and never the truth: nothing reads it to decide what to do. It is stamped in the
//! chunk's own transaction when source and target are one database, and after a clean verify otherwise, which takes it from
//! rows that were forgotten since as well. Verify holds it against the records, key by key. With the outbox this is all of
//! `apply` that writes to a source.

use deadpool_postgres::{GenericClient, Transaction};
use futures_util::{StreamExt, pin_mut};
use heirloom_engine::Database;
use heirloom_store::Store;

use super::Work;
use crate::error::{MigrateError, Result};
use crate::failpoint::{Failpoints, Point};
use crate::file::MigrationFile;
use crate::ledger;
use crate::mapping::Program;
use crate::marker::{BATCH, Mark, without_record};
use crate::plan::Plan;
use crate::source::{self, MARK_COMMENT, Source, identifier, literal};

impl Mark {
    /// Adds the column when it is not there: nullable, no default, so no row is rewritten.
    pub(super) async fn add_column(&self, work: &Work<'_>) -> Result<()> {
        if self.same_database { self.add(work.store.database()).await } else { Ok(()) }
    }

    async fn add(&self, database: &Database) -> Result<()> {
        let client = database.client().await?;
        let there = self.is_there(&client).await?;
        if !there {
            // One string is one transaction: a column without the comment would be taken for the owner's.
            let (table, column) = (&self.table, identifier(&self.column));
            let comment = literal(MARK_COMMENT);
            client
                .batch_execute(&format!(
                    "alter table {table} add column if not exists {column} timestamptz; \
                     comment on column {table}.{column} is {comment}"
                ))
                .await?;
        }
        Ok(())
    }

    /// Stamps the rows of a chunk in its own transaction, when that is possible.
    pub(super) async fn stamp_with_rows(
        &self,
        tx: &Transaction<'_>,
        work: &Work<'_>,
        keys: &[Vec<String>],
    ) -> Result<()> {
        debug_assert_eq!(work.plan.source.same_database, self.same_database, "the plan says where the source lies");
        if self.same_database { self.stamp(tx, keys).await.map(drop) } else { Ok(()) }
    }

    async fn stamp(&self, client: &impl GenericClient, keys: &[Vec<String>]) -> Result<u64> {
        self.set(client, keys, true).await
    }

    /// Stamps these rows, or takes the mark from them; those that are so already are left alone.
    async fn set(&self, client: &impl GenericClient, keys: &[Vec<String>], marked: bool) -> Result<u64> {
        let (value, is) = if marked { ("now()", "is null") } else { ("null", "is not null") };
        let column = identifier(&self.column);
        let (mut names, mut arrays, mut joins) = (Vec::new(), Vec::new(), Vec::new());
        for (i, (name, declared)) in self.key.iter().enumerate() {
            names.push(format!("k{i}"));
            arrays.push(format!("${}::text[]", i + 1));
            joins.push(format!("s.{} = t.k{i}::{declared}", identifier(name)));
        }
        let sql = format!(
            "update {} as s set {column} = {value} from unnest({}) as t ({}) where {} and s.{column} {is}",
            self.table,
            arrays.join(", "),
            names.join(", "),
            joins.join(" and ")
        );
        let mut stamped = 0;
        for batch in keys.chunks(BATCH) {
            let columns: Vec<Vec<&str>> = (0..self.key.len())
                .map(|i| batch.iter().map(|key| key.get(i).map_or("", String::as_str)).collect())
                .collect();
            let parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
                columns.iter().map(|column| column as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
            stamped += client.execute(&sql, &parameters).await?;
        }
        Ok(stamped)
    }
}

/// After a clean verify: stamps every row of a source in another database that the store holds, and takes the mark from rows
/// of any source that were forgotten since. Rows that are so already are left alone, so that stamping twice writes nothing.
/// Returns how many rows were stamped.
///
/// # Errors
/// [`MigrateError::Source`] when the source cannot be written to.
pub async fn stamp_verified(
    plan: &Plan,
    file: &MigrationFile,
    source: &dyn Source,
    target: &Database,
    failpoints: &Failpoints,
) -> Result<u64> {
    let Some(mark) = Mark::of(file, plan) else { return Ok(0) };
    let Some(database) = source.marker() else {
        return Err(MigrateError::Source {
            source_name: source.display(),
            what: "it cannot be written to, so no row can be marked".into(),
            accepted: "remove `mark` from [source], or move from a PostgreSQL table".into(),
        });
    };
    mark.add(database).await?;
    take_away(&mark, plan, file, source, target, database).await?;
    if mark.same_database {
        return Ok(0);
    }
    failpoints.pass(Point::BeforeStamp).await?;
    let mut stamped = 0;
    {
        let mut client = target.client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        let (origin, foreign) = (plan.origin_source(), plan.target.foreign.is_some());
        let keys = ledger::handed_down_keys(&tx, &origin, foreign).await?.chunks(BATCH);
        pin_mut!(keys);
        while let Some(some) = keys.next().await {
            let some = some.into_iter().collect::<Result<Vec<_>>>()?;
            stamped += mark.stamp(&database.client().await?, &some).await?;
        }
    }
    failpoints.pass(Point::AfterStamp).await?;
    Ok(stamped)
}

/// Takes the mark from rows that were forgotten in the store.
async fn take_away(
    mark: &Mark,
    plan: &Plan,
    file: &MigrationFile,
    source: &dyn Source,
    target: &Database,
    database: &Database,
) -> Result<()> {
    let table = source::describe_without_mark(source, file).await?;
    let tree = match &file.source.tree {
        Some(tree) => Some(source.tree(&tree.table.value, &tree.id.value, &tree.parent.value).await?),
        None => None,
    };
    let program = Program::compile(file, &table, plan.context(Store::open(target).await?.meta().dimension, tree))?;
    for chunk in &plan.chunks {
        let keys = mark.keys(source, &plan.reading(&chunk.range, &[])).await?;
        for keys in keys.chunks(BATCH) {
            let forgotten: Vec<Vec<String>> = without_record(plan, target, &program, keys)
                .await?
                .into_iter()
                .filter(|(_, _, forgotten)| *forgotten)
                .map(|(key, ..)| key.clone())
                .collect();
            if !forgotten.is_empty() {
                mark.set(&database.client().await?, &forgotten, false).await?;
            }
        }
    }
    Ok(())
}

/// The marker held against the records of the store.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Marked {
    /// The column.
    pub column: String,
    /// Rows of the source that carry it.
    pub marked: u64,
    /// Rows of the source that do not.
    pub unmarked: u64,
    /// Rows of this source that the store has a record of.
    pub recorded: u64,
}

/// Counts the marks of a source and the records of the store, read-only; `None` when the file asks for no mark, or it was
/// not added yet.
///
/// # Errors
/// [`MigrateError::Target`] when either side refuses.
pub async fn marked(
    plan: &Plan,
    file: &MigrationFile,
    source: &dyn Source,
    target: &Database,
) -> Result<Option<Marked>> {
    let (Some(mark), Some(database)) = (Mark::of(file, plan), source.marker()) else { return Ok(None) };
    let recorded = {
        let mut client = target.client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        match plan.target.foreign {
            None => ledger::handed_down_count(&tx, &plan.origin_source()).await?,
            Some(_) => ledger::delivered_count(&tx, &plan.origin_source()).await?,
        }
    };
    let client = database.client().await?;
    if !mark.is_there(&client).await? {
        return Ok(None);
    }
    let sql = format!("select count({0}), count(*) - count({0}) from {1}", identifier(&mark.column), mark.table);
    let row = client.query_one(&sql, &[]).await?;
    let count = |at: usize| row.try_get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or(0));
    let (marked, unmarked) = (count(0)?, count(1)?);
    Ok(Some(Marked { column: mark.column, marked, unmarked, recorded }))
}
