//! Many tenants: who there is, which of them a command is about, how they run side by side, whether they are kept apart, and
//! the table that tells of them.
//!
//! Every tenant has an ordinary migration file and an ordinary plan, made of a template and what `tenants.toml` says of it.
//! What a step does is the caller's: a function of a tenant's position that gives back its [`Line`]. Deliberately absent:
//! opening of databases (but for the leak probe), exit codes, hints, printing.

pub mod credential;
mod file;
mod line;
mod page;
mod pick;
pub mod probe;
mod pulse;
pub mod runner;
mod template;

pub use file::{Allow, MOST_TENANTS, ONCE, SHARED, Tenant, TenantsFile};
pub use line::{Failure, HEADINGS, Line, SHADOW_HEADINGS, Side, State, Totals};
pub use page::{html, markdown};
pub use pick::{Pick, Shard};
pub use pulse::{Pulse, Watched};
pub use template::migration;
