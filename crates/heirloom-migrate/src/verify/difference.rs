//! A difference and its place, and the reasons that make one legitimate.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::Digest;

/// What kind of difference it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Expected and not there.
    Missing,
    /// There, with another value in a column.
    Altered,
    /// There under another namespace: somebody else's tenant sees it.
    WrongTenant,
    /// Handed down from here by its origin, and no source row has its key (any more).
    Unexpected,
    /// The source row changed since it was handed down.
    SourceChanged,
    /// The id is held by a row that was not handed down from here.
    Foreign,
    /// The source row does not map, and is in the target all the same.
    NotRejected,
}

/// Why a row may differ: the store's own records say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Explanation {
    /// Revised, pinned or given an end in the store; the kept revision and the recorded hash or value say so.
    Edited,
    /// Forgotten in the store; its tombstone says so.
    Forgotten,
    /// Moved to another state; the recorded transition says so.
    Transitioned,
    /// Moved to `superseded`; the recorded transition says so.
    Superseded,
    /// Superseded because it was consolidated into another memory; the link to that says so.
    Consolidated,
    /// A target that is no store closed it: a newer one with the same role, topic and commit is open there.
    Closed,
    /// A target that is no store stamps its time with every update, recall among them; nothing else differs.
    Stamped,
    /// Expired, and a target that is no store has evicted it.
    Expired,
}

/// One side of a differing field: never the value itself unless it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Length in bytes of the canonical form; `None` when the field is NULL.
    pub bytes: Option<usize>,
    /// Digest under this run's key.
    pub digest: String,
    /// The value, cut to 200 characters, when content was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// One difference that no record explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its class.
    pub class: Class,
    /// The source key.
    pub key: Vec<String>,
    /// The memory's id.
    pub id: Uuid,
    /// The chunk.
    pub chunk: Option<u32>,
    /// The column of the memory; `None` when the row as a whole is concerned.
    pub column: Option<String>,
    /// What the source and the mapping say.
    pub expected: Option<Side>,
    /// What the target holds.
    pub found: Option<Side>,
}

impl Side {
    /// From a field's frame: tag, presence, length, bytes.
    pub(super) fn of(frame: &[u8], digest: Digest, show_content: bool) -> Self {
        let body = frame.get(6..).filter(|_| frame.get(1) == Some(&1));
        let value = body.filter(|_| show_content).map(|body| match std::str::from_utf8(body) {
            Ok(text) if !text.contains('\0') => text.chars().take(200).collect(),
            _ => format!("{} bytes", body.len()),
        });
        Self { bytes: body.map(<[u8]>::len), digest: digest.to_string(), value }
    }
}
