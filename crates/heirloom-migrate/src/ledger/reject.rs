//! Rows that were set aside, with their original bytes, and rows changed on both sides.

use std::borrow::Cow;

use deadpool_postgres::{GenericClient, Transaction};
use heirloom_engine::Cached;
use serde::Serialize;
use uuid::Uuid;

use super::chunk::ordinal_sql;
use crate::digest::Digest;
use crate::error::{MigrateError, Result};
use crate::mapping::{Reject, RejectCode};

const PUT: &str = include_str!("../../sql/queries/put_rejects.sql");
/// Bytes of rows that go in one statement, whose parameters PostgreSQL holds to a gigabyte; a row of more goes alone.
const PUT_BYTES: usize = 32 << 20;
/// Longest row that is kept. Longer ones, whose JSON PostgreSQL has no room for, stay in the source alone.
const MAX_KEPT_BYTES: usize = 900 << 20;
const NOT_KEPT: &str = "{\"$not_kept\":";
const LIST: &str = include_str!("../../sql/queries/list_rejects.sql");

/// A row to set aside.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReject {
    /// Source key, one string a key column.
    pub key: Vec<String>,
    /// Why.
    pub reject: Reject,
    /// The row verbatim, every column (see `source::verbatim`).
    pub source_row: String,
    /// Its digest under the store's key.
    pub source_digest: Digest,
}

/// A row that was set aside.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RejectRecord {
    /// Number in the ledger; a cursor.
    pub reject_id: i64,
    /// The run that last met it.
    pub run_id: Uuid,
    /// The chunk of that run.
    #[serde(skip)]
    pub ordinal: u32,
    /// The migration's name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// The source (see [`crate::plan::Plan::origin_source`]).
    pub source: String,
    /// The key.
    pub key: Vec<String>,
    /// Why.
    pub code: RejectCode,
    /// The memory field concerned.
    pub field: Option<String>,
    /// The source column concerned.
    pub column: Option<String>,
    /// The sentence.
    pub message: String,
    /// The original row, verbatim. Content: leaves the process only when the user asks for an export.
    #[serde(skip)]
    pub source_row: String,
    /// Whether it still waits.
    pub open: bool,
    /// When it was last met, RFC 3339.
    pub found_at: String,
}

/// Which rejects to list.
#[derive(Debug, Clone, Default)]
pub struct RejectFilter {
    /// Only this migration.
    pub name: Option<String>,
    /// Only this source.
    pub source: Option<String>,
    /// Only open ones.
    pub open_only: bool,
    /// After this number.
    pub after: i64,
    /// At most so many.
    pub limit: i64,
    /// In the order of the keys, for a reader; by number, for whoever goes on from one.
    pub by_key: bool,
}

/// Sets rows aside, in the chunk's transaction.
pub async fn put_rejects(
    tx: &Transaction<'_>,
    run_id: Uuid,
    ordinal: u32,
    source: &str,
    rejects: &[NewReject],
) -> Result<()> {
    let mut rest = rejects;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|reject| {
            bytes += reject.source_row.len();
            bytes <= PUT_BYTES
        });
        let (part, after) = rest.split_at(fits.count().max(1));
        put(tx, run_id, ordinal, source, part).await?;
        rest = after;
    }
    Ok(())
}

async fn put(tx: &Transaction<'_>, run_id: Uuid, ordinal: u32, source: &str, rejects: &[NewReject]) -> Result<()> {
    let keys = rejects.iter().map(|reject| key_text(&reject.key)).collect::<Result<Vec<_>>>()?;
    let codes: Vec<String> = rejects.iter().map(|reject| code_text(reject.reject.code)).collect();
    let fields: Vec<Option<&str>> = rejects.iter().map(|reject| reject.reject.field.as_deref()).collect();
    let columns: Vec<Option<&str>> = rejects.iter().map(|reject| reject.reject.column.as_deref()).collect();
    let messages: Vec<&str> = rejects.iter().map(|reject| reject.reject.message.as_str()).collect();
    let rows: Vec<Cow<'_, str>> = rejects.iter().map(|reject| kept(&reject.source_row)).collect();
    let digests: Vec<&[u8]> = rejects.iter().map(|reject| reject.source_digest.0.as_slice()).collect();
    let ordinal = ordinal_sql(ordinal)?;
    tx.execute(PUT, &[&run_id, &ordinal, &source, &keys, &codes, &fields, &columns, &messages, &rows, &digests])
        .await?;
    Ok(())
}

/// What is kept of a row: all of it, or how long it is.
fn kept(row: &str) -> Cow<'_, str> {
    if row.len() <= MAX_KEPT_BYTES {
        return row.into();
    }
    format!("{NOT_KEPT}\"{} bytes\"}}", row.len()).into()
}

