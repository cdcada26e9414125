//! Columns to memory fields: for a table never seen, one entry of `[map]` a field that something there feeds.

use super::look::{Look, Profile, textual};
use super::score::{all, first, named};
use super::synonyms::{STATES, SYNONYMS, VERIFIED_TIMES};
use super::times::{self, Times};
use super::write::{inline, list, quote};
use crate::source::{Column, Table, Type};
use crate::value::Value;

/// Columns that say that a row is gone, where no status does.
const GONE: &[&str] = &["is_deleted", "deleted", "is_archived", "archived"];
const GONE_AT: &[&str] = &["deleted_at", "archived_at"];

/// One line of `[map]`.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) field: &'static str,
    /// What stands behind the equals sign.
    pub(super) spec: String,
    /// Comments above it.
    pub(super) notes: Vec<String>,
}

/// A column with what it held.
pub(super) struct Seen<'a> {
    pub(super) table: &'a Table,
    pub(super) look: &'a Look,
}

impl<'a> Seen<'a> {
    pub(super) fn profile(&self, column: &Column) -> Profile {
        let at = self.table.columns.iter().position(|known| known.name == column.name);
        at.and_then(|at| self.look.columns.get(at)).cloned().unwrap_or_default()
    }

    /// Whether a column can be read as text: no binary by type, none among its values.
    fn is_text(&self, column: &Column) -> bool {
        !matches!(column.ty, Type::Bytes | Type::Vector | Type::Array) && self.profile(column).binary == 0
    }

    /// The column, beside the key, with the longest texts.
    fn longest(&self) -> Option<&'a Column> {
        let length = |at: usize| -> usize {
            let texts = self.look.rows.iter().filter_map(|row| row.values.get(at));
            texts.map(|value| if let Value::Text(text) = value { text.len() } else { 0 }).sum()
        };
        let columns = self.table.columns.iter().enumerate();
        columns
            .filter(|(_, column)| textual(column.ty) && !self.table.primary_key.contains(&column.name))
            .map(|(at, column)| (length(at), column))
            .filter(|(length, _)| *length > 0)
            .max_by_key(|(length, _)| *length)
            .map(|(_, column)| column)
    }

    /// The columns of a field by the guide's two names, as alternatives; else the likeliest other one.
    fn alternatives(&self, field: &str, fits: impl Fn(&Column) -> bool) -> Vec<&'a Column> {
        let names = SYNONYMS.iter().find(|(known, _)| *known == field).map_or(&[][..], |(_, names)| *names);
        let guide: Vec<&Column> =
            named(self.table, &names[..names.len().min(2)]).into_iter().filter(|column| fits(column)).collect();
        if guide.is_empty() { first(self.table, field, fits).into_iter().collect() } else { guide }
    }
}

/// Every entry that the table's columns feed, in the order of the design.
pub(super) fn entries(seen: &Seen<'_>) -> Vec<Entry> {
    let times = Times::new(seen);
    let mut found = Vec::new();
    let mut add = |field, spec: Option<(String, Vec<String>)>| {
        if let Some((spec, notes)) = spec {
            found.push(Entry { field, spec, notes });
        }
    };
    let text = |field: &str| {
        let columns = seen.alternatives(field, |column| seen.is_text(column));
        (!columns.is_empty()).then(|| (names(&columns), Vec::new()))
    };
    add("content", {
        let columns = seen.alternatives("content", |column| textual(column.ty));
        let longest = || {
            let note = "no name says which column is the text: this one holds the longest";
            seen.longest().map(|column| (quote(&column.name), vec![note.to_owned()]))
        };
        if columns.is_empty() { longest() } else { Some((names(&columns), Vec::new())) }
    });
    let plain = "no provenance and no role is needed for a fact; write lesson where role and topic are always there";
    add("kind", Some((inline(&[("value", quote("fact"))]), vec![plain.to_owned()])));
    add("source", Some((inline(&[("value", quote("imported"))]), Vec::new())));
    add("role", text("role"));
    add("topic", text("topic"));
    add("importance", importance(seen));
    add("state", Some(state(seen)));
    add("project_id", project(seen));
    for field in ["commit_sha", "artifact_hash", "source_run_id", "source_task_id", "source_dag_id"] {
        add(field, text(field));
    }
    add("verified_at", times.verified());
    add("pin", flag(seen, "pin"));
    add("is_active", flag(seen, "is_active"));
    add("confidence", confidence(seen));
    add("metadata", metadata(seen));
    add("embedding", embedding(seen));
    add("expires_at", times.expires());
    for field in ["created_at", "updated_at"] {
        add(field, times.plain(field));
    }
    found
}

