//! The staging table and the stream into it.

use deadpool_postgres::Transaction;
use heirloom_engine::Cached;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::Row;
use super::encode::{Instant, Padded, Verbatim, check};
use super::signs::{Centres, Signs};
use super::words::{Lexicon, Ranking};
use crate::error::Result;
use crate::schema::{Meta, SERVE_ROLE};

const COLUMNS: &str = "id, namespace, project_id, kind, source, role, topic, content, importance, state, \
    state_changed_at, commit_sha, artifact_hash, verified_at, source_run_id, source_task_id, source_dag_id, pin, \
    propagation, metadata, embedding, embedding_model, expires_at, valid_from, valid_to, created_at, updated_at, \
    confidence, is_active, content_type, item_kind, content_tsv, word_vector, word_vector_long, sign_bits, run_id, \
    origin_source, source_key, source_row, source_digest, written_digest";

/// Empties the stage and fills it with `rows`. One row at a time is encoded; the rest waits in the caller's slice.
pub(super) async fn fill(tx: &Transaction<'_>, meta: &Meta, rows: &[&Row]) -> Result<()> {
    for row in rows {
        check(row, meta.dimension)?;
    }
    ensure(tx).await?;
    // The types are the store's, the vector's with whatever oid it has here.
    let shape = tx.prepare_cached(&format!("select {COLUMNS} from pg_temp.heirloom_stage")).await?;
    let types: Vec<Type> = shape.columns().iter().map(|column| column.type_().clone()).collect();
    let copy = format!("copy pg_temp.heirloom_stage ({COLUMNS}) from stdin (format binary)");
    let centres = Centres::of(tx, rows).await?;
    let mut rest = rows;
    while !rest.is_empty() {
        let lexicon = Lexicon::of(tx, rest).await?;
        let (now, later) = rest.split_at(lexicon.rows());
        let mut writer = Box::pin(BinaryCopyInWriter::new(tx.copy_in(&copy).await?, &types));
        for (at, row) in now.iter().enumerate() {
            write(writer.as_mut(), row, &lexicon.ranking(at), centres.signs(row).as_ref(), meta.dimension).await?;
        }
        writer.as_mut().finish().await?;
        rest = later;
    }
    Ok(())
}

async fn ensure(tx: &Transaction<'_>) -> Result<()> {
    let there: bool =
        tx.query_one_cached("select to_regclass('pg_temp.heirloom_stage') is not null", &[]).await?.get(0);
    if there {
        // A second load of one transaction finds the rows of the first.
        tx.batch_execute("delete from pg_temp.heirloom_stage").await?;
        return Ok(());
    }
    tx.batch_execute(include_str!("../../sql/queries/bulk/stage.sql")).await?;
    tx.batch_execute(&format!("grant select on pg_temp.heirloom_stage to {SERVE_ROLE}")).await?;
    Ok(())
}

async fn write(
    writer: std::pin::Pin<&mut BinaryCopyInWriter>,
    row: &Row,
    ranking: &Ranking,
    signs: Option<&Signs>,
    dimension: usize,
) -> Result<()> {
    let (memory, origin) = (&row.memory, &row.origin);
    let state_changed_at = memory.state_changed_at.map(Instant);
    let verified_at = memory.verified_at.map(Instant);
    let expires_at = memory.expires_at.map(Instant);
    let valid_from = memory.valid_from.map(Instant);
    let valid_to = memory.valid_to.map(Instant);
    let created_at = memory.created_at.map(Instant);
    let updated_at = memory.updated_at.map(Instant);
    let embedding = memory.embedding.as_deref().map(|values| Padded { values, dimension });
    let source_row = Verbatim(&origin.source_row);
    let source_digest = origin.source_digest.as_slice();
    let written_digest = origin.written_digest.as_slice();
    // In the order of COLUMNS.
    let values: [&(dyn ToSql + Sync); 41] = [
        &memory.id,
        &memory.namespace,
        &memory.project_id,
        &memory.kind,
        &memory.source,
        &memory.role,
        &memory.topic,
        &memory.content,
        &memory.importance,
        &memory.state,
        &state_changed_at,
        &memory.commit_sha,
        &memory.artifact_hash,
        &verified_at,
        &memory.source_run_id,
        &memory.source_task_id,
        &memory.source_dag_id,
        &memory.pin,
        &memory.propagation,
        &memory.metadata,
        &embedding,
        &memory.embedding_model,
        &expires_at,
        &valid_from,
        &valid_to,
        &created_at,
        &updated_at,
        &memory.confidence,
        &memory.is_active,
        &memory.content_type,
        &memory.item_kind,
        &ranking.words,
        &ranking.inline,
        &ranking.long,
        &signs,
        &origin.run_id,
        &origin.source,
        &origin.source_key,
        &source_row,
        &source_digest,
        &written_digest,
    ];
    writer.write(&values).await?;
    Ok(())
}
