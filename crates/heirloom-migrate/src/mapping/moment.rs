//! Moments from whatever a source keeps: instants, wall clocks with a declared zone, epochs, ISO text.

use heirloom_store::Moment;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::file::Epoch;
use crate::value::Value;

/// How a column's values are read as moments.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    pub(super) zone: Option<TimeZone>,
    pub(super) epoch: Option<Epoch>,
}

/// Why a value is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoMoment {
    /// Not a time at all, or one that needs a zone or an epoch the file does not give.
    Type,
    /// Outside what can be kept.
    Range,
}

impl Reading {
    /// The moment of a value that is not null, within what PostgreSQL can keep. A zone may move one over the edge.
    pub(super) fn moment(&self, value: &Value) -> Result<Moment, NoMoment> {
        self.read(value)
            .and_then(|moment| if moment.is_known_to_postgresql() { Ok(moment) } else { Err(NoMoment::Range) })
    }

    fn read(&self, value: &Value) -> Result<Moment, NoMoment> {
        match value {
            Value::Moment(moment) => Ok(*moment),
            Value::LocalTime(Moment::Micros(micros)) => {
                let clock = Timestamp::from_microsecond(*micros).map_err(|_| NoMoment::Range)?;
                self.local(clock.to_zoned(TimeZone::UTC).datetime())
            }
            Value::LocalTime(infinity) => Ok(*infinity),
            Value::Date(days) => {
                // PostgreSQL's dates reach further than its timestamps.
                let micros = i64::from(*days).checked_mul(86_400_000_000).ok_or(NoMoment::Range)?;
                self.read(&Value::LocalTime(Moment::Micros(micros)))
            }
            Value::Int(number) => self.epoch(i128::from(*number) * 1_000_000_000),
            Value::Float64(number) if number.is_finite() => self.float(*number),
            Value::Float32(number) if number.is_finite() => self.float(f64::from(*number)),
            Value::Decimal(text) => self.decimal(text),
            Value::Text(text) | Value::Other(text) => self.text(text.trim()),
            _ => Err(NoMoment::Type),
        }
    }

    /// A wall clock in the declared zone. Twice-told hours are standard time and skipped ones are moved forward, as
    /// PostgreSQL does.
    fn local(&self, clock: DateTime) -> Result<Moment, NoMoment> {
        let zone = self.zone.as_ref().ok_or(NoMoment::Type)?;
        let instant = zone.to_ambiguous_timestamp(clock).later().map_err(|_| NoMoment::Range)?;
        Ok(Moment::Micros(instant.as_microsecond()))
    }

    /// A count since 1970 in billionths of the declared unit, rounded half to even below a microsecond.
    fn epoch(&self, billionths: i128) -> Result<Moment, NoMoment> {
        let nanos = match self.epoch.ok_or(NoMoment::Type)? {
            Epoch::Seconds => billionths,
            Epoch::Millis => round(billionths, 1_000),
            Epoch::Micros => round(billionths, 1_000_000),
            Epoch::Nanos => round(billionths, 1_000_000_000),
        };
        i64::try_from(round(nanos, 1_000)).map(Moment::Micros).map_err(|_| NoMoment::Range)
    }

    fn float(&self, number: f64) -> Result<Moment, NoMoment> {
        if number.abs() > 1e19 {
            return Err(NoMoment::Range);
        }
        // The shortest decimal that reads back as the float is what its writer meant.
        self.decimal(&format!("{number}"))
    }

    fn decimal(&self, text: &str) -> Result<Moment, NoMoment> {
        let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if !whole.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(NoMoment::Type);
        }
        let whole: i128 = whole.parse().map_err(|_| NoMoment::Type)?;
        let fraction: String = format!("{fraction:0<9}").chars().take(9).collect();
        let fraction: i128 = fraction.parse().map_err(|_| NoMoment::Type)?;
        let billionths =
            whole.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(fraction)).ok_or(NoMoment::Range)?;
        self.epoch(sign * billionths)
    }

    fn text(&self, text: &str) -> Result<Moment, NoMoment> {
        match text {
            "infinity" | "Infinity" => return Ok(Moment::Infinity),
            "-infinity" | "-Infinity" => return Ok(Moment::NegativeInfinity),
            _ => {}
        }
        if self.epoch.is_some() && !text.is_empty() {
            return self.decimal(text);
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(Moment::from_timestamp(rounded(instant)?));
        }
        // PostgreSQL writes the offset as `+00`, which ISO readers want as `+00:00`.
        if let Some(at) = text.rfind(['+', '-']).filter(|&at| at > 10 && text.len() - at == 3)
            && let Ok(instant) = format!("{}{}:00", &text[..at], &text[at..]).parse::<Timestamp>()
        {
            return Ok(Moment::from_timestamp(rounded(instant)?));
        }
        // With the zone's name behind it, by the name, or as letters have it.
        let zoned = text.parse::<Zoned>().or_else(|_| rfc2822::parse(text));
        if let Ok(zoned) = zoned {
            return Ok(Moment::from_timestamp(rounded(zoned.timestamp())?));
        }
        if let Some(clock) = ["UTC", "GMT"].iter().find_map(|zone| text.strip_suffix(zone)) {
            let clock: DateTime = clock.trim_end().parse().map_err(|_| NoMoment::Type)?;
            return Self { zone: Some(TimeZone::UTC), epoch: None }.local(clock);
        }
        let clock: DateTime = text.parse().map_err(|_| NoMoment::Type)?;
        self.local(clock)
    }
}