impl RejectRecord {
    /// Whether the row is kept, so that it can be tried again without its source.
    pub(crate) fn is_kept(&self) -> bool {
        !self.source_row.starts_with(NOT_KEPT)
    }
}

/// Closes the rejects of rows that were handed down after all. Returns how many were open.
pub async fn resolve_rejects(tx: &Transaction<'_>, run_id: Uuid, source: &str, keys: &[Vec<String>]) -> Result<u64> {
    if keys.is_empty() {
        return Ok(0);
    }
    let keys = keys.iter().map(|key| key_text(key)).collect::<Result<Vec<_>>>()?;
    Ok(tx
        .execute(
            "update heirloom_migrate.reject set state = 'resolved', resolved_at = now(), resolved_by = $1 \
             where source = $2 and state = 'open' and source_key = any ($3) \
               and md5(source_key) in (select md5(k) from unnest($3) as k)",
            &[&run_id, &source, &keys],
        )
        .await?)
}

/// Whether any row of a source is set aside and open.
pub async fn any_open_reject(client: &impl GenericClient, source: &str) -> Result<bool> {
    let sql = "select exists (select from heirloom_migrate.reject where source = $1 and state = 'open')";
    Ok(client.query_one_cached(sql, &[&source]).await?.try_get(0)?)
}

/// Keys of a source that are set aside and open, with the digest of the bytes they had.
pub async fn open_rejects(client: &impl GenericClient, source: &str) -> Result<Vec<(Vec<String>, Digest)>> {
    let rows = client
        .query(
            "select source_key, source_digest from heirloom_migrate.reject where source = $1 and state = 'open' order by reject_id",
            &[&source],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let digest: Vec<u8> = row.try_get(1)?;
            let digest = <[u8; 16]>::try_from(digest.as_slice())
                .map_err(|_| MigrateError::Ledger("a reject's digest is not 16 bytes long".into()))?;
            Ok((key_parts(row.try_get(0)?)?, Digest(digest)))
        })
        .collect()
}

/// Lists what was set aside.
pub async fn list_rejects(client: &impl GenericClient, filter: &RejectFilter) -> Result<Vec<RejectRecord>> {
    let state = filter.open_only.then_some("open");
    let limit = if filter.limit <= 0 { i64::MAX } else { filter.limit };
    let rows =
        client.query(LIST, &[&filter.name, &filter.source, &state, &filter.after, &limit, &filter.by_key]).await?;
    rows.iter()
        .map(|row| {
            let code: String = row.try_get("code")?;
            let found_at: jiff::Timestamp = row.try_get("found_at")?;
            let state: String = row.try_get("state")?;
            Ok(RejectRecord {
                reject_id: row.try_get("reject_id")?,
                run_id: row.try_get("run_id")?,
                ordinal: u32::try_from(row.try_get::<_, i32>("ordinal")?).unwrap_or_default(),
                name: row.try_get("name")?,
                tenant: row.try_get("tenant")?,
                source: row.try_get("source")?,
                key: key_parts(row.try_get("source_key")?)?,
                code: serde_json::from_value(code.clone().into())
                    .map_err(|_| MigrateError::Ledger(format!("unknown reject code {code}")))?,
                field: row.try_get("field")?,
                column: row.try_get("source_column")?,
                message: row.try_get("message")?,
                source_row: row.try_get("source_row")?,
                open: state == "open",
                found_at: found_at.to_string(),
            })
        })
        .collect()
}

/// Records that a row changed on both sides; the store's edit stays.
pub async fn conflict(
    tx: &Transaction<'_>,
    run_id: Uuid,
    source: &str,
    key: &[String],
    memory_id: Uuid,
    digest: Digest,
) -> Result<()> {
    tx.execute(
        "insert into heirloom_migrate.conflict (run_id, source, source_key, memory_id, source_digest) \
         values ($1, $2, $3, $4, $5) \
         on conflict (source, md5(source_key)) do update \
         set run_id = excluded.run_id, source_digest = excluded.source_digest, found_at = now()",
        &[&run_id, &source, &key_text(key)?, &memory_id, &digest.0.as_slice()],
    )
    .await?;
    Ok(())
}

/// A key as the ledger and the origin keep it: a JSON array of strings.
pub(crate) fn key_text(key: &[String]) -> Result<String> {
    serde_json::to_string(key).map_err(|error| MigrateError::Ledger(error.to_string()))
}

pub(super) fn key_parts(text: &str) -> Result<Vec<String>> {
    serde_json::from_str(text).map_err(|_| MigrateError::Ledger("a source key is not a JSON array of strings".into()))
}

fn code_text(code: RejectCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
