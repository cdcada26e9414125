//! A source of which only a part is looked at: a workspace's rows, or so many of the oldest. The table stays the same table,
//! so that what was handed down in parts is one migration to everybody who asks later.

use std::collections::HashSet;

use async_trait::async_trait;
use heirloom_engine::Database;
use heirloom_migrate::Result;
use heirloom_migrate::source::{Identity, KeyRange, Read, Relation, Source, Table, TreeRows, Visit};
use heirloom_migrate::value::{SourceRow, Value};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// A part of a source.
pub(super) struct Only {
    source: Box<dyn Source>,
    workspace: Option<Uuid>,
    limit: u64,
    /// Keys of the oldest rows, once there are more rows than may be looked at.
    oldest: OnceCell<Option<HashSet<Vec<String>>>>,
}

impl Only {
    pub(super) fn new(source: Box<dyn Source>, workspace: Option<Uuid>, limit: u64) -> Self {
        Self { source, workspace, limit, oldest: OnceCell::new() }
    }

    /// Whether no row was left out.
    pub(super) fn is_all(&self) -> bool {
        self.workspace.is_none() && matches!(self.oldest.get(), Some(None))
    }

    /// The keys that may be looked at; `None` when all may. Rows without a time are the oldest, as the platform had them last
    /// in no order; ties go by key, so that two runs look at the same rows.
    async fn oldest(&self, read: &Read) -> Result<Option<HashSet<Vec<String>>>> {
        let whole = Read { range: KeyRange::default(), ..read.clone() };
        let (workspace, created) = (column(read, "workspace_id"), column(read, "created_at"));
        let mut keys: Vec<(i64, Vec<String>)> = Vec::new();
        self.source
            .scan(&whole, &mut |row, _| {
                if self.is_meant(&row, workspace) {
                    keys.push((age(&row, created), row.key));
                }
                Ok(())
            })
            .await?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if keys.len() <= limit {
            return Ok(None);
        }
        keys.sort();
        Ok(Some(keys.into_iter().take(limit).map(|(_, key)| key).collect()))
    }

    fn is_meant(&self, row: &SourceRow, workspace: Option<usize>) -> bool {
        let Some(wanted) = self.workspace else { return true };
        match workspace.and_then(|at| row.values.get(at)) {
            Some(Value::Uuid(id)) => *id == wanted,
            Some(Value::Text(text)) => text.parse() == Ok(wanted),
            _ => false,
        }
    }
}

fn column(read: &Read, name: &str) -> Option<usize> {
    read.table.columns.iter().position(|column| column.name == name)
}

fn age(row: &SourceRow, created: Option<usize>) -> i64 {
    match created.and_then(|at| row.values.get(at)) {
        Some(Value::Moment(moment) | Value::LocalTime(moment)) => match moment {
            heirloom_store::Moment::Micros(micros) => *micros,
            heirloom_store::Moment::Infinity => i64::MAX,
            heirloom_store::Moment::NegativeInfinity => i64::MIN,
        },
        _ => i64::MIN,
    }
}

#[async_trait]
impl Source for Only {
    fn display(&self) -> String {
        self.source.display()
    }

    fn database(&self) -> Option<&Database> {
        self.source.database()
    }

    fn marker(&self) -> Option<&Database> {
        self.source.marker()
    }

    async fn describe(&self, relation: &Relation) -> Result<Table> {
        self.source.describe(relation).await
    }

    async fn tables(&self) -> Result<Vec<Table>> {
        self.source.tables().await
    }

    async fn identity(&self, relation: &Relation) -> Result<Identity> {
        self.source.identity(relation).await
    }

    async fn tree(&self, table: &str, id: &str, parent: &str) -> Result<TreeRows> {
        self.source.tree(table, id, parent).await
    }

    async fn scan(&self, read: &Read, visit: &mut Visit<'_>) -> Result<u64> {
        let oldest = self.oldest.get_or_try_init(|| self.oldest(read)).await?.as_ref();
        let workspace = column(read, "workspace_id");
        let mut rows = 0;
        self.source
            .scan(read, &mut |row, bytes| {
                if !self.is_meant(&row, workspace) || oldest.is_some_and(|keys| !keys.contains(&row.key)) {
                    return Ok(());
                }
                rows += 1;
                visit(row, bytes)
            })
            .await?;
        Ok(rows)
    }
}
