//! Credentials are taken out of a text before it is written: the value goes, a label of its kind stays.
//!
//! The list is that of the memory platform of the first seed (its SAFE-T1201: nineteen labels, in its order), made
//! precise, and extended; [`list`] says each rule and where it departs. It runs on every live write, and in
//! migrations by choice of the file. The same list, with the same results, runs in the database for writers of the SQL
//! door: `heirloom.redaction_rules()` is generated from it.
//!
//! A text is gone through rule by rule, each rule over the whole text, until a pass changes nothing: redacting twice
//! changes nothing more. A text in which nothing can be a credential costs one pass of a multi-string search. Time is
//! linear in the text: no rule looks back or ahead.
//!
//! Deliberately absent: a switch. What is taken for a credential and is none is a fault of a rule. Absent too: any way
//! to learn what was found; a count by label is all that leaves this room.

mod engine;
mod json;
mod request;
mod rules;
mod sql;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub(crate) use request::{reason, remember, revise};
pub use rules::{LABELS, Origin, Rule, list};
pub use sql::{rules_function, suspicion_function};

/// How often each label took the place of a credential. Empty when nothing was found.
pub type Findings = BTreeMap<String, u64>;

/// The text with `[REDACTED:LABEL]` in the place of each credential; borrowed when there is none.
///
/// ```
/// use heirloom_store::redact::redact;
/// assert_eq!(redact("the key is sk-abcdefghijklmnop1234"), "the key is [REDACTED:SK_TOKEN]");
/// assert_eq!(redact("task-abcdefghijklmnopqrstuvwx is done"), "task-abcdefghijklmnopqrstuvwx is done");
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    engine::run(text, &mut Findings::new())
}

/// As [`redact`], adding to `found` what was taken out.
pub fn redact_counting<'t>(text: &'t str, found: &mut Findings) -> Cow<'t, str> {
    engine::run(text, found)
}

/// What [`redact`] would take out of this text, by label; never the values.
pub fn findings(text: &str) -> Findings {
    let mut found = Findings::new();
    engine::run(text, &mut found);
    found
}

/// The value with every string and every key redacted, at any depth; `None` when nothing changes. A string under a key
/// that names a credential (`{"password": "…"}`) is judged as if both stood in one line.
pub fn redact_json(value: &serde_json::Value) -> Option<serde_json::Value> {
    json::run(value, &mut Findings::new())
}

/// As [`redact_json`], adding to `found` what was taken out.
pub fn redact_json_counting(value: &serde_json::Value, found: &mut Findings) -> Option<serde_json::Value> {
    json::run(value, found)
}
