//! `heirloom plugin`: the door that a server of the platform of the memory plugin finds by one URL, and no other.
//!
//! Started as that platform starts its own: by its variables, with a database that need not hold a store yet. Where a
//! request comes from this machine it needs no token, as there; from another it does, unless `--no-auth` says otherwise.

use clap::Args;
use heirloom_engine::{Database, Location};
use heirloom_store::{Store, StoreError, UpOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::attach::Lent;
use crate::compat::plugin_v1::{DIMENSION, LISTEN};
use crate::config::{Config, Env};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::auth::{Auth, Open};
use crate::http::{self, App};
use crate::ops::{Doors, Operation, Output};
use crate::upkept::upkeep;

/// Arguments of `heirloom plugin`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// Where to listen [default: MEMORY_PLUGIN_LISTEN_ADDR, else 127.0.0.1:9100]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Ask nobody for a token, not even requests from other machines
    #[arg(long)]
    #[serde(default)]
    pub no_auth: bool,
}

impl Operation for Plugin {
    const NAME: &'static str = "plugin";
    const SUMMARY: &'static str = "Serve the memory plugin's HTTP contract";
    const DETAIL: &'static str = "Requests from this machine need no token; others need one of `heirloom token create`. The \
        database is that of MEMORY_PLUGIN_DATABASE_URL, else Heirloom's own; the store is installed where there is none.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let config = context.config();
        let tls = http::tls::acceptor(&config.serve)?;
        let (listen, origin) = match &self.listen {
            Some(listen) => (listen.clone(), "--listen"),
            None if config.plugin.listen.is_empty() => (LISTEN.to_owned(), "default"),
            None => (config.plugin.listen.clone(), Env::MEMORY_PLUGIN_LISTEN_ADDR),
        };
        // First the address, so that nothing is installed for a door that cannot open.
        let listener = http::bind(&listen, origin).await?;
        context.record_questions()?;
        let store = store(context).await?;
        let address = listener.local_addr().map_err(|error| Error::Bug(error.to_string()))?;
        if let Err(error) = context.check_serving().await {
            // The platform knows one URL for a database that need not hold a store yet, which makes it the owner's.
            tracing::warn!("this door serves all the same: {error}");
        }
        let keeper = context.keeper().await?;
        let mut settings = config.serve.clone();
        if config.origin("serve.rate") == "default" {
            // One server asks for all of its agents.
            settings.rate = 0;
        }
        let scheme = if tls.is_none() { "http" } else { "https" };
        let url = format!("{scheme}://{address}");
        let secret = http::auth::secret();
        // Another command knows no certificate: through TLS it gets a door of its own, on loopback.
        let lent = Lent::default();
        match tls {
            None => store.database().announce(&url, &secret).await?,
            Some(_) => lent.lend(context).await,
        }
        let open = if self.no_auth { Open::Everybody } else { Open::Here };
        let app = App::new(context.call(context.caller().clone()), &settings, Auth::new(Some(&secret), open));
        tracing::info!(%address, "the memory plugin listens");
        context.watch().note(&format!("Serving the memory plugin of {} at {url}", store.database().display()));
        if !address.ip().is_loopback() {
            context.watch().note(reach(self.no_auth));
        }
        let width = store.meta().dimension;
        if width < DIMENSION {
            context.watch().note(&format!(
                "This store keeps vectors of {width}: the platform's own, of {DIMENSION}, are refused (`heirloom up --dimension {DIMENSION}` makes a new one)."
            ));
        }
        let upkeep = tokio::spawn(upkeep(keeper, context.config().upkeep.keep_expired(), context.cancel().clone()));
        let served = http::serve(&app, http::plugin_router(&app), listener, tls).await;
        lent.end();
        upkeep.abort();
        served?;
        Output::new(&json!({ "served": url }), "Stopped.\n")
    }
}

fn reach(no_auth: bool) -> &'static str {
    if no_auth {
        "Whoever reaches this address reads and writes every memory (--no-auth)."
    } else {
        "Requests from other machines need a token (`heirloom token create`); --no-auth lets in whoever reaches this address."
    }
}

/// The store, installed or upgraded where it has to be.
async fn store(context: &Context) -> Result<Store> {
    let config = context.config();
    if !config.plugin.migrations_dir.is_empty() {
        let name = Env::MEMORY_PLUGIN_MIGRATIONS_DIR;
        context.watch().note(&format!("{name} is not read: the store's schema is part of this program."));
    }
    let database = database(context).await?;
    match Store::open(database).await {
        Err(StoreError::NotInstalled(_) | StoreError::Older { .. }) if !config.plugin.skip_migrate => {
            let before = Store::inspect(database).await?;
            Store::up(database, &before.as_ref().map_or_else(|| new_store(config), UpOptions::like)).await?;
        }
        Err(error) => return Err(error.into()),
        Ok(_) => {}
    }
    context.store().await
}

/// Wide enough for the platform's vectors, unless a width was set.
fn new_store(config: &Config) -> UpOptions {
    let set = config.origin("store.dimension") != "default";
    let dimension = if set { config.store.dimension } else { DIMENSION };
    UpOptions { dimension, language: config.store.language.clone() }
}

/// The platform's database, unless `--data` names a directory; else Heirloom's own.
async fn database(context: &Context) -> Result<&Database> {
    let config = context.config();
    if config.plugin.database_url.is_empty() || config.origin("database.data") == "--data" {
        return context.database().await;
    }
    context.database_at(&Location::Server(config.plugin.database_url.clone())).await
}
