//! A directory or a URL in, a live PostgreSQL out.
//!
//! This room owns how a database is reached: the embedded PGlite with its lock and owner record, or a server by URL
//! with TLS. Everything above speaks to a [`Database`] and does not know which of the two it is.
//!
//! Deliberately absent: any table, any SQL beyond `select 1`, any fallback. A URL that does not answer is an error; a
//! data directory that is damaged or owned by someone else is an error. Nothing here deletes or replaces a
//! directory, but the half of a new cluster that nobody was ever served from.

mod cached;
mod cluster;
mod database;
mod embedded;
mod error;
mod listen;
mod location;
mod notice;
mod owner;
mod refusal;
mod server;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use cached::Cached;
pub use database::{Client, Database, INDEX_MEMORY, Kind, Options};
pub use error::{EngineError, Result};
pub use listen::Ticks;
pub use location::{Location, redact_url, with_database};
pub use notice::Notices;
pub use owner::OwnerRecord;
pub use refusal::{Refusal, Trouble, condition};
