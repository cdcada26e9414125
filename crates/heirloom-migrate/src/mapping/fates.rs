//! What happens to each column: the loss report.

use super::program::{Namespace, Program};
use super::rule::Input;
use crate::file::KeepRest;
use crate::plan::{ColumnFate, Fate};

impl Program {
    /// One entry a column, without counts of nulls.
    pub fn fates(&self) -> Vec<ColumnFate> {
        let fate = |i: usize| -> ColumnFate {
            let column = &self.table.columns[i];
            let used = self.used_by(i);
            let dropped = self.file.drop.iter().find(|(name, _)| name.value == column.name);
            let (fate, to, note) = match (used.is_empty(), dropped, self.file.keep_rest) {
                (false, _, _) => (Fate::Mapped, used, None),
                (true, Some((_, reason)), _) => (Fate::Dropped, Vec::new(), Some(reason.clone())),
                // Only a store has an origin to keep it in.
                (true, None, KeepRest::Origin) if self.context.surface.is_some() => (Fate::Lost, Vec::new(), None),
                (true, None, KeepRest::Metadata) if self.context.surface.is_some() => {
                    (Fate::Kept, vec!["metadata".to_owned()], None)
                }
                (true, None, KeepRest::Origin) => (Fate::Kept, vec!["origin".to_owned()], None),
                (true, None, KeepRest::Metadata) => (Fate::Kept, vec!["metadata".into(), "origin".into()], None),
                (true, None, KeepRest::Nowhere) => (Fate::Lost, Vec::new(), None),
            };
            ColumnFate { column: column.name.clone(), declared: column.declared.clone(), fate, to, note, nulls: 0 }
        };
        (0..self.table.columns.len()).map(fate).collect()
    }

    /// Whether a column is neither mapped nor dropped.
    pub(super) fn is_rest(&self, column: usize) -> bool {
        let name = &self.table.columns[column].name;
        self.used_by(column).is_empty() && !self.file.drop.iter().any(|(dropped, _)| dropped.value == *name)
    }

    /// The fields a column feeds, `namespace` and `id` among them.
    fn used_by(&self, column: usize) -> Vec<String> {
        let name = &self.table.columns[column].name;
        let mut fields = Vec::new();
        if self.context.key.contains(name) {
            fields.push("id".to_owned());
        }
        if self.namespace_columns().contains(&column) {
            fields.push("namespace".to_owned());
        }
        for rule in &self.rules {
            let reads = rule.alternatives.iter().any(|alternative| {
                let input = match &alternative.input {
                    Input::Constant(_) => false,
                    Input::Cell(place) => *place == column,
                    Input::Merge(places) => places.contains(&column),
                };
                input
                    || alternative.since == Some(column)
                    || alternative.when_true.as_ref().is_some_and(|places| places.contains(&column))
            });
            if reads {
                fields.push(rule.field.to_owned());
            }
        }
        fields
    }

    fn namespace_columns(&self) -> Vec<usize> {
        let tree = self.tree.as_ref();
        match &self.namespace {
            Namespace::Template(template) => template.columns(tree),
            Namespace::Values { from, values, otherwise } => values
                .iter()
                .map(|(_, template)| template)
                .chain(otherwise)
                .flat_map(|template| template.columns(tree))
                .chain([*from])
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::file::MigrationFile;
    use crate::mapping::{Context, Program};
    use crate::source::{Column, Table, Type};
    use crate::value::{SourceRow, Value};

    const FILE: &str = r#"
name = "notes"
[source]
url = "store"
table = "notes"
[namespace]
template = "project:1"
[map]
content = "content"
kind = { value = "fact" }
[keep]
drop = { token = "revoked" }
"#;

    #[test]
    fn a_dropped_column_is_not_in_the_origin_either() {
        let column = |name: &str| Column {
            name: name.into(),
            declared: "text".into(),
            ty: Type::Text,
            not_null: false,
            generated: false,
            dimensions: None,
        };
        let table = Table {
            name: "public.notes".into(),
            columns: vec![column("id"), column("content"), column("token"), column("mood")],
            primary_key: vec!["id".into()],
            unique_keys: Vec::new(),
            estimated_rows: None,
        };
        let context = Context {
            system: "s".into(),
            tenant: "t".into(),
            tree: None,
            dimension: 4,
            key: vec!["id".into()],
            surface: None,
        };
        let program = Program::compile(&MigrationFile::parse("notes.toml", FILE).unwrap(), &table, context).unwrap();
        let values = ["1", "text", "hunter2", "calm"].map(|text| Value::Text(text.into())).to_vec();
        let mapped = program.map(&SourceRow { key: vec!["1".into()], values }).unwrap();
        assert_eq!(mapped.origin, r#"{"id":"1","mood":"calm"}"#);
    }
}
