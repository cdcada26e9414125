//! `heirloom up`: installs or upgrades the store. Running it again changes nothing.

use clap::Args;
use heirloom_engine::Database;
use heirloom_migrate::ledger;
use heirloom_store::schema::STORE;
use heirloom_store::{Meta, Store, UpOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};
use crate::text::{count, counted};

/// Arguments of `heirloom up`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Up {
    /// Width of the embeddings a new store keeps, 1 to 16,000 [default: 1024]
    #[arg(long, value_name = "N")]
    pub dimension: Option<usize>,
    /// Language of the texts in a new store, for recall by words [default: english]
    #[arg(long)]
    pub language: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    #[serde(default)]
    pub check_only: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Done {
    /// `installed`, `upgraded`, `repaired`, `current`; or `would_install`, `would_upgrade`, `would_repair`.
    action: &'static str,
    place: String,
    from_version: Option<u32>,
    schema_version: u32,
    /// Policies and grants that were missing from a store of this version.
    missing_rights: usize,
    store: Option<Meta>,
}

impl Operation for Up {
    const NAME: &'static str = "up";
    const SUMMARY: &'static str = "Install or upgrade the store";
    const DETAIL: &'static str = "The store is the embedded one (--data DIR, or the platform's data directory) or the server of \
        DATABASE_URL. Width and language are fixed when it is made; an upgrade keeps them. \
        What a restored dump lacks of roles, policies and grants is put back. On a server the user must be \
        allowed to create roles, schemas and the extension pgvector.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;

    async fn run(self, context: &Context) -> Result<Output> {
        let place = context.location()?;
        let known = STORE.known();
        let before = match self.check_only && !place.is_there() {
            true => None,
            false => Store::inspect(context.database().await?).await?,
        };
        let from_version = before.as_ref().map(|meta| meta.schema_version);
        let missing_rights = match from_version {
            Some(version) if version >= known => missing_rights(context.database().await?).await?.len(),
            _ => 0,
        };
        let action = match from_version {
            None => ["installed", "would_install"],
            Some(version) if version < known => ["upgraded", "would_upgrade"],
            Some(_) if missing_rights > 0 => ["repaired", "would_repair"],
            Some(_) => ["current"; 2],
        };
        let [did, would] = action;
        let mut done = Done {
            action: if self.check_only { would } else { did },
            place: place.display(),
            from_version,
            schema_version: known,
            missing_rights,
            store: before,
        };
        if !self.check_only {
            let database = context.database().await?;
            let store = Store::up(database, &self.options(context, done.store.as_ref())).await?;
            let there = ledger::exists(&database.client().await?).await?;
            if there {
                ledger::up(database).await?;
            }
            done.store = Some(store.meta().clone());
        }
        Output::new(&done, text(&done))
    }
}

/// What `up` puts back of policies and grants: the store's and, where there is one, the ledger's.
pub(super) async fn missing_rights(database: &Database) -> Result<Vec<&'static str>> {
    let mut missing = Store::missing_rights(database).await?;
    missing.extend(ledger::missing_rights(database).await?);
    Ok(missing)
}

impl Up {
    /// What the flags say; else what the settings say, when they say anything; else what the store was made with.
    fn options(&self, context: &Context, before: Option<&Meta>) -> UpOptions {
        let config = context.config();
        let made_with = before.map_or_else(UpOptions::default, UpOptions::like);
        let set = |name: &str| before.is_none() || config.origin(name) != "default";
        UpOptions {
            dimension: match self.dimension {
                Some(dimension) => dimension,
                None if set("store.dimension") => config.store.dimension,
                None => made_with.dimension,
            },
            language: match &self.language {
                Some(language) => language.clone(),
                None if set("store.language") => config.store.language.clone(),
                None => made_with.language,
            },
        }
    }
}

fn text(done: &Done) -> String {
    let place = &done.place;
    let version = done.schema_version;
    let sentence = match (done.action, done.from_version) {
        ("installed", _) => format!("The store is installed in {place}"),
        ("upgraded", Some(from)) => format!("The store in {place} is upgraded from schema version {from} to {version}"),
        ("would_install", _) => format!("A store of schema version {version} would be installed in {place}"),
        ("would_upgrade", Some(from)) => {
            format!("The store in {place} would be upgraded from schema version {from} to {version}")
        }
        ("repaired" | "would_repair", _) => {
            let missing = count(done.missing_rights as u64);
            let end = if done.action == "repaired" { "were missing and are there again" } else { "are missing" };
            format!("The store in {place} is at schema version {version}; {missing} policies and grants {end}")
        }
        _ => format!("The store in {place} is at schema version {version}; there is nothing to do"),
    };
    let detail = done.store.as_ref().map_or_else(String::new, |meta| {
        format!("  embeddings of {}, texts in {}\n", counted(meta.dimension as u64, "dimension"), meta.language)
    });
    format!("{sentence}\n{detail}")
}
