//! Handing memories down: sources → mapping → store; plan, apply, verify, the ledger and the evidence.
//!
//! The rooms, in the order in which a row passes them:
//!
//! - [`mod@file`]: the migration file as written, with the place of every word in it.
//! - [`source`]: foreign systems, read only; a [`value::SourceRow`] out.
//! - [`detect`]: which tables look like memories, and a migration file to start from.
//! - [`mapping`]: the file compiled to a [`mapping::Program`], a pure function from row to memory or reject.
//! - [`finding`]: the traps, each with an id, a test and a sentence.
//! - [`plan`]: the plan as a value; `apply` takes nothing else.
//! - [`canon`] and [`digest`]: what "the same row" means.
//! - [`apply`]: chunk after chunk, each one transaction with its ledger row.
//! - [`ledger`]: the only writer of `heirloom_migrate`.
//! - [`target`]: targets that are no store of ours.
//! - [`http`]: how others are called over HTTP, here and in the binary.
//! - [`verify`]: reads both sides with code of its own and names each difference.
//! - [`mod@clock`] and [`audit`]: what time it is, and the chain that proves each step.
//! - [`soak`]: old against new, day after day, until the source can go.
//! - [`retire`]: gates, archive, rename, grace, drop, and the way back.
//! - [`failpoint`]: named places at which any of these steps can be made to fail, for tests.
//! - [`report`]: the evidence, JSON and HTML.
//! - [`fleet`]: many tenants side by side, each with a plan of its own.
//!
//! Deliberately absent: printing, reading the environment (the caller resolves `env:` references), writing memory
//! tables (only `heirloom-store` does), and any import of the encoder into [`verify`].

pub mod apply;
pub mod audit;
mod batch;
pub mod canon;
pub mod clock;
pub mod detect;
pub mod digest;
pub mod error;
pub mod failpoint;
pub mod file;
pub mod finding;
pub mod fleet;
mod frames;
pub mod http;
pub mod ledger;
pub mod mapping;
mod marker;
mod part;
pub mod plan;
pub mod report;
pub mod retire;
pub mod soak;
pub mod source;
pub mod target;
pub mod value;
pub mod verify;

pub use error::{MigrateError, Result};
