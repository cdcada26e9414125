//! `heirloom origin`: the source row of a migrated memory beside what it became, and whether it still is that.

use clap::Args;
use heirloom_engine::{Refusal, Trouble};
use heirloom_migrate::plan::{ColumnFate, Plan};
use heirloom_migrate::verify::{self, Standing};
use heirloom_migrate::{MigrateError, ledger};
use heirloom_store::{Moment, Origin as Kept, Record, Show as Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, migration, shared};
use crate::text::{Table, harmless, line};

/// Arguments of `heirloom origin`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The memory's id
    pub id: Uuid,
    /// The namespace it lives in
    #[arg(long, short)]
    pub namespace: Option<String>,
}

/// Where a memory came from.
#[derive(Serialize)]
struct Found {
    /// The memory as it is.
    memory: Record,
    /// Absent for a memory that was born here.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Told>,
}

#[derive(Serialize)]
struct Told {
    run_id: Uuid,
    /// The migration's name; absent when the ledger does not have the run.
    migration: Option<String>,
    source: String,
    /// One string a key column.
    key: Value,
    handed_down_at: Moment,
    standing: Standing,
    /// Keyed by the store, hex.
    source_digest: String,
    written_digest: String,
    columns: Vec<Column>,
}

/// A column of the source row.
#[derive(Serialize)]
struct Column {
    column: String,
    declared: Option<String>,
    fate: Option<String>,
    to: Vec<String>,
    note: Option<String>,
    /// As it was kept; absent where the memory carries it unchanged, or where it was left behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    /// Whether the memory carries it unchanged, so that it was not kept a second time.
    carried: bool,
}

impl Operation for Origin {
    const NAME: &'static str = "origin";
    const SUMMARY: &'static str = "Show the source row a memory was handed down from";
    const DETAIL: &'static str = "Column by column, what it became, and whether the memory still is what was written.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let store = context.store().await?;
        let (memory, kept) = store.origin(&scope, &Request { id: self.id, namespace: None }).await?;
        let Some((kept, at)) = kept else {
            return Output::new(&Found { memory, origin: None }, "It was born here.\n");
        };
        let standing = verify::standing(&store, &memory.namespace, memory.id, &kept.written_digest).await?;
        let plan = plan_of(context, kept.run_id).await?;
        let told = told(kept, at, standing, plan.as_ref());
        let text = text(&told);
        Output::new(&Found { memory, origin: Some(told) }, text)
    }
}

/// The plan of the run, when the ledger has one that this version reads: without, the values alone are shown.
async fn plan_of(context: &Context, run_id: Uuid) -> Result<Option<Plan>> {
    let client = context.existing().await?.client().await.map_err(MigrateError::from)?;
    let known = match ledger::exists(&client).await {
        // A login that serves tenants alone may not look at the ledger; the values are shown all the same.
        Err(MigrateError::Target(error)) if Refusal::of(&error).trouble == Trouble::Rights => false,
        known => known?,
    };
    if !known {
        return Ok(None);
    }
    Ok(ledger::stored_plan(&client, run_id).await.ok())
}

fn told(kept: Kept, at: Moment, standing: Standing, plan: Option<&Plan>) -> Told {
    let row: Map<String, Value> = serde_json::from_str(&kept.source_row).unwrap_or_default();
    let fates: &[ColumnFate] = plan.map_or(&[], |plan| &plan.columns);
    let mut columns: Vec<Column> = fates
        .iter()
        .map(|fate| {
            let word = migration::word(&fate.fate);
            let value = row.get(&fate.column).cloned();
            Column {
                column: fate.column.clone(),
                declared: Some(fate.declared.clone()),
                to: fate.to.clone(),
                note: fate.note.clone(),
                carried: value.is_none() && word == "mapped",
                value,
                fate: Some(word),
            }
        })
        .collect();
    for (column, value) in &row {
        if !fates.iter().any(|fate| fate.column == *column) {
            columns.push(Column {
                column: column.clone(),
                declared: None,
                fate: None,
                to: Vec::new(),
                note: None,
                value: Some(value.clone()),
                carried: false,
            });
        }
    }
    let hex = |digest: [u8; 16]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Told {
        run_id: kept.run_id,
        migration: plan.map(|plan| plan.name.clone()),
        key: serde_json::from_str(&kept.source_key).unwrap_or(Value::Null),
        source: kept.source,
        handed_down_at: at,
        standing,
        source_digest: hex(kept.source_digest),
        written_digest: hex(kept.written_digest),
        columns,
    }
}

fn text(told: &Told) -> String {
    let mut table = Table::new(&["column", "became", "value"]);
    for column in &told.columns {
        let value = match &column.value {
            Some(Value::String(text)) => line(&harmless(text), 40),
            Some(other) => line(&other.to_string(), 40),
            None if column.carried => "as the memory has it".to_owned(),
            None => String::new(),
        };
        let became = if column.to.is_empty() { column.fate.clone().unwrap_or_default() } else { column.to.join(", ") };
        table.row([line(&column.column, 24), line(&became, 24), value]);
    }
    format!("{} {}, {}\n\n{}", told.source, told.key, migration::word(&told.standing), table.render())
}
