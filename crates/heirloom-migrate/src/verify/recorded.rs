//! The target alone, against what was recorded when it was written: for a source that is gone or must not be read again.
//!
//! Every memory that was handed down from the source has, in `heirloom.origin`, the digest of what was written. This reads
//! each again with the same decoder as the comparison of both sides. It finds what was changed or lost since; it cannot
//! say what the source holds now, nor which column of a changed row it was, and it says so.

use std::collections::{BTreeMap, HashMap, HashSet};

use heirloom_store::Identity;
use heirloom_store::Store;
use serde::Serialize;
use uuid::Uuid;

use super::difference::{Class, Difference, Explanation};
use super::{ChunkVerdict, MAX_LISTED, merkle_root, target};
use crate::digest::{Digest, DigestSum, Key};
use crate::error::{MigrateError, Result};
use crate::ledger;
use crate::plan::Plan;

/// Rows that are read together; a leaf of the Merkle tree.
const PAGE: i64 = 5_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedCheck {
    /// The run.
    pub run_id: Uuid,
    /// The migration's name.
    pub name: String,
    /// Rows that a record says were handed down from the source.
    pub recorded: u64,
    /// Rows of them that are there as they were written.
    pub equal: u64,
    /// Rows that differ or are gone for a reason the store's records give, by reason.
    pub explained: BTreeMap<Explanation, u64>,
    /// Rows that the ledger counts and of which there is no record any more.
    pub unrecorded: u64,
    /// How many differences nobody explains, [`Self::unrecorded`] among them.
    pub difference_count: u64,
    /// The first of them; a column is never named.
    pub differences: Vec<Difference>,
    /// Root of the Merkle tree over pages of rows in the order of their ids, hex.
    pub merkle_root: String,
    /// Whether every row is as it was written, or explained.
    pub holds: bool,
}

struct Record {
    id: Uuid,
    namespace: String,
    key: Vec<String>,
    written: Vec<u8>,
}

