//! Shadow recall: queries of real life asked of old and new, to see how far the answers agree. It is told, and gates nothing:
//! another ranking is no loss.
//!
//! The file has a query a line, as JSON: `{"query": "deploy flag", "namespaces": ["team:a"]}`. Without namespaces all of the
//! plan's are asked. Several tenants may share a file: a query of a namespace that holds memories and is none of the plan's is
//! another tenant's, and neither of its sides is asked. What the old side answers is taken from `"old": ["17", "4"]`, keys in
//! their order as they were recorded; without it a source in PostgreSQL is asked, read-only: for rows whose content holds
//! every word, or by the statement of a line `{"sql": "select id from notes where … $1 … limit 10"}`, which counts for the
//! lines after it. Of many queries the newest are asked.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

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

/// Most queries that are asked.
const MOST: usize = 1_000;

const IDS: &str = include_str!("../../sql/queries/shadow_ids.sql");

const INHABITED: &str = include_str!("../../sql/queries/shadow_inhabited.sql");

/// How far old and new agreed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    /// Queries that were asked.
    pub queries: u64,
    /// Queries of the file that are of other tenants' namespaces.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub elsewhere: u64,
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
    #[serde(default)]
    namespaces: Vec<String>,
    old: Option<Vec<Key>>,
    sql: Option<String>,
    /// When it was asked, where it was recorded.
    #[serde(rename = "at")]
    _at: Option<String>,
}

/// A query of a file.
struct Query {
    words: String,
    /// Empty: all of the plan's.
    namespaces: Vec<String>,
    old: Option<Vec<Key>>,
    sql: Option<Arc<str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A key of one column may be written without its brackets.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Key {
    One(String),
    Several(Vec<String>),
}

impl Shadow {
    /// Nothing asked yet.
    fn new() -> Self {
        Self { queries: 0, elsewhere: 0, answered: 0, k: K as u64, overlap: 0.0, rank_shift: 0.0, failed: None }
    }
}

/// Asks both sides; `None` when neither the task nor the migration file names queries. `alive` is called after each.
pub(super) async fn shadow(task: &Task<'_>, standing: &Standing, alive: &mut (dyn FnMut() + Send)) -> Option<Shadow> {
    let beside = Path::new(&task.plan.file.path).parent().unwrap_or(Path::new(""));
    let path = match (task.shadow, &standing.file.soak.shadow) {
        (Some(path), _) => path.to_owned(),
        (None, Some(file)) => beside.join(&file.value),
        (None, None) => return None,
    };
    let mut shadow = Shadow::new();
    let mut sums = Sums::default();
    if let Err(error) = ask_all(task, standing, &path, &mut shadow, &mut sums, alive).await {
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
    alive: &mut (dyn FnMut() + Send),
) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| MigrateError::Io { path: path.display().to_string(), reason: error.to_string() })?;
    let mut queries = read(path, &text)?;
    let others = others(task, &queries).await?;
    let all = queries.len();
    queries.retain(|query| query.namespaces.iter().all(|namespace| !others.contains(namespace)));
    shadow.elsewhere = (all - queries.len()) as u64;
    queries.drain(..queries.len().saturating_sub(MOST));
    for query in queries {
        alive();
        shadow.queries += 1;
        let old = match query.old {
            Some(keys) => keys.into_iter().map(Key::parts).collect(),
            None => old_keys(task, standing, &query.words, query.sql.as_deref()).await?,
        };
        let old = ids(task, &old).await?;
        if old.is_empty() {
            continue;
        }
        let new = new_ids(task, query.words, &query.namespaces).await?;
        shadow.answered += 1;
        sums.add(&old, &new);
    }
    Ok(())
}

/// The queries of a file, in its order.
fn read(path: &Path, text: &str) -> Result<VecDeque<Query>> {
    let wrong = |at: usize, what: &str| MigrateError::File {
        place: crate::error::Place { file: path.display().to_string(), line: at + 1, column: 1 },
        what: what.to_owned(),
        accepted: "write {\"query\": \"…\"} with `namespaces` and `old` where they are known, or {\"sql\": \"… $1 …\"}"
            .into(),
    };
    let (mut queries, mut sql) = (VecDeque::new(), None);
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = match serde_json::from_str(line) {
            Ok(line) => line,
            // Somebody is writing the last line of a file that is recorded.
            Err(error) if error.is_eof() && text.ends_with(line) => break,
            Err(_) => return Err(wrong(at, "this is no query")),
        };
        match (line.query, line.sql) {
            (None, Some(statement)) => sql = Some(Arc::from(statement)),
            (Some(words), None) => {
                let namespaces = line.namespaces.into_iter().chain(line.namespace).collect();
                queries.push_back(Query { words, namespaces, old: line.old, sql: sql.clone() });
            }
            _ => return Err(wrong(at, "a line has either a query or a statement")),
        }
    }
    Ok(queries)
}

/// The namespaces of queries that are other tenants': they hold memories, and the plan does not know them.
async fn others(task: &Task<'_>, queries: &VecDeque<Query>) -> Result<BTreeSet<String>> {
    let own: BTreeSet<&str> = task.plan.namespaces.iter().map(|known| known.namespace.as_str()).collect();
    let named: BTreeSet<&str> = queries
        .iter()
        .flat_map(|query| &query.namespaces)
        .map(String::as_str)
        .filter(|name| !own.contains(name))
        .collect();
    if named.is_empty() {
        return Ok(BTreeSet::new());
    }
    let named: Vec<&str> = named.into_iter().collect();
    let mut client = task.store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    Identity::audit(&tx).await?;
    let rows = tx.query(INHABITED, &[&named]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
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
async fn new_ids(task: &Task<'_>, query: String, namespaces: &[String]) -> Result<Vec<Uuid>> {
    let all = task.plan.namespaces.iter().map(|namespace| namespace.namespace.as_str());
    let scope = match namespaces {
        [] => Scope::new(all.take(256))?,
        some => Scope::new(some.iter().map(String::as_str))?,
    };
    let limit = i64::try_from(K).ok();
    let asked = Recall { query: Some(query), limit, include_unverified: true, ..Recall::default() };
    Ok(task.store.recall(&scope, &asked).await?.hits.into_iter().map(|hit| hit.id).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use uuid::Uuid;

    use super::{Sums, read};

    #[test]
    fn a_line_that_is_being_written_is_no_query_yet() {
        let whole = "{\"at\": \"2026-01-01T00:00:00Z\", \"namespaces\": [\"a:b\", \"a:c\"], \"query\": \"one\"}\n";
        let queries = read(Path::new("q"), &format!("{whole}{}", &whole[..40])).unwrap();
        assert_eq!((queries.len(), queries[0].words.as_str(), queries[0].namespaces.len()), (1, "one", 2));
        assert_eq!(read(Path::new("q"), whole.trim_end()).unwrap().len(), 1, "a file may end without a line feed");
        let wrong = read(Path::new("q"), &format!("{whole}{}\n", &whole[..40])).err().unwrap().to_string();
        assert!(wrong.starts_with("q:2:1: this is no query"), "{wrong}");
    }

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
