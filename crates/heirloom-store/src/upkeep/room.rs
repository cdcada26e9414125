//! Which namespaces have indexes of their own: the largest, up to a hundred.
//!
//! Each has two, and every statement on memories plans with all of them: with a thousand such namespaces looking up one memory
//! took 16 ms of planning, and writing one opened two thousand indexes. Beyond the hundred a namespace is read whole, which is
//! what it costs to be one of very many; one that grows to twice the smallest of the hundred takes its place. What has shrunk to
//! half of what it takes gives its indexes back, and those of deleted namespaces are dropped.
//!
//! Deliberately absent: how an index is built ([`super::index`]).

use std::time::Duration;

use deadpool_postgres::Transaction;
use heirloom_engine::{Cached, Client, Database};
use tokio_postgres::error::SqlState;

use crate::error::Result;
use crate::schema::AUDIT_ROLE;
use crate::scope::{Access, Scope};

/// A namespace of more memories gets indexes of its own; up to here reading it whole is as fast.
pub const LARGE_NAMESPACE: i64 = 5_000;

/// Most namespaces that have indexes of their own at a time.
pub const MOST_INDEXED: i64 = 100;

/// Up to so many memories a namespace gives its indexes back: not just below what made it large, or it would come and go.
pub(super) const SHRUNK: i64 = LARGE_NAMESPACE / 2;

/// Who builds or drops indexes holds this, so that several runners that end at once build them one after the other, each with
/// its memory, instead of waiting for each other's in a circle, and none is dropped whose namespace is about to use it.
const LOCK: &str = "hashtext('heirloom.memory'), hashtext('indexes')";

/// How long to look away while somebody else is at the indexes. Waiting in the server would hold a snapshot, and an index that
/// is built beside writers waits for all of them.
const LOOK: Duration = Duration::from_millis(100);

/// Above how many memories a namespace gets indexes now, and whether another has to give way for it.
pub(super) struct Room {
    pub(super) above: i64,
    pub(super) is_full: bool,
}

/// Asked as the auditing role.
pub(super) async fn room(tx: &Transaction<'_>) -> Result<Room> {
    let sql = include_str!("../../sql/queries/upkeep/room.sql");
    let row = tx.query_one_cached(sql, &[&LARGE_NAMESPACE, &MOST_INDEXED]).await?;
    Ok(Room { above: row.try_get("above")?, is_full: row.try_get("is_full")? })
}

/// Room for the indexes of one namespace.
pub(super) struct Place {
    /// Who gives way for it, once it has them.
    pub(super) gives_way: Option<String>,
}

/// Room for a namespace of so many memories, if there is any now.
pub(super) async fn place(client: &mut Client, documents: i64) -> Result<Option<Place>> {
    let tx = as_audit(client).await?;
    let room = room(&tx).await?;
    let smallest = match room.is_full {
        true => tx.query_opt(include_str!("../../sql/queries/upkeep/smallest.sql"), &[]).await?,
        false => None,
    };
    tx.commit().await?;
    if documents <= room.above {
        return Ok(None);
    }
    let gives_way = smallest.map(|row| row.try_get("namespace")).transpose()?;
    Ok(Some(Place { gives_way }))
}

/// Says whether recall may use the indexes of a namespace.
pub(super) async fn mark(client: &mut Client, namespace: &str, is_indexed: bool) -> Result<()> {
    let tx = Scope::one(namespace)?.begin(client, Access::Write).await?;
    let sql = "update heirloom.frequency set is_indexed = $2 where namespace = $1";
    tx.execute(sql, &[&namespace, &is_indexed]).await?;
    Ok(tx.commit().await?)
}

/// Waits until nobody else builds or drops indexes; until [`end_building`] nobody does.
pub(super) async fn begin_building(client: &Client) -> Result<()> {
    let sql = format!("select pg_try_advisory_lock({LOCK})");
    while !client.query_one(&sql, &[]).await?.try_get::<_, bool>(0)? {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

pub(super) async fn end_building(client: &Client) -> Result<()> {
    Ok(client.batch_execute(&format!("select pg_advisory_unlock({LOCK})")).await?)
}

/// Drops what no namespace uses; how many there were. Nothing while somebody builds, or when this user may not: the next
/// upkeep sees them again.
pub(super) async fn drop_unused(client: &mut Client, database: &Database) -> Result<u64> {
    if !client.query_one(&format!("select pg_try_advisory_lock({LOCK})"), &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let dropped = drop_all(client, database).await;
    client.batch_execute(&format!("select pg_advisory_unlock({LOCK})")).await?;
    dropped
}

async fn drop_all(client: &mut Client, database: &Database) -> Result<u64> {
    let tx = as_audit(client).await?;
    let unused = tx.query(include_str!("../../sql/queries/upkeep/unused.sql"), &[]).await?;
    tx.commit().await?;
    let beside = if database.is_embedded() { "" } else { "concurrently" };
    let mut dropped = 0;
    for row in unused {
        let name: String = row.try_get("name")?;
        match client.batch_execute(&format!("drop index {beside} if exists heirloom.{name}")).await {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => break,
            done => done?,
        }
        dropped += 1;
    }
    Ok(dropped)
}

pub(super) async fn as_audit(client: &mut Client) -> Result<Transaction<'_>> {
    let tx = client.build_transaction().read_only(true).start().await?;
    tx.batch_execute(&format!("set local role {AUDIT_ROLE}")).await?;
    Ok(tx)
}
