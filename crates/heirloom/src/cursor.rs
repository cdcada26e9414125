//! Cursors as they leave a door: a place in a list, good for the question that it was given for and for who asked it.
//!
//! That is no wall: what a caller may see is asked anew with each page. But the place of one list means rows that are left
//! out in another, and nobody would notice, so a cursor that was given for something else is refused.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::caller::Caller;
use crate::error::{Error, Result};

/// The cursors of one question of one caller.
#[derive(Debug)]
pub struct Cursors([u8; 32]);

impl Cursors {
    /// Those of a list, by its name and by what it is narrowed to.
    pub fn of(caller: &Caller, list: &str, narrowed: &Value) -> Self {
        Self(Sha256::digest(format!("heirloom cursor\n{list}\n{}\n{narrowed}", caller.id())).into())
    }

    /// A place as it leaves.
    pub fn give(&self, place: &str) -> String {
        format!("{place}~{}", self.mark(place))
    }

    /// The place that a cursor names.
    ///
    /// # Errors
    /// [`Error::Argument`] for one that was not given for this question and to this caller.
    pub fn take<'c>(&self, cursor: Option<&'c str>) -> Result<Option<&'c str>> {
        let Some(cursor) = cursor else { return Ok(None) };
        match cursor.rsplit_once('~').filter(|(place, mark)| self.mark(place) == *mark) {
            Some((place, _)) => Ok(Some(place)),
            None => Err(refused("it was not given for this question, or not to this caller")),
        }
    }

    fn mark(&self, place: &str) -> String {
        let digest = Sha256::digest([self.0.as_slice(), place.as_bytes()].concat());
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What is said of a cursor that no page goes on from.
pub fn refused(what: &str) -> Error {
    Error::Argument {
        argument: "--cursor",
        what: what.to_owned(),
        accepted: "the `next` of the page before, with all else as it was asked; begin again without one".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use heirloom_store::Right;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::config::CallerConfig;

    fn token(id: u128) -> Caller {
        Caller::Token(Box::new(heirloom_store::Token {
            id: Uuid::from_u128(id),
            name: "t".to_owned(),
            rights: Right::Read,
            namespaces: Vec::new(),
            rate_per_minute: None,
            created_at: heirloom_store::Moment::Micros(0),
            expires_at: None,
            revoked_at: None,
        }))
    }

    #[test]
    fn a_cursor_is_good_for_its_question_and_its_caller_alone() {
        let asked = json!({ "namespaces": ["team:a"] });
        let ours = Cursors::of(&token(1), "list", &asked);
        let cursor = ours.give("2026-11-29T00:00:00Z~7");
        assert_eq!(ours.take(Some(&cursor)).expect("its own"), Some("2026-11-29T00:00:00Z~7"));
        assert_eq!(ours.take(None).expect("none"), None);
        let owner = Caller::Owner(CallerConfig { namespaces: Vec::new(), actor: String::new() });
        for other in [
            Cursors::of(&token(2), "list", &asked),
            Cursors::of(&owner, "list", &asked),
            Cursors::of(&token(1), "links", &asked),
            Cursors::of(&token(1), "list", &json!({ "namespaces": ["team:b"] })),
        ] {
            assert!(matches!(other.take(Some(&cursor)), Err(Error::Argument { .. })));
        }
        for bad in ["", "~", "7", "2026-11-29T00:00:00Z~7", &cursor[1..], &cursor[..cursor.len() - 1]] {
            assert!(ours.take(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
