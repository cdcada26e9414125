//! Contracts of others that Heirloom honours, so that their clients need not change: what their requests and answers
//! look like, which words and statuses they look for.
//!
//! A contract holds no behaviour. What it asks for goes through [`memories`], the one place here that calls the store
//! for memories; everything else is form. Deliberately absent: SQL, and rules of our own that the store does not know.

pub(crate) mod marks;
pub mod mcp_pgmnemo;
pub mod mcp_platform;
pub mod memories;
pub mod memory_backfill;
pub mod plugin_v1;
pub mod wire;
pub mod workspace;
