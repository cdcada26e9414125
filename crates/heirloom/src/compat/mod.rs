//! What clients of other systems expect, word for word: names, shapes, statuses, texts.
//!
//! Each folder is one foreign contract and calls the operations of [`crate::ops`]. Deliberately absent: any behaviour
//! that the product's own doors could want.

pub mod mcp_pgmnemo;
pub mod mcp_platform;
