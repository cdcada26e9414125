//! `heirloom report …`: writes the evidence, and checks it.

pub mod check;
pub mod write;
