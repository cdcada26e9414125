//! The platform's `memory-backfill` command, in form: its flags in the manner of Go, one dash or two, and the lines it ends
//! with. What it does is the migration engine's (`crate::backfill`).

mod flags;
mod lines;

pub use flags::{Flags, Mode};
pub use lines::{backfilled, verified};
