//! The bulk loader: many rows at once, inside the caller's transaction and on the caller's connection.
//!
//! Rows are staged by binary COPY in a temporary table (COPY into a table under row-level security is refused, and
//! should be), then inserted as the serving role under its policy: a row of a namespace nobody allowed is refused by
//! the database, not by us. What is there already, in whatever namespace, and what was forgotten is left alone.
//!
//! Two writers that bring one id into two namespaces at the same moment do not see each other, and no constraint forbids
//! that on a store sharded by namespace. So a load looks a second time, after its insert, under a lock that it holds to
//! the end of its transaction: rows that somebody committed elsewhere in between are taken back. Loads stage and insert
//! side by side; only the second look and what the caller still does before its commit are one at a time.
//!
//! Deliberately absent: any judgement of a source, any mapping, any digest: rows come here as they shall stand.

mod encode;
mod round;
mod signs;
mod stage;
mod width;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use deadpool_postgres::Transaction;
use heirloom_engine::Cached;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::identity::Identity;
use crate::locate;
use crate::memory::{Memory, Origin};
use crate::schema::{Meta, SERVE_ROLE};
use width::Widths;

/// One migrated row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// As it shall stand.
    pub memory: Memory,
    /// Where it came from.
    pub origin: Origin,
}

/// What is recorded of a row that was handed down before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where it was handed down to.
    pub namespace: String,
    /// Where it was handed down from ([`Origin::source`]).
    pub source: String,
    /// Digest of the source row as it was then.
    pub source_digest: [u8; 16],
    /// Digest of the memory as it was written.
    pub written_digest: [u8; 16],
}

/// Why a row was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The id is there, in the same namespace.
    Present,
    /// The id is there, in this other namespace.
    Elsewhere(String),
    /// The id was forgotten, in whatever namespace; nothing brings it back.
    Forgotten,
    /// The id came twice in this call; the first one counts.
    Repeated,
    /// Its vector has not the width that its model has in its namespace.
    OtherWidth {
        /// Its own width.
        found: usize,
        /// That of the others.
        kept: usize,
    },
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// How many rows were inserted.
    pub inserted: u64,
    /// Which were not, and why.
    pub skipped: Vec<(Uuid, Outcome)>,
}

