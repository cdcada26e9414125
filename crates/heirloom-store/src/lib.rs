//! The memory: schema, write, recall, lifecycle, namespaces. The only writer of memory tables.

mod error;
mod memory;
pub mod schema;
mod store;

pub use error::{Result, StoreError};
pub use memory::{KINDS, Memory, Moment, Origin, SOURCES, STATES};
pub use schema::{Meta, UpOptions};
pub use store::Store;
