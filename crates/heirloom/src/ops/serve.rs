//! `heirloom serve`: the HTTP doors, and upkeep by itself.

use clap::Args;
use heirloom_store::{Store, UpOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::attach::Lent;
use crate::browser;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::auth::{Auth, Open};
use crate::http::{self, App};
use crate::ops::{Doors, Operation, Output, watch};
use crate::upkept::upkeep;

/// Arguments of `heirloom serve`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// Where to listen: HOST:PORT, :PORT for every interface, port 0 for a free one [default: serve.listen]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Ask for no token. Only on a loopback address; every user of this machine can then read and write everything
    #[arg(long)]
    #[serde(default)]
    pub no_auth: bool,
    /// Open the inspector in this machine's browser, signed in as the owner of the store
    #[arg(long)]
    #[serde(default)]
    pub open: bool,
}

impl Operation for Serve {
    const NAME: &'static str = "serve";
    const SUMMARY: &'static str = "Serve HTTP, MCP over it, and the inspector";
    const DETAIL: &'static str = "The inspector is at /, the API at /api/v1, MCP at /mcp. Tokens come from `heirloom token \
        create`. While it runs on an embedded store, other commands on that store are sent to it. A server is asked as a \
        login of its own, not as the owner. Ctrl-C ends it when running requests are done.";
    const DOORS: Doors = Doors::CLI;
    const READ_ONLY: bool = false;
    const FINISHES: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let settings = context.config().serve.clone();
        let tls = http::tls::acceptor(&settings)?;
        let (listen, origin) = match &self.listen {
            Some(listen) => (listen.clone(), "--listen".to_owned()),
            None => (settings.listen.clone(), format!("{} (serve.listen)", context.config().origin("serve.listen"))),
        };
        // First the address, so that nothing is installed for a door that cannot open.
        let listener = http::bind(&listen, &origin).await?;
        let address = listener.local_addr().map_err(|error| Error::Bug(error.to_string()))?;
        if self.no_auth && !address.ip().is_loopback() {
            return Err(Error::Argument {
                argument: "--no-auth",
                what: format!("{address} can be reached from other machines"),
                accepted: "listen at a loopback address such as 127.0.0.1:7421, or ask for tokens".to_owned(),
            });
        }
        context.record_questions()?;
        let store = ready_store(context).await?;
        let keeper = context.keeper().await?;
        let scheme = if tls.is_none() { "http" } else { "https" };
        let url = format!("{scheme}://{address}");
        let secret = http::auth::secret();
        // Another command knows no certificate: through TLS it gets a door of its own, on loopback.
        let lent = Lent::default();
        match tls {
            None => store.database().announce(&url, &secret).await?,
            Some(_) => lent.lend(context).await,
        }
        let open = if self.no_auth { Open::Here } else { Open::No };
        let app = App::new(context.call(context.caller().clone()), &settings, Auth::new(Some(&secret), open));
        context.watch().note(&format!("Serving {} at {url}/", store.database().display()));
        // Held until the end: it takes its file away.
        let _way_in =
            if self.open { Some(browser::open(context, &url, (!self.no_auth).then_some(&*secret))) } else { None };
        let upkeep = tokio::spawn(upkeep(keeper, context.config().upkeep.keep_expired(), context.cancel().clone()));
        let events = tokio::spawn(http::events::pump(app.clone(), store.clone()));
        let sweeps = tokio::spawn(watch::sweeps(context.call(context.caller().clone()), context.cancel().clone()));
        let served = http::serve(&app, http::router(&app), listener, tls).await;
        lent.end();
        upkeep.abort();
        sweeps.abort();
        events.abort();
        served?;
        Output::new(&json!({ "served": url }), "Stopped.\n")
    }
}

/// The store to serve others from, made where an embedded one is not there yet; a server's is installed by `heirloom up`
/// alone, and its login must be one that the policies hold.
pub(super) async fn ready_store(context: &Context) -> Result<Store> {
    let database = context.database().await?;
    if database.is_embedded() && Store::inspect(database).await?.is_none() {
        let store = &context.config().store;
        let options = UpOptions { dimension: store.dimension, language: store.language.clone() };
        Store::up(database, &options).await?;
    }
    context.check_serving().await?;
    context.store().await
}
