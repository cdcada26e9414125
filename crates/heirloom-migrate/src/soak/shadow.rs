//! Shadow recall: queries of real life asked of old and new, to see how far the answers agree. It is told, and gates nothing:
//! another ranking is no loss.
//!
//! The file has a query a line, as JSON: `{"query": "deploy flag", "namespace": "team:a"}`. Without `namespace` all of the
//! plan's are asked. What the old side answers is taken from `"old": ["17", "4"]`, keys in their order as they were recorded;
//! without it a source in PostgreSQL is asked, read-only: for rows whose content holds every word, or by the statement of a
//! line `{"sql": "select id from notes where … $1 … limit 10"}`, which counts for the lines after it.

use std::path::Path;

use heirloom_store::Identity;
use heirloom_store::{Recall, Scope};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::standing::{Standing, Task};
use crate::error::{MigrateError, Result};
use crate::ledger;
use crate::source::Relation;

/// How many answers of each side are compared.
const K: usize = 10;

/// Most queries of a file.
const MOST: usize = 1_000;

const IDS: &str = include_str!("../../sql/queries/shadow_ids.sql");

/// How far old and new agreed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    /// Queries of the file.
    pub queries: u64,
    /// Queries that the old side had an answer to.
    pub answered: u64,
    /// How many answers of each side were compared.
    pub k: u64,
    /// Of the old side's answers, the share that the new side gave too: the mean over queries, 0 to 1.
    pub overlap: f64,
    /// By how many places an answer of both moved: the mean over answers.
    pub rank_shift: f64,
    /// Why it was not asked to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    query: Option<String>,
    namespace: Option<String>,
    old: Option<Vec<Key>>,
    sql: Option<String>,
}

/// A key of one column may be written without its brackets.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Key {
    One(String),
    Several(Vec<String>),
}

/// Asks both sides; `None` when the migration file names no queries.
pub(super) async fn shadow(task: &Task<'_>, standing: &Standing) -> Option<Shadow> {
    let file = standing.file.soak.shadow.as_ref()?;
    let mut shadow = Shadow { queries: 0, answered: 0, k: K as u64, overlap: 0.0, rank_shift: 0.0, failed: None };
    let mut sums = Sums::default();
    let path = Path::new(&task.plan.file.path).parent().unwrap_or(Path::new("")).join(&file.value);
    if let Err(error) = ask_all(task, standing, &path, &mut shadow, &mut sums).await {
        shadow.failed = Some(error.to_string());
    }
    if shadow.answered > 0 {
        shadow.overlap = sums.overlap / shadow.answered as f64;
    }
    if sums.shared > 0 {
        shadow.rank_shift = sums.shift as f64 / sums.shared as f64;
    }
    Some(shadow)
}

#[derive(Default)]
struct Sums {
    overlap: f64,
    shift: u64,
    shared: u64,
}

async fn ask_all(
    task: &Task<'_>,
    standing: &Standing,
    path: &Path,
    shadow: &mut Shadow,
    sums: &mut Sums,
) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| MigrateError::Io { path: path.display().to_string(), reason: error.to_string() })?;
    let wrong = |at: usize, what: &str| MigrateError::File {
        place: crate::error::Place { file: path.display().to_string(), line: at + 1, column: 1 },
        what: what.to_owned(),
        accepted: "write {\"query\": \"…\"} with `namespace` and `old` where they are known, or {\"sql\": \"… $1 …\"}"
            .into(),
    };
    let mut sql: Option<String> = None;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).take(MOST) {
        let line: Line = serde_json::from_str(line).map_err(|_| wrong(at, "this is no query"))?;
        match (line.query, line.sql) {
            (None, Some(statement)) => sql = Some(statement),
            (Some(query), None) => {
                shadow.queries += 1;
                let old = match line.old {
                    Some(keys) => keys.into_iter().map(Key::parts).collect(),
                    None => old_keys(task, standing, &query, sql.as_deref()).await?,
                };
                let old = ids(task, &old).await?;
                if old.is_empty() {
                    continue;
                }
                let new = new_ids(task, &query, line.namespace.as_deref()).await?;
                shadow.answered += 1;
                sums.add(&old, &new);
            }
            _ => return Err(wrong(at, "a line has either a query or a statement")),
        }
    }
    Ok(())
}

