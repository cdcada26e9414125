//! Upkeep: what recall ranks by stays fresh, on an engine without autovacuum too.
//!
//! Counts words, gives models their centre, fills rows that lack what they are ranked by, indexes the namespaces that are
//! too large to be read for every question, and lets the planner look again. Each namespace is a transaction of its own
//! as the serving role; running it twice, or twice at once, changes nothing more. Deliberately absent: anything that a
//! recall would have to wait for, and any change of what a memory says.

mod centre;
mod index;

use centre::Centred;
use heirloom_engine::Client;
use index::Indexed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::idempotency;
use crate::schema::AUDIT_ROLE;
use crate::scope::{Access, Scope};
use crate::store::Store;

pub use index::{Spilled, graph_bytes};

/// A namespace of more memories gets indexes of its own; up to here reading it whole is as fast.
pub const LARGE_NAMESPACE: i64 = 5_000;

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
    /// Vector indexes whose graph was larger than the memory their building was allowed: they are whole, and took longer.
    #[serde(default)]
    pub graphs_spilled: Vec<Spilled>,
    /// Answers to writes with a key that were kept for a day.
    pub answers_forgotten: u64,
}

/// One namespace that needs something.
struct Due {
    namespace: String,
    uncounted: bool,
    unranked: i64,
    wants_indexes: bool,
}

impl Store {
    /// Keeps up the whole store, or these namespaces of it.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`]; what was done until then stays.
    pub async fn upkeep(&self, namespaces: Option<&[String]>) -> Result<Kept> {
        let mut client = self.database().client().await?;
        let mut kept = Kept::default();
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
        self.each(&mut client, namespaces, &mut kept).await?;
        // A user who may not gets a warning from the server and nothing else.
        let look = match namespaces {
            None => Some("vacuum (analyze)"),
            Some(_) if kept != Kept::default() => Some("analyze"),
            Some(_) => None,
        };
        if let Some(look) = look {
            for table in ["heirloom.memory", "heirloom.lexeme", "heirloom.frequency"] {
                client.batch_execute(&format!("{look} {table}")).await?;
            }
        }
        Ok(kept)
    }

    /// The part of [`Store::upkeep`] that costs these namespaces only: words counted, rows ranked, indexes made. What looks at
    /// the whole store (centres of models, the planner's statistics) is left for one call when many namespaces are done.
    ///
    /// # Errors
    /// As [`Store::upkeep`].
    pub async fn upkeep_words(&self, namespaces: &[String]) -> Result<Kept> {
        let mut client = self.database().client().await?;
        let mut kept = Kept::default();
        self.each(&mut client, Some(namespaces), &mut kept).await?;
        Ok(kept)
    }

    async fn each(&self, client: &mut Client, namespaces: Option<&[String]>, kept: &mut Kept) -> Result<()> {
        for due in due(client, namespaces).await? {
            let scope = Scope::one(&due.namespace)?;
            let tx = scope.begin(client, Access::Write).await?;
            if due.unranked > 0 {
                kept.rows_ranked +=
                    tx.execute(include_str!("../sql/queries/upkeep/rank.sql"), &[&due.namespace]).await?;
            }
            if due.uncounted || due.unranked > 0 {
                tx.execute("select heirloom.count_words($1)", &[&due.namespace]).await?;
                kept.namespaces_counted += 1;
            }
            tx.commit().await?;
            if due.wants_indexes {
                match index::make(client, self.database(), self.meta(), &due.namespace).await? {
                    Indexed::Made(spilled) => {
                        kept.namespaces_indexed += 1;
                        kept.graphs_spilled.extend(spilled);
                    }
                    Indexed::Refused => kept.namespaces_not_indexed += 1,
                }
            }
        }
        Ok(())
    }

    /// Lets the planner look again at the tables that migrations fill: without it, a store that has grown from nothing is read
    /// whole for every question about ids. A user who may not gets a warning from the server and nothing else.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`].
    pub async fn look_again(&self) -> Result<()> {
        let client = self.database().client().await?;
        for table in ["heirloom.memory", "heirloom.origin", "heirloom.lexeme", "heirloom.frequency"] {
            client.batch_execute(&format!("analyze {table}")).await?;
        }
        Ok(())
    }
}

async fn due(client: &mut Client, namespaces: Option<&[String]>) -> Result<Vec<Due>> {
    let tx = client.build_transaction().read_only(true).start().await?;
    tx.batch_execute(&format!("set local role {AUDIT_ROLE}")).await?;
    let rows = tx.query(include_str!("../sql/queries/upkeep/due.sql"), &[&namespaces, &LARGE_NAMESPACE]).await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(Due {
                namespace: row.try_get("namespace")?,
                uncounted: row.try_get("uncounted")?,
                unranked: row.try_get("unranked")?,
                wants_indexes: row.try_get("wants_indexes")?,
            })
        })
        .collect()
}
