//! `heirloom mcp …`: agents served over stdio, a client set up for it, one tool called by hand.

pub mod call;
pub mod install;
pub mod serve;

use heirloom_store::namespace;

use crate::caller::{Caller, Guest};
use crate::config::CallerConfig;
use crate::context::Context;
use crate::error::Result;

/// The agent that a person let in: held to the namespaces that are named, or, where none is, with the person's own as
/// defaults.
fn guest(context: &Context, namespaces: &[String], read_only: bool, held: bool) -> Result<Caller> {
    for name in namespaces {
        namespace::validate(name)?;
    }
    let own = context.caller_config();
    let named = if namespaces.is_empty() { own.namespaces.clone() } else { namespaces.to_vec() };
    let config = CallerConfig { namespaces: named, actor: own.actor.clone() };
    let held = held || !namespaces.is_empty();
    Ok(Caller::Guest(Box::new(Guest { config, held, writes: !read_only, workspace: None })))
}