impl Sums {
    fn add(&mut self, old: &[Uuid], new: &[Uuid]) {
        let places = old.iter().enumerate().filter_map(|(was, id)| Some((was, new.iter().position(|new| new == id)?)));
        let mut both = 0;
        for (was, is) in places {
            both += 1;
            self.shift += was.abs_diff(is) as u64;
        }
        self.shared += both;
        self.overlap += both as f64 / old.len() as f64;
    }
}

impl Key {
    fn parts(self) -> Vec<String> {
        match self {
            Self::One(part) => vec![part],
            Self::Several(parts) => parts,
        }
    }
}

/// What the old side answers, best first.
async fn old_keys(task: &Task<'_>, standing: &Standing, query: &str, sql: Option<&str>) -> Result<Vec<Vec<String>>> {
    let Some(database) = task.source.marker() else { return Ok(Vec::new()) };
    let mut client = database.client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let rows = match sql {
        Some(sql) => tx.query(&format!("select q::text from ({sql}\n) as q"), &[&query]).await?,
        None => {
            let Some(sql) = containing(task, standing) else { return Ok(Vec::new()) };
            let words: Vec<String> = query.split_whitespace().map(|word| format!("%{}%", escaped(word))).collect();
            tx.query(&sql, &[&words]).await?
        }
    };
    let key = |text: String| match sql {
        // A record of one column prints as `(17)`.
        Some(_) => vec![text.trim_start_matches('(').trim_end_matches(')').trim_matches('"').to_owned()],
        None => serde_json::from_str(&text).unwrap_or_default(),
    };
    rows.iter().take(K).map(|row| Ok(key(row.try_get(0)?))).collect()
}

/// Rows whose content holds every word, in the order of the key; `None` where no one column is the content.
fn containing(task: &Task<'_>, standing: &Standing) -> Option<String> {
    let Relation::Table(_) = &task.plan.source.relation else { return None };
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let content = standing.file.map.iter().find(|(field, _)| field.value == "content")?.1.from.as_ref()?;
    let keys: Vec<String> = task.plan.source.key.iter().map(|column| format!("{}::text", quote(column))).collect();
    let order: Vec<String> = task.plan.source.key.iter().map(|column| quote(column)).collect();
    Some(format!(
        "select json_build_array({})::text from {} where {}::text ilike all ($1::text[]) order by {} limit {K}",
        keys.join(", "),
        task.plan.source.table.name,
        quote(&content.value),
        order.join(", ")
    ))
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The memories of these keys, in their order; one that was forgotten is left out.
async fn ids(task: &Task<'_>, keys: &[Vec<String>]) -> Result<Vec<Uuid>> {
    let keys = keys.iter().map(|key| ledger::key_text(key)).collect::<Result<Vec<_>>>()?;
    let mut client = task.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    Identity::audit(&tx).await?;
    let rows = tx.query(IDS, &[&task.plan.origin_source(), &keys]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// What the new side answers, best first, through the public read path.
async fn new_ids(task: &Task<'_>, query: &str, namespace: Option<&str>) -> Result<Vec<Uuid>> {
    let all = task.plan.namespaces.iter().map(|namespace| namespace.namespace.as_str());
    let scope = match namespace {
        Some(namespace) => Scope::one(namespace)?,
        None => Scope::new(all.take(256))?,
    };
    let limit = i64::try_from(K).ok();
    let asked = Recall { query: Some(query.to_owned()), limit, include_unverified: true, ..Recall::default() };
    Ok(task.store.recall(&scope, &asked).await?.hits.into_iter().map(|hit| hit.id).collect())
}

#[cfg(test)]
mod tests {
    use super::Sums;
    use uuid::Uuid;

    #[test]
    fn overlap_and_shift_are_of_the_answers_that_both_gave() {
        let id = Uuid::from_u128;
        let mut sums = Sums::default();
        sums.add(&[id(1), id(2), id(3), id(4)], &[id(2), id(1), id(9)]);
        assert!((sums.overlap - 0.5).abs() < 1e-9);
        assert_eq!((sums.shared, sums.shift), (2, 2));
        sums.add(&[id(1)], &[]);
        assert_eq!((sums.shared, sums.shift), (2, 2));
    }
}
