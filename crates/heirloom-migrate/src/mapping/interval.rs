//! Calendar intervals: read as PostgreSQL reads its own forms, added as PostgreSQL adds them.

use heirloom_store::Moment;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Months, days, microseconds: three parts that do not convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Interval {
    pub(super) months: i32,
    pub(super) days: i32,
    pub(super) micros: i64,
}

impl Interval {
    /// Reads `30 days`, `1 year 2 mons`, `-3 hours`, `12:30:00.5`, `P1Y2M3DT4H`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "" => return None,
            "infinity" => return Some(Self { months: i32::MAX, days: i32::MAX, micros: i64::MAX }),
            "-infinity" => return Some(Self { months: i32::MIN, days: i32::MIN, micros: i64::MIN }),
            _ => {}
        }
        if text.starts_with(['P', 'p']) {
            return Self::iso(text);
        }
        let mut interval = Self::default();
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            if word.contains(':') {
                interval.micros = interval.micros.checked_add(clock(word)?)?;
                continue;
            }
            if word.eq_ignore_ascii_case("ago") {
                interval = Self {
                    months: interval.months.checked_neg()?,
                    days: interval.days.checked_neg()?,
                    micros: interval.micros.checked_neg()?,
                };
                continue;
            }
            let at = word.find(|c: char| c.is_alphabetic()).unwrap_or(word.len());
            let number: f64 = word[..at].parse().ok()?;
            let unit = if at < word.len() { &word[at..] } else { words.next()? };
            interval.add_unit(number, unit)?;
        }
        Some(interval)
    }

    fn add_unit(&mut self, number: f64, unit: &str) -> Option<()> {
        let unit = unit.to_lowercase();
        // `ms` is no plural of `m`.
        let singular = if unit == "ms" { "ms" } else { unit.trim_end_matches('s') };
        let (months, days, micros) = match singular {
            "year" | "yr" | "y" => (12.0, 0.0, 0.0),
            "mon" | "month" => (1.0, 0.0, 0.0),
            "week" | "w" => (0.0, 7.0, 0.0),
            "day" | "d" => (0.0, 1.0, 0.0),
            "hour" | "hr" | "h" => (0.0, 0.0, 3.6e9),
            "minute" | "min" | "m" => (0.0, 0.0, 6e7),
            "second" | "sec" | "" => (0.0, 0.0, 1e6),
            "millisecond" | "msec" | "ms" => (0.0, 0.0, 1e3),
            _ => return None,
        };
        self.months = self.months.checked_add(whole(number * months)?)?;
        let days = number * days;
        self.days = self.days.checked_add(whole(days.trunc())?)?;
        let micros = number * micros + days.fract() * 8.64e10;
        #[expect(clippy::cast_possible_truncation, reason = "checked to be within 64 bits")]
        let micros = (micros.abs() < 9e18).then(|| micros.round() as i64)?;
        self.micros = self.micros.checked_add(micros)?;
        Some(())
    }

    fn iso(text: &str) -> Option<Self> {
        let span: Span = text.to_uppercase().parse().ok()?;
        Some(Self {
            months: i32::from(span.get_years()) * 12 + span.get_months(),
            days: span.get_weeks() * 7 + span.get_days(),
            micros: i64::from(span.get_hours())
                .checked_mul(3_600_000_000)?
                .checked_add(span.get_minutes().checked_mul(60_000_000)?)?
                .checked_add(span.get_seconds().checked_mul(1_000_000)?)?
                .checked_add(span.get_milliseconds().checked_mul(1_000)?)?
                .checked_add(span.get_microseconds())?,
        })
    }

    /// `since` plus this, in UTC: months first (the day is clamped to the month), then days, then time.
    pub(super) fn after(self, since: Moment) -> Option<Moment> {
        let Moment::Micros(micros) = since else { return Some(since) };
        // How PostgreSQL 17 and later keep `infinity`.
        match (self.months, self.days, self.micros) {
            (i32::MAX, i32::MAX, i64::MAX) => return Some(Moment::Infinity),
            (i32::MIN, i32::MIN, i64::MIN) => return Some(Moment::NegativeInfinity),
            _ => {}
        }
        if self.months == 0 {
            let days = i64::from(self.days).checked_mul(86_400_000_000)?;
            return Some(Moment::Micros(micros.checked_add(days)?.checked_add(self.micros)?));
        }
        let start: DateTime = Timestamp::from_microsecond(micros).ok()?.to_zoned(TimeZone::UTC).datetime();
        let moved = start
            .checked_add(Span::new().try_months(self.months).ok()?)
            .ok()?
            .checked_add(Span::new().try_days(self.days).ok()?)
            .ok()?;
        let moved = moved.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond();
        Some(Moment::Micros(moved.checked_add(self.micros)?))
    }
}

