//! Many lessons in one statement: one array a column, for insert and update alike.

use deadpool_postgres::Transaction;
use heirloom_store::{Memory, Moment};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::super::Parcel;
use super::{mark, unmark};
use crate::error::{MigrateError, Result};

const INSERT: &str = include_str!("../../../sql/queries/pgmnemo_insert.sql");
const UPDATE: &str = include_str!("../../../sql/queries/pgmnemo_update.sql");

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Insert,
    Update,
}

/// Runs a statement over these rows; gives back each id with the number of its lesson.
pub(super) async fn run(
    tx: &Transaction<'_>,
    verb: Verb,
    rows: &[&Parcel],
    dimension: usize,
) -> Result<Vec<(Uuid, i64)>> {
    let columns = Columns::of(rows, dimension);
    let sql = match verb {
        Verb::Insert => INSERT,
        Verb::Update => UPDATE,
    };
    let found = tx.query(sql, &columns.parameters()).await?;
    found
        .iter()
        .map(|row| {
            let number: i64 = row.try_get(0)?;
            let id = unmark(row.try_get(1)?);
            Ok((id.ok_or_else(|| MigrateError::Ledger(format!("lesson {number} bears a mark of no id")))?, number))
        })
        .collect()
}

/// The parameters of both statements, in their order.
struct Columns<'a>(Vec<Box<dyn ToSql + Sync + Send + 'a>>);

impl<'a> Columns<'a> {
    fn of(rows: &[&'a Parcel], dimension: usize) -> Self {
        let memories: Vec<&'a Memory> = rows.iter().map(|row| &row.memory).collect();
        let mut columns = Self(Vec::with_capacity(26));
        columns.add(&memories, |m| mark(m.id));
        columns.add(&memories, |m| m.project_id);
        columns.add(&memories, |m| source_type(&m.source));
        columns.add(&memories, |m| m.role.as_deref());
        columns.add(&memories, |m| m.topic.as_deref());
        columns.add(&memories, |m| m.content.as_str());
        columns.add(&memories, |m| m.importance);
        columns.add(&memories, |m| m.state.as_str());
        columns.add(&memories, |m| m.state_changed_at);
        columns.add(&memories, |m| m.commit_sha.as_deref());
        columns.add(&memories, |m| m.artifact_hash.as_deref());
        columns.add(&memories, |m| m.verified_at);
        columns.add(&memories, |m| m.source_run_id.as_deref());
        columns.add(&memories, |m| m.source_task_id.as_ref().and_then(|task| task.parse::<i64>().ok()));
        columns.add(&memories, |m| m.metadata.as_ref().map(ToString::to_string));
        columns.add(&memories, |m| m.embedding.as_ref().map(|vector| vector_text(vector, dimension)));
        columns.add(&memories, |m| m.expires_at);
        columns.add(&memories, |m| m.valid_from);
        columns.add(&memories, |m| m.valid_to);
        columns.add(&memories, |m| m.created_at);
        columns.add(&memories, |m| m.updated_at);
        columns.add(&memories, |m| m.confidence);
        columns.add(&memories, |m| m.is_active);
        columns.add(&memories, |m| m.content_type.as_deref());
        columns.add(&memories, |m| m.item_kind.as_str());
        columns.add(&memories, |m| m.source_dag_id.as_deref());
        columns
    }

    fn add<T: ToSql + Sync + Send + 'a>(&mut self, memories: &[&'a Memory], value: impl Fn(&'a Memory) -> T) {
        self.0.push(Box::new(memories.iter().map(|memory| value(memory)).collect::<Vec<T>>()));
    }

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect()
    }
}

/// Heirloom's word for who wrote it, in pgmnemo's.
fn source_type(source: &str) -> &'static str {
    match source {
        "imported" => "imported",
        "runtime" => "system",
        _ => "agent_authored",
    }
}

/// A vector as pgvector reads it, padded with zeros: the cosine is unchanged. Each number is its shortest exact form.
fn vector_text(vector: &[f32], dimension: usize) -> String {
    let padding = std::iter::repeat_n(&0.0_f32, dimension.saturating_sub(vector.len()));
    let numbers: Vec<String> = vector.iter().chain(padding).map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// When a lesson was made, for telling which of its kind is the newest.
pub(super) fn made(memory: &Memory) -> (Option<Moment>, Uuid) {
    (memory.created_at, memory.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_padded_and_exact() {
        assert_eq!(vector_text(&[0.1, -0.0, 1e-30], 4), "[0.1,-0,0.000000000000000000000000000001,0]");
    }
}
