//! How many requests a minute: fixed windows, counted by token, or by address where there is none.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::fault::Fault;

const WINDOW: Duration = Duration::from_secs(60);
const MOST_COUNTED: usize = 65_536;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// The holder of a token, by the digest of the secret.
    Token([u8; 32]),
    /// Whoever comes from an address without a token.
    Address(IpAddr),
}

/// The counters.
#[derive(Default)]
pub struct Limits {
    counted: Mutex<HashMap<Who, (Instant, u64)>>,
}

/// Where a caller stands in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    limit: u64,
    remaining: u64,
    reset: u64,
}

impl Limits {
    /// Counts a request; 429 when it is one too many. `limit` is a minute's requests, 0 for no limit.
    ///
    /// # Errors
    /// 429 with the seconds until the window ends.
    pub fn count(&self, who: Who, limit: u64, now: Instant) -> Result<Option<Standing>, Box<(Fault, Standing)>> {
        if limit == 0 {
            return Ok(None);
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= MOST_COUNTED && !counted.contains_key(&who) {
            counted.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        let (since, count) = counted.entry(who).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        let left = WINDOW.saturating_sub(now.duration_since(*since));
        let reset = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        let standing = Standing { limit, remaining: limit.saturating_sub(*count), reset };
        if *count > limit {
            let fault = Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate-limit", "rate limit exceeded");
            return Err(Box::new((Fault { retry_after: Some(reset.max(1)), ..fault }, standing)));
        }
        Ok(Some(standing))
    }
}

impl Standing {
    /// The usual headers.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(self.remaining));
        headers.insert("x-ratelimit-reset", HeaderValue::from(self.reset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_and_nobody_counts_for_another() {
        let limits = Limits::default();
        let (a, b) = (Who::Token([1; 32]), Who::Address(IpAddr::from([127, 0, 0, 1])));
        let start = Instant::now();
        for left in [1, 0] {
            let standing = limits.count(a.clone(), 2, start).expect("within").expect("counted");
            assert_eq!(standing.remaining, left);
        }
        let refused = limits.count(a.clone(), 2, start + Duration::from_millis(500)).expect_err("one too many");
        assert_eq!((refused.0.status.as_u16(), refused.0.retry_after), (429, Some(60)));
        assert!(limits.count(b, 2, start).is_ok());
        assert!(limits.count(a.clone(), 2, start + WINDOW).is_ok());
        assert_eq!(limits.count(a, 0, start), Ok(None));
    }
}
