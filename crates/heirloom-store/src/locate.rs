//! Finding the one row an operation is about, and holding it.

use deadpool_postgres::Transaction;
use heirloom_engine::Cached;
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::namespace;
use crate::scope::Scope;

/// A row held `for update` until its transaction ends.
pub(crate) struct Locked {
    pub(crate) namespace: String,
    pub(crate) lesson_id: i64,
    pub(crate) version: i32,
    pub(crate) state: String,
    pub(crate) content: String,
    pub(crate) role: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) metadata: Option<Value>,
}

/// Serialises everything that may bring an id into being or end it, in whatever namespace: no constraint spans
/// namespaces, so two writers of one id meet here. The bulk loader, whose ids are too many for a lock each, meets them
/// on the lock they share ([`hold_all_ids`]).
pub(crate) async fn hold_id(tx: &Transaction<'_>, id: Uuid) -> Result<()> {
    tx.execute("select pg_advisory_xact_lock_shared(hashtextextended('heirloom memory ids', 0))", &[]).await?;
    tx.execute("select pg_advisory_xact_lock(hashtextextended('heirloom memory ' || $1::text, 0))", &[&id.to_string()])
        .await?;
    Ok(())
}

/// Keeps every other holder of an id, and every other loader, away until the transaction ends. Those who wait hold
/// nothing that the caller needs; those who hold an id are done within a statement or two.
pub(crate) async fn hold_all_ids(tx: &Transaction<'_>) -> Result<()> {
    tx.execute_cached("select pg_advisory_xact_lock(hashtextextended('heirloom memory ids', 0))", &[]).await?;
    Ok(())
}

/// The memory of this id in the scope, held until the transaction ends.
///
/// # Errors
/// [`StoreError::Forgotten`] or [`StoreError::NotFound`] when the scope has none, [`StoreError::Conflict`] when
/// several namespaces of the scope hold the id and none was named.
pub(crate) async fn lock(tx: &Transaction<'_>, scope: &Scope, id: Uuid, namespace: Option<&str>) -> Result<Locked> {
    if let Some(name) = namespace {
        namespace::validate(name)?;
    }
    let rows = tx.query(include_str!("../sql/queries/lock_memory.sql"), &[&id, &namespace]).await?;
    match rows.as_slice() {
        [] => Err(missing(tx, scope, id, namespace).await?),
        [row] => Ok(Locked {
            namespace: row.try_get("namespace")?,
            lesson_id: row.try_get("lesson_id")?,
            version: row.try_get("version_n")?,
            state: row.try_get("state")?,
            content: row.try_get("content")?,
            role: row.try_get("role")?,
            topic: row.try_get("topic")?,
            metadata: row.try_get("metadata")?,
        }),
        _ => Err(ambiguous(id)),
    }
}

pub(crate) fn ambiguous(id: Uuid) -> StoreError {
    StoreError::Conflict(format!("Several namespaces of this call hold a memory {id}: name the namespace"))
}

/// Why the scope has no such memory: it was forgotten there, or it never was there as far as the scope may know.
pub(crate) async fn missing(
    tx: &Transaction<'_>,
    scope: &Scope,
    id: Uuid,
    namespace: Option<&str>,
) -> Result<StoreError> {
    let forgotten = tx
        .query_opt(
            "select t.namespace from heirloom.tombstone t \
             where t.id = $1 and ($2::text is null or t.namespace = $2) order by t.namespace limit 1",
            &[&id, &namespace],
        )
        .await?;
    Ok(match forgotten {
        Some(row) => StoreError::Forgotten { id: id.to_string(), namespace: row.try_get(0)? },
        None => StoreError::NotFound {
            what: "memory",
            id: id.to_string(),
            namespace: namespace.map_or_else(|| scope.to_string(), str::to_owned),
        },
    })
}
