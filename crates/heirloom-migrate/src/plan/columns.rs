//! The loss report: what happens to each source column, read off the file against the table as found.

use std::collections::BTreeMap;

use super::{ColumnFate, Fate};
use crate::file::{FieldSpec, KeepRest, MigrationFile, NamespaceSpec};
use crate::source::Table;

/// Where a column is used: memory fields (or `namespace`) in file order, with how the value is transformed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    /// Fields.
    pub(crate) fields: Vec<String>,
    /// How, in words.
    pub(crate) how: Vec<String>,
}

impl Uses {
    fn add(&mut self, field: &str, how: Option<String>) {
        if !self.fields.iter().any(|known| known == field) {
            self.fields.push(field.to_owned());
        }
        self.how.extend(how);
    }
}

/// Every column the file uses, by name.
pub(crate) fn uses(file: &MigrationFile) -> BTreeMap<String, Uses> {
    let mut uses: BTreeMap<String, Uses> = BTreeMap::new();
    let mut add = |column: &str, field: &str, how: Option<String>| {
        uses.entry(column.to_owned()).or_default().add(field, how);
    };
    let tree_columns = |template: &str| {
        let names = placeholders(template);
        let wants_tree = names.iter().any(|name| name == "team_root" || name == "org_root");
        let node = file.source.tree.as_ref().filter(|_| wants_tree).map(|tree| tree.of.value.clone());
        names.into_iter().chain(node)
    };
    match &file.namespace {
        NamespaceSpec::Template(template) => {
            tree_columns(&template.value).for_each(|column| add(&column, "namespace", None));
        }
        NamespaceSpec::Values { from, values, otherwise } => {
            add(&from.value, "namespace", Some("chooses the template by its value".to_owned()));
            for template in values.iter().map(|(_, template)| template).chain(otherwise) {
                tree_columns(&template.value).for_each(|column| add(&column, "namespace", None));
            }
        }
    }
    for (field, spec) in &file.map {
        let field = field.value.as_str();
        if let Some(from) = &spec.from {
            add(&from.value, field, how(spec));
        }
        if let Some(since) = &spec.since {
            add(&since.value, field, Some("a time to live counts from it".to_owned()));
        }
        for column in spec.when_true.iter().flatten() {
            add(&column.value, field, None);
        }
        for column in spec.merge.iter().flatten() {
            add(&column.value, field, Some("merged".to_owned()));
        }
    }
    uses
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

/// The names in braces of a template, each once, in order.
pub(crate) fn placeholders(template: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else { break };
        let name = &rest[open + 1..open + length];
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        rest = &rest[open + length + 1..];
    }
    names
}

/// The fate of every column, with the nulls the scan counted (one number a column, in the table's order).
pub(crate) fn fates(file: &MigrationFile, table: &Table, key: &[String], nulls: &[u64]) -> Vec<ColumnFate> {
    let uses = uses(file);
    let fate_of = |column: &str| -> (Fate, Vec<String>, Option<String>) {
        if let Some(used) = uses.get(column) {
            let note = (!used.how.is_empty()).then(|| used.how.join("; "));
            return (Fate::Mapped, used.fields.clone(), note);
        }
        if let Some((_, reason)) = file.drop.iter().find(|(name, _)| name.value == column) {
            return (Fate::Dropped, Vec::new(), Some(reason.clone()));
        }
        let is_key = key.iter().any(|name| name == column);
        let note = is_key.then(|| "the key: where the row came from".to_owned());
        match file.keep_rest {
            KeepRest::Origin => (Fate::Kept, vec!["origin".to_owned()], note),
            KeepRest::Metadata => (Fate::Kept, vec!["origin".to_owned(), "metadata".to_owned()], note),
            KeepRest::Nowhere if is_key => (Fate::Kept, vec!["origin".to_owned()], note),
            KeepRest::Nowhere => (Fate::Lost, Vec::new(), None),
        }
    };
    table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let (fate, to, note) = fate_of(&column.name);
            ColumnFate {
                column: column.name.clone(),
                declared: column.declared.clone(),
                fate,
                to,
                note,
                nulls: nulls.get(at).copied().unwrap_or(0),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn placeholders_are_named_once() {
        assert_eq!(placeholders("team:{a}.{b}:{a}"), ["a", "b"]);
        assert_eq!(placeholders("org:acme"), Vec::<String>::new());
        assert_eq!(placeholders("org:{open"), Vec::<String>::new());
    }
}
