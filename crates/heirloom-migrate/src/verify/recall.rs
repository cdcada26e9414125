//! The recall proof: a row that is there must also come back when its tenant asks for it, and for nobody else.
//!
//! A sample of the rows handed down, the same one on every run, is asked for through [`Store::recall`], the door that
//! every reader uses, with its own namespace's rights; a row that recall rightly leaves out is counted by reason. Then
//! the same question is asked with everybody else's rights and must not bring the row.
//!
//! Deliberately absent: content in the result, any write, the HTTP and MCP doors (they call the same method).

use std::collections::BTreeMap;

use heirloom_store::{Hit, MAX_HITS, Recall, Scope, Store};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::question;
use crate::error::Result;
use crate::plan::Plan;
use crate::role;

/// Most namespaces of a plan that are asked, and most others that each row is probed from.
pub const MAX_NAMESPACES: usize = 50;

/// Hits asked for at first; a row that shares its words with many is asked for again with [`MAX_HITS`], and at last with
/// as much of its text as the sample holds.
const FEW_HITS: i64 = 50;

const SAMPLE: &str = include_str!("../../sql/queries/recall_sample.sql");
const OTHERS: &str = include_str!("../../sql/queries/recall_others.sql");

/// Why recall rightly leaves a row out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// Its time is over.
    Expired,
    /// A lesson that nobody verified.
    Ghost,
    /// Switched off.
    Inactive,
    /// In a state that is not recalled: deprecated, superseded, archived or rejected.
    State,
    /// Valid from a moment to come.
    NotYetValid,
    /// Valid until a moment gone by.
    NoLongerValid,
    /// Without a word that anybody could ask for it by.
    NoWords,
    /// More rows than one answer holds say the very same.
    SameText,
    /// Forgotten or moved while the proof was running.
    Gone,
}

/// A row that came back for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// The memory.
    pub id: Uuid,
    /// Where it was handed down to.
    pub namespace: String,
    /// Whose rights it came back with.
    pub seen_as: String,
}

/// What was asked and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallProof {
    /// Namespaces of the plan.
    pub namespaces: u64,
    /// Namespaces that were asked: at most [`MAX_NAMESPACES`].
    pub namespaces_asked: u64,
    /// Rows in the sample.
    pub sampled: u64,
    /// Rows of it that recall has to bring.
    pub asked: u64,
    /// Rows that came back.
    pub recalled: u64,
    /// Rows that recall rightly leaves out, by reason.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// Rows that should have come back and did not.
    pub not_found: Vec<Uuid>,
    /// Questions asked with everybody else's rights.
    pub leak_probes: u64,
    /// Rows that came back for somebody else.
    pub leaks: Vec<Leak>,
    /// Whether every row came back or is left out for a reason, and none came back for anybody else.
    pub holds: bool,
}

/// A sampled row: never leaves this room.
struct Sampled {
    id: Uuid,
    text: String,
    left_out: Option<LeftOut>,
}

