//! `heirloom workspace …`: the tree of workspaces, which decides who may read and write what.

pub mod list;
pub mod put;
pub mod remove;
