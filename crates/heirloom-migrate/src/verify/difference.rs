//! A difference and its place, and the reasons that make one legitimate.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::wire;
use crate::canon::FIELDS;
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
    /// The source row bears the mark, and no record says that it was handed down.
    MarkedOnly,
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
    /// The source row changed again and again while it was looked at, and the store's record of it followed.
    CatchingUp,
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

impl Difference {
    /// Handed down from here, and no row of the source has its key.
    pub(super) fn unexpected(key: Vec<String>, id: Uuid) -> Self {
        Self { class: Class::Unexpected, key, id, chunk: None, column: None, expected: None, found: None }
    }
}

impl Side {
    /// From a field's frame: tag, presence, length, bytes.
    pub(super) fn of(frame: &[u8], digest: Digest, show_content: bool) -> Self {
        let body = wire::body(frame);
        let field = frame.first().and_then(|&tag| FIELDS.get(usize::from(tag)));
        let value = body.filter(|_| show_content).map(|body| said(field.copied().unwrap_or_default(), body));
        Self { bytes: body.map(<[u8]>::len), digest: digest.to_string(), value }
    }
}

/// A field's canonical bytes as people say it.
fn said(field: &str, body: &[u8]) -> String {
    let whole = || body.try_into().ok().map(i64::from_be_bytes);
    let text = match field {
        "project_id" | "importance" => whole().map(|n| n.to_string()),
        "pin" | "is_active" => Some((body == [1]).to_string()),
        "confidence" => body.try_into().ok().map(|bytes| f32::from_be_bytes(bytes).to_string()),
        "embedding" => Some(format!("a vector of {} numbers", body.len() / 4)),
        "state_changed_at" | "verified_at" | "expires_at" | "valid_from" | "valid_to" | "created_at" | "updated_at" => {
            match body {
                b"-" => Some("-infinity".to_owned()),
                b"+" => Some("infinity".to_owned()),
                _ => whole().and_then(|n| Timestamp::from_microsecond(n).ok()).map(|at| at.to_string()),
            }
        }
        _ => std::str::from_utf8(body).ok().map(|text| text.chars().filter(|c| *c != '\0').take(200).collect()),
    };
    text.unwrap_or_else(|| format!("{} bytes", body.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_said_as_people_say_it() {
        let cases: [(&str, &[u8], &str); 13] = [
            ("content", b"The office closes at six.", "The office closes at six."),
            ("content", &[0xff, 0xfe], "2 bytes"),
            ("importance", &5_i64.to_be_bytes(), "5"),
            ("project_id", &(-7_i64).to_be_bytes(), "-7"),
            ("importance", b"short", "5 bytes"),
            ("pin", &[1], "true"),
            ("is_active", &[0], "false"),
            ("confidence", &0.5_f32.to_be_bytes(), "0.5"),
            ("embedding", &[0; 12], "a vector of 3 numbers"),
            ("created_at", &1_767_312_000_000_000_i64.to_be_bytes(), "2026-01-02T00:00:00Z"),
            ("expires_at", b"+", "infinity"),
            ("valid_from", b"-", "-infinity"),
            ("created_at", &i64::MAX.to_be_bytes(), "8 bytes"),
        ];
        for (field, body, wanted) in cases {
            assert_eq!(said(field, body), wanted, "{field} {body:?}");
        }
        assert!(
            FIELDS.contains(&"state_changed_at") && said("content", "é".repeat(300).as_bytes()).chars().count() == 200
        );
    }

    #[test]
    fn what_is_not_asked_for_is_not_said() {
        let mut frame = vec![7, 1, 0, 0, 0, 8];
        frame.extend(4_i64.to_be_bytes());
        let digest = crate::digest::Key::random().digest(&frame);
        assert_eq!(Side::of(&frame, digest, false).value, None);
        assert_eq!(Side::of(&frame, digest, true).value.as_deref(), Some("4"));
        assert_eq!(Side::of(&[7, 0], digest, true), Side { bytes: None, digest: digest.to_string(), value: None });
    }
}
