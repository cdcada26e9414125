//! Heirloom's binary as a library: one list of operations and the doors that lead to it.
//!
//! - [`ops`]: everything the product can do, one entry of [`ops::ALL`] each.
//! - [`cli`], [`http`], [`mcp`]: doors; [`attach`] lets a second process use the first one's embedded store.
//! - [`caller`]: who calls and what they may.
//! - [`cipher`]: numbers that would tell a tenant how much others do.
//! - [`cursor`]: the places of lists, for whoever they were given to.
//! - [`compat`]: contracts of others that the doors honour.
//! - [`command`]: the command tree, made from [`ops::ALL`].
//! - [`config`]: the only place that reads the environment.
//! - [`explain`]: the only place that turns an error into an exit code and a hint.
//! - [`context`]: what an operation is given: the configuration, the database, who is watching.
//! - [`embed`]: vectors for texts: one trait, two providers.
//! - [`backfill`]: the platform's `memory-backfill` on this engine.
//! - [`fleet`]: what the operations on many tenants share.
//! - [`notify`]: who is told of a divergence.
//! - [`upkept`]: upkeep beside serving.
//! - [`demo`]: the main job on the two cases of the seeds, told as a story.
//!
//! Deliberately absent: any behaviour in a door, and any SQL on memory tables (only `heirloom-store` has that).

pub mod asked;
pub mod attach;
pub mod backfill;
pub mod browser;
pub mod caller;
pub mod cipher;
pub mod cli;
pub mod command;
pub mod compat;
pub mod config;
pub mod context;
pub mod cursor;
pub mod demo;
pub mod embed;
pub mod error;
pub mod explain;
pub mod fleet;
pub mod http;
pub mod mcp;
pub mod notify;
pub mod ops;
pub mod proof;
pub mod questions;
pub mod text;
pub mod upkept;

pub use context::Context;
pub use error::{Error, Result};
