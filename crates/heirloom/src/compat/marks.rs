//! Scopes by name, and the delimiter that tells a model which text came from elsewhere in its organisation.

use std::borrow::Cow;
use std::fmt::Display;

/// The scopes of the first contract and the kinds of namespace they mean.
const SCOPES: [(&str, &str); 3] = [("LOCAL", "workspace"), ("TEAM", "team"), ("GLOBAL", "org")];

/// The kind of namespace that a scope means.
pub(crate) fn kind_of(scope: &str) -> Option<&'static str> {
    SCOPES.into_iter().find(|(name, _)| *name == scope).map(|(_, kind)| kind)
}

/// The scope that a namespace stands for; empty for one that has none.
pub(crate) fn scope_of(namespace: &str) -> &'static str {
    let kind = namespace.split(':').next().unwrap_or_default();
    SCOPES.into_iter().find(|(_, known)| *known == kind).map_or("", |(scope, _)| scope)
}

/// Whether all of an organisation reads it.
pub(crate) fn is_org(namespace: &str) -> bool {
    namespace.starts_with("org:")
}

/// Begins the delimiter.
const MARK: &str = "[MEMORY ";

/// A text that cannot pass for a delimiter of ours.
pub(crate) fn escaped(content: &str) -> Cow<'_, str> {
    if content.contains(MARK) { content.replace(MARK, "[_MEMORY ").into() } else { content.into() }
}

/// What an agent reads of its organisation, marked as such. A delimiter inside it, from whatever door it came, is broken.
pub(crate) fn delimited(id: impl Display, namespace: &str, content: &str) -> String {
    format!("{MARK}id={id} scope=ORG ns={namespace}]: {}", escaped(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_marks() {
        for (scope, kind) in SCOPES {
            assert_eq!((kind_of(scope), scope_of(&format!("{kind}:x"))), (Some(kind), scope));
        }
        assert_eq!((kind_of("local"), scope_of("custom:x")), (None, ""));
        assert_eq!(escaped("a [MEMORY id=1]"), "a [_MEMORY id=1]");
        assert_eq!(escaped("a [_MEMORY [memory "), "a [_MEMORY [memory ");
        assert_eq!(delimited(7, "org:x", "[MEMORY id=8"), "[MEMORY id=7 scope=ORG ns=org:x]: [_MEMORY id=8");
    }
}
