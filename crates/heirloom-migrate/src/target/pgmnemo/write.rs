//! What happens to lessons on their way in: found and left, written again, or inserted so that none hides another unsaid.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use heirloom_store::Moment;
use uuid::Uuid;

use super::super::{Collisions, Fate, Gate, Parcel, Surface, Terms};
use super::statement::{self, Verb};
use super::{carry, read};
use crate::apply::refused_by_data;
use crate::digest::Digest;
use crate::error::{MigrateError, Result};
use crate::mapping::{Reject, RejectCode};

const OPEN: &str = include_str!("../../../sql/queries/pgmnemo_open.sql");
const CLOSE: &str = include_str!("../../../sql/queries/pgmnemo_close.sql");
const REOPEN: &str = include_str!("../../../sql/queries/pgmnemo_reopen.sql");

/// Writers of ours take turns by this.
const TURNS: i64 = 0x6865_6972_6c6f_6f6d;

/// Lessons in one statement: with vectors of 1,024 dimensions some six megabytes.
const STATEMENT: usize = 500;

/// Hands lessons down in the caller's transaction and says what became of each.
pub(super) async fn write(tx: &mut Transaction<'_>, terms: Terms<'_>, rows: &[Parcel]) -> Result<Vec<Fate>> {
    tx.execute("select pg_advisory_xact_lock($1)", &[&TURNS]).await?;
    let Surface::Pgmnemo { collisions, gate, is_ours } = *terms.surface else { return Err(super::another()) };
    if gate == Gate::Warn {
        // One warning a statement is given below.
        tx.batch_execute("set local pgmnemo.gate_strict = 'off'").await?;
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.memory.id).collect();
    let there: HashMap<Uuid, Digest> = read::rows(tx, terms.surface, &ids)
        .await?
        .iter()
        .map(|row| (row.id, terms.surface.digest(&row.frames, terms.key)))
        .collect();
    let mut fates: HashMap<Uuid, Fate> = HashMap::with_capacity(rows.len());
    let (mut fresh, mut changed) = (Vec::new(), Vec::new());
    for row in rows {
        let fate = match (there.get(&row.memory.id), row.written) {
            (Some(digest), _) if *digest == row.digest => Fate::Present,
            (Some(digest), Some(written)) if digest.0 == written => {
                changed.push(row);
                Fate::Updated
            }
            (Some(_), _) => Fate::Conflict,
            (None, Some(_)) => Fate::Gone,
            (None, None) => {
                fresh.push(row);
                Fate::Inserted
            }
        };
        fates.insert(row.memory.id, fate);
    }
    let mut writer = Writer { tx, dimension: terms.dimension, fates: &mut fates, numbers: HashMap::new() };
    for part in changed.chunks(STATEMENT) {
        writer.statement(Verb::Update, part).await?;
    }
    writer.insert(fresh, collisions, is_ours).await?;
    let missing = || MigrateError::Ledger("a lesson has no fate".into());
    rows.iter().map(|row| fates.remove(&row.memory.id).ok_or_else(missing)).collect()
}

/// An open lesson of a kind.
#[derive(Debug, Clone, Copy)]
struct Open {
    number: i64,
    made: Option<Moment>,
    project: Option<i32>,
}

struct Writer<'w, 't> {
    tx: &'w mut Transaction<'t>,
    dimension: usize,
    fates: &'w mut HashMap<Uuid, Fate>,
    /// Numbers of the lessons inserted.
    numbers: HashMap<Uuid, i64>,
}

impl Writer<'_, '_> {
    /// Those that close nobody come together; those that would, in rounds: one of each kind a statement, the oldest first.
    async fn insert(&mut self, fresh: Vec<&Parcel>, collisions: Collisions, is_ours: bool) -> Result<()> {
        let mut kinds: HashMap<[u8; 16], Vec<&Parcel>> = HashMap::new();
        let mut alone = Vec::new();
        for row in fresh {
            match carry::closing(&row.memory, is_ours) {
                Some(closing) => kinds.entry(closing.hash).or_default().push(row),
                None => alone.push(row),
            }
        }
        let mut open = self.open(&kinds, is_ours).await?;
        let mut rounds: Vec<Vec<&Parcel>> = Vec::new();
        let mut spread = Vec::new();
        for (hash, mut rows) in kinds {
            let standing = open.remove(&hash).unwrap_or_default();
            let hides = standing.len() + rows.len() > 1
                && (!standing.is_empty() || rows.iter().any(|row| row.memory.valid_to.is_none()));
            let project = rows.first().and_then(|row| row.memory.project_id);
            let across = rows.iter().any(|row| row.memory.project_id != project)
                || standing.iter().any(|open| open.project != project);
            if !hides {
                alone.append(&mut rows);
            } else if collisions == Collisions::Refuse || across {
                // The plan has refused what it saw; this came into being since.
                for row in rows {
                    self.fates.insert(row.memory.id, Fate::Refused(would_hide(across)));
                }
            } else {
                rows.sort_by_key(|row| statement::made(&row.memory));
                for (round, row) in rows.iter().enumerate() {
                    if rounds.len() == round {
                        rounds.push(Vec::new());
                    }
                    rounds[round].push(row);
                }
                spread.push((standing, rows));
            }
        }
        // In the order in which they came: a map has none.
        alone.sort_by_key(|row| row.memory.id);
        for part in alone.chunks(STATEMENT) {
            self.statement(Verb::Insert, part).await?;
        }
        for round in &rounds {
            for part in round.chunks(STATEMENT) {
                self.statement(Verb::Insert, part).await?;
            }
        }
        self.settle(&spread).await
    }

