//! The engine's integration tests, one binary.

mod embedded;
mod server;
