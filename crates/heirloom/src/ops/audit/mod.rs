//! `heirloom audit`: the chain that proves each step of a migration.

pub mod anchor;
pub mod check;
pub mod list;
