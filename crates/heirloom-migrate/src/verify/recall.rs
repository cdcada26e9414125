//! The recall proof: a row that is there must also come back when its tenant asks for it, and for nobody else.
//!
//! A sample of the rows handed down, the same one on every run, is asked for at every door ([`Door`]) with its own
//! namespace's rights; a row that recall rightly leaves out is counted by reason. Then the same question is asked with
//! everybody else's rights, in their own namespaces and, where a door can be asked for more than that, in the row's, and
//! must not bring it.
//!
//! Deliberately absent: content in the result, any write, how a door is built.

use std::collections::BTreeMap;

use heirloom_store::Identity;
use heirloom_store::Store;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::door::{Door, Question, Seen, Sql};
use super::question;
use crate::error::Result;
use crate::plan::Plan;

/// Most other namespaces that a row is asked for as. Namespaces of a plan beyond so many share the sample of so many: each is
/// asked for at least one row.
pub const MAX_NAMESPACES: usize = 50;

/// Hits asked for at first; a row that shares its words with many is asked for again with the most a door gives, and at
/// last with as much of its text as the sample holds.
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

/// What was asked at one door and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Rows of the sample that recall has to bring.
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
}

/// What was asked and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallProof {
    /// Namespaces of the plan.
    pub namespaces: u64,
    /// Namespaces that were asked.
    pub namespaces_asked: u64,
    /// Other namespaces of the store, whoever brought them: the most that there were for one of the plan's.
    #[serde(default)]
    pub others: u64,
    /// Of those, with the rights of how many each row was asked for: at most [`MAX_NAMESPACES`], chosen by the run's id.
    #[serde(default)]
    pub others_asked: u64,
    /// Rows in the sample.
    pub sampled: u64,
    /// What SQL answered.
    #[serde(flatten)]
    pub sql: Answers,
    /// What every other door answered, by its name.
    #[serde(default)]
    pub doors: BTreeMap<String, Answers>,
    /// Whether at every door every row came back or is left out for a reason, and none came back for anybody else.
    pub holds: bool,
}

/// A sampled row: never leaves this room.
struct Sampled {
    id: Uuid,
    text: String,
    left_out: Option<LeftOut>,
}

/// Asks for up to `sample` rows of each namespace of the plan at every door, and for each of them as everybody else; for fewer,
/// and at least one, of each of more than [`MAX_NAMESPACES`] namespaces.
///
/// SQL is always asked; `doors` are the others. Holds one connection at a time. Zero rows in the sample prove nothing:
/// `holds` is then false, unless the plan accepted no row at all.
///
/// # Errors
/// [`crate::MigrateError`] when the store cannot be read or a door does not answer; what does not come back is no error
/// but the result.
pub async fn recall_proof(plan: &Plan, store: &Store, sample: usize, doors: &[&dyn Door]) -> Result<RecallProof> {
    let mut names: Vec<&str> = plan.namespaces.iter().map(|count| count.namespace.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut proof = RecallProof { namespaces: names.len() as u64, ..RecallProof::default() };
    let mut asker = Asker { store, source: plan.origin_source(), home: String::new(), others: Vec::new() };
    let sql = Sql(store);
    // Somebody who has no memory at all is a stranger too; so there is a probe even in a store of one namespace.
    let stranger = format!("custom:nobody-{}", plan.run_id.simple());
    let sample = share(sample, names.len());
    for &namespace in &names {
        proof.namespaces_asked += 1;
        namespace.clone_into(&mut asker.home);
        let (others, in_all) = others(store, namespace, &format!("{}{namespace}", plan.run_id)).await?;
        proof.others = proof.others.max(in_all);
        proof.others_asked = proof.others_asked.max(others.len() as u64);
        asker.others = others;
        asker.others.push(stranger.clone());
        for row in sampled(store, &asker.source, namespace, sample, None).await? {
            proof.sampled += 1;
            asker.row(&sql, &row, &mut proof.sql).await?;
            for door in doors {
                asker.row(*door, &row, proof.doors.entry(door.name().to_owned()).or_default()).await?;
            }
        }
    }
    let something = proof.sampled > 0 || plan.counts.accepted == 0;
    let mut answers = std::iter::once(&proof.sql).chain(proof.doors.values());
    proof.holds = something && answers.all(|door| door.not_found.is_empty() && door.leaks.is_empty());
    Ok(proof)
}

/// How many rows each of so many namespaces is asked for.
fn share(sample: usize, namespaces: usize) -> usize {
    match namespaces {
        0..=MAX_NAMESPACES => sample,
        many => (sample.saturating_mul(MAX_NAMESPACES) / many).max(1).min(sample),
    }
}

/// Who asks for the rows of one namespace, and as whom.
struct Asker<'a> {
    store: &'a Store,
    source: String,
    home: String,
    others: Vec<String>,
}

