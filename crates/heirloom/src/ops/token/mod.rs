//! `heirloom token …`: who may come in by HTTP.

pub mod create;
pub mod list;
pub mod revoke;
