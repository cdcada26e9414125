//! The program: a compiled file, run on one row at a time.

use std::borrow::Cow;

use heirloom_store::Memory;
use heirloom_store::redact::redact_json;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::field::MAX_ORIGIN_BYTES;
use super::namespace::{Template, Tree};
use super::rule::{Rule, Said, fold};
use super::{Context, Mapped, Note, Reject, RejectCode, convert, identity, redaction};
use crate::canon::FIELDS;
use crate::file::{IdRule, KeepRest, MigrationFile, Redact};
use crate::source::{Table, verbatim};
use crate::target::Surface;
use crate::value::{SourceRow, Value};

/// A migration file compiled against a table.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) file: MigrationFile,
    pub(super) table: Table,
    pub(super) context: Context,
    pub(super) namespace: Namespace,
    pub(super) rules: Vec<Rule>,
    pub(super) expressions: Vec<String>,
    pub(super) tree: Option<Tree>,
    /// Columns the file drops: what may be left behind is not kept in the origin either.
    pub(super) dropped: Vec<usize>,
    /// Columns that may be left out of the origin when the memory carries them, by field.
    pub(super) carried: Vec<(usize, &'static str)>,
}

/// A compiled `[namespace]`.
#[derive(Debug, Clone)]
pub(super) enum Namespace {
    Template(Template),
    Values { from: usize, values: Vec<(String, Template)>, otherwise: Option<Template> },
}

impl Program {
    /// SQL expressions that the source evaluates after the table's columns.
    pub fn expressions(&self) -> &[String] {
        &self.expressions
    }

    /// The id of the row with this key: what apply writes and verify looks for.
    pub fn id(&self, key: &[String]) -> Uuid {
        let own =
            (self.file.id == IdRule::Key).then(|| key.first().and_then(|key| Uuid::parse_str(key).ok())).flatten();
        let relation = self.file.source.relation.value.origin_name(&self.table, &self.file.name);
        own.unwrap_or_else(|| identity::derived(&self.context.system, &self.context.tenant, &relation, key))
    }

    /// The row as it may be kept: with `redact = "apply"`, without credentials.
    pub fn clean<'r>(&self, row: &'r SourceRow) -> Cow<'r, SourceRow> {
        if self.file.redact == Redact::Apply { redaction::row(row) } else { Cow::Borrowed(row) }
    }

    /// What rows become in a target that is no store.
    pub fn surface(&self) -> Option<&Surface> {
        self.context.surface.as_ref()
    }

    /// What a row becomes. Pure: the same row gives the same memory on every run.
    pub fn map(&self, row: &SourceRow) -> Result<Mapped, Reject> {
        let row = self.clean(row);
        let row = row.as_ref();
        if self.file.id == IdRule::Key && row.key.first().is_none_or(|key| Uuid::parse_str(key).is_err()) {
            return Err(Reject {
                code: RejectCode::TypeMismatch,
                field: Some("id".into()),
                column: self.context.key.first().cloned(),
                message: "a key that is no uuid; accepted: uuids, or [id] from = \"derived\"".into(),
            });
        }
        let mut memory = Memory::new(self.id(&row.key), self.namespace_of(row)?, String::new());
        // Nobody here wrote it; what the file says of the source wins below.
        "imported".clone_into(&mut memory.source);
        let mut notes = Vec::new();
        let mut kept = Map::new();
        for rule in &self.rules {
            let mut given = rule.give(row, &self.table, self.context.dimension)?;
            notes.append(&mut given.notes);
            kept.extend(given.kept);
            if let Some(said) = given.said {
                if rule.field == "embedding" {
                    memory.embedding_model = given.model;
                }
                set(&mut memory, rule.field, said);
            }
        }
        self.check(&memory)?;
        if self.file.keep_rest == KeepRest::Metadata {
            self.keep_rest(row, &mut kept)?;
        }
        if !kept.is_empty() {
            memory.metadata = with_kept(memory.metadata.take(), kept);
        }
        if self.file.redact == Redact::Apply {
            // A column that names a credential is a key now, and says so of its value.
            memory.metadata = memory.metadata.map(|json| redact_json(&json).unwrap_or(json));
        }
        check_keys(memory.metadata.as_ref())?;
        if let Some(surface) = &self.context.surface {
            let number =
                |field: &str| FIELDS.iter().position(|name| *name == field).and_then(|at| u8::try_from(at).ok());
            notes.extend(surface.carry(&mut memory)?.into_iter().filter_map(number).map(Note::NotCarried));
        }
        if memory.created_at.is_none() {
            notes.push(Note::CreatedAtMissing);
        }
        if memory.kind == "lesson" && memory.verified_at.is_none() {
            notes.push(Note::Ghost);
        }
        notes.sort_unstable();
        notes.dedup();
        let left_out: Vec<usize> = self
            .carried
            .iter()
            .filter(|(_, field)| *field != "embedding" || memory.embedding.is_some())
            .map(|(column, _)| *column)
            .chain(self.dropped.iter().copied())
            .collect();
        let origin = verbatim::kept(&self.table, row, &left_out);
        if origin.len() > MAX_ORIGIN_BYTES {
            let found = format!("{} bytes of columns that are kept as they are", origin.len());
            let cure = "leave one behind with a reason, [keep] drop";
            return Err(Reject {
                code: RejectCode::TooLarge,
                field: Some("origin".into()),
                column: None,
                message: format!("{found}; accepted: at most {MAX_ORIGIN_BYTES}; {cure}"),
            });
        }
        Ok(Mapped { memory, origin, notes })
    }

    fn namespace_of(&self, row: &SourceRow) -> Result<String, Reject> {
        let (from, values, otherwise) = match &self.namespace {
            Namespace::Template(template) => return template.fill(row, &self.table, self.tree.as_ref()),
            Namespace::Values { from, values, otherwise } => (*from, values, otherwise),
        };
        let text = row.values.get(from).and_then(convert::plain_text);
        let listed = text.as_deref().map(fold).and_then(|folded| values.iter().find(|(value, _)| *value == folded));
        match listed.map(|(_, template)| template).or(otherwise.as_ref()) {
            Some(template) => template.fill(row, &self.table, self.tree.as_ref()),
            None => Err(Reject {
                code: if text.is_some() { RejectCode::UnmappedValue } else { RejectCode::NamespaceMissing },
                field: Some("namespace".into()),
                column: self.table.columns.get(from).map(|column| column.name.clone()),
                message: "a value that [namespace] values does not list".into(),
            }),
        }
    }

    /// What the store requires of every row.
    fn check(&self, memory: &Memory) -> Result<(), Reject> {
        let missing = |code, field: &str, message: &str| {
            Err(Reject { code, field: Some(field.into()), column: None, message: message.into() })
        };
        if memory.content.trim().is_empty() {
            return missing(RejectCode::EmptyContent, "content", "nothing but white space; accepted: any other text");
        }
        if memory.kind == "lesson" && memory.role.is_none() {
            return missing(RejectCode::FieldMissing, "role", "a lesson needs a role; map one, or another kind");
        }
        if memory.kind == "lesson" && memory.topic.is_none() {
            return missing(RejectCode::FieldMissing, "topic", "a lesson needs a topic; map one, or another kind");
        }
        Ok(())
    }

    fn keep_rest(&self, row: &SourceRow, kept: &mut Map<String, Json>) -> Result<(), Reject> {
        for (i, column) in self.table.columns.iter().enumerate() {
            let value = row.values.get(i).unwrap_or(&Value::Null);
            if value.is_null() || !self.is_rest(i) {
                continue;
            }
            let json = convert::json(value).map_err(|(code, message)| Reject {
                code,
                field: Some("metadata".into()),
                column: Some(column.name.clone()),
                message,
            })?;
            kept.insert(column.name.clone(), json);
        }
        Ok(())
    }
}

