//! Distinct values of mapped enumerations: every one, its count, and what the program really made of it.
//!
//! What a value becomes is observed on the rows, not read off the file a second time, so that a plan cannot promise
//! what the program does not do. The exception are namespaces, where the template says more than one result.

use std::collections::HashMap;

use super::{Enumeration, ValueCount, memory_text, shown};
use crate::file::{FieldSpec, MigrationFile, NamespaceSpec, Otherwise};
use crate::finding::facts::alive;
use crate::finding::words::fold;
use crate::mapping::{Mapped, Note, Reject};
use crate::source::Table;
use crate::value::SourceRow;

/// Most distinct values a plan lists of one column.
pub const MOST_VALUES: usize = 10_000;

/// Fields that know few values: their columns are listed even when they are mapped plainly.
const CLOSED: &[&str] = &["kind", "source", "state", "item_kind", "importance", "pin", "is_active"];

/// Collects the values of one column for one field.
#[derive(Debug)]
pub(crate) struct Collector {
    at: usize,
    column: String,
    field: String,
    rule: Rule,
    /// Whether the field has other alternatives, so that one value may have several results.
    has_alternatives: bool,
    values: HashMap<Option<String>, (u64, Outcome)>,
    unlisted: u64,
    most: usize,
}

#[derive(Debug)]
enum Rule {
    /// Observe the field.
    Observe { keeps: bool },
    /// A time that is set when the value is true.
    WhenTrue(String),
    /// A template a value.
    Templates(Vec<(String, String)>, Option<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Unknown,
    Rejected,
    Field(Option<String>),
    /// The field takes what it has without a value.
    Kept,
    /// Different rows, different results: another alternative of the field decides.
    Several,
}

/// One collector for each enumeration of the file.
pub(crate) fn collectors(file: &MigrationFile, table: &Table) -> Vec<Collector> {
    let at = |name: &str| table.columns.iter().position(|column| column.name == name);
    let mut collectors = Vec::new();
    if let NamespaceSpec::Values { from, values, otherwise } = &file.namespace
        && let Some(position) = at(&from.value)
    {
        let templates = values.iter().map(|(value, template)| (fold(value), template.value.clone())).collect();
        let rule = Rule::Templates(templates, otherwise.as_ref().map(|template| template.value.clone()));
        collectors.push(Collector::new(position, &from.value, "namespace", rule));
    }
    for (field, spec) in &file.map {
        let Some(from) = &spec.from else { continue };
        let (Some(position), Some(rule)) = (at(&from.value), rule(&field.value, spec)) else { continue };
        let mut collector = Collector::new(position, &from.value, &field.value, rule);
        collector.has_alternatives = alive(file, table).filter(|(name, _)| *name == field.value).count() > 1;
        collectors.push(collector);
    }
    collectors
}

fn rule(field: &str, spec: &FieldSpec) -> Option<Rule> {
    if let Some(columns) = &spec.when_true {
        let names: Vec<&str> = columns.iter().map(|column| column.value.as_str()).collect();
        return Some(Rule::WhenTrue(names.join(", else ")));
    }
    let keeps = spec.otherwise.as_ref().is_some_and(|otherwise| otherwise.value == Otherwise::Keep);
    let is_enumeration = spec.values.is_some() || spec.otherwise.is_some() || CLOSED.contains(&field);
    (is_enumeration && field != "embedding").then_some(Rule::Observe { keeps })
}

impl Collector {
    fn new(at: usize, column: &str, field: &str, rule: Rule) -> Self {
        Self {
            at,
            column: column.to_owned(),
            field: field.to_owned(),
            rule,
            has_alternatives: false,
            values: HashMap::new(),
            unlisted: 0,
            most: MOST_VALUES,
        }
    }

    /// What one row shows of its value.
    fn seen(rule: &Rule, column: &str, field: &str, mapped: &Mapped) -> Outcome {
        let keeps = matches!(rule, Rule::Observe { keeps: true }) && mapped.notes.contains(&Note::ValueKept);
        match &mapped.memory.metadata {
            Some(metadata) if keeps && metadata.get(column).is_some() => Outcome::Kept,
            _ => Outcome::Field(memory_text::field(&mapped.memory, field)),
        }
    }

    /// Takes in one row and what became of it.
    pub(crate) fn observe(&mut self, row: &SourceRow, result: &Result<Mapped, Reject>) {
        let Some(value) = row.values.get(self.at) else { return };
        let value = shown::text(value);
        if !self.values.contains_key(&value) && self.values.len() >= self.most {
            self.unlisted += 1;
            return;
        }
        let (count, outcome) = self.values.entry(value).or_insert((0, Outcome::Unknown));
        *count += 1;
        match result {
            Ok(mapped) if !matches!(outcome, Outcome::Field(_) | Outcome::Kept | Outcome::Several) => {
                *outcome = Self::seen(&self.rule, &self.column, &self.field, mapped);
            }
            Ok(mapped) if self.has_alternatives => {
                let seen = Self::seen(&self.rule, &self.column, &self.field, mapped);
                if *outcome != seen {
                    *outcome = Outcome::Several;
                }
            }
            Err(reject) if *outcome == Outcome::Unknown => {
                let concerns =
                    reject.column.as_deref() == Some(&self.column) && reject.field.as_deref() == Some(&self.field);
                if concerns {
                    *outcome = Outcome::Rejected;
                }
            }
            _ => {}
        }
    }

