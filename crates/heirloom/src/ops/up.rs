//! `heirloom up`: installs or upgrades the store. Running it again changes nothing.

use clap::Args;
use heirloom_store::schema::STORE;
use heirloom_store::{Meta, Store, UpOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output};
use crate::text::counted;

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
    /// `installed`, `upgraded`, `current`; or `would_install`, `would_upgrade`.
    action: &'static str,
    place: String,
    from_version: Option<u32>,
    schema_version: u32,
    store: Option<Meta>,
}

impl Operation for Up {
    const NAME: &'static str = "up";
    const SUMMARY: &'static str = "Install or upgrade the store";
    const DETAIL: &'static str = "The store is the embedded one (--data DIR, or the platform's data directory) or the server of \
        DATABASE_URL. Width and language are fixed when it is made; an upgrade keeps them. On a server the user must be \
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
        if self.check_only {
            let action = match from_version {
                None => "would_install",
                Some(version) if version < known => "would_upgrade",
                Some(_) => "current",
            };
            let done = Done { action, place: place.display(), from_version, schema_version: known, store: before };
            return Output::new(&done, text(&done));
        }
        let store = Store::up(context.database().await?, &self.options(context, before.as_ref())).await?;
        let action = match from_version {
            None => "installed",
            Some(version) if version < known => "upgraded",
            Some(_) => "current",
        };
        let store = Some(store.meta().clone());
        let done = Done { action, place: place.display(), from_version, schema_version: known, store };
        Output::new(&done, text(&done))
    }
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
        _ => format!("The store in {place} is at schema version {version}; there is nothing to do"),
    };
    let detail = done.store.as_ref().map_or_else(String::new, |meta| {
        format!("  embeddings of {}, texts in {}\n", counted(meta.dimension as u64, "dimension"), meta.language)
    });
    format!("{sentence}\n{detail}")
}
