//! What a command of the contract answers when this version does not have it.

use crate::error::{Error, Result};
use crate::ops::Output;

/// Refuses by name, and says what to use instead.
pub(super) fn refuse(command: &'static str, instead: &'static str) -> Result<Output> {
    Err(Error::Absent { command, instead })
}
