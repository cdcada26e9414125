//! `heirloom compat …`: commands of other platforms, under their own names and flags.

pub mod memory_backfill;
