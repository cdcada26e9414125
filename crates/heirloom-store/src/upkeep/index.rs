//! Indexes of large namespaces, built with the memory that they need.
//!
//! An HNSW graph that does not fit into `maintenance_work_mem` is finished on disk, several times as slowly; the server says so
//! in a notice. So the setting is made for the time of a build, as large as the graph that is about to come and no larger than
//! `database.index_memory`, and the notice is heard. Deliberately absent: a guess of what memory the server has free.

use std::fmt;

use heirloom_engine::{Client, Database};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::error::SqlState;

use super::room;
use crate::error::Result;
use crate::schema::Meta;
use crate::scope::{Access, Scope};

/// Memory the server keeps for itself beside a graph that several workers build.
const SHARED: u64 = 4 << 20;

/// Least `maintenance_work_mem` that every supported server takes.
const LEAST: u64 = 1 << 20;

/// Bytes of memory that an HNSW graph over the signs of so many vectors takes while it is built, with a quarter to spare.
/// Measured with pgvector 0.8 at its default of 16 links: 708 bytes a vector, and the bits.
pub fn graph_bytes(vectors: u64, width: u64) -> u64 {
    let graph = vectors.saturating_mul(720 + width / 8);
    if graph == 0 { 0 } else { graph.saturating_add(graph / 4).saturating_add(SHARED) }
}

/// A graph that was larger than the memory its building was allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spilled {
    /// Whose vectors.
    pub namespace: String,
    /// How many there were.
    pub vectors: u64,
    /// How many fitted, as the server said it.
    pub fitted: u64,
    /// Bytes it was allowed.
    pub memory: u64,
    /// Bytes that are enough.
    pub needed: u64,
}

impl fmt::Display for Spilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (memory, needed) = (self.memory.div_ceil(1 << 20), self.needed.div_ceil(1 << 20));
        write!(
            f,
            "the vector index of {} was built slowly: after {} of {} vectors its graph no longer fitted into {memory} MiB. \
             The index is whole. Set database.index_memory to {needed} (MiB) before the next load, if the server has it free",
            self.namespace, self.fitted, self.vectors
        )
    }
}

/// What became of a namespace's indexes.
pub(super) enum Indexed {
    /// They are there.
    Made(Option<Spilled>),
    /// This database user may not make them.
    Refused,
}

/// What the indexes of a namespace are made of.
struct Material {
    vectors: u64,
    word_bytes: u64,
}

/// Gives a namespace its two indexes. Built beside the writers on a server.
pub(super) async fn make(client: &mut Client, database: &Database, meta: &Meta, namespace: &str) -> Result<Indexed> {
    room::begin_building(client).await?;
    let made = build(client, database, meta, namespace).await;
    room::end_building(client).await?;
    made
}

async fn build(client: &mut Client, database: &Database, meta: &Meta, namespace: &str) -> Result<Indexed> {
    // Named by a hash: a namespace may be longer than a name. The grammar leaves it no quote.
    let names = "select to_hex(hashtextextended($1, 0)) as name, format('%I.bit_hamming_ops', $2::text) as class";
    let row = client.query_one(names, &[&namespace, &meta.vector_schema]).await?;
    let (name, class): (String, String) = (row.try_get("name")?, row.try_get("class")?);
    let material = material(client, namespace).await?;
    let graph = graph_bytes(material.vectors, meta.dimension as u64);
    // Positions and words are unpacked while they are gathered.
    let words = material.word_bytes.saturating_mul(4).saturating_add(SHARED);
    let mut spilled = None;
    for (index, method, needed) in [
        (format!("memory_words_{name}"), "gin (content_tsv)".to_owned(), words),
        (format!("memory_signs_{name}"), format!("hnsw (sign_bits {class})"), graph),
    ] {
        let Some(found) = one(client, database, namespace, &index, &method, needed).await? else {
            return Ok(Indexed::Refused);
        };
        if let Some((fitted, memory)) = found.fitted {
            let vectors = material.vectors;
            spilled = Some(Spilled { namespace: namespace.to_owned(), vectors, fitted, memory, needed });
        }
    }
    room::mark(client, namespace, true).await?;
    Ok(Indexed::Made(spilled))
}

