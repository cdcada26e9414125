//! Upkeep: what recall ranks by stays fresh, on an engine without autovacuum too, and what has expired goes in the end.
//!
//! Counts words, gives models their centre, fills rows that lack what they are ranked by, indexes the namespaces that are
//! too large to be read for every question, and lets the planner look again. Each namespace is a transaction of its own
//! as the serving role; running it twice, or twice at once, changes nothing more. Deliberately absent: anything that a
//! recall would have to wait for, and any change of what a memory says.

mod centre;
mod expired;
mod index;
mod room;

use centre::Centred;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use heirloom_engine::{Cached, Client};
use index::Indexed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;

use crate::error::{Result, StoreError};
use crate::idempotency;
use crate::scope::{Access, Scope};
use crate::store::Store;

pub use index::{Spilled, graph_bytes};
pub use room::{LARGE_NAMESPACE, MOST_INDEXED};

/// What upkeep did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// Namespaces whose words were counted again.
    pub namespaces_counted: u64,
    /// Rows that lacked what they are ranked by.
    pub rows_ranked: u64,
    /// Models that got a centre, or a new one.
    pub models_centred: Vec<String>,
    /// Models that need a centre which this database user may not keep; their vectors are compared as they are.
    #[serde(default)]
    pub models_not_centred: u64,
    /// Namespaces that got indexes of their own.
    pub namespaces_indexed: u64,
    /// Namespaces that are large enough for indexes which this database user may not make.
    pub namespaces_not_indexed: u64,
    /// Indexes that were dropped because no namespace uses them any more.
    #[serde(default)]
    pub indexes_dropped: u64,
    /// Vector indexes whose graph was larger than the memory their building was allowed: they are whole, and took longer.
    #[serde(default)]
    pub graphs_spilled: Vec<Spilled>,
    /// Answers to writes with a key that were kept for a day.
    pub answers_forgotten: u64,
}

/// What waits for an upkeep by the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Namespaces large enough for indexes that they do not have.
    pub namespaces: u64,
    /// Models whose centre is due.
    pub models: u64,
}

/// The tables that upkeep writes or recall reads whole.
const KEPT: [&str; 3] = ["heirloom.memory", "heirloom.lexeme", "heirloom.frequency"];

/// The tables that a migration fills; the largest first, because several are looked at side by side.
const FILLED: [&str; 4] = ["heirloom.memory", "heirloom.origin", "heirloom.lexeme", "heirloom.frequency"];

/// One namespace that needs something.
struct Due {
    namespace: String,
    documents: i64,
    uncounted: bool,
    unranked: i64,
    wants_indexes: bool,
    has_shrunk: bool,
}

impl Due {
    fn wants_words(&self) -> bool {
        self.uncounted || self.unranked > 0
    }
}

impl Store {
    /// Keeps up the whole store, or these namespaces of it.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`]; what was done until then stays.
    pub async fn upkeep(&self, namespaces: Option<&[String]>) -> Result<Kept> {
        let mut kept = Kept::default();
        {
            let mut client = self.database().client().await?;
            if namespaces.is_none() {
                kept.answers_forgotten = idempotency::expire(&client).await?;
            }
            for model in centre::due(&mut client).await? {
                match centre::take(&mut client, self.meta(), &model).await? {
                    Centred::Anew => kept.models_centred.push(model.name),
                    Centred::Stays => {}
                    Centred::Refused => kept.models_not_centred += 1,
                }
            }
        }
        self.each(namespaces, &mut kept).await?;
        match namespaces {
            None => self.look("vacuum (analyze)", &KEPT).await?,
            Some(_) if kept != Kept::default() => self.look("analyze", &KEPT).await?,
            Some(_) => {}
        }
        Ok(kept)
    }

    /// What a login that serves leaves undone, because only the owner may do it. Reads every memory, writes nothing.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`].
    pub async fn waiting(&self) -> Result<Waiting> {
        let mut client = self.database().client().await?;
        let models = centre::due(&mut client).await?.len() as u64;
        let namespaces = due(&mut client, None).await?.iter().filter(|due| due.wants_indexes).count() as u64;
        Ok(Waiting { namespaces, models })
    }

    /// The part of [`Store::upkeep`] that costs these namespaces only: words counted, rows ranked, indexes made. What looks at
    /// the whole store (centres of models, the planner's statistics) is left for one call when many namespaces are done.
    ///
    /// # Errors
    /// As [`Store::upkeep`].
    pub async fn upkeep_words(&self, namespaces: &[String]) -> Result<Kept> {
        let mut kept = Kept::default();
        self.each(Some(namespaces), &mut kept).await?;
        Ok(kept)
    }

