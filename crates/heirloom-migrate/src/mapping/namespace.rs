//! Namespace templates and the tree of parents.

use std::collections::HashMap;

use super::{Reject, RejectCode};
use crate::error::{MigrateError, Result};
use crate::file::{At, nearest};
use crate::source::{Table, TreeRows};
use crate::value::{SourceRow, Value};

/// Most steps to a root: a longer chain is a cycle or as good as one.
const DEPTH: usize = 256;

/// A compiled template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The first of these that says something.
    Column(Vec<usize>),
    TeamRoot,
    OrgRoot,
}

/// The tree of parents and the column that names a row's node.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    parents: HashMap<String, Option<String>>,
    of: usize,
}

impl Tree {
    pub(super) fn new(rows: &TreeRows, of: usize) -> Self {
        Self { parents: rows.iter().cloned().collect(), of }
    }

    /// The node's parent, or itself at the top.
    fn team(&self, node: &str) -> Option<String> {
        Some(self.parents.get(node)?.clone().unwrap_or_else(|| node.to_owned()))
    }

    /// The end of the chain of parents; `None` for a node that is not in the tree, or in a cycle.
    fn org(&self, node: &str) -> Option<String> {
        let mut node = node;
        for _ in 0..DEPTH {
            match self.parents.get(node)? {
                None => return Some(node.to_owned()),
                Some(parent) => node = parent,
            }
        }
        None
    }
}

impl Template {
    /// Compiles a template against a table.
    pub(super) fn compile(word: &At<String>, table: &Table, optional: &[String], has_tree: bool) -> Result<Self> {
        let fail = |what: String, accepted: String| MigrateError::File { place: word.place.clone(), what, accepted };
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let mut parts = Vec::new();
        let mut rest = word.value.as_str();
        while let Some(open) = rest.find(['{', '}']) {
            let close = rest[open..].find('}').filter(|_| rest[open..].starts_with('{'));
            let Some(close) = close else {
                return Err(fail(
                    format!("template `{}` has a brace without its other half", word.value),
                    "write {column} with both braces".into(),
                ));
            };
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            }
            let name = &rest[open + 1..open + close];
            parts.push(match name {
                "team_root" if has_tree && !names.contains(&name) => Part::TeamRoot,
                "org_root" if has_tree && !names.contains(&name) => Part::OrgRoot,
                _ => Part::Column(columns(word, name, table, optional)?),
            });
            rest = &rest[open + close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let template = Self { parts };
        template.check_text(word)?;
        Ok(template)
    }

    /// What can be said of the namespace before any row: its prefix, and the whole of it when nothing varies.
    fn check_text(&self, word: &At<String>) -> Result<()> {
        let sample: String = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                _ => "x",
            })
            .collect();
        heirloom_store::namespace::validate(&sample).map_err(|_| MigrateError::File {
            place: word.place.clone(),
            what: format!("template `{}` makes no namespace", word.value),
            accepted: "write a lower-case kind, a colon, then letters, digits, `_`, `:`, `.`, `-`; e.g. workspace:{workspace_id}".into(),
        })
    }

    /// Columns the template reads.
    pub(super) fn columns(&self, tree: Option<&Tree>) -> Vec<usize> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(_) => None,
                Part::Column(columns) => Some(columns.clone()),
                Part::TeamRoot | Part::OrgRoot => tree.map(|tree| vec![tree.of]),
            })
            .flatten()
            .collect()
    }

    /// The namespace of a row.
    pub(super) fn fill(
        &self,
        row: &SourceRow,
        table: &Table,
        tree: Option<&Tree>,
    ) -> std::result::Result<String, Reject> {
        let mut namespace = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => namespace.push_str(text),
                Part::Column(columns) => namespace.push_str(&node(row, table, columns)?),
                Part::TeamRoot | Part::OrgRoot => {
                    let Some(tree) = tree else { continue };
                    let own = node(row, table, &[tree.of])?;
                    let found = if *part == Part::TeamRoot { tree.team(&own) } else { tree.org(&own) };
                    namespace.push_str(&found.ok_or_else(|| Reject {
                        code: RejectCode::NamespaceInvalid,
                        field: Some("namespace".into()),
                        column: table.columns.get(tree.of).map(|column| column.name.clone()),
                        message: "the node is not in the tree of parents, or its chain of parents has no end".into(),
                    })?);
                }
            }
        }
        match heirloom_store::namespace::validate(&namespace) {
            Ok(()) => Ok(namespace),
            Err(_) => Err(Reject {
                code: RejectCode::NamespaceInvalid,
                field: Some("namespace".into()),
                column: None,
                message: format!(
                    "{} bytes that are no namespace; accepted: letters, digits, `_`, `:`, `.`, `-`, at most 256 bytes",
                    namespace.len()
                ),
            }),
        }
    }
}

/// The columns of `{a|b}` that are there; one that a preset calls optional need not be, as long as another is.
fn columns(word: &At<String>, names: &str, table: &Table, optional: &[String]) -> Result<Vec<usize>> {
    let known: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let mut found = Vec::new();
    for name in names.split('|') {
        match known.iter().position(|column| *column == name) {
            Some(column) => found.push(column),
            None if optional.iter().any(|column| column == name) => {}
            None if name == "team_root" || name == "org_root" => {
                return Err(MigrateError::File {
                    place: word.place.clone(),
                    what: format!("{{{name}}} needs a tree of parents"),
                    accepted: "add [source.tree] with table, id, parent and of".into(),
                });
            }
            None => return Err(unknown(word, name, table, &known)),
        }
    }
    if found.is_empty() { Err(unknown(word, names, table, &known)) } else { Ok(found) }
}

fn unknown(word: &At<String>, name: &str, table: &Table, known: &[&str]) -> MigrateError {
    MigrateError::File {
        place: word.place.clone(),
        what: format!(
            "template field {{{name}}} is no column of {}{}",
            table.name,
            nearest(name, known.iter().copied())
        ),
        accepted: format!("accepted: {}", known.join(", ")),
    }
}

/// The text of the first of the columns that says something: never null, never empty.
fn node(row: &SourceRow, table: &Table, columns: &[usize]) -> std::result::Result<String, Reject> {
    let text = |column: &usize| match row.values.get(*column) {
        None | Some(Value::Null) => None,
        Some(value) => super::convert::plain_text(value).filter(|text| !text.is_empty()),
    };
    columns.iter().find_map(text).ok_or_else(|| Reject {
        code: RejectCode::NamespaceMissing,
        field: Some("namespace".into()),
        column: columns.first().and_then(|column| table.columns.get(*column)).map(|column| column.name.clone()),
        message: "nothing says whose row this is".into(),
    })
}
