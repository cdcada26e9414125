//! How fast: a schedule on which every slice of rows has its place, so that any ten seconds hold what the rate allows.
//!
//! Time is an argument, so that a test can run an hour at once. Slices are a quarter of a second long; what reading a
//! chunk costs is made good, up to half a second. Several applies may keep a schedule together, beside one of their own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::options::{Options, Rate};

/// How long a slice takes at the rate, in seconds.
const SLICE: f64 = 0.25;

/// How far behind its schedule a pace may be and still make it good.
const CREDIT: Duration = Duration::from_millis(500);

/// The schedule of one process.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    /// How long a slice takes, in seconds.
    slice: f64,
    next: Duration,
    together: Option<Together>,
}

/// A schedule that several applies of a process keep together: what all of them write holds its rate. Clones share it.
#[derive(Debug, Clone)]
pub struct Together(Arc<(Instant, Mutex<Pace>)>);

impl Together {
    /// A schedule for so many at a time. Their slices are the shorter, so that who waits for all others still waits no
    /// longer than he would by himself: he holds a transaction meanwhile.
    pub fn new(rate: Rate, sharers: usize) -> Self {
        let pace = Pace { slice: SLICE / sharers.max(1) as f64, ..Pace::new(rate) };
        Self(Arc::new((Instant::now(), Mutex::new(pace))))
    }

    fn with<T>(&self, ask: impl FnOnce(&mut Pace, Duration) -> T) -> T {
        let (began, pace) = &*self.0;
        ask(&mut pace.lock().unwrap_or_else(PoisonError::into_inner), began.elapsed())
    }
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, slice: SLICE, next: Duration::ZERO, together: None }
    }

    /// The schedule of an apply, with the one that it keeps together with others.
    pub(super) fn of(options: &Options) -> Self {
        Self { together: options.together.clone(), ..Self::new(options.rate) }
    }

    /// Whether anything limits.
    pub(super) fn limits(&self) -> bool {
        self.rate.limits() || self.together.is_some()
    }

    /// How many of these rows, at least one, make a slice.
    pub(super) fn slice(&self, bytes: impl Iterator<Item = u64> + Clone) -> usize {
        let own = self.rate.slice(self.slice, bytes.clone());
        self.together.as_ref().map_or(own, |all| own.min(all.with(|pace, _| pace.slice(bytes))))
    }

    /// Enters a slice at `now` (since any fixed moment); gives back how long to wait before it is written.
    pub(super) fn take(&mut self, now: Duration, rows: u64, bytes: u64) -> Duration {
        let own = self.enter(now, rows, bytes);
        self.together.as_ref().map_or(own, |all| own.max(all.with(|pace, now| pace.enter(now, rows, bytes))))
    }

    fn enter(&mut self, now: Duration, rows: u64, bytes: u64) -> Duration {
        let seconds = |amount: u64, rate: Option<u64>| rate.map_or(0.0, |rate| amount as f64 / rate.max(1) as f64);
        let cost = seconds(rows, self.rate.rows).max(seconds(bytes, self.rate.bytes));
        let start = self.next.max(now.saturating_sub(CREDIT));
        self.next = start + Duration::from_secs_f64(cost.min(86_400.0));
        start.saturating_sub(now)
    }
}

impl Rate {
    /// How many of these rows, at least one, make a slice.
    fn slice(&self, seconds: f64, bytes: impl Iterator<Item = u64>) -> usize {
        let most = |rate: Option<u64>| rate.map_or(f64::INFINITY, |rate| rate as f64 * seconds);
        let (most_rows, most_bytes) = (most(self.rows), most(self.bytes));
        let mut sum = 0.0;
        let fits = bytes.enumerate().take_while(|(at, bytes)| {
            sum += *bytes as f64;
            (*at as f64) < most_rows && sum <= most_bytes
        });
        fits.count().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows written in each window of ten seconds of two minutes, by a process that also needs time to read and write.
    fn windows(rate: Rate, row_bytes: u64, busy: Duration) -> Vec<u64> {
        let mut pace = Pace::new(rate);
        let (mut now, mut written) = (Duration::ZERO, Vec::new());
        while now < Duration::from_secs(120) {
            let rows = pace.slice(std::iter::repeat_n(row_bytes, 1_000_000)) as u64;
            now += pace.take(now, rows, rows * row_bytes);
            written.push((now, rows));
            now += busy;
        }
        (5..110)
            .map(|from| (Duration::from_secs(from), Duration::from_secs(from + 10)))
            .map(|(from, to)| written.iter().filter(|(at, _)| *at >= from && *at < to).map(|(_, rows)| rows).sum())
            .collect()
    }

    #[test]
    fn any_ten_seconds_hold_the_rate_within_five_per_cent() {
        for (rate, row_bytes, expected) in [
            (Rate { rows: Some(1_000), bytes: None }, 100, 10_000.0),
            (Rate { rows: Some(40), bytes: None }, 100, 400.0),
            (Rate { rows: None, bytes: Some(1_000_000) }, 1_000, 10_000.0),
            (Rate { rows: Some(5_000), bytes: Some(1_000_000) }, 1_000, 10_000.0),
        ] {
            for busy in [0, 20, 200] {
                for rows in windows(rate, row_bytes, Duration::from_millis(busy)) {
                    let off = (rows as f64 - expected).abs() / expected;
                    assert!(off <= 0.05, "{rate:?}: {rows} rows in ten seconds, busy for {busy} ms a slice");
                }
            }
        }
    }

    #[test]
    fn a_row_larger_than_a_slice_is_a_slice() {
        let rate = Rate { rows: None, bytes: Some(1_000) };
        let mut pace = Pace::new(rate);
        assert_eq!(pace.slice([4_000_000, 1].into_iter()), 1);
        assert_eq!(pace.take(Duration::from_secs(9), 1, 4_000_000), Duration::ZERO);
        assert!(pace.take(Duration::from_secs(9), 1, 1) > Duration::from_secs(3_000));
    }

    #[test]
    fn those_who_keep_a_rate_together_wait_for_each_other_and_no_longer_than_one_by_himself() {
        let rate = Rate { rows: Some(1_000), bytes: None };
        let together = Together::new(rate, 100);
        let mut paces: Vec<Pace> =
            (0..10).map(|_| Pace { together: Some(together.clone()), ..Pace::new(Rate::default()) }).collect();
        let mut longest = Duration::ZERO;
        for pace in &mut paces {
            let rows = pace.slice(std::iter::repeat_n(100, 1_000)) as u64;
            assert_eq!((rows, pace.limits()), (3, true));
            longest = longest.max(pace.take(Duration::ZERO, rows, rows * 100));
        }
        // A slice of three rows takes 3 ms, and the last of ten waits for those of nine.
        assert!(longest <= Duration::from_millis(27), "{longest:?}");
        assert_eq!(together.with(|pace, _| pace.next), Duration::from_millis(30));
    }

    #[test]
    fn a_pause_is_not_made_good() {
        let mut pace = Pace::new(Rate { rows: Some(100), bytes: None });
        pace.take(Duration::ZERO, 100, 0);
        assert_eq!(pace.take(Duration::from_secs(60), 100, 0), Duration::ZERO);
        assert_eq!(pace.take(Duration::from_secs(60), 100, 0), Duration::from_millis(500));
        assert_eq!(pace.take(Duration::from_secs(60), 100, 0), Duration::from_millis(1_500));
    }
}
