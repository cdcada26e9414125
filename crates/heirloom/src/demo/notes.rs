//! Texts that read like real agents' notes: templates of six topics with slots, filled by the generator.
//!
//! The templates are data (`notes/*.txt`): openers between `---` lines, after `===` one follow-up sentence a line. A
//! slot is `<<name>>` (a list of `notes/slots.txt`), `<<3-90>>` (a number) or `<<hex7>>` (digits). What is absent: any
//! cleverness about grammar; a template is written so that every filler reads well in it.

use std::collections::HashMap;

use super::rng::Rng;

/// What agents of a workspace write about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// Source code and its tools.
    Coding,
    /// Running services.
    Ops,
    /// Customers.
    Support,
    /// Trips.
    Travel,
    /// Papers and measurements.
    Research,
    /// Invoices and budgets.
    Finance,
}

/// The parsed templates.
pub(super) struct Notes {
    slots: HashMap<&'static str, Vec<&'static str>>,
    topics: HashMap<Topic, (Vec<&'static str>, Vec<&'static str>)>,
}

impl Notes {
    /// Parses the built-in templates.
    pub(super) fn load() -> Self {
        let topics = [
            (Topic::Coding, include_str!("notes/coding.txt")),
            (Topic::Ops, include_str!("notes/ops.txt")),
            (Topic::Support, include_str!("notes/support.txt")),
            (Topic::Travel, include_str!("notes/travel.txt")),
            (Topic::Research, include_str!("notes/research.txt")),
            (Topic::Finance, include_str!("notes/finance.txt")),
        ];
        Self {
            slots: include_str!("notes/slots.txt")
                .lines()
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| line.split_once(" = "))
                .map(|(name, values)| (name, values.split(" | ").collect()))
                .collect(),
            topics: topics
                .into_iter()
                .map(|(topic, text)| {
                    let (openers, details) = text.split_once("\n===\n").unwrap_or((text, ""));
                    (topic, (openers.split("\n---\n").collect(), details.lines().collect()))
                })
                .collect(),
        }
    }

    /// One note: an opener and in most cases a few follow-up sentences; now and then a summary of several openers.
    pub(super) fn write(&self, rng: &mut Rng, topic: Topic) -> String {
        let Some((openers, details)) = self.topics.get(&topic) else { return String::new() };
        let first = rng.below(openers.len() as u64) as usize;
        let more = if rng.chance(14) { rng.between(1, 4) as usize } else { 0 };
        let mut text = String::new();
        for n in 0..=more {
            if n > 0 {
                text.push_str("\n\n");
            }
            // Three further each time: a summary never says the same opener twice.
            text.push_str(&self.fill(rng, |_| openers[(first + 3 * n) % openers.len()]));
        }
        let sentences = match rng.below(100) {
            0..30 => 0,
            30..75 => rng.between(1, 2),
            75..95 => rng.between(3, 5),
            _ => rng.between(6, 10),
        };
        let mut used = Vec::new();
        for _ in 0..sentences {
            let detail = *rng.pick(details);
            if used.contains(&detail) {
                continue;
            }
            used.push(detail);
            text.push(if text.contains('\n') || rng.chance(15) { '\n' } else { ' ' });
            text.push_str(&capitalised(&self.fill(rng, |_| detail)));
        }
        text
    }

    /// Fills the slots of the template that `choose` picks; fillers may hold slots themselves.
    fn fill<'a>(&'a self, rng: &mut Rng, choose: impl FnOnce(&mut Rng) -> &'a str) -> String {
        let template = choose(rng);
        let mut text = String::with_capacity(template.len() * 2);
        let mut rest = template;
        while let Some((before, tail)) = rest.split_once("<<") {
            text.push_str(before);
            let Some((slot, after)) = tail.split_once(">>") else {
                text.push_str("<<");
                rest = tail;
                continue;
            };
            text.push_str(&self.slot(rng, slot));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    fn slot(&self, rng: &mut Rng, slot: &str) -> String {
        if let Some(digits) = slot.strip_prefix("hex").and_then(|n| n.parse::<usize>().ok()) {
            return format!("{:016x}", rng.next()).chars().take(digits).collect();
        }
        if let Some((low, high)) = slot.split_once('-')
            && let (Ok(low), Ok(high)) = (low.parse(), high.parse())
        {
            return rng.between(low, high).to_string();
        }
        match self.slots.get(slot) {
            Some(values) => self.fill(rng, rng_pick(values)),
            None => format!("<<{slot}>>"),
        }
    }
}

/// A filler may stand at the head of a sentence.
fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A choice of one of `items`, to be made by the generator that fills the template.
fn rng_pick<'a>(items: &'a [&'a str]) -> impl FnOnce(&mut Rng) -> &'a str {
    move |rng| *rng.pick(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_of_every_template_has_a_list() {
        let notes = Notes::load();
        let mut rng = Rng::named(7, "slots");
        for (topic, (openers, details)) in &notes.topics {
            assert!(openers.len() >= 10 && details.len() >= 8, "{topic:?} is thin");
            for template in openers.iter().chain(details) {
                for _ in 0..20 {
                    let text = notes.fill(&mut rng, |_| template);
                    assert!(!text.contains("<<") && !text.contains(">>"), "{topic:?}: {text}");
                }
            }
        }
    }

    #[test]
    fn lengths_are_those_of_real_notes() {
        let notes = Notes::load();
        let mut rng = Rng::named(7, "lengths");
        let lengths: Vec<usize> = (0..2000).map(|_| notes.write(&mut rng, Topic::Ops).len()).collect();
        assert!(lengths.iter().all(|&length| (40..2000).contains(&length)), "{:?}", lengths.iter().minmax());
        assert!(lengths.iter().any(|&length| length > 900));
    }

    trait MinMax {
        fn minmax(self) -> (usize, usize);
    }
    impl<'a, I: Iterator<Item = &'a usize> + Clone> MinMax for I {
        fn minmax(self) -> (usize, usize) {
            (self.clone().min().copied().unwrap_or(0), self.max().copied().unwrap_or(0))
        }
    }
}
