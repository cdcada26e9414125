//! The end of a migration: the source's table is archived, renamed, kept for a grace, and dropped; and the way back.
//!
//! Nothing goes before every [`Gate`] is met: verified, soaked by the clock and to the second, no open reject, no
//! divergence, nobody who writes to the source, a chain that holds and goes through the head outside the database, and an
//! archive that was restored and compared. Each step is an entry of the chain before and after it, so that a process that
//! ends in between is taken up where it stopped.
//!
//! This room and the marker of `apply` hold the only statements that write to a source: `rename`, `drop table`, and what
//! makes a dropped table again. Deliberately absent: any `cascade`.

mod alive;
mod archive;
mod definition;
mod gates;
mod postgres;
mod roles;
mod run;
mod undo;

pub use archive::{ArchiveMark, Manifest, Statement, path_for};
pub use gates::{Gate, ledger_gates};
pub(crate) use run::none_pending;
pub use run::{Phase, Retirement, retire};
pub use undo::{Unretired, unretire};