/// Asks for up to `sample` rows of each namespace of the plan, and for each of them as everybody else.
///
/// Holds one connection at a time. Zero rows in the sample prove nothing: `holds` is then false, unless the plan
/// accepted no row at all.
///
/// # Errors
/// [`crate::MigrateError`] when the store cannot be read; what does not come back is no error but the result.
pub async fn recall_proof(plan: &Plan, store: &Store, sample: usize) -> Result<RecallProof> {
    let mut names: Vec<&str> = plan.namespaces.iter().map(|count| count.namespace.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut proof = RecallProof { namespaces: names.len() as u64, ..RecallProof::default() };
    let source = plan.origin_source();
    // Somebody who has no memory at all is a stranger too; so there is a probe even in a store of one namespace.
    let stranger = format!("custom:nobody-{}", plan.run_id.simple());
    for &namespace in names.iter().take(MAX_NAMESPACES) {
        proof.namespaces_asked += 1;
        let mut others = others(store, namespace).await?;
        others.push(stranger.clone());
        for row in sampled(store, &source, namespace, sample, None).await? {
            proof.sampled += 1;
            let Some(words) = question::of(&row.text) else {
                proof.leaves_out(row.left_out.unwrap_or(LeftOut::NoWords));
                continue;
            };
            match row.left_out {
                Some(reason) => proof.leaves_out(reason),
                None => ask(store, &source, namespace, &row, &words, &mut proof).await?,
            }
            proof.leak_probes += 1;
            probe(store, namespace, &row, &words, &others, &mut proof).await?;
        }
    }
    let something = proof.sampled > 0 || plan.counts.accepted == 0;
    proof.holds = something && proof.not_found.is_empty() && proof.leaks.is_empty();
    Ok(proof)
}

/// The row must come back to its own namespace.
async fn ask(
    store: &Store,
    source: &str,
    namespace: &str,
    row: &Sampled,
    words: &str,
    proof: &mut RecallProof,
) -> Result<()> {
    let scope = Scope::one(namespace)?;
    let mut indistinct = false;
    for (words, limit) in [(words, FEW_HITS), (words, MAX_HITS), (row.text.as_str(), MAX_HITS)] {
        let hits = store.recall(&scope, &asking(words, limit, false)).await?.hits;
        if brings(&hits, row.id, namespace) {
            proof.asked += 1;
            proof.recalled += 1;
            return Ok(());
        }
        let full = i64::try_from(hits.len()).is_ok_and(|count| count == MAX_HITS);
        indistinct = full && hits.iter().all(|hit| hit.content.starts_with(&row.text));
    }
    if indistinct {
        proof.leaves_out(LeftOut::SameText);
        return Ok(());
    }
    // It may have expired or gone between the sample and the question.
    match sampled(store, source, namespace, 1, Some(row.id)).await?.pop() {
        None => proof.leaves_out(LeftOut::Gone),
        Some(Sampled { left_out: Some(reason), .. }) => proof.leaves_out(reason),
        Some(_) => {
            proof.asked += 1;
            proof.not_found.push(row.id);
        }
    }
    Ok(())
}

/// The row must come back to nobody else. All the others ask together; only a leak is asked for one by one.
async fn probe(
    store: &Store,
    home: &str,
    row: &Sampled,
    words: &str,
    others: &[String],
    proof: &mut RecallProof,
) -> Result<()> {
    let all = Scope::new(others.iter().map(String::as_str))?;
    let together = store.recall(&all, &asking(words, MAX_HITS, true)).await?.hits;
    if leaks(&together, row.id, home, "").is_empty() {
        return Ok(());
    }
    let before = proof.leaks.len();
    for other in others {
        let hits = store.recall(&Scope::one(other)?, &asking(words, MAX_HITS, true)).await?.hits;
        proof.leaks.extend(leaks(&hits, row.id, home, other));
    }
    if proof.leaks.len() == before {
        proof.leaks.extend(leaks(&together, row.id, home, "several namespaces together"));
    }
    Ok(())
}

fn asking(words: &str, limit: i64, include_unverified: bool) -> Recall {
    Recall { query: Some(words.to_owned()), limit: Some(limit), include_unverified, alone: true, ..Recall::default() }
}

fn brings(hits: &[Hit], id: Uuid, namespace: &str) -> bool {
    hits.iter().any(|hit| hit.id == id && hit.namespace == namespace)
}

/// What of an answer to somebody else may not be there: the row itself, or anything that lives where it lives.
fn leaks(hits: &[Hit], id: Uuid, home: &str, seen_as: &str) -> Vec<Leak> {
    let leaked = hits.iter().filter(|hit| hit.id == id || hit.namespace == home);
    leaked.map(|hit| Leak { id: hit.id, namespace: home.to_owned(), seen_as: seen_as.to_owned() }).collect()
}

/// The rows of a namespace, in the order of a digest nobody chose; its connection is released before this returns.
async fn sampled(
    store: &Store,
    source: &str,
    namespace: &str,
    most: usize,
    only: Option<Uuid>,
) -> Result<Vec<Sampled>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut client = store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    role::as_audit(&tx).await?;
    let rows = tx.query(SAMPLE, &[&source, &namespace, &most, &only]).await?;
    rows.iter()
        .map(|row| {
            let reason: Option<&str> = row.try_get("left_out")?;
            Ok(Sampled { id: row.try_get("id")?, text: row.try_get("text")?, left_out: reason.and_then(left_out) })
        })
        .collect()
}

fn left_out(reason: &str) -> Option<LeftOut> {
    serde_json::from_value(reason.into()).ok()
}

/// Other namespaces of the store, whoever brought them.
async fn others(store: &Store, namespace: &str) -> Result<Vec<String>> {
    let mut client = store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    role::as_audit(&tx).await?;
    let most = i64::try_from(MAX_NAMESPACES).unwrap_or(i64::MAX);
    let rows = tx.query(OTHERS, &[&namespace, &most]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>()?)
}

impl RecallProof {
    fn leaves_out(&mut self, reason: LeftOut) {
        *self.left_out.entry(reason).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(id: u128, namespace: &str) -> Hit {
        serde_json::from_value(serde_json::json!({
            "id": Uuid::from_u128(id), "namespace": namespace, "lesson_id": 1, "kind": "fact", "source": "agent",
            "content": "words", "importance": 3, "state": "draft", "pin": false,
            "score": 1.0, "lexical": 1.0, "semantic": 0.0, "context": 0.0, "boost": 0.0
        }))
        .unwrap()
    }

    #[test]
    fn a_row_counts_as_found_only_where_it_lives() {
        let hits = [hit(1, "team:a"), hit(2, "team:b")];
        assert!(brings(&hits, Uuid::from_u128(1), "team:a"));
        assert!(!brings(&hits, Uuid::from_u128(1), "team:b") && !brings(&hits, Uuid::from_u128(3), "team:a"));
    }

    #[test]
    fn an_answer_to_somebody_else_may_hold_neither_the_row_nor_its_neighbours() {
        let id = Uuid::from_u128(1);
        assert_eq!(leaks(&[hit(2, "team:b")], id, "team:a", "team:b"), []);
        let found = leaks(&[hit(1, "team:b"), hit(3, "team:a"), hit(4, "team:b")], id, "team:a", "team:b");
        assert_eq!(found.iter().map(|leak| leak.id.as_u128()).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn reasons_of_the_query_are_reasons_of_the_result() {
        for reason in ["expired", "ghost", "inactive", "state", "not-yet-valid", "no-longer-valid", "no-words"] {
            assert!(SAMPLE.contains(&format!("'{reason}'")) && left_out(reason).is_some(), "{reason}");
        }
    }
}
