//! `/metrics` for Prometheus: requests by route and status, their times, rows of the pool. No label holds content, a
//! namespace or a token.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use heirloom_engine::Database;

/// Upper ends of the time buckets, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The methods that are counted by name.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

#[derive(Default)]
struct Series {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
    statuses: BTreeMap<u16, u64>,
}

/// What was counted since the start.
#[derive(Default)]
pub struct Metrics {
    series: Mutex<BTreeMap<(String, String), Series>>,
}

impl Metrics {
    /// Counts a request; an unknown method as `other`. `route` is the pattern, never the path.
    pub fn count(&self, method: &str, route: &str, status: u16, took: Duration) {
        // A caller may make up methods without end, and each would be a series that stays.
        let method = if METHODS.contains(&method) { method } else { "other" };
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let one = series.entry((method.to_owned(), route.to_owned())).or_default();
        let seconds = took.as_secs_f64();
        for (end, count) in BUCKETS.iter().zip(&mut one.buckets) {
            *count += u64::from(seconds <= *end);
        }
        one.count += 1;
        one.seconds += seconds;
        *one.statuses.entry(status).or_default() += 1;
    }

    /// The text of `/metrics`.
    pub fn text(&self, database: Option<&Database>) -> String {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        let mut line = |words: std::fmt::Arguments<'_>| {
            let _infallible = writeln!(text, "{words}");
        };
        line(format_args!("# HELP heirloom_requests_total Requests by route and status."));
        line(format_args!("# TYPE heirloom_requests_total counter"));
        for ((method, route), one) in series.iter() {
            for (status, count) in &one.statuses {
                line(format_args!(
                    "heirloom_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
                ));
            }
        }
        line(format_args!("# HELP heirloom_request_seconds Time to the first byte of an answer."));
        line(format_args!("# TYPE heirloom_request_seconds histogram"));
        for ((method, route), one) in series.iter() {
            let labels = format!("method=\"{method}\",route=\"{route}\"");
            for (end, count) in BUCKETS.iter().zip(&one.buckets) {
                line(format_args!("heirloom_request_seconds_bucket{{{labels},le=\"{end}\"}} {count}"));
            }
            line(format_args!("heirloom_request_seconds_bucket{{{labels},le=\"+Inf\"}} {}", one.count));
            line(format_args!("heirloom_request_seconds_sum{{{labels}}} {}", one.seconds));
            line(format_args!("heirloom_request_seconds_count{{{labels}}} {}", one.count));
        }
        if let Some(database) = database {
            line(format_args!("# HELP heirloom_pool_connections Most connections to the database."));
            line(format_args!("# TYPE heirloom_pool_connections gauge"));
            line(format_args!("heirloom_pool_connections {}", database.pool_size()));
        }
        line(format_args!("# HELP heirloom_build_info The version that runs."));
        line(format_args!("# TYPE heirloom_build_info gauge"));
        line(format_args!("heirloom_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")));
        text
    }
}
