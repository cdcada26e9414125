//! The soak: old and new side by side, day after day, until the source may go.
//!
//! A [`sweep`] compares both sides ([`crate::verify`]) and appends what it found to the chain; the [`Calendar`] is a pure
//! function of the chain, so that nothing but the chain says how long a soak has lasted. An unexplained difference is a
//! divergence: it is kept with row and column, and the clock starts again with the next clean sweep. A day (UTC) without a
//! sweep does not count. What the store's own records explain is counted by kind and never alarms.
//!
//! Two operators at once: whoever commits second finds that the chain went on since it was read, and writes nothing. No lock
//! is held while both sides are read, so that a pool of one connection is enough and a process that died leaves nothing to
//! be cleaned up.
//!
//! Deliberately absent: the comparison itself, and any write to a source.

mod anchor;
mod calendar;
mod record;
mod shadow;
mod standing;
mod start;
mod status;
mod sweep;

pub use anchor::{Anchored, anchor};
pub use calendar::{Calendar, Day, DayKind};
pub use record::{Divergence, DivergenceKind, MAX_KEPT, SweepRecord};
pub use shadow::Shadow;
pub use standing::{Standing, Task};
pub use start::{Started, start};
pub use status::{SoakStatus, status};
pub use sweep::{Sweep, sweep};
