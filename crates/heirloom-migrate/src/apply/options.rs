//! How an apply goes about it: how many chunks at once, how long a lease lasts, how fast, and when it waits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::follow::Follow;
use super::pace::Together;
use crate::failpoint::Failpoints;
use crate::file::Budget;

/// How long a lease lasts without a heartbeat.
pub const LEASE: Duration = Duration::from_secs(30);

/// How an apply goes about it. The default is as fast as the pool allows, and waits for nobody.
#[derive(Clone)]
pub struct Options {
    /// Chunks at a time; absent: half the pool's connections, at most one a processor. The embedded engine does one.
    pub workers: Option<usize>,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// How fast it may go.
    pub rate: Rate,
    /// How fast it may go together with other applies of this process.
    pub together: Option<Together>,
    /// When it waits for others.
    pub manners: Manners,
    /// Called each quarter of a second while it waits of its own will.
    pub waits: Option<Waits>,
    /// Its place among others that are handed down side by side, which it leaves while a pause file is there.
    pub seat: Option<Arc<dyn Seat>>,
    /// Called with a sentence when it begins to wait and when it goes on.
    pub note: Option<Note>,
    /// Whether this migration looks after the ledger's schema and the store's upkeep itself. A fleet does both once a target
    /// instead of once a tenant: [`crate::ledger::up`] before, [`heirloom_store::Store::upkeep`] after.
    pub alone: bool,
    /// Rows that the source has no longer are forgotten, as long as they are not more than this; absent: they stay.
    pub deletes: Option<Budget>,
    /// Whether it goes on with what changes at the source, and how.
    pub follow: Option<Follow>,
    /// Places at which it fails, for tests.
    pub failpoints: Failpoints,
}

/// Called with a sentence worth telling.
pub type Note = Arc<dyn Fn(&str) + Send + Sync>;

/// A place among so many that may be at work at a time.
pub trait Seat: Send + Sync {
    /// It is paused for as long as somebody likes and needs no place meanwhile.
    fn leave(&self);

    /// Whether it has its place again; one that has not asks again after a while, and waits.
    fn take(&self) -> bool;
}

/// Called with the reason that others give to wait; without one while it keeps to its rate, and when it goes on.
pub type Waits = Arc<dyn Fn(Option<&str>) + Send + Sync>;

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: None,
            lease: LEASE,
            rate: Rate::default(),
            together: None,
            manners: Manners::default(),
            waits: None,
            seat: None,
            note: None,
            alone: true,
            deletes: None,
            follow: None,
            failpoints: Failpoints::default(),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("workers", &self.workers)
            .field("lease", &self.lease)
            .field("rate", &self.rate)
            .field("manners", &self.manners)
            .finish_non_exhaustive()
    }
}

/// How fast an apply may go. A limit that is absent does not limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Source rows a second.
    pub rows: Option<u64>,
    /// Bytes of source rows a second.
    pub bytes: Option<u64>,
}

impl Rate {
    /// Whether anything limits.
    pub fn limits(&self) -> bool {
        self.rows.is_some() || self.bytes.is_some()
    }
}

/// When an apply waits before its next chunk. A limit that is absent is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manners {
    /// While one of these files is there, nothing is begun.
    pub pause_files: Vec<PathBuf>,
    /// Most bytes that the furthest replica of the target may lag behind.
    pub lag_bytes: Option<u64>,
    /// Most sessions of the target that may wait for a lock.
    pub lock_waits: Option<u64>,
    /// Most sessions of the target, ours left out, that may be at work.
    pub active: Option<u64>,
}

impl Manners {
    /// Why nothing is to be begun, where one of the files is there.
    pub fn pauses(&self) -> Option<String> {
        let file = self.pause_files.iter().find(|file| file.exists())?;
        Some(format!("the file {} is there", file.display()))
    }

    /// Whether the server has to be asked.
    pub(super) fn asks(&self) -> bool {
        self.lag_bytes.is_some() || self.lock_waits.is_some() || self.active.is_some()
    }
}
