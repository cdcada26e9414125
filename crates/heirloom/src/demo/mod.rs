//! `heirloom demo`: the main job on the two cases of the seeds, told as a story on one screen.
//!
//! - [`tenants`], [`dirt`], [`legacy`]: case A, `agent_memories` of four tenants, 2,052 rows.
//! - [`guide`]: case B, `mem.mem_item` with the fifteen fields of the migration guide.
//! - [`story`]: the report of what happened, as one screen of text and as JSON.
//!
//! All rows come from a fixed seed: the numbers of the story are the same on every machine, and tests name them.
//! Deliberately absent: a download, a clock in the data, and any shortcut into the store's tables; the demo plans,
//! applies and verifies as a user's migration does.

mod asking;
mod copy;
pub mod dirt;
pub mod guide;
pub mod legacy;
mod notes;
pub mod rng;
mod run;
pub mod story;
pub mod tenants;

pub use run::run;
#[cfg(test)]
mod tests;
