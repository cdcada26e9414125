//! A moment on the wire: `timestamptz` towards the database, RFC 3339 or `infinity` towards people and JSON.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use bytes::BytesMut;
use jiff::civil::{self, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::{SignedDuration, Timestamp};
use postgres_types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::memory::Moment;

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
const EPOCH: i64 = 946_684_800_000_000;

/// The first microsecond PostgreSQL knows and the one after its last, counted from 2000-01-01.
const FIRST: i64 = -211_813_488_000_000_000;
const END: i64 = 9_223_371_331_200_000_000;

/// 1970-01-01T00:00:00, without a place.
const YEAR_1970: DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// Microseconds since 1970 as PostgreSQL counts them, where it can.
pub(crate) fn since_2000(micros: i64) -> Option<i64> {
    micros.checked_sub(EPOCH).filter(|since| (FIRST..END).contains(since))
}

impl Moment {
    /// Whether PostgreSQL can keep it: 4714-11-24 BC to 294276-12-31, or an infinity.
    pub fn is_known_to_postgresql(self) -> bool {
        match self {
            Self::Micros(micros) => since_2000(micros).is_some(),
            Self::NegativeInfinity | Self::Infinity => true,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NegativeInfinity => f.write_str("-infinity"),
            Self::Infinity => f.write_str("infinity"),
            Self::Micros(micros) => match Timestamp::from_microsecond(micros) {
                Ok(timestamp) => write!(f, "{timestamp}"),
                // The last day of 9999 is what many systems write for never, and is beyond what a timestamp holds, because
                // that must have a year below 10000 at any place on earth.
                Err(_) if let Ok(last) = YEAR_1970.checked_add(SignedDuration::from_micros(micros)) => {
                    write!(f, "{last}Z")
                }
                // PostgreSQL reaches further back and ahead than RFC 3339 does.
                Err(_) => write!(f, "epoch{micros:+}us"),
            },
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "infinity" => return Ok(Self::Infinity),
            "-infinity" => return Ok(Self::NegativeInfinity),
            _ => {}
        }
        if let Some(micros) = text.strip_prefix("epoch").and_then(|rest| rest.strip_suffix("us")) {
            return micros.parse().map(Self::Micros).map_err(|_| "a moment that cannot be read".to_owned());
        }
        let read = text.parse::<Timestamp>().map(Self::from_timestamp).ok().or_else(|| last_day(text));
        read.ok_or_else(|| {
            "expected an RFC 3339 time such as 2026-11-22T09:30:00Z, `infinity` or `-infinity`".to_owned()
        })
    }
}

/// A time up to the very end of 9999 in UTC.
fn last_day(text: &str) -> Option<Moment> {
    let pieces = Pieces::parse(text).ok()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    let offset = SignedDuration::from_secs(pieces.to_numeric_offset()?.seconds().into());
    let utc = local.checked_sub(offset).ok()?;
    utc.duration_since(YEAR_1970).as_micros().try_into().ok().map(Moment::Micros)
}

impl From<Timestamp> for Moment {
    fn from(timestamp: Timestamp) -> Self {
        Self::from_timestamp(timestamp)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An RFC 3339 time in UTC with microseconds, or `infinity` or `-infinity`.",
        })
    }
}

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let wire = match *self {
            Self::NegativeInfinity => i64::MIN,
            Self::Infinity => i64::MAX,
            Self::Micros(micros) => micros.checked_sub(EPOCH).ok_or("a moment before PostgreSQL's calendar begins")?,
        };
        out.extend_from_slice(&wire.to_be_bytes());
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match i64::from_be_bytes(raw.try_into()?) {
            i64::MIN => Self::NegativeInfinity,
            i64::MAX => Self::Infinity,
            micros => Self::Micros(micros.checked_add(EPOCH).ok_or("a moment after PostgreSQL's calendar ends")?),
        })
    }

    accepts!(TIMESTAMPTZ);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgresql_s_calendar_begins_on_a_day_and_outlasts_ours() {
        let first = FIRST + EPOCH;
        for (moment, known) in [
            (Moment::Micros(first), true),
            (Moment::Micros(first - 1), false),
            (Moment::Micros(i64::MIN), false),
            (Moment::Micros(i64::MAX), true),
            (Moment::NegativeInfinity, true),
            (Moment::Infinity, true),
        ] {
            assert_eq!(moment.is_known_to_postgresql(), known, "{moment:?}");
        }
    }

    #[test]
    fn every_moment_comes_back_from_text_and_wire() {
        for moment in [
            Moment::Infinity,
            Moment::NegativeInfinity,
            Moment::Micros(0),
            Moment::Micros(1_700_000_000_123_456),
            Moment::Micros(-1),
            Moment::Micros(9_214_646_400_000_000_000),
        ] {
            assert_eq!(moment.to_string().parse(), Ok(moment));
            let mut wire = BytesMut::new();
            moment.to_sql(&Type::TIMESTAMPTZ, &mut wire).expect("writes");
            assert_eq!(Moment::from_sql(&Type::TIMESTAMPTZ, &wire).expect("reads"), moment);
        }
    }

    #[test]
    fn text_is_rfc_3339() {
        let moment: Moment = "2026-11-22T09:30:00.000001+02:00".parse().expect("a time");
        assert_eq!(moment.to_string(), "2026-11-22T07:30:00.000001Z");
        assert!("yesterday".parse::<Moment>().is_err());
    }

    #[test]
    fn the_last_day_of_9999_is_a_time() {
        for (text, utc) in [
            ("9999-12-30T22:00:00Z", "9999-12-30T22:00:00Z"),
            ("9999-12-31T00:00:00Z", "9999-12-31T00:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            ("9999-12-31T23:59:59+23:59", "9999-12-31T00:00:59Z"),
        ] {
            let moment: Moment = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(moment.to_string(), utc);
            assert_eq!(utc.parse(), Ok(moment));
        }
        assert_eq!("9999-12-31T23:59:59Z".parse(), Ok(Moment::Micros(253_402_300_799_000_000)));
        assert_eq!(Moment::Micros(253_402_300_800_000_000).to_string(), "epoch+253402300800000000us");
        for bad in ["9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z", "9999-12-31T23:59:59", "9999-12-31"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }
}
