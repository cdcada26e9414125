//! How fast: a schedule on which every slice of rows has its place, so that any ten seconds hold what the rate allows.
//!
//! Time is an argument, so that a test can run an hour at once. Slices are a quarter of a second long; what reading a
//! chunk costs is made good, up to half a second.

use std::time::Duration;

use super::options::Rate;

/// How long a slice takes at the rate, in seconds.
const SLICE: f64 = 0.25;

/// How far behind its schedule a pace may be and still make it good.
const CREDIT: Duration = Duration::from_millis(500);

/// The schedule of one process.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    next: Duration,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, next: Duration::ZERO }
    }

    /// Enters a slice at `now` (since any fixed moment); gives back how long to wait before it is written.
    pub(super) fn take(&mut self, now: Duration, rows: u64, bytes: u64) -> Duration {
        let seconds = |amount: u64, rate: Option<u64>| rate.map_or(0.0, |rate| amount as f64 / rate.max(1) as f64);
        let cost = seconds(rows, self.rate.rows).max(seconds(bytes, self.rate.bytes));
        let start = self.next.max(now.saturating_sub(CREDIT));
        self.next = start + Duration::from_secs_f64(cost.min(86_400.0));
        start.saturating_sub(now)
    }
}

impl Rate {
    /// How many of these rows, at least one, make a slice.
    pub(super) fn slice(&self, bytes: impl Iterator<Item = u64>) -> usize {
        let most = |rate: Option<u64>| rate.map_or(f64::INFINITY, |rate| rate as f64 * SLICE);
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
            let rows = rate.slice(std::iter::repeat_n(row_bytes, 1_000_000)) as u64;
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
        assert_eq!(rate.slice([4_000_000, 1].into_iter()), 1);
        let mut pace = Pace::new(rate);
        assert_eq!(pace.take(Duration::from_secs(9), 1, 4_000_000), Duration::ZERO);
        assert!(pace.take(Duration::from_secs(9), 1, 1) > Duration::from_secs(3_000));
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