async fn material(client: &mut Client, namespace: &str) -> Result<Material> {
    let tx = Scope::one(namespace)?.begin(client, Access::Read).await?;
    let row = tx.query_one(include_str!("../../sql/queries/upkeep/material.sql"), &[&namespace]).await?;
    tx.commit().await?;
    let number = |name: &str| row.try_get::<_, i64>(name).map(|n| u64::try_from(n).unwrap_or(0));
    Ok(Material { vectors: number("vectors")?, word_bytes: number("word_bytes")? })
}

/// How an index was built: where a graph left its memory, after how many vectors and how many bytes that was.
#[derive(Default)]
struct Built {
    fitted: Option<(u64, u64)>,
}

/// Builds an index that is not there; `None` when this user may not.
async fn one(
    client: &Client,
    database: &Database,
    namespace: &str,
    index: &str,
    method: &str,
    needed: u64,
) -> Result<Option<Built>> {
    let beside = if database.is_embedded() { "" } else { "concurrently" };
    let mut notices = database.build().await;
    let known = client.query_opt(include_str!("../../sql/queries/upkeep/index_of.sql"), &[&index]).await?;
    if let Some(row) = known {
        if row.try_get("is_valid")? {
            return Ok(Some(Built::default()));
        }
        client.batch_execute(&format!("drop index {beside} heirloom.{index}")).await?;
    }
    let own: i64 = client
        .query_one("select setting::bigint * 1024 from pg_settings where name = 'maintenance_work_mem'", &[])
        .await?
        .try_get(0)?;
    // What the operator gave the server is no less than what it needs.
    let memory = needed.max(u64::try_from(own).unwrap_or(0)).min(database.index_memory()).max(LEAST);
    let create =
        format!("create index {beside} {index} on heirloom.memory using {method} where namespace = '{namespace}'");
    // For the session, because what is built beside writers is built in no transaction.
    client.batch_execute(&format!("set maintenance_work_mem = '{}kB'", memory / 1024)).await?;
    // Before 0.8.2 pgvector's workers write beyond their memory when they build a graph together.
    if client.query_one(include_str!("../../sql/queries/upkeep/lone_builder.sql"), &[]).await?.try_get(0)? {
        client.batch_execute("set max_parallel_maintenance_workers = 0").await?;
    }
    let mut made = client.batch_execute(&create).await;
    if let Err(error) = &made
        && matches!(error.code(), Some(&SqlState::DISK_FULL | &SqlState::OUT_OF_MEMORY))
    {
        // Workers share a graph in /dev/shm, which is small in a container: one alone needs none of it.
        tracing::debug!(%error, "the index is built again by one worker");
        client
            .batch_execute(&format!(
                "set max_parallel_maintenance_workers = 0; set maintenance_work_mem = '{}kB'",
                memory.min(u64::try_from(own).unwrap_or(memory)) / 1024
            ))
            .await?;
        client.batch_execute(&format!("drop index {beside} if exists heirloom.{index}")).await?;
        made = client.batch_execute(&create).await;
    }
    client.batch_execute("reset maintenance_work_mem; reset max_parallel_maintenance_workers").await?;
    match made {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(()) => {
            let fitted = notices.taken().iter().find_map(|notice| fitted(notice)).map(|fitted| (fitted, memory));
            Ok(Some(Built { fitted }))
        }
    }
}

/// After how many vectors a graph no longer fitted, if this notice says so.
fn fitted(notice: &str) -> Option<u64> {
    // pgvector's own words; they are not translated.
    let rest = notice.strip_prefix("hnsw graph no longer fits into maintenance_work_mem after ")?;
    rest.split(' ').next()?.parse().ok()
}
