//! The MCP door: tools for agents, over stdio (`heirloom mcp`) and streamable HTTP (`/mcp` of `heirloom serve`).
//!
//! - [`tools`]: which tools there are for a caller, and calling one; our own are the operations of [`crate::ops`] that
//!   are meant for MCP.
//! - [`server`]: the protocol, by `rmcp`, over whatever [`server::Wire`] there is: [`stdio`] or [`http`].
//! - [`mod@reference`]: recalled text, marked as data, so that an agent does not take it for instructions.
//! - [`refusal`]: an error as an agent can act on it.
//!
//! Deliberately absent: behaviour. The tools of other systems are in [`crate::compat`].

pub mod clients;
pub mod http;
pub mod reference;
pub mod refusal;
pub mod server;
pub mod stdio;
pub mod tools;
