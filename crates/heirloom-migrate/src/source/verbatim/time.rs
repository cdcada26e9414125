//! Times as PostgreSQL prints them in ISO style, over its whole range (4713 BC to 294276 AD), and back.

use heirloom_store::Moment;

const DAY: i64 = 86_400_000_000;

/// `2026-05-24 08:05:00.123456+00`, `infinity`, `… BC`.
pub(in crate::source) fn moment(moment: Moment, zone: &str) -> String {
    let micros = match moment {
        Moment::Infinity => return "infinity".into(),
        Moment::NegativeInfinity => return "-infinity".into(),
        Moment::Micros(micros) => micros,
    };
    let (day, within) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (date, era) = date_parts(day);
    format!("{date} {}{zone}{era}", clock(within))
}

/// `2026-05-24`, `0044-03-15 BC`.
pub(super) fn date(days: i32) -> String {
    let (date, era) = date_parts(i64::from(days));
    format!("{date}{era}")
}

/// `14 mons 3 days -04:05:06.7`: the parts PostgreSQL keeps apart stay apart.
pub(super) fn interval(months: i32, days: i32, micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let within = micros.unsigned_abs();
    let (seconds, fraction) = (within / 1_000_000, within % 1_000_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    format!(
        "{months} mons {days} days {sign}{:02}:{:02}:{:02}{fraction}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn clock(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let fraction = match fraction {
        0 => String::new(),
        fraction => format!(".{fraction:06}").trim_end_matches('0').to_owned(),
    };
    format!("{:02}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn date_parts(days: i64) -> (String, &'static str) {
    let (year, month, day) = civil(days);
    if year > 0 {
        (format!("{year:04}-{month:02}-{day:02}"), "")
    } else {
        (format!("{:04}-{month:02}-{day:02}", 1 - year), " BC")
    }
}

/// Proleptic Gregorian date of a day since 1970-01-01. Eras of 400 years begin on 1 March, so that the leap day is last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// Back from [`moment`]; a zone other than `+00` or none is not what we write.
pub(super) fn read_moment(text: &str) -> Option<Moment> {
    match text {
        "infinity" => return Some(Moment::Infinity),
        "-infinity" => return Some(Moment::NegativeInfinity),
        _ => {}
    }
    let (text, bc) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (date, clock) = text.split_once(' ')?;
    let clock = clock.strip_suffix("+00").unwrap_or(clock);
    let day = read_day(date, bc)?;
    Some(Moment::Micros(day.checked_mul(DAY)?.checked_add(read_clock(clock)?)?))
}

/// Back from [`date`].
pub(super) fn read_date(text: &str) -> Option<i32> {
    let (text, bc) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    i32::try_from(read_day(text, bc)?).ok()
}

/// Back from [`interval`].
pub(super) fn read_interval(text: &str) -> Option<(i32, i32, i64)> {
    let (months, rest) = text.split_once(" mons ")?;
    let (days, clock) = rest.split_once(" days ")?;
    let (sign, clock) = match clock.strip_prefix('-') {
        Some(clock) => (-1, clock),
        None => (1, clock),
    };
    // The lowest number of microseconds has no positive twin within 64 bits.
    let micros = i64::try_from(sign * clock_micros(clock)?).ok()?;
    Some((months.parse().ok()?, days.parse().ok()?, micros))
}

fn read_day(text: &str, bc: bool) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let year: i64 = parts.next()?.parse().ok()?;
    let month: i64 = parts.next()?.parse().ok()?;
    let day: i64 = parts.next()?.parse().ok()?;
    Some(day_number(if bc { 1 - year } else { year }, month, day))
}

fn read_clock(text: &str) -> Option<i64> {
    i64::try_from(clock_micros(text)?).ok()
}

fn clock_micros(text: &str) -> Option<i128> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds = parts.next()?;
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    let whole = (i128::from(hours) * 60 + i128::from(minutes)) * 60 + i128::from(seconds);
    Some(whole * 1_000_000 + i128::from(fraction))
}