fn names(columns: &[&Column]) -> String {
    match columns {
        [one] => quote(&one.name),
        some => list(&some.iter().map(|column| quote(&column.name)).collect::<Vec<_>>()),
    }
}

/// The guide's table of states, with what was seen beside it.
fn state(seen: &Seen<'_>) -> (String, Vec<String>) {
    let candidate = inline(&[("value", quote("candidate"))]);
    if let Some(column) = first(seen.table, "state", |column| seen.is_text(column) && column.ty != Type::Json) {
        let mut values: Vec<(String, String)> =
            STATES.iter().map(|(from, to)| ((*from).to_owned(), quote(to))).collect();
        for own in heirloom_store::STATES {
            if !STATES.iter().any(|(from, _)| *from == own) {
                values.push((own.to_owned(), quote(own)));
            }
        }
        let known: Vec<&str> = values.iter().map(|(from, _)| from.as_str()).collect();
        let mut notes = seen_words(&seen.profile(column), &known);
        notes.push("`active` and `approved` may also be `validated`: a human decides upwards".to_owned());
        let pairs: Vec<(&str, String)> = values.iter().map(|(from, to)| (from.as_str(), to.clone())).collect();
        let spec = inline(&[("from", quote(&column.name)), ("values", inline(&pairs)), ("otherwise", quote("keep"))]);
        return (spec, notes);
    }
    let gone = named(seen.table, GONE).into_iter().find(|column| is_flag(seen, column));
    let spec = if let Some(column) = gone {
        let values = ["true", "t", "1"].map(|yes| (yes, quote("archived")));
        inline(&[("from", quote(&column.name)), ("values", inline(&values)), ("otherwise", quote("candidate"))])
    } else if let Some(column) = named(seen.table, GONE_AT).into_iter().find(|column| column.ty != Type::Bytes) {
        inline(&[("from", quote(&column.name)), ("values", "{}".into()), ("otherwise", quote("archived"))])
    } else {
        return (candidate, vec!["the table has no status: where the guide says to start".to_owned()]);
    };
    (list(&[spec, candidate]), vec!["what is gone in the source stays out of sight".to_owned()])
}

/// The words of an enumeration with their counts, and which of them go to metadata.
fn seen_words(profile: &Profile, known: &[&str]) -> Vec<String> {
    let Some(words) = &profile.words else {
        return vec!["more than 64 distinct values: this may be no status at all".to_owned()];
    };
    let is_known = |word: &str| known.contains(&word.trim().to_lowercase().as_str());
    let shown = |listed: bool| -> Vec<String> {
        let words = words.iter().filter(|(word, _)| is_known(word) == listed);
        words.take(12).map(|(word, count)| format!("{} ({count})", quote(word))).collect()
    };
    let mut notes = Vec::new();
    for (listed, head) in [(true, "seen"), (false, "not in the table below, kept raw in metadata")] {
        let words = shown(listed);
        if !words.is_empty() {
            notes.push(format!("{head}: {}", words.join(", ")));
        }
    }
    notes
}

fn importance(seen: &Seen<'_>) -> Option<(String, Vec<String>)> {
    let mut specs = Vec::new();
    for column in all(seen.table, "importance") {
        let profile = seen.profile(column);
        let is_priority = super::synonyms::fold(&column.name) == "priority";
        let scale = |ends: &str| Some(inline(&[("from", quote(&column.name)), ("scale", ends.to_owned())]));
        let whole = profile.whole == profile.values;
        let spec = if profile.values == 0 && !textual(column.ty) && column.ty != Type::Int {
            None
        } else if is_priority && (profile.values == 0 || profile.within(1.0, 10.0)) {
            scale("[1, 10]")
        } else if profile.values == 0 || (whole && profile.within(1.0, 5.0)) {
            Some(quote(&column.name))
        } else {
            let ends = [(0.0, 1.0, "[0, 1]"), (1.0, 10.0, "[1, 10]"), (0.0, 10.0, "[0, 10]"), (0.0, 100.0, "[0, 100]")];
            let ends = ends.iter().find(|(low, high, _)| profile.within(*low, *high));
            ends.and_then(|(_, _, ends)| scale(ends)).or_else(|| words_of_importance(column, &profile))
        };
        specs.extend(spec);
    }
    let notes = vec!["1 to 5; a scale is the source's own range".to_owned()];
    match specs.as_slice() {
        [] => None,
        [one] => Some((one.clone(), notes)),
        some => Some((list(some), notes)),
    }
}

