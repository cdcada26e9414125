//! Times as tables keep them: typed, as text with and without a zone, as epochs of any unit, as times to live.

use super::fields::{Seen, created, verified_times};
use super::look::textual;
use super::score::{all, first};
use super::synonyms::fold;
use super::write::{inline, list, quote};
use crate::source::{Column, Type};

/// Names that count from another time, whatever the size of their numbers.
const RELATIVE: &[&str] = &["ttl", "ttl_seconds", "ttl_secs", "expires_in", "retention", "max_age"];
/// Below this a number is no time since 1970 (3 March 1973 in seconds).
const LEAST_EPOCH: f64 = 1e8;

/// What a column needs to be read as a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verbs {
    /// A wall clock: its zone is a guess.
    zone: bool,
    epoch: Option<&'static str>,
    /// Some values are no times.
    keep: bool,
}

impl Verbs {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let zone = self.zone.then(|| ("zone", quote("UTC")));
        zone.into_iter().chain(self.epoch.map(|unit| ("epoch", quote(unit)))).collect()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.zone {
            notes.push(
                "these times say no zone, and UTC is a guess: write the writer's own, e.g. Europe/Berlin".to_owned(),
            );
        }
        if let Some(unit) = self.epoch {
            notes.push(format!("numbers of this size count {unit} since 1970"));
        }
        if self.keep {
            notes.push("some values are no times: they are kept raw in metadata".to_owned());
        }
        notes
    }

    /// Verbs that read both, when there are any.
    fn and(&self, other: &Self) -> Option<Self> {
        (self.epoch == other.epoch).then_some(Self { zone: self.zone || other.zone, epoch: self.epoch, keep: false })
    }
}

/// What reads a column as a time; `None` when it holds no times.
pub(super) fn verbs(seen: &Seen<'_>, column: &Column) -> Option<Verbs> {
    let profile = seen.profile(column);
    match column.ty {
        Type::Moment => Some(Verbs::default()),
        Type::LocalTime | Type::Date => Some(Verbs { zone: true, ..Verbs::default() }),
        Type::Int | Type::Decimal | Type::Float32 | Type::Float64 if profile.values == 0 => {
            Some(Verbs { epoch: Some("s"), ..Verbs::default() })
        }
        Type::Int | Type::Decimal | Type::Float32 | Type::Float64 => epoch(&profile),
        Type::Text | Type::Dynamic | Type::Other if profile.values == 0 => {
            Some(Verbs { zone: true, ..Verbs::default() })
        }
        Type::Text | Type::Dynamic if profile.is_number() => epoch(&profile),
        Type::Text | Type::Dynamic | Type::Other => profile.is_time().then(|| Verbs {
            zone: profile.clocks > 0,
            epoch: None,
            keep: profile.moments + profile.clocks < profile.values,
        }),
        _ => None,
    }
}

fn epoch(profile: &super::look::Profile) -> Option<Verbs> {
    let (low, high) = profile.range?;
    let size = low.abs().max(high.abs());
    let unit = match size {
        size if size < LEAST_EPOCH => return None,
        size if size < 1e11 => "s",
        size if size < 1e14 => "ms",
        size if size < 1e17 => "us",
        _ => "ns",
    };
    Some(Verbs { epoch: Some(unit), ..Verbs::default() })
}

/// Entries about times.
pub(super) struct Times<'a> {
    seen: &'a Seen<'a>,
}

impl<'a> Times<'a> {
    pub(super) fn new(seen: &'a Seen<'a>) -> Self {
        Self { seen }
    }

    /// A field that is a moment of its own.
    pub(super) fn plain(&self, field: &str) -> Option<(String, Vec<String>)> {
        let found = all(self.seen.table, field);
        let (column, verbs) = found.into_iter().find_map(|column| Some((column, verbs(self.seen, column)?)))?;
        Some((moment(column, &verbs), verbs.notes()))
    }

    /// The guide's rule: the time of verification where there is one, else of creation; nothing where the flag says no.
    pub(super) fn verified(&self) -> Option<(String, Vec<String>)> {
        let own = verified_times(self.seen);
        let flag = first(self.seen.table, "verified_at", |column| {
            !matches!(column.ty, Type::Bytes | Type::Vector | Type::Json | Type::Array)
        });
        let Some(flag) = flag else {
            let (column, verbs) = own.first()?;
            return Some((moment(column, verbs), verbs.notes()));
        };
        let (mut columns, mut reading) = (Vec::new(), None::<Verbs>);
        for (column, verbs) in own.into_iter().chain(created(self.seen)) {
            let both =
                reading.as_ref().map_or_else(|| Some(Verbs { keep: false, ..verbs.clone() }), |now| now.and(&verbs));
            if let Some(both) = both {
                columns.push(quote(&column.name));
                reading = Some(both);
            }
        }
        let reading = reading?;
        let mut pairs = vec![("from", quote(&flag.name)), ("when_true", list(&columns))];
        pairs.extend(reading.pairs());
        Some((inline(&pairs), reading.notes()))
    }

    /// Ends: moments as they are, times to live counted from the row's own creation.
    pub(super) fn expires(&self) -> Option<(String, Vec<String>)> {
        let since = created(self.seen);
        let (mut specs, mut notes) = (Vec::new(), Vec::new());
        for column in all(self.seen.table, "expires_at") {
            let profile = self.seen.profile(column);
            let number = matches!(column.ty, Type::Int | Type::Decimal | Type::Float32 | Type::Float64)
                || (textual(column.ty) && profile.is_number());
            let is_relative = RELATIVE.contains(&fold(&column.name).as_str());
            let absolute = verbs(self.seen, column).filter(|_| !(is_relative && (number || profile.values == 0)));
            if let Some(verbs) = absolute {
                let mut pairs = vec![("from", quote(&column.name)), ("ttl", quote("absolute"))];
                pairs.extend(verbs.pairs());
                specs.push(inline(&pairs));
                notes.extend(Verbs { keep: false, ..verbs }.notes());
                continue;
            }
            let ttl = match column.ty {
                Type::Interval => "interval",
                _ if number || fold(&column.name).contains("sec") => "seconds",
                Type::Text | Type::Dynamic | Type::Other => "interval",
                _ => continue,
            };
            match &since {
                Some((created, reading)) => {
                    let mut pairs =
                        vec![("from", quote(&column.name)), ("ttl", quote(ttl)), ("since", quote(&created.name))];
                    pairs.extend(reading.pairs());
                    specs.push(inline(&pairs));
                    notes.push("counted from the row's own creation, never from the day of the migration".to_owned());
                }
                None => {
                    notes.push(format!("{} has nothing to count from: it stays in the origin", quote(&column.name)))
                }
            }
        }
        notes.dedup();
        match specs.as_slice() {
            [] => None,
            [one] => Some((one.clone(), notes)),
            some => Some((list(some), notes)),
        }
    }
}

fn moment(column: &Column, verbs: &Verbs) -> String {
    let mut pairs = vec![("from", quote(&column.name))];
    pairs.extend(verbs.pairs());
    if verbs.keep {
        pairs.push(("otherwise", quote("keep")));
    }
    if pairs.len() == 1 { quote(&column.name) } else { inline(&pairs) }
}
