//! The marker as it is read: which column it is, which rows carry it, and which of them have no record. `apply/mark.rs` writes it.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use heirloom_engine::Database;
use uuid::Uuid;

use crate::error::Result;
use crate::file::MigrationFile;
use crate::ledger;
use crate::mapping::Program;
use crate::plan::Plan;
use crate::source::{Read, Relation, Source, identifier, narrow};
use crate::value::Value;

/// Keys in one statement.
pub(crate) const BATCH: usize = 5_000;

/// Which column of which table to stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) key: Vec<(String, String)>,
    pub(crate) same_database: bool,
}

impl Mark {
    /// The marker the file asks for, if it does and the source is a table.
    pub(crate) fn of(file: &MigrationFile, plan: &Plan) -> Option<Self> {
        let column = file.source.mark.as_ref()?.value.clone();
        let Relation::Table(_) = &plan.source.relation else { return None };
        let key = plan
            .source
            .key
            .iter()
            .map(|name| {
                let declared = plan.source.table.columns.iter().find(|column| column.name == *name);
                (name.clone(), declared.map_or_else(|| "text".to_owned(), |column| column.declared.clone()))
            })
            .collect();
        Some(Self { table: plan.source.table.name.clone(), column, key, same_database: plan.source.same_database })
    }

    /// Whether the column is there.
    pub(crate) async fn is_there(&self, client: &impl GenericClient) -> Result<bool> {
        let sql = "select exists (select from pg_attribute where attrelid = to_regclass($1) and attname = $2 and not attisdropped)";
        Ok(client.query_one(sql, &[&self.table, &self.column]).await?.try_get(0)?)
    }

    /// Whether the source has the column.
    pub(crate) async fn is_on(&self, source: &dyn Source) -> Result<bool> {
        let Some(database) = source.marker() else { return Ok(false) };
        self.is_there(&database.client().await?).await
    }

    /// The keys of a read's rows that carry it.
    pub(crate) async fn keys(&self, source: &dyn Source, read: &Read) -> Result<Vec<Vec<String>>> {
        let carried = format!("s.{} is not null", identifier(&self.column));
        let mut keys = Vec::new();
        source
            .scan(&narrow(read, vec![carried]), &mut |row, _bytes| {
                if matches!(row.values.last(), Some(Value::Bool(true))) {
                    keys.push(row.key);
                }
                Ok(())
            })
            .await?;
        Ok(keys)
    }
}

/// Of these keys those of which no record says that they were handed down, with their ids, and whether they were forgotten
/// since.
pub(crate) async fn without_record<'k>(
    plan: &Plan,
    target: &Database,
    program: &Program,
    keys: &'k [Vec<String>],
) -> Result<Vec<(&'k Vec<String>, Uuid, bool)>> {
    let ids: Vec<Uuid> = keys.iter().map(|key| program.id(key)).collect();
    let mut client = target.client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let foreign = plan.target.foreign.is_some();
    let without: HashMap<Uuid, bool> =
        ledger::unrecorded(&tx, &plan.origin_source(), foreign, &ids).await?.into_iter().collect();
    Ok(keys.iter().zip(ids).filter_map(|(key, id)| Some((key, id, *without.get(&id)?))).collect())
}
