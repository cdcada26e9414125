//! The presets in the binary: one TOML a known source, merged beneath a file that names it.

/// Name and text of each preset.
pub const PRESETS: &[(&str, &str)] = &[
    ("molecule-v1", include_str!("../../../../presets/molecule-v1.toml")),
    ("pgmnemo-guide", include_str!("../../../../presets/pgmnemo-guide.toml")),
];

/// The text of a preset.
pub(super) fn find(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
