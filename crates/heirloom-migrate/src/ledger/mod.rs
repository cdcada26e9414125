//! The ledger of migrations, schema `heirloom_migrate` in the target: this room is its only writer.
//!
//! Each step of a run is an entry of its chain ([`crate::audit`]), in the transaction that takes the step.
//!
//! Truth is the chunk row: it becomes `done` in the transaction that wrote the chunk's memories, so a crash leaves all
//! of a chunk or nothing. Rejected rows are kept here with their original bytes until they are handed down or closed.
//!
//! Deliberately absent: memory content (rejected rows apart), credentials, and any decision — `apply` decides, the
//! ledger records.

mod audit;
mod chunk;
mod comparing;
mod delivered;
mod handed_down;
mod leaf;
mod lease;
mod proof;
mod reject;
mod reject_count;
mod run;
mod schema;
mod step;
mod stored;

pub use audit::{PROGRAM, Stamp, append, chain, entries, guards, has_chain, lock_head, lock_head_beside_a_follower};
pub use chunk::{ChunkRecord, ChunkResult, chunks, finish_chunk, lock_chunk, rejected_elsewhere, retried_chunk};
pub use comparing::{Comparing, comparing};
pub use delivered::{
    Delivered, NewDelivered, delivered, delivered_count, delivered_keys, each_delivered, put_delivered,
};
pub use handed_down::{handed_down_between, handed_down_count, handed_down_keys, handed_down_of, unrecorded};
pub use leaf::{Leaf, drop_leaf, leaves, put_leaf};
pub use lease::{
    Beat, Busy, Lease, Live, Runner, beat, blind, busy, claim, has_runners, holds, knows_runner, leave, live, pending,
    release, renew, runners, somebody_at_work,
};
pub use proof::{Proof, verified};
pub(crate) use reject::key_text;
pub use reject::{
    NewReject, RejectFilter, RejectRecord, any_open_reject, conflict, list_rejects, open_rejects, put_rejects,
    resolve_rejects,
};
pub use reject_count::{RejectTotal, reject_counts};
pub use run::{RunState, RunSummary, add_event, find_run, register, runs, set_state, state_of, step, unprove};
pub use schema::{VERSION, ensure, exists, missing_rights, up};
pub use step::{Step, steps};
pub use stored::stored_plan;
