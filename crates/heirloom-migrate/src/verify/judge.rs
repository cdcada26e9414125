//! One row against what was found of it: equal, explained, or different in a class and columns.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use heirloom_store::Identity;
use uuid::Uuid;

use super::difference::{Class, Difference, Explanation, Side};
use super::expected::{Expected, Wished, Work};
use super::explain::Records;
use super::target::TargetRow;
use super::{aside, foreign};
use crate::canon::FIELDS;
use crate::digest::Digest;
use crate::error::Result;
use crate::frames::Frames;

/// What a row comes to in the counts of a comparison.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) source_rows: u64,
    pub(super) expected: u64,
    pub(super) rejected: u64,
    pub(super) found: u64,
    pub(super) equal: u64,
    pub(super) unseen: u64,
    pub(super) explained: Option<Explanation>,
    pub(super) differences: Vec<Difference>,
}

/// How both sides of a row looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glance {
    /// The class of its first difference.
    pub(super) class: Option<Class>,
    /// The source row; `None` when there is none.
    pub(super) source: Option<Digest>,
    /// The source row that the target's record speaks of.
    pub(super) target: Option<[u8; 16]>,
}

/// What became of a row.
pub(super) struct Judged {
    pub(super) glance: Glance,
    pub(super) tally: Tally,
    /// What was found under its id.
    pub(super) there: Vec<TargetRow>,
}

impl Judged {
    /// Whether it differs in a way that may be gone in a moment: the two sides are not read at the same one, and whoever
    /// follows the source comes a little later. A value that nobody but its writer touched since is what it is.
    pub(super) fn may_pass(&self) -> bool {
        let touched = || self.there.iter().any(|there| there.revised || there.moved);
        let passes = |one: &Difference| !matches!(one.class, Class::Altered | Class::Foreign) || touched();
        self.tally.differences.iter().any(passes)
    }
}

/// What it takes to judge the rows of a chunk, or of a part of it.
pub(super) struct Judge<'w, 'a> {
    work: &'w Work<'a>,
    ordinal: Option<u32>,
    records: Records,
    /// What else is known of rows of a target that is no store.
    aside: Option<foreign::Aside>,
    by_id: HashMap<Uuid, Vec<TargetRow>>,
    forgotten: HashSet<Uuid>,
    refused: HashSet<Vec<String>>,
    /// Only in a target that is no store does a row that is over go without a trace.
    now: Option<jiff::Timestamp>,
}

