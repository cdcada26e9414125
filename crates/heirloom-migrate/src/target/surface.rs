//! The pure part of a foreign target: what a memory becomes there. The same for plan, apply and verify, which all compile
//! it into their mapping, so that what the plan predicts is what happens.

use heirloom_store::Memory;
use serde::{Deserialize, Serialize};

use super::plugin::Capabilities;
use super::{Closing, pgmnemo, plugin};
use crate::canon::{self, FIELDS};
use crate::digest::{Digest, Key};
use crate::file::MigrationFile;
use crate::mapping::Reject;

/// What happens to lessons that the target takes for versions of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collisions {
    /// The plan refuses.
    #[default]
    Refuse,
    /// Each comes in a statement of its own, so that the newest stays open and the others are its old versions.
    Spread,
}

/// What happens to lessons without provenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// They are set aside, as the target's own gate would.
    #[default]
    Enforce,
    /// They are handed down as ghosts, with one warning a statement.
    Warn,
}

/// What rows become in a foreign target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// A table `pgmnemo.agent_lesson`.
    Pgmnemo {
        /// The file's choice.
        collisions: Collisions,
        /// The file's choice.
        gate: Gate,
        /// Whether it is Heirloom's own door of that name, which closes less and never verifies a ghost.
        is_ours: bool,
    },
    /// A memory plugin over HTTP.
    Plugin {
        /// What it can do.
        can: Capabilities,
    },
}

impl Surface {
    /// A table of a pgmnemo, as a file chooses.
    pub fn pgmnemo(file: &MigrationFile) -> Self {
        Self::Pgmnemo { collisions: file.collisions, gate: file.gate, is_ours: false }
    }

    /// Rows of a chunk at most: what has to be looked for again when a chunk is done again.
    pub(crate) fn chunk_rows(&self) -> u64 {
        match self {
            Self::Pgmnemo { .. } => u64::MAX,
            Self::Plugin { .. } => plugin::CHUNK_ROWS,
        }
    }

    /// Whether it searches by words.
    pub(super) fn searches_words(&self) -> bool {
        matches!(self, Self::Plugin { can } if can.words)
    }

    /// What its table is called.
    pub fn table(&self) -> &'static str {
        match self {
            Self::Pgmnemo { .. } => "pgmnemo.agent_lesson",
            Self::Plugin { .. } => "memories of a plugin",
        }
    }

    /// Turns a memory into what the target will show of it. Gives back the fields that say something the target has no
    /// place for.
    ///
    /// # Errors
    /// Why the target cannot hold the row at all.
    pub fn carry(&self, memory: &mut Memory) -> Result<Vec<&'static str>, Reject> {
        match self {
            Self::Pgmnemo { gate, is_ours, .. } => pgmnemo::carry(memory, *gate, *is_ours),
            Self::Plugin { can } => plugin::carry(memory, *can),
        }
    }

    /// Whether the target shows a field, so that verify can compare it.
    pub fn shows(&self, field: &str) -> bool {
        match self {
            Self::Pgmnemo { .. } => !pgmnemo::HIDDEN.contains(&field),
            Self::Plugin { can } => plugin::shows(field, *can),
        }
    }

    /// Whether a field stays as it was written while nobody changes the row: what tells an edit.
    pub fn keeps(&self, field: &str) -> bool {
        match self {
            Self::Pgmnemo { .. } => self.shows(field) && field != pgmnemo::STAMPED,
            Self::Plugin { .. } => self.shows(field),
        }
    }

    /// What the target compares a row by when it closes others; `None` where it closes none.
    pub fn closing(&self, memory: &Memory) -> Option<Closing> {
        match self {
            Self::Pgmnemo { is_ours, .. } => pgmnemo::closing(memory, *is_ours),
            Self::Plugin { .. } => None,
        }
    }

    /// The name that the target gives to one row of a project alone, as JSON, and the project; `None` where it minds no names.
    pub fn named(&self, memory: &Memory) -> Option<(String, Option<i32>)> {
        match self {
            Self::Pgmnemo { is_ours, .. } => pgmnemo::name(memory, *is_ours),
            Self::Plugin { .. } => None,
        }
    }

    /// The digest of a row by its frames, over the fields that stay.
    pub fn digest(&self, frames: &[Vec<u8>], key: &Key) -> Digest {
        let kept: Vec<&[u8]> = FIELDS
            .iter()
            .zip(frames)
            .filter(|(field, _)| self.keeps(field))
            .map(|(_, frame)| frame.as_slice())
            .collect();
        key.digest(&kept.concat())
    }

    /// The frames that a memory should show, empty where the target shows nothing.
    pub fn frames(&self, memory: &Memory, dimension: usize) -> Vec<Vec<u8>> {
        let frame = |(tag, field): (usize, &&str)| match self.shows(field) {
            true => canon::field(memory, tag, dimension),
            false => Vec::new(),
        };
        FIELDS.iter().enumerate().map(frame).collect()
    }
}
