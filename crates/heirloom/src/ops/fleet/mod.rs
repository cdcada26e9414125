//! `heirloom fleet …`: the steps of a migration for many tenants. What they share is `crate::fleet`.

pub mod apply;
pub mod plan;
pub mod report;
pub mod retire;
pub mod soak;
pub mod status;
pub mod verify;