    /// Whether nothing is left of the upkeep of these namespaces that a load asks for when it is done. Cheaper than upkeep that
    /// finds nothing to do, which reads every memory: it is for who has written nothing, and may go on after somebody who was
    /// killed in between.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`].
    pub async fn is_kept(&self, namespaces: &[String]) -> Result<bool> {
        let mut client = self.database().client().await?;
        let tx = room::as_audit(&mut client).await?;
        let above = room::room(&tx).await?.above;
        let row =
            tx.query_one_cached(include_str!("../sql/queries/upkeep/counted.sql"), &[&namespaces, &above]).await?;
        tx.commit().await?;
        Ok(row.try_get(0)?)
    }

    /// Several namespaces at a time; their indexes one after the other, because each is built with much memory.
    async fn each(&self, namespaces: Option<&[String]>, kept: &mut Kept) -> Result<()> {
        let due = due(&mut self.database().client().await?, namespaces).await?;
        let steps: Vec<_> = due.iter().map(|due| self.words(due)).collect();
        let ranked: Vec<u64> = stream::iter(steps).buffered(self.database().at_once()).try_collect().await?;
        kept.rows_ranked += ranked.iter().sum::<u64>();
        kept.namespaces_counted += due.iter().filter(|due| due.wants_words()).count() as u64;
        self.index(&due, namespaces.is_none(), kept).await
    }

    /// Gives indexes to what has grown, the largest first, and takes them from what has shrunk or gives way.
    async fn index(&self, due: &[Due], whole: bool, kept: &mut Kept) -> Result<()> {
        let mut client = self.database().client().await?;
        let mut unused = whole;
        for due in due.iter().filter(|due| due.has_shrunk) {
            room::mark(&mut client, &due.namespace, false).await?;
            unused = true;
        }
        for due in due.iter().filter(|due| due.wants_indexes) {
            let Some(place) = room::place(&mut client, due.documents).await? else { continue };
            match index::make(&mut client, self.database(), self.meta(), &due.namespace).await? {
                Indexed::Made(spilled) => {
                    if let Some(smaller) = place.gives_way {
                        room::mark(&mut client, &smaller, false).await?;
                        unused = true;
                    }
                    kept.namespaces_indexed += 1;
                    kept.graphs_spilled.extend(spilled);
                }
                Indexed::Refused => kept.namespaces_not_indexed += 1,
            }
        }
        if unused {
            kept.indexes_dropped = room::drop_unused(&mut client, self.database()).await?;
        }
        Ok(())
    }

    /// Ranks what was not ranked in a namespace and counts its words; gives back how many rows were ranked.
    async fn words(&self, due: &Due) -> Result<u64> {
        if !due.wants_words() {
            return Ok(0);
        }
        let scope = Scope::one(&due.namespace)?;
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        let ranked = match due.unranked {
            0 => 0,
            _ => tx.execute(include_str!("../sql/queries/upkeep/rank.sql"), &[&due.namespace]).await?,
        };
        tx.execute_cached("select heirloom.count_words($1)", &[&due.namespace]).await?;
        tx.commit().await?;
        Ok(ranked)
    }

    /// Lets the planner look again at the tables that migrations fill: without it, a store that has grown from nothing is read
    /// whole for every question about ids. A user who may not gets a warning from the server and nothing else.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`].
    pub async fn look_again(&self) -> Result<()> {
        self.look("analyze", &FILLED).await
    }

    /// A user who may not gets a warning from the server and nothing else.
    async fn look(&self, how: &str, tables: &[&str]) -> Result<()> {
        let looks: Vec<_> = tables
            .iter()
            .map(|table| async move {
                let client = self.database().client().await?;
                Ok::<(), StoreError>(client.batch_execute(&format!("{how} {table}")).await?)
            })
            .collect();
        stream::iter(looks).buffered(self.database().at_once()).try_collect().await
    }
}

async fn due(client: &mut Client, namespaces: Option<&[String]>) -> Result<Vec<Due>> {
    let tx = room::as_audit(client).await?;
    let above = room::room(&tx).await?.above;
    let values: [&(dyn ToSql + Sync); 3] = [&namespaces, &above, &room::SHRUNK];
    let rows = tx.query_cached(include_str!("../sql/queries/upkeep/due.sql"), &values).await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(Due {
                namespace: row.try_get("namespace")?,
                documents: row.try_get("documents")?,
                uncounted: row.try_get("uncounted")?,
                unranked: row.try_get("unranked")?,
                wants_indexes: row.try_get("wants_indexes")?,
                has_shrunk: row.try_get("has_shrunk")?,
            })
        })
        .collect()
}
