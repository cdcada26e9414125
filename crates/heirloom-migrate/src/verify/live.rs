//! Rows of the target that were never handed down from here: live rows, which explain why the counts of both sides need not
//! agree.

use heirloom_engine::Cached;
use heirloom_store::Identity;
use serde::Serialize;
use uuid::Uuid;

use super::Verification;
use super::expected::Work;
use crate::error::Result;

pub(super) const UNMET: &str = include_str!("../../sql/queries/verify_unmet.sql");

/// Most live rows that are listed; all are counted.
const MAX_LIVE: i64 = 100;

/// A row of the migration's namespaces that was not handed down from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveRow {
    /// Its namespace.
    pub namespace: String,
    /// Its id.
    pub id: Uuid,
    /// When it says it was created, RFC 3339.
    pub created_at: Option<String>,
}

/// Counts and lists the live rows of the plan's namespaces.
pub(super) async fn live(work: &Work<'_>, verification: &mut Verification) -> Result<()> {
    let namespaces = work.namespaces();
    let mut client = work.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    Identity::audit(&tx).await?;
    let rows = tx
        .query_cached(
            "select m.namespace, m.id, m.created_at, count(*) over () from heirloom.memory m \
             where m.namespace = any ($1) and not exists (select from heirloom.origin o \
             where o.id = m.id and o.namespace = m.namespace and o.source = $2) \
             order by m.created_at desc nulls last, m.id limit $3",
            &[&namespaces, &work.origin_source, &MAX_LIVE],
        )
        .await?;
    for row in rows {
        let created_at: Option<jiff::Timestamp> = row.try_get(2).ok().flatten();
        let all: i64 = row.try_get(3)?;
        verification.live_rows = u64::try_from(all).unwrap_or(0);
        verification.live.push(LiveRow {
            namespace: row.try_get(0)?,
            id: row.try_get(1)?,
            created_at: created_at.map(|at| at.to_string()),
        });
    }
    Ok(())
}
