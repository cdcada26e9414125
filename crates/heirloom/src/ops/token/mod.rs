//! `heirloom token …`: who may come in by HTTP and MCP.

pub mod create;
pub mod list;
pub mod revoke;
