//! One compiled field: its alternatives, and what a row gives them.

use std::collections::HashMap;

use heirloom_store::Moment;
use serde_json::Value as Json;

use super::convert::{self, Misfit};
use super::field::Kind;
use super::interval::Interval;
use super::moment::{NoMoment, Reading};
use super::{Note, Reject, RejectCode};
use crate::file::{Otherwise, Ttl};
use crate::source::Table;
use crate::value::{SourceRow, Value};

/// A value for a memory field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    Text(String),
    Integer(i64),
    Share(f32),
    Bool(bool),
    Moment(Moment),
    Json(Json),
    Vector(Vec<f32>),
}

/// Where an alternative takes its value from.
#[derive(Debug, Clone)]
pub(super) enum Input {
    /// The same for every row, checked when the file was compiled.
    Constant(Said),
    /// A column or a computed expression, by its place in the row.
    Cell(usize),
    /// Several columns merged into one JSON object.
    Merge(Vec<usize>),
}

/// One alternative of a field.
#[derive(Debug, Clone)]
pub(super) struct Alternative {
    pub(super) input: Input,
    /// Folded source value to the field's own.
    pub(super) values: Option<HashMap<String, String>>,
    pub(super) otherwise: Option<Otherwise>,
    pub(super) scale: Option<(f64, f64)>,
    pub(super) ttl: Option<Ttl>,
    pub(super) since: Option<usize>,
    pub(super) when_true: Option<Vec<usize>>,
    pub(super) reading: Reading,
    pub(super) model: Option<String>,
    pub(super) unpad: Option<usize>,
}

/// A compiled field.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) field: &'static str,
    pub(super) kind: Kind,
    pub(super) alternatives: Vec<Alternative>,
}

/// What a rule gives for a row.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) said: Option<Said>,
    pub(super) model: Option<String>,
    /// Raw values that did not fit, for metadata under their columns' names.
    pub(super) kept: Vec<(String, Json)>,
    pub(super) notes: Vec<Note>,
}

/// Case and outer white space do not tell values apart.
pub(crate) fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

impl Rule {
    /// The first alternative that says something.
    pub(super) fn give(&self, row: &SourceRow, table: &Table, dimension: usize) -> Result<Given, Reject> {
        let mut given = Given::default();
        for (i, alternative) in self.alternatives.iter().enumerate() {
            let cell = Cells { row, table };
            let found = match alternative.evaluate(self.kind, cell, dimension, &mut given) {
                Ok(found) => found,
                // Text may say it in either of the ways the file gives for this column; the last one is the verdict.
                Err(_) if self.alternatives[i + 1..].iter().any(|later| later.reads_as(alternative)) => continue,
                Err((misfit, column)) => {
                    return Err(Reject {
                        code: misfit.0,
                        field: Some(self.field.to_owned()),
                        column: column.and_then(|i| cell.name(i)),
                        message: misfit.1,
                    });
                }
            };
            if found.is_some() {
                given.said = found;
                given.model.clone_from(&alternative.model);
                break;
            }
        }
        Ok(given)
    }
}

#[derive(Clone, Copy)]
struct Cells<'a> {
    row: &'a SourceRow,
    table: &'a Table,
}

impl<'a> Cells<'a> {
    fn get(self, i: usize) -> &'a Value {
        self.row.values.get(i).unwrap_or(&Value::Null)
    }

    fn name(self, i: usize) -> Option<String> {
        self.table.columns.get(i).map(|column| column.name.clone())
    }
}

/// What is wrong, and with which cell.
type Wrong = (Misfit, Option<usize>);

impl Alternative {
    /// Whether both read the same cell.
    fn reads_as(&self, other: &Self) -> bool {
        matches!((&self.input, &other.input), (Input::Cell(own), Input::Cell(others)) if own == others)
    }

    fn evaluate(
        &self,
        kind: Kind,
        cells: Cells<'_>,
        dimension: usize,
        given: &mut Given,
    ) -> Result<Option<Said>, Wrong> {
        let place = match &self.input {
            Input::Constant(said) => return Ok(Some(said.clone())),
            Input::Merge(columns) => return merge(columns, cells, given),
            Input::Cell(place) => *place,
        };
        let value = cells.get(place);
        if let Some(times) = &self.when_true {
            return self.first_time(value, times, cells);
        }
        if value.is_null() {
            return Ok(self.instead(kind));
        }
        self.read(kind, value, cells, dimension, given)
            .or_else(|misfit| match &self.otherwise {
                // The vector stays in the origin; in metadata it would be found by nobody.
                Some(Otherwise::Keep) if kind == Kind::Vector => {
                    given.notes.push(Note::NeedsEmbedding);
                    Ok(None)
                }
                Some(Otherwise::Keep) => keep(value, place, cells, given).map(|()| None),
                Some(Otherwise::Value(_)) => Ok(self.instead(kind)),
                Some(Otherwise::Reject) | None => Err(misfit),
            })
            .map_err(|misfit| (misfit, Some(place)))
    }

