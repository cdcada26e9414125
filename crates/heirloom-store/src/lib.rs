//! The memory: schema, write, recall, lifecycle, namespaces. The only writer of memory tables.
//!
//! A tenant's operation is one method of [`Store`] in one file: it takes a [`Scope`] and a flat request, runs as one
//! transaction of the serving role on one connection, and answers with a flat value.

pub mod activity;
pub mod bulk;
mod check;
mod error;
mod events;
mod forget;
mod history;
mod idempotency;
mod identity;
mod keep;
mod links;
mod list;
mod locate;
mod memory;
mod moment;
pub mod namespace;
mod origin;
mod recall;
mod record;
pub mod redact;
mod reembed;
mod remember;
mod restore;
mod revise;
pub mod schema;
mod scope;
mod show;
mod sql_door;
mod stats;
mod store;
mod token;
mod transition;
mod trip;
mod upkeep;
mod width;
mod workspace;

pub use check::{MAX_CONTENT_BYTES, MAX_JSON_BYTES, MAX_LABEL_BYTES};
pub use error::{Result, StoreError};
pub use events::{Activity, CHANNEL, Event, MAX_EVENTS};
pub use forget::{Forget, Forgotten};
pub use history::{Act, History, PastOf, PastPlace, Revision, Tombstone};
pub use idempotency::Idempotent;
pub use identity::Identity;
pub use keep::{Keep, KeptMemory};
pub use links::{Link, Links, LinksOf, Neighbour};
pub use list::{List, MAX_PAGE, ORDERS, Page};
pub use memory::{ITEM_KINDS, KINDS, Memory, Moment, Origin, SOURCES, STATES};
pub use namespace::Namespace;
pub use recall::{Hit, MAX_HITS, MAX_QUESTION_BYTES, Recall, Recalled};
pub use record::Record;
pub use reembed::{Due, Made, ModelState, embedded_text};
pub use remember::{Remember, Remembered};
pub use revise::{Revise, Revised};
pub use schema::{Meta, UpOptions};
pub use scope::{MAX_NAMESPACES, Scope};
pub use show::{OriginSummary, Show, Shown, Step};
pub use sql_door::SqlDoor;
pub use stats::{Ahead, Count, Day, Facet, Stats};
pub use store::Store;
pub use token::{CreatedToken, NewToken, Right, Token};
pub use transition::{TRANSITIONS, Transition, Transitioned, allowed_from};
pub use upkeep::{Kept, LARGE_NAMESPACE, MOST_INDEXED, Spilled, Waiting, graph_bytes};
pub use workspace::{Kin, Lineage, Named, NamespaceOf, PutWorkspace, Workspace};
