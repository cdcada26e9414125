//! The rules compiled, and a text gone through.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Captures, Regex};

use super::Findings;
use super::rules::{Rule, list};

/// After so many passes a text is left as it is. Two change nothing that one did not: no label looks like a credential.
const MOST_PASSES: usize = 4;

/// A run of base64 shorter than this is none.
const LONG_RUN: usize = 33;

struct Compiled {
    rule: &'static Rule,
    pattern: Regex,
    must: Vec<Regex>,
    never: Vec<Regex>,
    not_after: Option<Regex>,
}

struct Engine {
    rules: Vec<Compiled>,
    /// Finds every hint, overlapping ones too.
    hints: AhoCorasick,
    /// Which rules each hint speaks for.
    speaks_for: Vec<u64>,
    /// The rules without a hint: those of a long run.
    of_runs: u64,
}

static ENGINE: LazyLock<Option<Engine>> = LazyLock::new(|| Engine::of(list()));

impl Engine {
    /// `None` when a rule is no regular expression, which a test rules out.
    fn of(rules: &'static [Rule]) -> Option<Self> {
        let (mut words, mut speaks_for, mut of_runs) = (Vec::<&str>::new(), Vec::<u64>::new(), 0);
        for (at, rule) in rules.iter().enumerate() {
            let bit = 1_u64.checked_shl(u32::try_from(at).ok()?)?;
            if rule.hints.is_empty() {
                of_runs |= bit;
            }
            for hint in rule.hints {
                match words.iter().position(|word| word == hint) {
                    Some(known) => speaks_for[known] |= bit,
                    None => {
                        words.push(hint);
                        speaks_for.push(bit);
                    }
                }
            }
        }
        let hints =
            AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(words).ok()?;
        let all = |patterns: &[String]| patterns.iter().map(|text| Regex::new(text).ok()).collect::<Option<Vec<_>>>();
        let rules = rules
            .iter()
            .map(|rule| {
                Some(Compiled {
                    rule,
                    pattern: Regex::new(&rule.pattern).ok()?,
                    must: all(&rule.must)?,
                    never: all(&rule.never)?,
                    not_after: match rule.not_after {
                        Some(text) => Some(Regex::new(text).ok()?),
                        None => None,
                    },
                })
            })
            .collect::<Option<_>>()?;
        Some(Self { rules, hints, speaks_for, of_runs })
    }

    /// Which rules may match: one bit each.
    fn may_match(&self, text: &str) -> u64 {
        let mut may = if has_long_run(text.as_bytes()) { self.of_runs } else { 0 };
        for hint in self.hints.find_overlapping_iter(text) {
            may |= self.speaks_for[hint.pattern().as_usize()];
        }
        may
    }
}

impl Compiled {
    fn is_credential(&self, groups: &Captures<'_>) -> bool {
        let (before, secret) = (group(groups, 1), group(groups, 2));
        self.must.iter().all(|must| must.is_match(secret))
            && !self.never.iter().any(|never| never.is_match(secret))
            && !self.not_after.as_ref().is_some_and(|not| not.is_match(before))
    }

    /// The text without what this rule takes, and how often it took something; `None` when never.
    fn apply(&self, text: &str) -> Option<(String, u64)> {
        let (mut out, mut copied, mut count) = (String::new(), 0, 0);
        for groups in self.pattern.captures_iter(text) {
            let Some(secret) = groups.get(2) else { continue };
            if self.is_credential(&groups) {
                out.push_str(&text[copied..secret.start()]);
                out.push_str("[REDACTED:");
                out.push_str(self.rule.label);
                out.push(']');
                copied = secret.end();
                count += 1;
            }
        }
        if count == 0 {
            return None;
        }
        out.push_str(&text[copied..]);
        Some((out, count))
    }
}

fn group<'t>(groups: &Captures<'t>, at: usize) -> &'t str {
    groups.get(at).map_or("", |found| found.as_str())
}

/// Goes through a text until nothing changes, and counts what went.
pub(super) fn run<'t>(text: &'t str, found: &mut Findings) -> Cow<'t, str> {
    let Some(engine) = ENGINE.as_ref() else { return Cow::Borrowed(text) };
    let mut may = engine.may_match(text);
    if may == 0 {
        return Cow::Borrowed(text);
    }
    let mut now = Cow::Borrowed(text);
    for _ in 0..MOST_PASSES {
        let mut changed = false;
        for (at, compiled) in engine.rules.iter().enumerate() {
            if may & (1 << at) == 0 {
                continue;
            }
            if let Some((after, count)) = compiled.apply(&now) {
                *found.entry(compiled.rule.label.to_owned()).or_default() += count;
                may = engine.may_match(&after);
                now = Cow::Owned(after);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    now
}

/// Whether the text can hold a credential at all, by the hints alone.
pub(super) fn may_hold(text: &str) -> bool {
    ENGINE.as_ref().is_some_and(|engine| engine.may_match(text) != 0)
}

/// Whether 33 characters of base64 stand in a row. Looks at every 33rd byte, and around it only where that is one.
fn has_long_run(bytes: &[u8]) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut start = 0;
    while let Some(window) = bytes.get(start..start + LONG_RUN) {
        match window.iter().rposition(|byte| !is_base64(*byte)) {
            None => return true,
            Some(at) => start += at + 1,
        }
    }
    false
}

#[cfg(test)]
pub(super) fn compiles() -> bool {
    ENGINE.is_some()
}
