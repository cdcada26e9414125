//! Rows that their source holds for gone and that would be recalled all the same, counted row by row: two columns may say
//! it of one row, and what says it of another may be an end of validity by now.

use std::collections::BTreeMap;

use heirloom_store::{Memory, Moment};

use super::facts::alive;
use super::words::{self, is_name, is_one_of};
use crate::file::MigrationFile;
use crate::source::Table;
use crate::value::{SourceRow, Value};

/// Most ways of saying it that are told apart.
const MOST_WAYS: usize = 64;

#[derive(Debug)]
enum Says {
    /// A word; whether the file makes the state of it.
    Word { is_read: bool },
    /// A flag, or the time at which it went.
    Flag,
}

/// The count.
#[derive(Debug)]
pub(crate) struct Gone {
    columns: Vec<(usize, String, Says)>,
    now: i64,
    /// Rows that would be recalled again.
    pub(crate) rows: u64,
    /// What says that they are gone, in how many rows each.
    pub(crate) ways: BTreeMap<String, u64>,
}

impl Gone {
    pub(super) fn new(file: &MigrationFile, table: &Table, now: i64) -> Self {
        let feeds_state = |name: &str| {
            alive(file, table)
                .any(|(field, spec)| field == "state" && spec.from.as_ref().is_some_and(|from| from.value == name))
        };
        let columns = table.columns.iter().enumerate().filter_map(|(at, column)| {
            let says = if feeds_state(&column.name) {
                Says::Word { is_read: true }
            } else if is_name(&column.name, words::STATUS) {
                Says::Word { is_read: false }
            } else if is_name(&column.name, words::DELETED) {
                Says::Flag
            } else {
                return None;
            };
            Some((at, column.name.clone(), says))
        });
        Self { columns: columns.collect(), now, rows: 0, ways: BTreeMap::new() }
    }

    pub(super) fn observe(&mut self, row: &SourceRow, memory: &Memory) {
        if self.columns.is_empty() || !self.is_recalled(memory) {
            return;
        }
        let mut is_gone = false;
        for (at, name, says) in &self.columns {
            let Some(value) = row.values.get(*at) else { continue };
            let way = match says {
                Says::Flag => is_set(value).then(|| format!("{name} is set")),
                Says::Word { is_read } => match value {
                    Value::Text(text) | Value::Other(text) if is_one_of(text, words::DEAD) => Some(if *is_read {
                        format!("{text:?} becomes {}", memory.state)
                    } else {
                        format!("{text:?} in {name} is not read")
                    }),
                    _ => None,
                },
            };
            let Some(way) = way else { continue };
            is_gone = true;
            if let Some(rows) = self.ways.get_mut(&way) {
                *rows += 1;
            } else if self.ways.len() < MOST_WAYS {
                self.ways.insert(way, 1);
            }
        }
        self.rows += u64::from(is_gone);
    }

    /// Whether recall would show it to whoever may see it, by all but its verification.
    fn is_recalled(&self, memory: &Memory) -> bool {
        let is_over = |end: Option<Moment>| match end {
            None | Some(Moment::Infinity) => false,
            Some(Moment::NegativeInfinity) => true,
            Some(Moment::Micros(micros)) => micros <= self.now,
        };
        memory.is_active
            && !is_over(memory.expires_at)
            && !is_over(memory.valid_to)
            && !is_one_of(&memory.state, words::HIDDEN_STATES)
    }
}

/// Whether a flag is raised, or a time is there.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Text(text) => !is_one_of(text, &["", "f", "false", "no", "n", "0", "off"]),
        Value::Bool(flag) => *flag,
        Value::Int(number) => *number != 0,
        Value::Moment(_) | Value::LocalTime(_) | Value::Date(_) => true,
        _ => false,
    }
}
