//! A memory plugin, version 1 of the platform's contract, over HTTP.
//!
//! What its contract makes of a target:
//!
//! - A memory is written by its id, and written again says the same again: a process that was killed goes on, and nothing
//!   comes twice.
//! - It is read by search alone (`sight`): what a search does not show, nothing is said of.
//! - It has no place for most of what a memory says (`carry`); the plan names each field with its rows.
//! - It fails as things behind HTTP fail (`client`, `gate`).
//!
//! Deliberately absent: deletion, vectors in searches, and any door of Heirloom's own that other plugins lack.

mod carry;
mod client;
mod deliver;
mod gate;
mod sight;
mod words;

use std::collections::HashSet;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Announced, Beyond, Fate, Foreign, Found, Left, Parcel, Predicted, Seen, Surface, Terms, Wanted};
use crate::error::Result;
use crate::file::MigrationFile;
use crate::source::Identity;

pub(super) use carry::{carry, shows};
pub use client::{Answer, Client, Health, Refusal};
pub use gate::Patience;

/// Rows of a chunk at most.
pub(super) const CHUNK_ROWS: u64 = 1_000;

/// What a plugin says it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capabilities {
    /// `fts`: finds by words.
    pub words: bool,
    /// `embedding`: keeps vectors.
    pub embedding: bool,
    /// `ttl`: keeps an end.
    pub ttl: bool,
    /// `pin`
    pub pin: bool,
    /// `propagation`
    pub propagation: bool,
}

impl From<&Health> for Capabilities {
    fn from(health: &Health) -> Self {
        let can = |name: &str| health.capabilities.iter().any(|capability| capability == name);
        Self {
            words: can("fts"),
            embedding: can("embedding"),
            ttl: can("ttl"),
            pin: can("pin"),
            propagation: can("propagation"),
        }
    }
}

/// A plugin.
#[derive(Debug)]
pub struct Plugin {
    client: Client,
    lanes: usize,
    dimension: usize,
    homes: deliver::Homes,
}

impl Plugin {
    /// The plugin that a client speaks to: `lanes` rows at a time, vectors as wide as `dimension`.
    pub fn of(client: Client, lanes: usize, dimension: usize) -> Self {
        Self { client, lanes: lanes.max(1), dimension, homes: deliver::Homes::default() }
    }

    /// The ids that each namespace shows, and whether these are all.
    async fn lists(&self, namespaces: &[&str]) -> Result<Vec<(Vec<Uuid>, bool)>> {
        let surface = Surface::Plugin { can: Capabilities::default() };
        let eye = self.eye(&surface);
        let list = async |name: &str| {
            let page = eye.list(name).await?.unwrap_or_default();
            Ok((page.rows.iter().map(|row| row.id).collect(), page.is_whole))
        };
        let mut lists = Vec::with_capacity(namespaces.len());
        for name in namespaces {
            lists.push(list(name));
        }
        side_by_side(self.lanes, lists).await
    }

    fn eye<'a>(&'a self, surface: &'a Surface) -> sight::Eye<'a> {
        sight::Eye { client: &self.client, surface }
    }
}

#[async_trait]
impl Foreign for Plugin {
    async fn look(&self) -> Result<Found> {
        let health = self.client.health().await?;
        let system = format!("plugin:{}", self.client.display());
        let role = if self.client.has_token() { "the holder of a token" } else { "nobody in particular" };
        Ok(Found {
            display: format!("the memory plugin at {}", self.client.display()),
            system: system.clone(),
            identity: Identity {
                role: role.to_owned(),
                superuser: false,
                bypass_rls: false,
                can_write: true,
                filtered: false,
                server: format!("contract {}", number(&health.version)),
                system,
            },
            dimension: self.dimension,
            surface: Surface::Plugin { can: Capabilities::from(&health) },
        })
    }

    async fn predict(&self, rows: &[Announced], namespaces: &[&str]) -> Result<Predicted> {
        let announced: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut predicted = Predicted::default();
        for (ids, is_whole) in self.lists(namespaces).await? {
            predicted.present += ids.iter().filter(|id| announced.contains(id)).count() as u64;
            predicted.beyond_sight += u64::from(!is_whole);
        }
        Ok(predicted)
    }

    async fn deliver(&self, terms: Terms<'_>, rows: &[Parcel]) -> Result<Vec<Fate>> {
        deliver::deliver(self.eye(terms.surface), &self.homes, terms, rows, self.lanes).await
    }

    async fn rows(&self, surface: &Surface, wanted: &[Wanted<'_>]) -> Result<Seen> {
        self.eye(surface).rows(wanted, self.lanes).await
    }

    async fn left(&self, namespaces: &[&str], gone: &[Uuid]) -> Result<Left> {
        let lists = self.lists(namespaces).await?;
        let all_shown = lists.iter().all(|(_, is_whole)| *is_whole);
        let shown = lists.into_iter().flat_map(|(ids, _)| ids);
        let there: Vec<Uuid> = shown.filter(|id| gone.binary_search(id).is_ok()).collect();
        let unseen = if all_shown { 0 } else { gone.len().saturating_sub(there.len()) as u64 };
        Ok(Left { there, unseen })
    }

    async fn beyond(&self, namespaces: &[&str]) -> Result<Beyond> {
        let mut beyond = Beyond::default();
        for (ids, is_whole) in self.lists(namespaces).await? {
            beyond.partly += u64::from(!is_whole);
            beyond.shown.extend(ids);
        }
        Ok(beyond)
    }
}

/// So many at a time, their results in order; the first error ends them all. Made beforehand, since a closure that makes
/// them as they come binds its lifetimes too tightly for a boxed future.
async fn side_by_side<T>(lanes: usize, all: Vec<impl Future<Output = Result<T>> + Send>) -> Result<Vec<T>> {
    stream::iter(all).buffered(lanes).try_collect().await
}

/// A version, and nothing else that something may say in its place.
fn number(version: &str) -> String {
    version.chars().take(32).filter(|c| c.is_ascii_alphanumeric() || ".-+".contains(*c)).collect()
}

/// The plugin that a migration file names.
pub(super) fn open(url: &str, file: &MigrationFile, token: Option<String>) -> Result<Plugin> {
    let client = Client::new(url, token, file.concurrency, Patience::default())?;
    Ok(Plugin::of(client, file.concurrency, file.dimension))
}
