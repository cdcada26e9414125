//! Installing and upgrading the store, and reading what it is.
//!
//! `up` runs on one connection that holds a session advisory lock: requirements, roles, then in one transaction the
//! migrations (once, in order, checksummed) and the objects that changed; all of them where a policy or a grant is
//! missing, as after a restore on a server without the roles. Requirements are looked at before anything is
//! written, so that a server that lacks something is left as it was; so is one on which `up` is killed half-way.
//!
//! Deliberately absent: any way back. A migration is undone by the next one; a store is removed by an administrator.

mod catalog;
mod files;
mod meta;
mod rights;
mod server;
mod serving;

pub use catalog::{Catalog, SqlFile};
pub use meta::{Meta, inspect};
pub use server::{AUDIT_ROLE, SERVE_ROLE};
pub use serving::check_serving;

pub(crate) use meta::refuse_older;
pub(crate) use server::check_roles;

use tokio_postgres::Client;

use crate::error::{Result, StoreError};

/// The store's own schema.
pub const STORE: Catalog = Catalog {
    schema: "heirloom",
    migrations: files::MIGRATIONS,
    objects: files::OBJECTS,
    rights: include_str!("../../rights.txt"),
};

/// How a new store is made. Both are fixed from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpOptions {
    /// Width of the store's vectors, 1–16,000.
    pub dimension: usize,
    /// Language of the text configuration: one that PostgreSQL has a Snowball stemmer for, or `simple`.
    pub language: String,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self { dimension: 1024, language: "english".to_owned() }
    }
}

impl UpOptions {
    /// The options a store was made with, for upgrading it without asking.
    pub fn like(meta: &Meta) -> Self {
        Self { dimension: meta.dimension, language: meta.language.clone() }
    }
}

/// Installs or upgrades the store on this connection. Running it again changes nothing.
///
/// # Errors
/// [`StoreError::Unsupported`] when the server lacks something, [`StoreError::Rights`] when the roles cannot be made,
/// [`StoreError::Newer`] and [`StoreError::Altered`] for a store this binary must not touch, [`StoreError::Conflict`]
/// for a store made with another dimension or language.
pub async fn up(client: &mut Client, options: &UpOptions) -> Result<Meta> {
    server::check_dimension(options.dimension)?;
    STORE
        .locked(client, async |client| {
            // A newer store is refused before a requirement of this binary is.
            STORE.check(client).await?;
            let before = meta::read(client).await?;
            if let Some(meta) = &before {
                refuse_other_options(meta, options)?;
            }
            server::require(client, &options.language).await?;
            server::ensure_roles(client).await?;
            set_options(client, options).await?;
            let applied = STORE.apply(client).await;
            let reset = client
                .batch_execute("reset heirloom.up_dimension; reset heirloom.up_language; reset heirloom.up_version")
                .await;
            applied?;
            reset?;
            server::check_roles(client).await?;
            meta::read(client).await?.ok_or_else(|| {
                StoreError::Conflict("The schema heirloom has no row in heirloom.meta: it was altered by hand".into())
            })
        })
        .await
}

fn refuse_other_options(meta: &Meta, options: &UpOptions) -> Result<()> {
    if meta.dimension != options.dimension {
        return Err(StoreError::Conflict(format!(
            "The store keeps vectors of {} dimensions and {} were asked for; the width of a store is fixed when it is \
             made: ask for {}, or make another store",
            meta.dimension, options.dimension, meta.dimension
        )));
    }
    if meta.language != options.language {
        return Err(StoreError::Conflict(format!(
            "The store's language is {} and {} was asked for; the language of a store is fixed when it is made: ask \
             for {}, or make another store",
            meta.language, options.language, meta.language
        )));
    }
    Ok(())
}

async fn set_options(client: &Client, options: &UpOptions) -> Result<()> {
    client
        .execute(
            "select set_config('heirloom.up_dimension', $1, false), set_config('heirloom.up_language', $2, false), \
             set_config('heirloom.up_version', $3, false)",
            &[&options.dimension.to_string(), &options.language, &env!("CARGO_PKG_VERSION")],
        )
        .await?;
    Ok(())
}