/// Compares the target with what was recorded when it was written. Read-only.
///
/// # Errors
/// [`MigrateError::Refused`] when nothing was recorded: nothing was proven; [`MigrateError::Plan`] when the plan was never
/// applied here.
pub async fn recorded(
    plan: &Plan,
    store: &Store,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<RecordedCheck> {
    crate::target::store_alone(plan, "a look at what was recorded")?;
    let key = Key::of_store(store.meta().store_id);
    let source = plan.origin_source();
    let counted = counted(plan, store).await?;
    let mut check = RecordedCheck {
        run_id: plan.run_id,
        name: plan.name.clone(),
        recorded: 0,
        equal: 0,
        explained: BTreeMap::new(),
        unrecorded: 0,
        difference_count: 0,
        differences: Vec::new(),
        merkle_root: String::new(),
        holds: false,
    };
    let (mut after, mut leaves) = (None, Vec::new());
    loop {
        let mut client = store.database().client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        let page = page(&tx, &source, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let leaf = check.page(&tx, &key, &page, leaves.len()).await?;
        leaves.push(leaf);
        progress(check.recorded, counted.max(check.recorded));
    }
    if check.recorded == 0 {
        return Err(MigrateError::Refused {
            what: format!("The target has no record of {}, so nothing was proven", plan.source.display),
            cure: "check the plan and the store; an empty side is never a success".into(),
        });
    }
    // Forgetting takes the record with it, because it holds the source row.
    let missing = counted.saturating_sub(check.recorded);
    let forgotten = if missing > 0 { forgotten(plan, store).await?.min(missing) } else { 0 };
    if forgotten > 0 {
        *check.explained.entry(Explanation::Forgotten).or_default() += forgotten;
    }
    check.unrecorded = missing - forgotten;
    check.difference_count += check.unrecorded;
    check.merkle_root = merkle_root(&leaves);
    check.holds = check.difference_count == 0;
    Ok(check)
}

/// Rows that the ledger says this source has in the store.
async fn counted(plan: &Plan, store: &Store) -> Result<u64> {
    let client = store.database().client().await?;
    let run = match ledger::exists(&client).await? {
        true => ledger::find_run(&client, plan.run_id).await?,
        false => None,
    };
    let run = run.ok_or_else(|| plan.never_applied())?;
    Ok(run.rows.saturating_sub(run.rejected + run.forgotten + run.conflicts))
}

/// Memories of the plan's namespaces that were forgotten since the run began. An upper bound: one that was handed down from
/// elsewhere counts too.
async fn forgotten(plan: &Plan, store: &Store) -> Result<u64> {
    let namespaces: Vec<&str> = plan.namespaces.iter().map(|namespace| namespace.namespace.as_str()).collect();
    let mut client = store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let began: Option<jiff::Timestamp> = tx
        .query_opt("select started_at from heirloom_migrate.run where run_id = $1", &[&plan.run_id])
        .await?
        .map(|row| row.try_get(0))
        .transpose()?;
    Identity::audit(&tx).await?;
    let sql = include_str!("../../sql/queries/forgotten_since.sql");
    let count: i64 = tx.query_one(sql, &[&began, &namespaces]).await?.try_get(0)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

async fn page(tx: &deadpool_postgres::Transaction<'_>, source: &str, after: Option<Uuid>) -> Result<Vec<Record>> {
    let identity = Identity::audit(tx).await?;
    let rows = tx.query(include_str!("../../sql/queries/recorded.sql"), &[&source, &after, &PAGE]).await?;
    identity.give_back(tx).await?;
    rows.iter()
        .map(|row| {
            let key = serde_json::from_str(row.try_get(2)?)
                .map_err(|_| MigrateError::Ledger("a source key is not a JSON array of strings".into()))?;
            Ok(Record { id: row.try_get(0)?, namespace: row.try_get(1)?, key, written: row.try_get(3)? })
        })
        .collect()
}

impl RecordedCheck {
    async fn page(
        &mut self,
        tx: &deadpool_postgres::Transaction<'_>,
        key: &Key,
        page: &[Record],
        number: usize,
    ) -> Result<ChunkVerdict> {
        let ids: Vec<Uuid> = page.iter().map(|record| record.id).collect();
        let mut there: HashMap<Uuid, Vec<target::TargetRow>> = HashMap::new();
        for row in target::rows(tx, &ids).await? {
            there.entry(row.id).or_default().push(row);
        }
        let identity = Identity::audit(tx).await?;
        let gone = tx.query("select distinct id from heirloom.tombstone where id = any ($1)", &[&ids]).await?;
        identity.give_back(tx).await?;
        let gone: HashSet<Uuid> = gone.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>()?;
        let (mut expected, mut found) = (DigestSum::default(), DigestSum::default());
        let before = self.difference_count;
        for record in page {
            self.recorded += 1;
            let written = <[u8; 16]>::try_from(record.written.as_slice())
                .map_err(|_| MigrateError::Ledger("a digest is not 16 bytes long".into()))?;
            expected.add(Digest(written));
            let rows = there.get(&record.id).map_or([].as_slice(), Vec::as_slice);
            rows.iter().for_each(|row| found.add(row.digest(key)));
            match rows {
                [] if gone.contains(&record.id) => self.explains(Explanation::Forgotten),
                [] => self.differs(Class::Missing, record),
                [row] if row.namespace != record.namespace => self.differs(Class::WrongTenant, record),
                [row] if row.digest(key).0 == written => self.equal += 1,
                [row] if row.revised => self.explains(Explanation::Edited),
                [row] if row.moved => self.explains(Explanation::Transitioned),
                [_] => self.differs(Class::Altered, record),
                _ => self.differs(Class::Unexpected, record),
            }
        }
        Ok(ChunkVerdict {
            ordinal: u32::try_from(number).unwrap_or(u32::MAX),
            source_rows: page.len() as u64,
            expected,
            found,
            differences: self.difference_count - before,
        })
    }

    fn explains(&mut self, explanation: Explanation) {
        *self.explained.entry(explanation).or_default() += 1;
    }

    fn differs(&mut self, class: Class, record: &Record) {
        self.difference_count += 1;
        if self.differences.len() < MAX_LISTED {
            let (key, id) = (record.key.clone(), record.id);
            self.differences.push(Difference {
                class,
                key,
                id,
                chunk: None,
                column: None,
                expected: None,
                found: None,
            });
        }
    }
}
