//! What time it is, as the caller says. Nothing in this crate asks the operating system.
//!
//! A soak lasts a month, and its tests seconds: the clock is a value. Each entry of the chain says by which kind of clock it
//! was made, and the database refuses to go on by the system's clock where a simulated one was used, so that a clock made
//! for tests opens no gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// A clock. Clones show the same time.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    simulated: bool,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock").field("simulated", &self.simulated).finish_non_exhaustive()
    }
}

impl Clock {
    /// The clock of this machine, handed in by whoever may ask the operating system.
    pub fn system(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), simulated: false }
    }

    /// A clock that somebody moves by hand: seconds since 1970.
    pub fn simulated(seconds: Arc<AtomicI64>) -> Self {
        let now = move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX);
        Self { now: Arc::new(now), simulated: true }
    }

    /// Now, to the microsecond: what the ledger keeps.
    pub fn now(&self) -> Timestamp {
        let now = (self.now)();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// How an entry names it.
    pub(crate) fn kind(&self) -> &'static str {
        if self.simulated { "simulated" } else { "system" }
    }
}

/// The calendar day in UTC, `YYYY-MM-DD`.
pub(crate) fn day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}
