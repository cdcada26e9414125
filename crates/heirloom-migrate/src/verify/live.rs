//! What the target holds beyond the source's rows: handed down and without a source row (a difference), or never handed
//! down from here at all (live rows, which explain why the counts of both sides need not agree).

use std::collections::HashSet;

use heirloom_store::Identity;
use serde::Serialize;
use uuid::Uuid;

use super::Verification;
use super::again::Suspects;
use super::difference::Difference;
use super::expected::Work;
use super::walk::ASKED;
use crate::error::{MigrateError, Result};
use crate::ledger;

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

/// Finds rows whose origin names this source and a key that no source row has.
pub(super) async fn unexpected(
    work: &Work<'_>,
    seen: &HashSet<Uuid>,
    suspects: &mut Suspects,
    verification: &mut Verification,
) -> Result<()> {
    let mut client = work.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let mut unmet = Vec::new();
    let keep = &mut |id| {
        if !seen.contains(&id) {
            unmet.push(id);
        }
    };
    ledger::handed_down_between(&tx, &work.origin_source, Uuid::nil(), Uuid::max(), keep).await?;
    Identity::audit(&tx).await?;
    for ids in unmet.chunks(ASKED) {
        for row in tx.query(UNMET, &[&work.origin_source, &ids]).await? {
            let id: Uuid = row.try_get(0)?;
            let key = serde_json::from_str(row.try_get(1)?)
                .map_err(|_| MigrateError::Ledger("a source key is not a JSON array of strings".into()))?;
            match suspects.has_room() {
                true => suspects.add_unmet(key, id, <[u8; 16]>::try_from(row.try_get::<_, &[u8]>(2)?).ok()),
                false => verification.differs(Difference::unexpected(key, id)),
            }
        }
    }
    Ok(())
}

/// Counts and lists the live rows of the plan's namespaces.
pub(super) async fn live(work: &Work<'_>, verification: &mut Verification) -> Result<()> {
    let namespaces: Vec<&str> = work.plan.namespaces.iter().map(|namespace| namespace.namespace.as_str()).collect();
    let mut client = work.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    Identity::audit(&tx).await?;
    let rows = tx
        .query(
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
