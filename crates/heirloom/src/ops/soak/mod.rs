//! `heirloom soak`: old and new watched side by side.

pub mod start;
pub mod status;
pub mod sweep;