fn whole(number: f64) -> Option<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be within 32 bits and whole")]
    (number.fract() == 0.0 && number.abs() < 2e9).then_some(number as i32)
}

fn clock(word: &str) -> Option<i64> {
    let (sign, word) = word.strip_prefix('-').map_or((1, word), |rest| (-1, rest));
    let mut parts = word.split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().map_or(Some(0.0), |seconds| seconds.parse().ok())?;
    if parts.next().is_some() || !(0.0..60.0).contains(&seconds) || !(0..60).contains(&minutes) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below a minute")]
    let micros = (seconds * 1e6).round() as i64;
    Some(sign * (hours.checked_mul(3_600_000_000)?.checked_add(minutes * 60_000_000)?.checked_add(micros)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(months: i32, days: i32, micros: i64) -> Option<Interval> {
        Some(Interval { months, days, micros })
    }

    #[test]
    fn postgresql_s_own_forms_are_read() {
        assert_eq!(Interval::parse("30 days"), of(0, 30, 0));
        assert_eq!(Interval::parse("1 year 2 mons"), of(14, 0, 0));
        assert_eq!(Interval::parse("12 years 6 months 3 days"), of(150, 3, 0));
        assert_eq!(Interval::parse("2 weeks"), of(0, 14, 0));
        assert_eq!(Interval::parse("12:00:00"), of(0, 0, 43_200_000_000));
        assert_eq!(Interval::parse("1 day -01:30"), of(0, 1, -5_400_000_000));
        assert_eq!(Interval::parse("90d"), of(0, 90, 0));
        assert_eq!(Interval::parse("1.5 hours"), of(0, 0, 5_400_000_000));
        for text in ["500ms", "500 ms", "500 msecs", "500 milliseconds", "0.5s", "0.5 secs"] {
            assert_eq!(Interval::parse(text), of(0, 0, 500_000), "{text}");
        }
        assert_eq!(Interval::parse("3m"), of(0, 0, 180_000_000));
        assert_eq!(Interval::parse("P1Y2M3DT4H"), of(14, 3, 14_400_000_000));
        for text in ["", "soon", "3", "5 parsecs", "1 day maybe", "1:2:3:4"] {
            assert_eq!(Interval::parse(text), None, "{text}");
        }
    }

    #[test]
    fn months_clamp_to_the_end_of_the_month() {
        let start = Moment::from_timestamp("2026-01-31T10:00:00Z".parse().unwrap());
        let end = Moment::from_timestamp("2026-02-28T10:00:00Z".parse().unwrap());
        assert_eq!(Interval { months: 1, days: 0, micros: 0 }.after(start), Some(end));
        assert_eq!(Interval { months: 1, days: 0, micros: 0 }.after(Moment::Infinity), Some(Moment::Infinity));
        assert_eq!(Interval { months: 0, days: i32::MAX, micros: i64::MAX }.after(start), None);
    }

    #[test]
    fn turning_the_lowest_number_around_is_no_interval() {
        assert_eq!(Interval::parse("-1500000000 mons -647483648 mons ago"), None);
    }

    #[test]
    fn what_never_ends_has_no_end() {
        let since = Moment::Micros(0);
        assert_eq!(Interval::parse(" infinity ").unwrap().after(since), Some(Moment::Infinity));
        assert_eq!(Interval::parse("-infinity").unwrap().after(since), Some(Moment::NegativeInfinity));
    }
}
