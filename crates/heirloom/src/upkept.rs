//! What `serve` and `plugin` do beside serving: upkeep by itself, and a word in the log where it may not do all of it.

use std::time::{Duration, Instant};

use heirloom_engine::{Refusal, Trouble};
use heirloom_store::{Kept, Store, StoreError};

use crate::context::Cancel;
use crate::text::counted;

/// How often upkeep looks whether something is due.
const EVERY: Duration = Duration::from_secs(60);

/// How often what stays undone is told again.
const TOLD: Duration = Duration::from_secs(24 * 60 * 60);

/// Forgets what has expired long ago, and keeps word frequencies, centres, indexes and statistics fresh, until it is told to stop. A server's store may have waited
/// for it; what the embedded one has of connections belongs to whoever asks first.
pub async fn upkeep(store: Store, keep_expired: Option<Duration>, cancel: Cancel) {
    let mut told: Option<Instant> = None;
    let mut wait = if store.database().is_embedded() { EVERY } else { Duration::ZERO };
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = EVERY,
            () = cancel.cancelled() => return,
        }
        match keep(&store, keep_expired).await {
            Ok((_, kept)) => {
                kept.graphs_spilled.iter().for_each(|spilled| tracing::warn!("{spilled}"));
                if let Some(waits) = waits(kept.namespaces_not_indexed, kept.models_not_centred)
                    && told.is_none_or(|told| told.elapsed() >= TOLD)
                {
                    tracing::warn!("{waits}, because this database user does not own the store: {CURE}");
                    told = Some(Instant::now());
                }
            }
            Err(StoreError::Database(error)) if Refusal::of(&error).trouble == Trouble::ReadOnly => {
                if told.is_none_or(|told| told.elapsed() >= TOLD) {
                    tracing::info!("the database takes no writes: upkeep is left to the primary");
                    told = Some(Instant::now());
                }
            }
            Err(error) => tracing::warn!(%error, "upkeep did not end well; it is tried again"),
        }
    }
}

/// What has been expired for so long is forgotten, and then the rest is kept up; how many were forgotten, and what else was
/// done.
///
/// # Errors
/// As [`Store::forget_expired`] and [`Store::upkeep`].
pub async fn keep(store: &Store, keep_expired: Option<Duration>) -> heirloom_store::Result<(u64, Kept)> {
    let forgotten = match keep_expired {
        Some(kept) => store.forget_expired(kept).await?,
        None => 0,
    };
    Ok((forgotten, store.upkeep(None).await?))
}

/// What to do where upkeep by itself is not enough.
pub const CURE: &str =
    "set upkeep.url to the URL of the store's owner, or run `heirloom upkeep` as the owner, by cron say";

/// What is slower, or ranks worse, until an owner's upkeep comes by; `None` when nothing is.
pub fn waits(namespaces: u64, models: u64) -> Option<String> {
    let namespaces = (namespaces > 0).then(|| format!("{} without indexes", counted(namespaces, "large namespace")));
    let models = (models > 0).then(|| format!("{} without a centre", counted(models, "model")));
    let said: Vec<String> = namespaces.into_iter().chain(models).collect();
    (!said.is_empty()).then(|| said.join(", "))
}
