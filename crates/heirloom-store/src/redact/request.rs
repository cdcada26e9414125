//! A live write without its credentials: what the caller asks for, and what was taken out of it.

use std::borrow::Cow;

use super::{Findings, redact_counting, redact_json_counting};
use crate::remember::Remember;
use crate::revise::Revise;

fn text(field: &str, found: &mut Findings) -> Option<String> {
    match redact_counting(field, found) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

/// Content, topic, role, metadata and propagation of a new memory.
pub(crate) fn remember(new: &Remember) -> (Cow<'_, Remember>, Findings) {
    let mut found = Findings::new();
    let content = text(&new.content, &mut found);
    let topic = new.topic.as_deref().and_then(|topic| text(topic, &mut found));
    let role = new.role.as_deref().and_then(|role| text(role, &mut found));
    let metadata = new.metadata.as_ref().and_then(|json| redact_json_counting(json, &mut found));
    let propagation = new.propagation.as_ref().and_then(|json| redact_json_counting(json, &mut found));
    if found.is_empty() {
        return (Cow::Borrowed(new), found);
    }
    let mut clean = new.clone();
    clean.content = content.unwrap_or(clean.content);
    clean.topic = topic.or(clean.topic);
    clean.role = role.or(clean.role);
    clean.metadata = metadata.or(clean.metadata);
    clean.propagation = propagation.or(clean.propagation);
    (Cow::Owned(clean), found)
}

/// Content, topic, role and metadata of a revision.
pub(crate) fn revise(change: &Revise) -> (Cow<'_, Revise>, Findings) {
    let mut found = Findings::new();
    let mut field = |field: &Option<String>| field.as_deref().and_then(|field| text(field, &mut found));
    let (content, topic, role) = (field(&change.content), field(&change.topic), field(&change.role));
    let metadata = change.metadata.as_ref().and_then(|json| redact_json_counting(json, &mut found));
    if found.is_empty() {
        return (Cow::Borrowed(change), found);
    }
    let mut clean = change.clone();
    clean.content = content.or(clean.content);
    clean.topic = topic.or(clean.topic);
    clean.role = role.or(clean.role);
    clean.metadata = metadata.or(clean.metadata);
    (Cow::Owned(clean), found)
}

/// The reason somebody gives for a step or for forgetting.
pub(crate) fn reason(reason: Option<&str>) -> Option<Cow<'_, str>> {
    reason.map(super::redact)
}