fn words_of_importance(column: &Column, profile: &Profile) -> Option<String> {
    let known = [
        ("low", 2),
        ("minor", 2),
        ("normal", 3),
        ("medium", 3),
        ("high", 4),
        ("major", 4),
        ("critical", 5),
        ("urgent", 5),
    ];
    let words = profile.words.as_ref()?;
    let told = words.keys().any(|word| known.iter().any(|(name, _)| *name == word.trim().to_lowercase()));
    let values = known.map(|(word, rank)| (word, rank.to_string()));
    told.then(|| inline(&[("from", quote(&column.name)), ("values", inline(&values)), ("otherwise", quote("keep"))]))
}

fn project(seen: &Seen<'_>) -> Option<(String, Vec<String>)> {
    let fits = |column: &Column| {
        let profile = seen.profile(column);
        let none = profile.values == 0 && column.ty == Type::Int;
        (textual(column.ty) || matches!(column.ty, Type::Int | Type::Decimal))
            && (none || (profile.whole == profile.values && profile.within(f64::from(i32::MIN), f64::from(i32::MAX))))
    };
    let column = first(seen.table, "project_id", fits)?;
    Some((quote(&column.name), Vec::new()))
}

fn is_flag(seen: &Seen<'_>, column: &Column) -> bool {
    let profile = seen.profile(column);
    let short = matches!(column.ty, Type::Int) || textual(column.ty);
    column.ty == Type::Bool || (short && profile.whole == profile.values && profile.within(0.0, 1.0))
}

fn flag(seen: &Seen<'_>, field: &str) -> Option<(String, Vec<String>)> {
    first(seen.table, field, |column| is_flag(seen, column)).map(|column| (quote(&column.name), Vec::new()))
}

fn confidence(seen: &Seen<'_>) -> Option<(String, Vec<String>)> {
    let fits = |column: &Column| {
        let number = matches!(column.ty, Type::Float32 | Type::Float64 | Type::Decimal | Type::Int);
        (number || textual(column.ty)) && seen.profile(column).within(0.0, 1.0)
    };
    first(seen.table, "confidence", fits).map(|column| (quote(&column.name), Vec::new()))
}

/// The guide keeps layer and type in metadata beside the topic.
fn metadata(seen: &Seen<'_>) -> Option<(String, Vec<String>)> {
    let fits = |column: &&Column| !matches!(column.ty, Type::Bytes | Type::Vector) && seen.profile(column).binary == 0;
    let mut columns: Vec<&Column> = all(seen.table, "metadata").into_iter().filter(fits).collect();
    columns.extend(named(seen.table, &["layer", "type"]).into_iter().filter(fits));
    let merged: Vec<String> = columns.iter().map(|column| quote(&column.name)).collect();
    (!merged.is_empty()).then(|| (inline(&[("merge", list(&merged))]), Vec::new()))
}

fn embedding(seen: &Seen<'_>) -> Option<(String, Vec<String>)> {
    let fits = |column: &Column| {
        matches!(column.ty, Type::Vector | Type::Array | Type::Json | Type::Bytes | Type::Other) || textual(column.ty)
    };
    let column = first(seen.table, "embedding", fits)?;
    let spec = inline(&[("from", quote(&column.name)), ("otherwise", quote("keep"))]);
    Some((spec, vec!["a vector that does not fit stays verbatim in the origin; its text moves".to_owned()]))
}

/// The column whose time a relative end counts from, and what reads it.
pub(super) fn created<'a>(seen: &Seen<'a>) -> Option<(&'a Column, times::Verbs)> {
    all(seen.table, "created_at").into_iter().find_map(|column| Some((column, times::verbs(seen, column)?)))
}

/// Times of verification that the table holds, then of creation.
pub(super) fn verified_times<'a>(seen: &Seen<'a>) -> Vec<(&'a Column, times::Verbs)> {
    let own = named(seen.table, VERIFIED_TIMES);
    own.into_iter().filter_map(|column| Some((column, times::verbs(seen, column)?))).collect()
}
