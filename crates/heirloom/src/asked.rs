//! The latest recalls of this process: when, how long, how many hits, in which namespaces. Never the question.
//!
//! For whoever watches a server; lost with the process, and never written anywhere.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

/// How many are kept.
pub const KEPT: usize = 1_000;

/// One recall.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    /// When it was answered.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// How many memories it found.
    pub hits: usize,
    /// Where it asked; for telling who may know of it.
    #[serde(skip)]
    pub namespaces: Vec<String>,
}

/// The latest recalls.
#[derive(Debug, Default)]
pub struct Recalls(Mutex<VecDeque<Asked>>);

impl Recalls {
    /// Takes one in.
    pub fn add(&self, took: Duration, hits: usize, namespaces: &[String]) {
        let asked = Asked { at: Timestamp::now(), ms: took.as_secs_f64() * 1e3, hits, namespaces: namespaces.to_vec() };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(asked);
    }

    /// Those that asked in nothing but what `allows` lets through, oldest first.
    pub fn of(&self, allows: impl Fn(&str) -> bool) -> Vec<Asked> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|asked| asked.namespaces.iter().all(|name| allows(name))).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_and_each_caller_knows_of_its_own() {
        let recalls = Recalls::default();
        for n in 0..KEPT + 5 {
            recalls.add(Duration::from_millis(2), n, &["team:a".to_owned()]);
        }
        recalls.add(Duration::from_millis(2), 7, &["team:a".to_owned(), "team:b".to_owned()]);
        let both = recalls.of(|_| true);
        assert_eq!((both.len(), both[0].hits, both[KEPT - 1].hits), (KEPT, 6, 7));
        assert_eq!(recalls.of(|name| name == "team:a").len(), KEPT - 1);
        assert!(recalls.of(|name| name == "team:b").is_empty());
    }
}
