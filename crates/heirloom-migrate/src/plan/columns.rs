//! The loss report: what happens to each source column, as the program says, with nulls and transformations.

use std::collections::BTreeMap;

use super::{ColumnFate, Fate};
use crate::file::{FieldSpec, MigrationFile, NamespaceSpec};
use crate::mapping::Program;

/// The fate of every column, with the nulls the scan counted (one number a column, in the table's order).
pub(crate) fn fates(file: &MigrationFile, program: &Program, nulls: &[u64]) -> Vec<ColumnFate> {
    let hows = hows(file);
    let mut fates = program.fates();
    for (at, fate) in fates.iter_mut().enumerate() {
        fate.nulls = nulls.get(at).copied().unwrap_or(0);
        if let (Fate::Mapped, None, Some(how)) = (fate.fate, &fate.note, hows.get(fate.column.as_str())) {
            fate.note = Some(how.join("; "));
        }
    }
    fates
}

/// How each column is transformed, in words; columns that are carried as they are have no entry.
fn hows(file: &MigrationFile) -> BTreeMap<&str, Vec<String>> {
    let mut hows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut add = |column, how: String| {
        let known = hows.entry(column).or_default();
        if !known.contains(&how) {
            known.push(how);
        }
    };
    if let NamespaceSpec::Values { from, .. } = &file.namespace {
        add(from.value.as_str(), "chooses the namespace by its value".to_owned());
    }
    for (_, spec) in &file.map {
        if let (Some(from), Some(how)) = (&spec.from, how(spec)) {
            add(&from.value, how);
        }
        if let Some(since) = &spec.since {
            add(&since.value, "a time to live counts from it".to_owned());
        }
        for column in spec.merge.iter().flatten() {
            add(&column.value, "merged".to_owned());
        }
    }
    hows
}

/// How one field's `from` column is transformed; `None` when it is carried as it is.
fn how(spec: &FieldSpec) -> Option<String> {
    let mut parts = Vec::new();
    if spec.values.is_some() {
        parts.push("by its value".to_owned());
    }
    if let Some(scale) = &spec.scale {
        parts.push(format!("scaled from {}-{}, half rounds up", scale.value.0, scale.value.1));
    }
    if let Some(ttl) = &spec.ttl {
        parts.push(match (ttl.value, &spec.since) {
            (crate::file::Ttl::Absolute, _) => "a moment, as it is".to_owned(),
            (_, Some(since)) => format!("counted from {}", since.value),
            (_, None) => "counted from the row's creation".to_owned(),
        });
    }
    if let Some(columns) = &spec.when_true {
        let names: Vec<&str> = columns.iter().map(|column| column.value.as_str()).collect();
        parts.push(format!("when true, the first of {}", names.join(", ")));
    }
    if let Some(zone) = &spec.zone {
        parts.push(format!("wall clock of {}", zone.value));
    }
    if spec.epoch.is_some() {
        parts.push("a number since 1970".to_owned());
    }
    if let Some(width) = &spec.unpad {
        parts.push(format!("cut to {} dimensions", width.value));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
