//! JSON gone through: every string, every key, and a string under a key that names a credential.

use serde_json::{Map, Value};

use super::{Findings, engine};

/// `None` when nothing changes.
pub(super) fn run(value: &Value, found: &mut Findings) -> Option<Value> {
    match value {
        Value::String(text) => match engine::run(text, found) {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(text) => Some(Value::String(text)),
        },
        Value::Array(items) => {
            let after: Vec<Option<Value>> = items.iter().map(|item| run(item, found)).collect();
            after.iter().any(Option::is_some).then(|| {
                Value::Array(
                    after.into_iter().zip(items).map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect(),
                )
            })
        }
        Value::Object(map) => object(map, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn object(map: &Map<String, Value>, found: &mut Findings) -> Option<Value> {
    let mut changed = false;
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map {
        let new_key = match engine::run(key, found) {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(key) => Some(key),
        };
        let new_value = match value {
            Value::String(text) => under(key, text, found).map(Value::String),
            other => run(other, found),
        };
        changed |= new_key.is_some() || new_value.is_some();
        entries.push((key, new_key, new_value.unwrap_or_else(|| value.clone())));
    }
    changed.then(|| Value::Object(named(entries)))
}

/// A string under its key: by itself, and else, a single word, as the value of an assignment.
fn under(key: &str, text: &str, found: &mut Findings) -> Option<String> {
    if let std::borrow::Cow::Owned(text) = engine::run(text, found) {
        return Some(text);
    }
    if !engine::may_hold(key) || text.is_empty() || text.contains([' ', '\t', '\r', '\n']) {
        return None;
    }
    let line = format!("{key}={text}");
    let mut in_line = Findings::new();
    let after = engine::run(&line, &mut in_line);
    if after == line {
        return None;
    }
    // What the key itself gave away was counted with the key.
    let own = engine::run(key, &mut Findings::new());
    let value = match after.strip_prefix(own.as_ref()).and_then(|rest| rest.strip_prefix('=')) {
        Some(value) if value == text => return None,
        Some(value) => value.to_owned(),
        // A rule that takes the name with the value.
        None => after.into_owned(),
    };
    for (label, count) in in_line {
        *found.entry(label).or_default() += count;
    }
    Some(value)
}

/// The object again. Keys that became one name are numbered, shorter and smaller ones first, as `jsonb` orders them.
fn named(mut entries: Vec<(&String, Option<String>, Value)>) -> Map<String, Value> {
    if entries.iter().filter(|(_, new, _)| new.is_some()).count() > 0 {
        entries.sort_by(|(a, new_a, _), (b, new_b, _)| {
            (new_a.is_some(), a.len(), a.as_bytes()).cmp(&(new_b.is_some(), b.len(), b.as_bytes()))
        });
    }
    let mut object = Map::with_capacity(entries.len());
    for (key, new, value) in entries {
        let name = new.unwrap_or_else(|| key.clone());
        let mut free = name.clone();
        let mut n = 1;
        while object.contains_key(&free) {
            n += 1;
            free = format!("{name} ({n})");
        }
        object.insert(free, value);
    }
    object
}