    /// What a value that is there says, by the verbs of the file.
    fn read(
        &self,
        kind: Kind,
        value: &Value,
        cells: Cells<'_>,
        dimension: usize,
        given: &mut Given,
    ) -> Result<Option<Said>, Misfit> {
        if let Some(values) = &self.values {
            return self.listed(kind, value, values).map(Some);
        }
        if let Some(ttl) = self.ttl {
            return self.end(ttl, value, cells).map(|moment| Some(Said::Moment(moment)));
        }
        match kind {
            Kind::Vector => self.vector(value, dimension).map(|elements| Some(Said::Vector(elements))),
            Kind::Integer(..) if self.scale.is_some() => self.scaled(kind, value, given),
            Kind::Json => {
                let json = convert::json(value)?;
                if json.is_null() {
                    given.notes.push(Note::JsonNull);
                    return Ok(None);
                }
                Ok(Some(Said::Json(json)))
            }
            _ => convert_to(kind, value, &self.reading).map(Some),
        }
    }

    /// What the file says for a row whose source says nothing; checked when the file was compiled.
    fn instead(&self, kind: Kind) -> Option<Said> {
        let Some(Otherwise::Value(text)) = &self.otherwise else { return None };
        convert_to(kind, &Value::Text(text.clone()), &Reading::default()).ok()
    }

    /// A value map: the listed value.
    fn listed(&self, kind: Kind, value: &Value, values: &HashMap<String, String>) -> Result<Said, Misfit> {
        match convert::plain_text(value).and_then(|text| values.get(&fold(&text))) {
            Some(mapped) => convert_to(kind, &Value::Text(mapped.clone()), &self.reading),
            None => Err((RejectCode::UnmappedValue, "a value that the file's `values` does not list".into())),
        }
    }

    /// The first of the columns that has a time, when the flag says yes. Otherwise nothing: no time is invented.
    fn first_time(&self, flag: &Value, times: &[usize], cells: Cells<'_>) -> Result<Option<Said>, Wrong> {
        let listed = self.values.as_ref().and_then(|values| values.get(&fold(&convert::plain_text(flag)?)));
        let says_yes = match listed {
            Some(word) => convert::truthy(&Value::Text(word.clone())),
            None => convert::truthy(flag),
        };
        if !says_yes {
            return Ok(None);
        }
        for &place in times {
            let value = cells.get(place);
            if !value.is_null() {
                return convert_to(Kind::Moment, value, &self.reading)
                    .map(Some)
                    .map_err(|misfit| (misfit, Some(place)));
            }
        }
        Ok(None)
    }

    /// When a row ends: a moment of its own, or a time to live after `since`.
    fn end(&self, ttl: Ttl, value: &Value, cells: Cells<'_>) -> Result<Moment, Misfit> {
        let interval = match ttl {
            Ttl::Absolute => return moment(value, &self.reading),
            Ttl::Interval => match value {
                Value::Interval { months, days, micros } => {
                    Some(Interval { months: *months, days: *days, micros: *micros })
                }
                Value::Text(text) | Value::Other(text) => Interval::parse(text),
                _ => None,
            },
            Ttl::Seconds => match convert::number(value) {
                Some(seconds) if seconds.abs() >= 9e12 => return Err(beyond()),
                number => number.map(|seconds| {
                    #[expect(clippy::cast_possible_truncation, reason = "checked to be within 64 bits")]
                    let micros = (seconds * 1e6).round() as i64;
                    Interval { months: 0, days: 0, micros }
                }),
            },
        };
        let interval = interval.ok_or_else(|| {
            (RejectCode::TypeMismatch, format!("a value of type {} that is no time to live", value.type_name()))
        })?;
        let since = self.since.map_or(&Value::Null, |place| cells.get(place));
        if since.is_null() {
            let message = "a time to live with nothing to count from: the column of `since` is null".to_owned();
            return Err((RejectCode::FieldMissing, message));
        }
        let since = moment(since, &self.reading)?;
        interval.after(since).filter(|end| end.is_known_to_postgresql()).ok_or_else(beyond)
    }

