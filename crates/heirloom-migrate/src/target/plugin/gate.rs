//! When a plugin may be asked: back-off that all requests share, and the breaker.
//!
//! While all is well requests pass side by side. Once one fails they wait, each time twice as long, and then a single one
//! goes first: a plugin that is coming back is not met by everybody at once. Requests that were under way when the first
//! one failed are no news. After so many failures in a row the breaker opens and stays open: the run ends.
//!
//! Deliberately absent: which answer is a failure (`client.rs`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How a plugin that fails is borne with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long one request may take.
    pub timeout: Duration,
    /// The first wait.
    pub first: Duration,
    /// The longest wait, unless the plugin asks for more.
    pub longest: Duration,
    /// Failures in a row after which the breaker opens.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            first: Duration::from_millis(100),
            longest: Duration::from_secs(10),
            attempts: 9,
        }
    }
}

/// The longest wait that a plugin is granted when it asks for one.
const GRANTED: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Counts failures; a request of an earlier count is no news.
    count: u64,
    not_before: Option<Instant>,
    /// One goes first.
    is_tried: bool,
    open: Option<String>,
}

/// The gate.
#[derive(Debug)]
pub(super) struct Gate {
    patience: Patience,
    state: Mutex<State>,
    changed: Notify,
}

/// Leave to send one request. What is dropped unsaid counts as nothing.
#[derive(Debug)]
pub(super) struct Pass<'g> {
    gate: &'g Gate,
    count: u64,
    goes_first: bool,
}

impl Gate {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, state: Mutex::default(), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plugin called itself well since it failed.
    pub(super) fn is_well(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.not_before = None;
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until a request may be sent; what went wrong last once the breaker is open.
    pub(super) async fn enter(&self) -> Result<Pass<'_>, String> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let until = {
                let mut state = self.state();
                if let Some(why) = &state.open {
                    return Err(why.clone());
                }
                if state.failures == 0 {
                    return Ok(Pass { gate: self, count: state.count, goes_first: false });
                }
                let until = state.not_before.filter(|at| *at > Instant::now());
                if until.is_none() && !state.is_tried {
                    state.is_tried = true;
                    return Ok(Pass { gate: self, count: state.count, goes_first: true });
                }
                until.filter(|_| !state.is_tried)
            };
            match until {
                Some(until) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(until) => {}
                },
                None => changed.await,
            }
        }
    }
}

impl Pass<'_> {
    /// It was answered.
    pub(super) fn well(self) {
        self.gate.is_well();
    }

    /// It failed; `after` is how long the plugin asks to be left alone.
    pub(super) fn failed(self, why: &str, after: Option<Duration>) {
        let mut state = self.gate.state();
        if self.count != state.count {
            return;
        }
        state.failures += 1;
        state.count += 1;
        if state.failures >= self.gate.patience.attempts {
            let times = if state.failures == 1 { String::new() } else { format!(" {} times in a row", state.failures) };
            state.open = Some(format!("{why}{times}"));
            return;
        }
        let wait = wait(self.gate.patience, state.failures).max(after.unwrap_or_default().min(GRANTED));
        state.not_before = Some(Instant::now() + wait);
        tracing::warn!(why, wait_ms = wait.as_millis(), failures = state.failures, "the plugin is asked again later");
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.goes_first {
            self.gate.state().is_tried = false;
        }
        self.gate.changed.notify_waiters();
    }
}

/// Twice as long each time, and between three and five quarters of that: those who were sent away together do not come
/// back together.
fn wait(patience: Patience, failures: u32) -> Duration {
    let doubled = patience.first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(patience.longest);
    let quarters = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 256.0;
    doubled.mul_f64(0.75 + quarters / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(attempts: u32) -> Gate {
        Gate::new(Patience { attempts, first: Duration::from_millis(1), ..Patience::default() })
    }

    #[tokio::test]
    async fn after_a_failure_one_goes_first() {
        let gate = gate(9);
        let (one, other) = (gate.enter().await.unwrap(), gate.enter().await.unwrap());
        one.failed("busy", None);
        other.failed("busy", None);
        assert_eq!(gate.state().failures, 1, "what was under way is no news");
        let first = gate.enter().await.unwrap();
        assert!(first.goes_first);
        let second = gate.enter();
        tokio::pin!(second);
        assert!(futures_util::poll!(second.as_mut()).is_pending(), "the others wait for it");
        first.well();
        assert!(!second.await.unwrap().goes_first, "and then go side by side");
    }

    #[tokio::test]
    async fn it_waits_as_long_as_it_is_asked_to_and_no_longer_than_it_grants() {
        for (asked, least) in [(7, 6), (100_000, 119)] {
            let gate = gate(9);
            gate.enter().await.unwrap().failed("busy", Some(Duration::from_secs(asked)));
            let left = gate.state().not_before.unwrap().duration_since(Instant::now());
            assert!(left > Duration::from_secs(least) && left <= GRANTED, "{left:?}");
        }
    }

    #[tokio::test]
    async fn after_so_many_in_a_row_it_opens_for_good() {
        let gate = gate(3);
        for _ in 0..2 {
            gate.enter().await.unwrap().failed("busy", None);
        }
        gate.enter().await.unwrap().well();
        for _ in 0..3 {
            gate.enter().await.unwrap().failed("busy", None);
        }
        assert_eq!(gate.enter().await.unwrap_err(), "busy 3 times in a row");
    }

    #[tokio::test]
    async fn one_that_is_given_up_lets_another_go_first() {
        let gate = gate(3);
        gate.enter().await.unwrap().failed("busy", None);
        drop(gate.enter().await.unwrap());
        assert!(gate.enter().await.unwrap().goes_first);
    }

    #[test]
    fn waits_grow_and_have_an_end() {
        let patience = Patience::default();
        assert!(wait(patience, 4) > wait(patience, 1));
        assert!(wait(patience, u32::MAX) <= patience.longest.mul_f64(1.25));
    }
}