/// What was handed down before under these ids, in whatever namespace. Reads only.
///
/// # Errors
/// [`StoreError::Conflict`] when the origin of one id stands in two namespaces, which no load of ours makes.
pub async fn known(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Known>> {
    let identity = Identity::audit(tx).await?;
    let rows = tx.query_cached(include_str!("../../sql/queries/bulk/known.sql"), &[&ids]).await?;
    identity.give_back(tx).await?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in rows {
        let id: Uuid = row.get("id");
        let one = Known {
            namespace: row.get("namespace"),
            source: row.get("source"),
            source_digest: digest(row.get("source_digest"))?,
            written_digest: digest(row.get("written_digest"))?,
        };
        if known.insert(id, one).is_some() {
            return Err(StoreError::Conflict(format!("The origin of {id} stands in two namespaces")));
        }
    }
    Ok(known)
}

/// How many of these ids are taken by memories that did not come from this source. Reads only.
pub async fn taken(tx: &Transaction<'_>, ids: &[Uuid], source: &str) -> Result<u64> {
    let identity = Identity::audit(tx).await?;
    let row = tx.query_one_cached(include_str!("../../sql/queries/bulk/taken.sql"), &[&ids, &source]).await?;
    identity.give_back(tx).await?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

/// Which of these ids were forgotten, in whatever namespace. Reads only.
pub async fn forgotten(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let identity = Identity::audit(tx).await?;
    let rows = tx.query_cached("select distinct t.id from heirloom.tombstone t where t.id = any ($1)", &[&ids]).await?;
    identity.give_back(tx).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Which of these ids were handed down, were not forgotten, and have no memory where their origin says. Reads only.
pub async fn lost(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let identity = Identity::audit(tx).await?;
    let rows = tx.query_cached(include_str!("../../sql/queries/bulk/lost.sql"), &[&ids]).await?;
    identity.give_back(tx).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Removes origins whose memory is gone, each named by id and namespace: the caller has handed the row down again in
/// another namespace.
pub async fn drop_lost_origins(tx: &Transaction<'_>, moved: &[(Uuid, String)]) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let (ids, namespaces): (Vec<Uuid>, Vec<&str>) = moved.iter().map(|(id, before)| (*id, before.as_str())).unzip();
    let seen: BTreeSet<&str> = moved.iter().map(|(_, before)| before.as_str()).collect();
    let identity = Identity::take(tx, SERVE_ROLE).await?;
    for namespace in seen {
        identity.see(tx, namespace).await?;
        tx.execute(include_str!("../../sql/queries/bulk/drop_lost_origins.sql"), &[&ids, &namespaces]).await?;
    }
    identity.give_back(tx).await?;
    Ok(())
}

/// Inserts rows that are not there and were not forgotten, each with its origin. Namespaces come into being.
///
/// `allowed` are the namespaces this caller may write to. Memory stays bounded: rows are streamed to the server.
///
/// # Errors
/// [`StoreError::Invalid`] for a value no store can hold (named by field and id), [`StoreError::Rights`] for a row of a
/// namespace that is not allowed, [`StoreError::Database`] for a row that breaks a constraint. After an error the
/// transaction is of no more use.
pub async fn load(tx: &Transaction<'_>, meta: &Meta, rows: &[Row], allowed: &[String]) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut wanted = wanted(tx, rows, &mut loaded.skipped).await?;
    let widths = Widths::of(tx, &wanted, allowed).await?;
    wanted.retain(|row| match widths.differing(row) {
        None => true,
        Some((found, kept)) => {
            loaded.skipped.push((row.memory.id, Outcome::OtherWidth { found, kept }));
            false
        }
    });
    if wanted.is_empty() {
        return Ok(loaded);
    }
    stage::fill(tx, meta, &wanted).await?;
    let mut inserted =
        round::run(tx, &wanted, allowed, include_str!("../../sql/queries/bulk/insert.sql"), "load").await?;
    for (id, outcome) in again(tx, &wanted, &inserted).await? {
        inserted.remove(&id);
        loaded.skipped.push((id, outcome));
    }
    let known: HashSet<Uuid> = loaded.skipped.iter().map(|(id, _)| *id).collect();
    // Somebody was faster between the look and the insert.
    loaded.skipped.extend(
        wanted
            .iter()
            .map(|row| row.memory.id)
            .filter(|id| !inserted.contains(id) && !known.contains(id))
            .map(|id| (id, Outcome::Present)),
    );
    loaded.inserted = inserted.len() as u64;
    Ok(loaded)
}

/// Overwrites rows that were handed down before and whose source changed; returns how many stood where the rows say.
/// What a row said before is kept as a revision. The caller has checked that the store still holds what was written.
///
/// # Errors
/// As [`load`].
pub async fn replace(tx: &Transaction<'_>, meta: &Meta, rows: &[Row], allowed: &[String]) -> Result<u64> {
    let wanted: Vec<&Row> = rows.iter().collect();
    if wanted.is_empty() {
        return Ok(0);
    }
    let widths = Widths::of(tx, &wanted, allowed).await?;
    if let Some((row, (found, kept))) = wanted.iter().find_map(|row| Some((row, widths.differing(row)?))) {
        return Err(StoreError::Invalid {
            field: "embedding",
            found: format!("{found} dimensions (row {})", row.memory.id),
            accepted: format!("the {kept} that vectors of its model have in {}", row.memory.namespace),
        });
    }
    stage::fill(tx, meta, &wanted).await?;
    tx.batch_execute("set local heirloom.times_given = 'on'").await?;
    let replaced =
        round::run(tx, &wanted, allowed, include_str!("../../sql/queries/bulk/replace.sql"), "replace").await?;
    tx.batch_execute("set local heirloom.times_given = 'off'").await?;
    Ok(replaced.len() as u64)
}

/// The second look: which of the inserted rows came into being elsewhere, or were forgotten, since the first one. They
/// are taken back.
async fn again(tx: &Transaction<'_>, rows: &[&Row], inserted: &HashSet<Uuid>) -> Result<Vec<(Uuid, Outcome)>> {
    locate::hold_all_ids(tx).await?;
    let namespaces: HashMap<Uuid, &str> = rows
        .iter()
        .map(|row| (row.memory.id, row.memory.namespace.as_str()))
        .filter(|(id, _)| inserted.contains(id))
        .collect();
    let (ids, places): (Vec<Uuid>, Vec<&str>) = namespaces.iter().map(|(id, namespace)| (*id, *namespace)).unzip();
    let identity = Identity::audit(tx).await?;
    let found = tx.query_cached(include_str!("../../sql/queries/bulk/taken_meanwhile.sql"), &[&ids, &places]).await?;
    identity.give_back(tx).await?;
    let taken: HashMap<Uuid, Outcome> = found
        .iter()
        .map(|row| {
            (row.get("id"), row.get::<_, Option<String>>("namespace").map_or(Outcome::Forgotten, Outcome::Elsewhere))
        })
        .collect();
    let mut by_namespace: BTreeMap<&str, Vec<Uuid>> = BTreeMap::new();
    for id in taken.keys() {
        by_namespace.entry(namespaces[id]).or_default().push(*id);
    }
    let identity = Identity::take(tx, SERVE_ROLE).await?;
    for (namespace, ids) in by_namespace {
        let places = vec![namespace; ids.len()];
        identity.see(tx, namespace).await?;
        tx.execute(include_str!("../../sql/queries/bulk/take_back.sql"), &[&ids, &places]).await?;
    }
    identity.give_back(tx).await?;
    Ok(taken.into_iter().collect())
}

/// The rows that may go in; the others are noted with their reason.
async fn wanted<'r>(tx: &Transaction<'_>, rows: &'r [Row], skipped: &mut Vec<(Uuid, Outcome)>) -> Result<Vec<&'r Row>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.memory.id).collect();
    let identity = Identity::audit(tx).await?;
    let found = tx.query_cached(include_str!("../../sql/queries/bulk/skipped.sql"), &[&ids]).await?;
    identity.give_back(tx).await?;
    let mut there: HashMap<Uuid, Outcome> = HashMap::with_capacity(found.len());
    for row in &found {
        match row.get::<_, Option<String>>("namespace") {
            None => drop(there.insert(row.get("id"), Outcome::Forgotten)),
            Some(namespace) => drop(there.entry(row.get("id")).or_insert(Outcome::Elsewhere(namespace))),
        }
    }
    let mut seen = HashSet::with_capacity(rows.len());
    let mut wanted = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.memory.id;
        let outcome = match there.get(&id) {
            _ if !seen.insert(id) => Outcome::Repeated,
            None => {
                wanted.push(row);
                continue;
            }
            Some(Outcome::Elsewhere(namespace)) if *namespace == row.memory.namespace => Outcome::Present,
            Some(outcome) => outcome.clone(),
        };
        skipped.push((id, outcome));
    }
    Ok(wanted)
}

fn digest(bytes: &[u8]) -> Result<[u8; 16]> {
    bytes.try_into().map_err(|_| StoreError::Conflict("A digest in heirloom.origin is not 16 bytes".to_owned()))
}