/// Metadata with raw values beside what it holds. Metadata that is no object goes under its own name.
fn with_kept(metadata: Option<Json>, kept: Map<String, Json>) -> Option<Json> {
    let mut object = match metadata {
        None => Map::new(),
        Some(Json::Object(object)) => object,
        Some(other) => Map::from_iter([("metadata".to_owned(), other)]),
    };
    for (name, value) in kept {
        object.entry(name).or_insert(value);
    }
    Some(Json::Object(object))
}

/// Columns become keys under their names, and not every name can be read again as a key.
fn check_keys(metadata: Option<&Json>) -> Result<(), Reject> {
    let Some(Json::Object(object)) = metadata else { return Ok(()) };
    match object.keys().find(|key| convert::is_parser_word(key)) {
        None => Ok(()),
        Some(key) => Err(Reject {
            code: RejectCode::InvalidJson,
            field: Some("metadata".into()),
            column: Some(key.clone()),
            message: "a column whose name cannot be read again as a key of JSON; accepted: [keep] rest = \"origin\""
                .into(),
        }),
    }
}

fn set(memory: &mut Memory, field: &str, said: Said) {
    match (field, said) {
        ("content", Said::Text(text)) => memory.content = text,
        ("kind", Said::Text(text)) => memory.kind = text,
        ("source", Said::Text(text)) => memory.source = text,
        ("role", Said::Text(text)) => memory.role = Some(text),
        ("topic", Said::Text(text)) => memory.topic = Some(text),
        ("state", Said::Text(text)) => memory.state = text,
        ("commit_sha", Said::Text(text)) => memory.commit_sha = Some(text),
        ("artifact_hash", Said::Text(text)) => memory.artifact_hash = Some(text),
        ("source_run_id", Said::Text(text)) => memory.source_run_id = Some(text),
        ("source_task_id", Said::Text(text)) => memory.source_task_id = Some(text),
        ("source_dag_id", Said::Text(text)) => memory.source_dag_id = Some(text),
        ("content_type", Said::Text(text)) => memory.content_type = Some(text),
        ("item_kind", Said::Text(text)) => memory.item_kind = text,
        ("importance", Said::Integer(number)) => memory.importance = i16::try_from(number).unwrap_or(3),
        ("project_id", Said::Integer(number)) => memory.project_id = i32::try_from(number).ok(),
        ("confidence", Said::Share(share)) => memory.confidence = Some(share),
        ("pin", Said::Bool(value)) => memory.pin = value,
        ("is_active", Said::Bool(value)) => memory.is_active = value,
        ("metadata", Said::Json(json)) => memory.metadata = Some(json),
        ("propagation", Said::Json(json)) => memory.propagation = Some(json),
        ("embedding", Said::Vector(elements)) => memory.embedding = Some(elements),
        ("state_changed_at", Said::Moment(moment)) => memory.state_changed_at = Some(moment),
        ("verified_at", Said::Moment(moment)) => memory.verified_at = Some(moment),
        ("expires_at", Said::Moment(moment)) => memory.expires_at = Some(moment),
        ("valid_from", Said::Moment(moment)) => memory.valid_from = Some(moment),
        ("valid_to", Said::Moment(moment)) => memory.valid_to = Some(moment),
        ("created_at", Said::Moment(moment)) => memory.created_at = Some(moment),
        ("updated_at", Said::Moment(moment)) => memory.updated_at = Some(moment),
        // `FIELDS` gives each field its kind, so no other pair is ever compiled.
        (field, said) => debug_assert!(false, "{field} cannot be {said:?}"),
    }
}