impl Asker<'_> {
    /// The row at one door: for its own people, and for everybody else.
    async fn row(&self, door: &dyn Door, row: &Sampled, answers: &mut Answers) -> Result<()> {
        let Some(words) = question::of(&row.text) else {
            answers.leaves_out(row.left_out.unwrap_or(LeftOut::NoWords));
            return Ok(());
        };
        match row.left_out {
            Some(reason) => answers.leaves_out(reason),
            None => self.own(door, row, &words, answers).await?,
        }
        answers.leak_probes += 1;
        self.foreign(door, row, &words, answers).await
    }

    /// The row must come back to its own namespace.
    async fn own(&self, door: &dyn Door, row: &Sampled, words: &str, answers: &mut Answers) -> Result<()> {
        let rights = [self.home.clone()];
        let mut indistinct = false;
        for (words, limit) in [(words, FEW_HITS), (words, door.most()), (row.text.as_str(), door.most())] {
            let question = Question { words, limit: limit.min(door.most()), include_unverified: false };
            // Who is refused their own is brought nothing.
            let hits = door.ask(&rights, &rights, question).await?.unwrap_or_default();
            if brings(&hits, row.id, &self.home) {
                answers.asked += 1;
                answers.recalled += 1;
                return Ok(());
            }
            let full = i64::try_from(hits.len()).is_ok_and(|count| count == door.most());
            indistinct = full && hits.iter().all(|hit| hit.content.starts_with(&row.text));
        }
        if indistinct {
            answers.leaves_out(LeftOut::SameText);
            return Ok(());
        }
        // It may have expired or gone between the sample and the question.
        match sampled(self.store, &self.source, &self.home, 1, Some(row.id)).await?.pop() {
            None => answers.leaves_out(LeftOut::Gone),
            Some(Sampled { left_out: Some(reason), .. }) => answers.leaves_out(reason),
            Some(_) => {
                answers.asked += 1;
                answers.not_found.push(row.id);
            }
        }
        Ok(())
    }

    /// The row must come back to nobody else. All the others ask together; only a leak is asked for one by one.
    async fn foreign(&self, door: &dyn Door, row: &Sampled, words: &str, answers: &mut Answers) -> Result<()> {
        let question = Question { words, limit: door.most(), include_unverified: true };
        let home = std::slice::from_ref(&self.home);
        let trespassed = door.ask(&self.others, home, question).await?.unwrap_or_default();
        answers.leaks.extend(leaks(&trespassed, row.id, &self.home, "others who ask for it by its name"));
        let together = door.ask(&self.others, &self.others, question).await?.unwrap_or_default();
        if leaks(&together, row.id, &self.home, "").is_empty() {
            return Ok(());
        }
        let before = answers.leaks.len();
        for other in &self.others {
            let other_alone = std::slice::from_ref(other);
            let hits = door.ask(other_alone, other_alone, question).await?.unwrap_or_default();
            answers.leaks.extend(leaks(&hits, row.id, &self.home, other));
        }
        if answers.leaks.len() == before {
            answers.leaks.extend(leaks(&together, row.id, &self.home, "several namespaces together"));
        }
        Ok(())
    }
}

fn brings(hits: &[Seen], id: Uuid, namespace: &str) -> bool {
    hits.iter().any(|hit| hit.id == id && hit.namespace == namespace)
}

/// What of an answer to somebody else may not be there: the row itself, or anything that lives where it lives.
fn leaks(hits: &[Seen], id: Uuid, home: &str, seen_as: &str) -> Vec<Leak> {
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
    Identity::audit(&tx).await?;
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

/// Some other namespaces of the store, whoever brought them, and how many there are.
async fn others(store: &Store, namespace: &str, seed: &str) -> Result<(Vec<String>, u64)> {
    let mut client = store.database().client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    Identity::audit(&tx).await?;
    let most = i64::try_from(MAX_NAMESPACES).unwrap_or(i64::MAX);
    let rows = tx.query(OTHERS, &[&namespace, &most, &seed]).await?;
    let in_all = rows.first().map(|row| row.try_get::<_, i64>("others")).transpose()?;
    let names = rows.iter().map(|row| row.try_get("name")).collect::<std::result::Result<_, _>>()?;
    Ok((names, in_all.and_then(|count| u64::try_from(count).ok()).unwrap_or_default()))
}

impl Answers {
    fn leaves_out(&mut self, reason: LeftOut) {
        *self.left_out.entry(reason).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(id: u128, namespace: &str) -> Seen {
        Seen { id: Uuid::from_u128(id), namespace: namespace.to_owned(), content: "words".to_owned() }
    }

    #[test]
    fn many_namespaces_share_the_sample_and_none_goes_without_a_question() {
        let shares = [(20, 1), (20, 50), (20, 60), (20, 10_000), (0, 60)].map(|(sample, many)| share(sample, many));
        assert_eq!(shares, [20, 20, 16, 1, 0]);
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