    /// The table of values, most frequent first.
    pub(crate) fn finish(mut self) -> Enumeration {
        let values = std::mem::take(&mut self.values);
        let mut values: Vec<ValueCount> = values
            .into_iter()
            .map(|(value, (count, outcome))| ValueCount {
                becomes: self.becomes(value.as_deref(), &outcome),
                value: value.map(|text| shown::cut(&text)),
                count,
            })
            .collect();
        values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        Enumeration { column: self.column, field: self.field, values, unlisted: self.unlisted }
    }

    fn becomes(&self, value: Option<&str>, outcome: &Outcome) -> String {
        match (&self.rule, outcome) {
            (Rule::Templates(templates, otherwise), _) => {
                let listed = value.and_then(|value| templates.iter().find(|(known, _)| *known == fold(value)));
                match (listed, otherwise) {
                    (Some((_, template)), _) | (None, Some(template)) => template.clone(),
                    (None, None) => "rejected".to_owned(),
                }
            }
            (_, Outcome::Rejected) => "rejected".to_owned(),
            (Rule::WhenTrue(columns), Outcome::Several) => columns.clone(),
            (_, Outcome::Several) => "one of several, with another column".to_owned(),
            (_, Outcome::Unknown) => "set aside with its row, for another reason".to_owned(),
            (Rule::WhenTrue(columns), Outcome::Field(Some(_))) => columns.clone(),
            (_, Outcome::Kept) => "kept raw in metadata".to_owned(),
            (_, Outcome::Field(Some(text))) => shown::cut(text),
            (_, Outcome::Field(None)) => "null".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn row(text: Option<&str>) -> SourceRow {
        SourceRow { key: vec!["1".into()], values: vec![text.map_or(Value::Null, |text| Value::Text(text.into()))] }
    }

    fn mapped(state: &str) -> Result<Mapped, Reject> {
        let mut memory = heirloom_store::Memory::new(uuid::Uuid::nil(), "team:a", "text");
        memory.state = state.to_owned();
        Ok(Mapped { memory, origin: "{}".into(), notes: Vec::new() })
    }

    fn reject(field: &str) -> Result<Mapped, Reject> {
        Err(Reject {
            code: crate::mapping::RejectCode::UnmappedValue,
            field: Some(field.to_owned()),
            column: Some("status".to_owned()),
            message: String::new(),
        })
    }

    fn collector() -> Collector {
        Collector::new(0, "status", "state", Rule::Observe { keeps: false })
    }

    #[test]
    fn what_a_value_becomes_is_what_was_seen() {
        let mut collector = collector();
        collector.observe(&row(Some("Active ")), &reject("content"));
        collector.observe(&row(Some("Active ")), &mapped("candidate"));
        collector.observe(&row(Some("odd")), &reject("state"));
        collector.observe(&row(None), &reject("content"));
        let Enumeration { values, .. } = collector.finish();
        let seen: Vec<_> = values.iter().map(|v| (v.value.as_deref(), v.count, v.becomes.as_str())).collect();
        assert_eq!(
            seen,
            [
                (Some("Active "), 2, "candidate"),
                (None, 1, "set aside with its row, for another reason"),
                (Some("odd"), 1, "rejected"),
            ]
        );
    }

    #[test]
    fn only_what_was_kept_raw_is_said_to_be() {
        let mut collector = Collector::new(0, "status", "state", Rule::Observe { keeps: true });
        collector.observe(&row(Some("draft")), &mapped("draft"));
        let mut odd = mapped("candidate").unwrap();
        odd.notes.push(Note::ValueKept);
        odd.memory.metadata = Some(serde_json::json!({ "status": "odd" }));
        collector.observe(&row(Some("odd")), &Ok(odd));
        let Enumeration { values, .. } = collector.finish();
        let becomes: Vec<&str> = values.iter().map(|value| value.becomes.as_str()).collect();
        assert_eq!(becomes, ["draft", "kept raw in metadata"]);
    }

    #[test]
    fn values_beyond_the_cap_are_counted_and_not_listed() {
        let mut collector = Collector { most: 2, ..collector() };
        for text in ["a", "b", "c", "d", "a"] {
            collector.observe(&row(Some(text)), &mapped("draft"));
        }
        let enumeration = collector.finish();
        assert_eq!((enumeration.values.len(), enumeration.unlisted), (2, 2));
        assert_eq!(enumeration.values[0].count, 2);
    }
}
