//! References to secrets: `env:NAME` and `file:PATH`. The libraries get values, never the environment.

/// What a reference stands for; `None` when the variable is not set or the file cannot be read.
pub(super) fn resolve(reference: &str, lookup: super::Lookup<'_>) -> Option<String> {
    if let Some(name) = reference.strip_prefix("env:") {
        return lookup(name).filter(|value| !value.is_empty());
    }
    let path = reference.strip_prefix("file:")?;
    let text = std::fs::read_to_string(path).ok()?;
    // Editors end a file with a line break; no URL does.
    let text = text.trim_end_matches(['\r', '\n']);
    (!text.is_empty()).then(|| text.to_owned())
}