impl<'w, 'a> Judge<'w, 'a> {
    pub(super) async fn new(
        work: &'w Work<'a>,
        tx: &Transaction<'_>,
        ordinal: Option<u32>,
        rows: &[Expected],
        found: Vec<TargetRow>,
        aside: Option<foreign::Aside>,
    ) -> Result<Self> {
        let records = Records::of(tx, &found).await?;
        let mut by_id: HashMap<Uuid, Vec<TargetRow>> = HashMap::new();
        for row in found {
            by_id.entry(row.id).or_default().push(row);
        }
        let absent: Vec<&Expected> = rows.iter().filter(|row| !by_id.contains_key(&row.id)).collect();
        let forgotten = forgotten(tx, &absent.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
        let mapped: Vec<&Expected> = absent.into_iter().filter(|row| row.memory.is_some()).collect();
        let refused = aside::refused(tx, &work.origin_source, &mapped).await?;
        let now = match aside {
            None => None,
            Some(_) => Some(tx.query_one("select now()", &[]).await?.try_get(0)?),
        };
        Ok(Self { work, ordinal, records, aside, by_id, forgotten, refused, now })
    }

    /// Rows are given in the order of the source, each once.
    pub(super) fn row(&mut self, row: &Expected) -> Judged {
        let there = self.by_id.remove(&row.id).unwrap_or_default();
        let mut tally = Tally { source_rows: 1, ..Tally::default() };
        match &row.memory {
            None => tally.rejected = 1,
            Some(_) => tally.expected = 1,
        }
        match (&row.memory, there.as_slice()) {
            (None, []) => {}
            // Its first row was compared, or will be, under the same id.
            (None, _) if row.repeated => {
                self.by_id.insert(row.id, there);
                return judged(row, tally, Vec::new());
            }
            (None, there) => {
                if let Some(there) = there.iter().find(|there| self.is_ours(there)) {
                    self.row_differs(&mut tally, Class::NotRejected, row, Some(there));
                }
            }
            (Some(_), []) if self.forgotten.contains(&row.id) => tally.explained = Some(Explanation::Forgotten),
            (Some(_), []) if self.refused.contains(&row.key) => {
                tally.expected = 0;
                tally.rejected = 1;
            }
            (Some(_), []) if self.now.is_some_and(|now| foreign::is_over(row.expires_at, now)) => {
                tally.explained = Some(Explanation::Expired);
            }
            (Some(_), []) if self.aside.as_ref().is_some_and(|aside| aside.is_unseen(row.id)) => tally.unseen = 1,
            (Some(_), []) => self.row_differs(&mut tally, Class::Missing, row, None),
            (Some(Wished { namespace, frames, .. }), there) => {
                tally.found = 1;
                // The row of the right namespace is the row; the same id anywhere else is one too many.
                let at = there.iter().position(|there| there.namespace == *namespace).unwrap_or(0);
                for (_, extra) in there.iter().enumerate().filter(|(i, _)| *i != at) {
                    self.row_differs(&mut tally, Class::Unexpected, row, Some(extra));
                }
                self.pair(&mut tally, row, namespace, frames, &there[at]);
            }
        }
        judged(row, tally, there)
    }

    fn is_ours(&self, there: &TargetRow) -> bool {
        there.origin.as_ref().is_some_and(|origin| origin.source == self.work.origin_source)
    }

    fn pair(&self, tally: &mut Tally, row: &Expected, namespace: &str, frames: &Frames, there: &TargetRow) {
        if there.namespace != namespace {
            self.field_differs(tally, Class::WrongTenant, row, 0, &frames[0], &there.frames[0]);
            return;
        }
        let Some(origin) = there.origin.as_ref().filter(|origin| origin.source == self.work.origin_source) else {
            self.row_differs(tally, Class::Foreign, row, Some(there));
            return;
        };
        if origin.source_digest != row.source_digest.0 {
            self.row_differs(tally, Class::SourceChanged, row, Some(there));
            return;
        }
        let differing: Vec<usize> = (0..FIELDS.len()).filter(|&i| frames[i] != there.frames[i]).collect();
        if differing.is_empty() {
            tally.equal = 1;
            return;
        }
        let aside = self.aside.as_ref().and_then(|aside| aside.explanation(there, frames, &differing));
        match self.records.explanation(there, &differing).or(aside) {
            Some(explanation) => tally.explained = Some(explanation),
            None => {
                for i in differing {
                    self.field_differs(tally, Class::Altered, row, i, &frames[i], &there.frames[i]);
                }
            }
        }
    }

    fn row_differs(&self, tally: &mut Tally, class: Class, row: &Expected, there: Option<&TargetRow>) {
        let side = |frames: &Frames| Side {
            bytes: Some(frames.bytes().len()),
            digest: self.work.mapping.key.digest(frames.bytes()).to_string(),
            value: None,
        };
        tally.differences.push(Difference {
            class,
            key: row.key.clone(),
            id: row.id,
            chunk: self.ordinal,
            column: None,
            expected: row.memory.as_ref().map(|wished| side(&wished.frames)),
            found: there.map(|there| side(&there.frames)),
        });
    }

    fn field_differs(
        &self,
        tally: &mut Tally,
        class: Class,
        row: &Expected,
        field: usize,
        expected: &[u8],
        found: &[u8],
    ) {
        let side = |frame: &[u8]| Some(Side::of(frame, self.work.mapping.key.digest(frame), self.work.show_content));
        tally.differences.push(Difference {
            class,
            key: row.key.clone(),
            id: row.id,
            chunk: self.ordinal,
            column: Some(FIELDS[field].to_owned()),
            expected: side(expected),
            found: side(found),
        });
    }
}

fn judged(row: &Expected, tally: Tally, there: Vec<TargetRow>) -> Judged {
    let glance = Glance {
        class: tally.differences.first().map(|difference| difference.class),
        source: Some(row.source_digest),
        target: there.iter().find_map(|there| Some(there.origin.as_ref()?.source_digest)),
    };
    Judged { glance, tally, there }
}

async fn forgotten(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let identity = Identity::audit(tx).await?;
    let rows = tx.query("select id from heirloom.tombstone where id = any ($1)", &[&ids]).await?;
    identity.give_back(tx).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
