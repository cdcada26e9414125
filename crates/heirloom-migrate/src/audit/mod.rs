//! The chain of entries that proves what happened to a migration: each step, sweep and archive, by whom and when, each
//! with the hash of the one before.
//!
//! The database finishes an entry and keeps it from being changed (`sql/objects`); this room computes the same hashes
//! again and says where a chain does not hold. A chain cannot tell that its own end was cut off, or that the whole
//! ledger was put back from a backup: the newest [`Head`] is therefore kept outside the database as well, in a small
//! file beside the plan ([`anchor`]) and in the evidence.
//!
//! Deliberately absent: any write to the database ([`crate::ledger`] appends), and any decision about a gate.

pub mod anchor;
mod check;
mod entry;

pub use check::{AuditReport, Guards, Problem, check};
pub(crate) use check::{other_plan, short, version};
pub use entry::{Entry, Head};
