//! Upkeep: what recall ranks by stays fresh, on an engine without autovacuum too.
//!
//! Counts words, gives models their centre, fills rows that lack what they are ranked by, indexes the namespaces that are
//! too large to be read for every question, and lets the planner look again. Each namespace is a transaction of its own
//! as the serving role; running it twice, or twice at once, changes nothing more. Deliberately absent: anything that a
//! recall would have to wait for, and any change of what a memory says.

mod centre;

use centre::Centred;
use heirloom_engine::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::error::SqlState;

use crate::error::Result;
use crate::idempotency;
use crate::schema::{AUDIT_ROLE, Meta};
use crate::scope::{Access, Scope};
use crate::store::Store;

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
                if index(client, self.meta(), &due.namespace, self.database().is_embedded()).await? {
                    kept.namespaces_indexed += 1;
                } else {
                    kept.namespaces_not_indexed += 1;
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

/// Gives a namespace its two indexes; `false` when this user may not. Built beside the writers on a server.
async fn index(client: &mut Client, meta: &Meta, namespace: &str, embedded: bool) -> Result<bool> {
    // Named by a hash: a namespace may be longer than a name. The grammar leaves it no quote.
    let names = "select to_hex(hashtextextended($1, 0)) as name, format('%I.bit_hamming_ops', $2::text) as class";
    let row = client.query_one(names, &[&namespace, &meta.vector_schema]).await?;
    let (name, class): (String, String) = (row.try_get("name")?, row.try_get("class")?);
    let beside = if embedded { "" } else { "concurrently" };
    for (index, method) in [
        (format!("memory_words_{name}"), "gin (content_tsv)".to_owned()),
        (format!("memory_signs_{name}"), format!("hnsw (sign_bits {class})")),
    ] {
        let known = client.query_opt(include_str!("../sql/queries/upkeep/index_of.sql"), &[&index]).await?;
        if let Some(row) = known {
            if row.try_get("is_valid")? {
                continue;
            }
            client.batch_execute(&format!("drop index {beside} heirloom.{index}")).await?;
        }
        let made = client
            .batch_execute(&format!(
                "create index {beside} {index} on heirloom.memory using {method} where namespace = '{namespace}'"
            ))
            .await;
        match made {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => return Ok(false),
            made => made?,
        }
    }
    let tx = Scope::one(namespace)?.begin(client, Access::Write).await?;
    tx.execute("update heirloom.frequency set is_indexed = true where namespace = $1", &[&namespace]).await?;
    tx.commit().await?;
    Ok(true)
}
