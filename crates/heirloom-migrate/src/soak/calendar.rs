//! The calendar of a soak, from the chain alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::record::SweepRecord;
use crate::audit::Entry;
use crate::clock::day;
use crate::error::Result;

/// Most days that are listed: the newest, from the beginning of the soak where it is not longer ago.
const MOST_DAYS: i32 = 400;

/// What a day was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayKind {
    /// Every sweep was clean.
    Clean,
    /// A sweep found a divergence.
    Divergent,
    /// No sweep; the day is over.
    Missing,
    /// No sweep yet; the day is not over.
    Open,
}

/// A day of the soak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// `YYYY-MM-DD`, UTC.
    pub day: String,
    /// What it was.
    pub kind: DayKind,
    /// Whether it counts for the soak under way.
    pub counts: bool,
    /// Sweeps.
    pub sweeps: u32,
    /// Divergences found, added up over the day's sweeps.
    pub divergences: u64,
}

/// How far a soak is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// When it began; absent before.
    pub started_at: Option<Timestamp>,
    /// Since when the clock runs: the first clean sweep after the start or after the last divergence.
    pub running_since: Option<Timestamp>,
    /// The first moment at which it can be over, when every day until then is swept and clean.
    pub over_at: Option<Timestamp>,
    /// Days that count.
    pub counted: u32,
    /// Days that are asked for.
    pub needed: u32,
    /// Whether it is over: enough days count, and enough time has passed, to the second.
    pub over: bool,
    /// The newest sweep.
    pub last_sweep: Option<Timestamp>,
    /// Whether it was clean; absent before the first.
    pub last_clean: Option<bool>,
    /// When every chunk was last read.
    pub last_full: Option<Timestamp>,
    /// The newest sweep that found a divergence, and how many it found.
    pub diverged_at: Option<Timestamp>,
    /// What that sweep found.
    pub divergence_count: u64,
    /// Day by day.
    pub days: Vec<Day>,
}

#[derive(Default)]
struct Tally {
    sweeps: u32,
    divergences: u64,
    divergent: bool,
}

impl Calendar {
    /// The calendar that a chain gives, for a soak of so many days, as of now.
    ///
    /// # Errors
    /// [`crate::MigrateError::Ledger`] when an entry is not what this version writes.
    pub fn of(entries: &[Entry], needed: u32, now: Timestamp) -> Result<Self> {
        let mut calendar = Self {
            started_at: None,
            running_since: None,
            over_at: None,
            counted: 0,
            needed,
            over: false,
            last_sweep: None,
            last_clean: None,
            last_full: None,
            diverged_at: None,
            divergence_count: 0,
            days: Vec::new(),
        };
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        let mut counting: BTreeSet<String> = BTreeSet::new();
        let mut retired = None;
        for entry in entries {
            match entry.what.as_str() {
                // A run that was soaked and diverged soaks on; one that begins, or begins again, starts from nothing.
                "soaking" if calendar.started_at.is_none() || begins(entry) => {
                    calendar.started_at.get_or_insert(entry.at);
                    calendar.running_since = None;
                    counting.clear();
                }
                "sweep" => {
                    let record: SweepRecord = entry.read()?;
                    let today = day(entry.at);
                    let tally = tallies.entry(today.clone()).or_default();
                    tally.sweeps += 1;
                    tally.divergences += record.divergence_count;
                    calendar.last_sweep = Some(entry.at);
                    calendar.last_clean = Some(record.clean);
                    if record.full {
                        calendar.last_full = Some(entry.at);
                    }
                    if record.clean {
                        calendar.running_since.get_or_insert(entry.at);
                        if !tally.divergent {
                            counting.insert(today);
                        }
                    } else {
                        tally.divergent = true;
                        calendar.running_since = None;
                        calendar.diverged_at = Some(entry.at);
                        calendar.divergence_count = record.divergence_count;
                        counting.clear();
                    }
                }
                "retired" => retired = Some(entry.at),
                "unretired" => retired = None,
                _ => {}
            }
        }
        calendar.counted = u32::try_from(counting.len()).unwrap_or(u32::MAX);
        calendar.time(now, counting.contains(&day(now)));
        calendar.list(&tallies, &counting, retired, now);
        Ok(calendar)
    }

    fn time(&mut self, now: Timestamp, today_counts: bool) {
        let Some(since) = self.running_since else { return };
        let after = |at: Timestamp, days: u32| at.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok();
        let elapsed = after(since, self.needed);
        self.over = self.counted >= self.needed && elapsed.is_some_and(|elapsed| now >= elapsed);
        // A day that is short is tomorrow at the earliest, or today when today has none yet; its sweep at midnight will do.
        let short = self.needed.saturating_sub(self.counted);
        let last = match short {
            0 => Some(since),
            1 if !today_counts => Some(now),
            short => midnight(after(now, if today_counts { short } else { short - 1 })),
        };
        self.over_at = elapsed.max(last);
    }

    /// A table that is retired is compared no more, so that no day after it is missing.
    fn list(
        &mut self,
        tallies: &BTreeMap<String, Tally>,
        counting: &BTreeSet<String>,
        retired: Option<Timestamp>,
        now: Timestamp,
    ) {
        let Some(started) = self.started_at else { return };
        let date = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let last = date(retired.unwrap_or(now));
        let oldest = last.checked_sub(jiff::Span::new().days(MOST_DAYS - 1)).unwrap_or(jiff::civil::Date::MIN);
        let mut at = date(started).max(oldest);
        while at <= last {
            let name = at.to_string();
            let none = Tally::default();
            let tally = tallies.get(&name).unwrap_or(&none);
            let kind = match (tally.divergent, tally.sweeps) {
                (true, _) => DayKind::Divergent,
                (false, 1..) => DayKind::Clean,
                (false, 0) if at == last && retired.is_some() => return,
                (false, 0) if at == last => DayKind::Open,
                (false, 0) => DayKind::Missing,
            };
            let counts = counting.contains(&name);
            self.days.push(Day { day: name, kind, counts, sweeps: tally.sweeps, divergences: tally.divergences });
            let Ok(next) = at.tomorrow() else { return };
            at = next;
        }
    }
}

/// The beginning of a day in UTC.
fn midnight(at: Option<Timestamp>) -> Option<Timestamp> {
    let day = at?.to_zoned(jiff::tz::TimeZone::UTC).date();
    day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Whether a `soaking` entry begins a soak: any but the one that follows a divergence of a run that was soaked.
pub(super) fn begins(entry: &Entry) -> bool {
    entry.read::<serde_json::Value>().is_ok_and(|payload| payload["begins"] == true)
}
