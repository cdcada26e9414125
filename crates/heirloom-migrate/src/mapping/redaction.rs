//! `redact = "apply"`: credentials go before a row is mapped, so that memory, origin, rejects and digests all come from
//! the row without them. Pure, and the same again on its own result, on which re-runs and `retry` rest.
//!
//! What is no text (binary, text that is not UTF-8) is left alone.

use std::borrow::Cow;
use std::collections::BTreeSet;

use heirloom_store::redact::{findings, redact, redact_json};

use crate::value::{SourceRow, Value};

/// The row without credentials; borrowed when it holds none.
pub(super) fn row(row: &SourceRow) -> Cow<'_, SourceRow> {
    let after: Vec<Option<Value>> = row.values.iter().map(value).collect();
    if after.iter().all(Option::is_none) {
        return Cow::Borrowed(row);
    }
    let values = after.into_iter().zip(&row.values).map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect();
    Cow::Owned(SourceRow { key: row.key.clone(), values })
}

/// The labels of what a value holds, each once.
pub(crate) fn labels(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Text(text) | Value::Json(text) | Value::Other(text) => findings(text).into_keys().collect(),
        Value::Array(items) => items.iter().flat_map(labels).collect(),
        _ => BTreeSet::new(),
    }
}

/// `None` when nothing changes.
fn value(value: &Value) -> Option<Value> {
    match value {
        Value::Text(text) => said(text).map(Value::Text),
        Value::Other(text) => said(text).map(Value::Other),
        Value::Json(text) => json(text).map(Value::Json),
        Value::Array(items) => {
            let after: Vec<Option<Value>> = items.iter().map(self::value).collect();
            after.iter().any(Option::is_some).then(|| {
                Value::Array(
                    after.into_iter().zip(items).map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect(),
                )
            })
        }
        _ => None,
    }
}

fn said(text: &str) -> Option<String> {
    match redact(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

/// JSON stays JSON; what cannot be read as such is a text.
fn json(text: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => redact_json(&json).map(|json| json.to_string()),
        Err(_) => said(text),
    }
}