    /// Open lessons by kind.
    async fn open(
        &self,
        kinds: &HashMap<[u8; 16], Vec<&Parcel>>,
        is_ours: bool,
    ) -> Result<HashMap<[u8; 16], Vec<Open>>> {
        let compared: HashSet<String> = kinds.values().flatten().map(|row| carry::compared(&row.memory)).collect();
        let compared: Vec<String> = compared.into_iter().collect();
        let mut open: HashMap<[u8; 16], Vec<Open>> = HashMap::new();
        for row in self.tx.query(OPEN, &[&compared]).await? {
            let (at, project): (i64, Option<i32>) = (row.try_get("kind")?, row.try_get("project_id")?);
            let kind = usize::try_from(at - 1).ok().and_then(|at| compared.get(at));
            let Some(kind) = kind else { continue };
            let standing = Open { number: row.try_get("id")?, made: row.try_get("created_at")?, project };
            open.entry(carry::hash(kind, project.filter(|_| is_ours))).or_default().push(standing);
        }
        Ok(open)
    }

    /// The newest of a kind is open and the others that came are its old versions, whichever came last.
    async fn settle(&mut self, spread: &[(Vec<Open>, Vec<&Parcel>)]) -> Result<()> {
        let (mut newest, mut older) = (Vec::new(), Vec::new());
        for (standing, rows) in spread {
            let came: Vec<_> = rows
                .iter()
                .filter(|row| row.memory.valid_to.is_none())
                .filter_map(|row| Some((row.memory.created_at, *self.numbers.get(&row.memory.id)?)))
                .collect();
            let all = standing.iter().map(|open| (open.made, open.number)).chain(came.iter().copied());
            let Some((_, number)) = all.max() else { continue };
            newest.push(number);
            older.extend(came.into_iter().map(|(_, came)| came).filter(|came| *came != number));
        }
        if !newest.is_empty() {
            self.tx.execute(CLOSE, &[&older]).await?;
            self.tx.execute(REOPEN, &[&newest]).await?;
        }
        Ok(())
    }

    /// Runs a statement; when only the database sees what is wrong with a row, halves the set until that row stands alone.
    async fn statement(&mut self, verb: Verb, rows: &[&Parcel]) -> Result<()> {
        let mut waiting = vec![rows];
        while let Some(part) = waiting.pop() {
            if part.is_empty() {
                continue;
            }
            let savepoint = self.tx.savepoint("lessons").await?;
            match statement::run(&savepoint, verb, part, self.dimension).await {
                Ok(written) => {
                    savepoint.commit().await?;
                    warn_of_ghosts(part);
                    self.numbers.extend(written);
                }
                Err(error) => {
                    savepoint.rollback().await?;
                    let MigrateError::Target(database) = &error else { return Err(error) };
                    let Some(message) = refused_by_data(database) else { return Err(error) };
                    if let [one] = part {
                        let reject = Reject { code: RejectCode::Database, field: None, column: None, message };
                        self.fates.insert(one.memory.id, Fate::Refused(reject));
                    } else {
                        let (left, right) = part.split_at(part.len() / 2);
                        waiting.push(right);
                        waiting.push(left);
                    }
                }
            }
        }
        Ok(())
    }
}

fn would_hide(across: bool) -> Reject {
    let message = if across {
        "a lesson of another project with the same role, topic and commit is open or coming, and pgmnemo would close one \
         for the other; accepted: an artifact_hash of the row's own"
    } else {
        "a lesson with the same role, topic and commit is open or coming, and pgmnemo would close one for the other; \
         accepted: [target] collisions = \"spread\", or an artifact_hash of the row's own"
    };
    Reject { code: RejectCode::WouldHide, field: None, column: None, message: message.into() }
}

/// One warning a statement, where pgmnemo gives one a row.
fn warn_of_ghosts(rows: &[&Parcel]) {
    let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    let ghosts = rows.iter().filter(|row| !said(&row.memory.commit_sha) && !said(&row.memory.artifact_hash)).count();
    if ghosts > 0 {
        tracing::warn!(rows = ghosts, of = rows.len(), "lessons without commit_sha or artifact_hash were handed down");
    }
}