    /// Linear from the source's range to the field's own; half rounds up.
    fn scaled(&self, kind: Kind, value: &Value, given: &mut Given) -> Result<Option<Said>, Misfit> {
        let (Some((low, high)), Kind::Integer(to_low, to_high)) = (self.scale, kind) else {
            return Err(convert::mismatch(value, kind));
        };
        let number = convert::number(value).ok_or_else(|| convert::mismatch(value, kind))?;
        if !(low..=high).contains(&number) {
            return Err((RejectCode::OutOfRange, format!("a number outside the scale {low} to {high}")));
        }
        #[expect(clippy::cast_precision_loss, reason = "the ranges of fields with a scale are small")]
        let (to_low, to_high) = (to_low as f64, to_high as f64);
        let exact = to_low + (number - low) * (to_high - to_low) / (high - low);
        let rounded = (exact + 0.5).floor();
        if (exact - rounded).abs() > 1e-9 {
            given.notes.push(Note::Rounded);
        }
        #[expect(clippy::cast_possible_truncation, reason = "within the field's own small range")]
        Ok(Some(Said::Integer(rounded as i64)))
    }

    fn vector(&self, value: &Value, dimension: usize) -> Result<Vec<f32>, Misfit> {
        let mut elements = convert::vector(value)?;
        if let Some(width) = self.unpad {
            if elements.len() < width || elements[width..].iter().any(|element| *element != 0.0) {
                let message = format!("a vector of {} with values beyond {width}", elements.len());
                return Err((RejectCode::Dimension, message));
            }
            elements.truncate(width);
        }
        if elements.len() > dimension {
            let message =
                format!("a vector of {} for a store of {dimension}; narrower ones are padded", elements.len());
            return Err((RejectCode::Dimension, message));
        }
        Ok(elements)
    }
}

fn beyond() -> Misfit {
    (RejectCode::OutOfRange, "an end beyond the range of timestamps".into())
}

fn keep(value: &Value, place: usize, cells: Cells<'_>, given: &mut Given) -> Result<(), Misfit> {
    given.notes.push(Note::ValueKept);
    if let Some(name) = cells.name(place) {
        let raw = convert::json(value).or_else(|misfit| match value {
            // JSON that jsonb refuses is text all the same.
            Value::Json(text) if misfit.0 == RejectCode::InvalidJson && !text.contains('\0') => {
                Ok(Json::String(text.clone()))
            }
            _ => Err(misfit),
        })?;
        given.kept.push((name, raw));
    }
    Ok(())
}

fn merge(columns: &[usize], cells: Cells<'_>, given: &mut Given) -> Result<Option<Said>, Wrong> {
    let mut parts = Vec::with_capacity(columns.len());
    for &place in columns {
        let value = cells.get(place);
        if value.is_null() {
            continue;
        }
        let json = convert::json(value).map_err(|misfit| (misfit, Some(place)))?;
        if json.is_null() {
            given.notes.push(Note::JsonNull);
        }
        // Bytes and numbers like NaN become objects by our own spelling, and those are values of their column.
        let is_said = matches!(value, Value::Json(_) | Value::Text(_));
        parts.push((cells.name(place).unwrap_or_default(), json, is_said));
    }
    let parts = parts.iter().map(|(name, json, is_said)| (name.as_str(), json.clone(), *is_said));
    Ok(convert::merge(parts).map(Said::Json))
}

fn moment(value: &Value, reading: &Reading) -> Result<Moment, Misfit> {
    reading.moment(value).map_err(|no| match no {
        NoMoment::Type => convert::mismatch(value, Kind::Moment),
        NoMoment::Range => (RejectCode::OutOfRange, "a time beyond the range of timestamps".into()),
    })
}

/// A value as the field's type, without any verb.
pub(super) fn convert_to(kind: Kind, value: &Value, reading: &Reading) -> Result<Said, Misfit> {
    Ok(match kind {
        Kind::Text => Said::Text(convert::text(value)?),
        Kind::Label(most) => Said::Text(convert::label(value, most)?),
        Kind::Word(words) => {
            let text = fold(&convert::text(value)?);
            if !words.contains(&text.as_str()) {
                return Err((
                    RejectCode::UnmappedValue,
                    format!("a word that the field does not know; accepted: {}", kind.accepted()),
                ));
            }
            Said::Text(text)
        }
        Kind::Integer(..) => Said::Integer(convert::integer(value, kind)?),
        Kind::Share => {
            let share = convert::number(value).ok_or_else(|| convert::mismatch(value, kind))?;
            if !(0.0..=1.0).contains(&share) {
                return Err((RejectCode::OutOfRange, "a number outside 0 to 1".into()));
            }
            #[expect(clippy::cast_possible_truncation, reason = "the column is single precision")]
            Said::Share(share as f32)
        }
        Kind::Bool => Said::Bool(convert::boolean(value)?),
        Kind::Moment => Said::Moment(moment(value, reading)?),
        Kind::Json => Said::Json(convert::json(value)?),
        Kind::Vector => Said::Vector(convert::vector(value)?),
    })
}