/// To whole microseconds, half to even, as PostgreSQL rounds what it reads.
fn rounded(instant: Timestamp) -> Result<Timestamp, NoMoment> {
    let micros = i64::try_from(round(instant.as_nanosecond(), 1_000)).map_err(|_| NoMoment::Range)?;
    Timestamp::from_microsecond(micros).map_err(|_| NoMoment::Range)
}

fn round(number: i128, by: i128) -> i128 {
    let (quotient, rest) = (number.div_euclid(by), number.rem_euclid(by));
    match (rest * 2).cmp(&by) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + (quotient & 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::from_timestamp(text.parse().unwrap())
    }

    #[test]
    fn a_wall_clock_needs_a_zone_and_follows_postgresql_at_the_seams() {
        let pacific = Reading { zone: Some(TimeZone::get("America/Los_Angeles").unwrap()), epoch: None };
        for (clock, instant) in [
            ("2026-07-01 12:00:00", "2026-07-01T19:00:00Z"),
            // Told twice: standard time.
            ("2026-11-01 01:30:00", "2026-11-01T09:30:00Z"),
            // Never told: moved forward.
            ("2026-03-08 02:30:00", "2026-03-08T10:30:00Z"),
        ] {
            assert_eq!(pacific.moment(&Value::Text(clock.into())), Ok(at(instant)), "{clock}");
        }
        assert_eq!(Reading::default().moment(&Value::Text("2026-07-01 12:00:00".into())), Err(NoMoment::Type));
    }

    #[test]
    fn epochs_keep_microseconds() {
        let epoch = |unit| Reading { zone: None, epoch: Some(unit) };
        assert_eq!(
            epoch(Epoch::Millis).moment(&Value::Int(1_765_440_000_123)),
            Ok(Moment::Micros(1_765_440_000_123_000))
        );
        assert_eq!(
            epoch(Epoch::Seconds).moment(&Value::Float64(1_767_225_600.123)),
            Ok(Moment::Micros(1_767_225_600_123_000))
        );
        assert_eq!(epoch(Epoch::Nanos).moment(&Value::Int(1_500)), Ok(Moment::Micros(2)));
        assert_eq!(
            epoch(Epoch::Seconds).moment(&Value::Text("1755000000.123".into())),
            Ok(Moment::Micros(1_755_000_000_123_000))
        );
        assert_eq!(Reading::default().moment(&Value::Int(5)), Err(NoMoment::Type));
    }

    #[test]
    fn iso_text_with_an_offset_is_an_instant() {
        let plain = Reading::default();
        let expected = Ok(at("2026-05-24T08:05:00.123456Z"));
        for text in
            ["2026-05-24T08:05:00.123456Z", "2026-05-24 08:05:00.123456+00", "2026-05-24T10:05:00.1234564+02:00"]
        {
            assert_eq!(plain.moment(&Value::Text(text.into())), expected, "{text}");
        }
        let zoned = Ok(at("2026-05-24T08:05:00Z"));
        for text in [
            "2026-05-24T10:05:00+02:00[Europe/Zurich]",
            "2026-05-24T10:05[Europe/Zurich]",
            "Sun, 24 May 2026 10:05:00 +0200",
            "2026-05-24 08:05:00 UTC",
            "2026-05-24T08:05:00GMT",
        ] {
            assert_eq!(plain.moment(&Value::Text(text.into())), zoned, "{text}");
        }
        assert_eq!(plain.moment(&Value::Text("2026-05-24 08:05:00 CEST".into())), Err(NoMoment::Type));
        assert_eq!(plain.moment(&Value::Bool(true)), Err(NoMoment::Type));
        assert_eq!(plain.moment(&Value::Text("yesterday".into())), Err(NoMoment::Type));
    }

    #[test]
    fn a_date_beyond_the_range_of_timestamps_is_out_of_range() {
        let utc = Reading { zone: Some(TimeZone::UTC), epoch: None };
        for days in [i32::MAX, i32::MIN] {
            assert_eq!(utc.moment(&Value::Date(days)), Err(NoMoment::Range));
        }
    }

    #[test]
    fn a_wall_clock_that_its_zone_moves_before_the_calendar_is_out_of_range() {
        let first = Value::LocalTime(Moment::Micros(-210_866_803_200_000_000));
        let at = |zone| Reading { zone: Some(TimeZone::get(zone).unwrap()), epoch: None }.moment(&first);
        assert_eq!(at("Europe/Zurich"), Err(NoMoment::Range));
        assert_eq!(at("UTC"), Ok(Moment::Micros(-210_866_803_200_000_000)));
        let millis = Reading { zone: None, epoch: Some(Epoch::Millis) };
        assert_eq!(millis.moment(&Value::Int(-999_999_999_999_999)), Err(NoMoment::Range));
    }

    #[test]
    fn an_epoch_at_the_edge_of_the_arithmetic_is_out_of_range() {
        let seconds = Reading { zone: None, epoch: Some(Epoch::Seconds) };
        let text = format!("{}.999999999", i128::MAX / 1_000_000_000);
        assert_eq!(seconds.moment(&Value::Decimal(text)), Err(NoMoment::Range));
        assert_eq!(seconds.moment(&Value::Decimal("--5".into())), Err(NoMoment::Type));
    }
}
