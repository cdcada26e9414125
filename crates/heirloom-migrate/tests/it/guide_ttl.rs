//! The second seed's section 4: three kinds of time to live, each counted from the row's creation, never from now.

use heirloom_migrate::mapping::{Reject, RejectCode};
use heirloom_migrate::value::Value;
use heirloom_store::Moment;

use crate::mapping_support::{at, guide, text};

/// Two years before any day these tests run on: an end counted from now would show.
const CREATED: &str = "2024-01-31T10:00:00.000001Z";

fn ends(column: &str, declared: &str, value: Value) -> Result<Option<Moment>, Reject> {
    let created = ("created_at", "timestamp with time zone", Value::Moment(at(CREATED)));
    guide(&[(column, declared, value), created]).map(|mapped| mapped.memory.expires_at)
}

#[test]
fn ttl_in_seconds_counts_from_creation() {
    for (value, end) in [
        (Value::Int(1), "2024-01-31T10:00:01.000001Z"),
        (Value::Int(0), CREATED),
        (Value::Int(86_400), "2024-02-01T10:00:00.000001Z"),
        (Value::Int(2_147_483_647), "2092-02-18T13:14:07.000001Z"),
    ] {
        assert_eq!(ends("ttl_seconds", "integer", value.clone()).unwrap(), Some(at(end)), "{value:?}");
    }
    let half = Value::Decimal("0.5".into());
    assert_eq!(ends("ttl_seconds", "numeric", half).unwrap(), Some(at("2024-01-31T10:00:00.500001Z")));
}

#[test]
fn retention_as_an_interval_counts_from_creation() {
    for (words, end) in [
        ("30 days", "2024-03-01T10:00:00.000001Z"),
        ("12:00:00", "2024-01-31T22:00:00.000001Z"),
        ("2 weeks", "2024-02-14T10:00:00.000001Z"),
        ("12 years 6 months 3 days", "2036-08-03T10:00:00.000001Z"),
    ] {
        assert_eq!(ends("retention", "text", text(words)).unwrap(), Some(at(end)), "{words}");
    }
}

#[test]
fn retention_in_months_clamps_to_the_end_of_the_month() {
    for (months, end) in
        [(1, "2024-02-29T10:00:00.000001Z"), (13, "2025-02-28T10:00:00.000001Z"), (3, "2024-04-30T10:00:00.000001Z")]
    {
        let interval = Value::Interval { months, days: 0, micros: 0 };
        assert_eq!(ends("retention", "interval", interval).unwrap(), Some(at(end)), "{months}");
        assert_eq!(ends("retention", "text", text(&format!("{months} mons"))).unwrap(), Some(at(end)));
    }
}

#[test]
fn retain_until_is_copied() {
    for end in [at("2023-01-01T00:00:00Z"), at("2099-12-31T23:59:59.999999Z"), Moment::Infinity] {
        assert_eq!(ends("retain_until", "timestamp with time zone", Value::Moment(end)).unwrap(), Some(end));
    }
}

#[test]
fn no_ttl_never_expires() {
    for (column, declared) in
        [("ttl_seconds", "integer"), ("retention", "text"), ("retain_until", "timestamp with time zone")]
    {
        assert_eq!(ends(column, declared, Value::Null).unwrap(), None, "{column}");
    }
    assert_eq!(guide(&[]).unwrap().memory.expires_at, None);
}

#[test]
fn a_row_with_several_kinds_ends_when_it_says_so_absolutely() {
    let created = ("created_at", "timestamp with time zone", Value::Moment(at(CREATED)));
    let seconds = ("ttl_seconds", "integer", Value::Int(60));
    let until = ("retain_until", "timestamp with time zone", Value::Moment(at("2030-01-01T00:00:00Z")));
    let mapped = guide(&[seconds, until, created]).unwrap();
    assert_eq!(mapped.memory.expires_at, Some(at("2030-01-01T00:00:00Z")));
}

#[test]
fn a_ttl_without_a_time_of_creation_is_set_aside() {
    for (column, declared, value) in
        [("ttl_seconds", "integer", Value::Int(60)), ("retention", "text", text("30 days"))]
    {
        for created in [vec![("created_at", "timestamp with time zone", Value::Null)], vec![]] {
            let mut columns = vec![(column, declared, value.clone())];
            columns.extend(created);
            let reject = guide(&columns).unwrap_err();
            assert_eq!(
                (reject.code, reject.field.as_deref()),
                (RejectCode::FieldMissing, Some("expires_at")),
                "{column}"
            );
            assert_eq!(reject.column.as_deref(), Some(column));
        }
    }
}

#[test]
fn a_retention_that_is_no_interval_is_set_aside() {
    for words in ["soon", "30", "5 parsecs", ""] {
        assert_eq!(ends("retention", "text", text(words)).unwrap_err().code, RejectCode::TypeMismatch, "{words:?}");
    }
}

#[test]
fn an_end_beyond_time_is_set_aside() {
    for (column, declared, value) in [
        ("ttl_seconds", "bigint", Value::Int(i64::MAX)),
        ("ttl_seconds", "numeric", Value::Decimal("1e30".into())),
        ("retention", "interval", Value::Interval { months: i32::MAX, days: 0, micros: 0 }),
        ("retention", "interval", Value::Interval { months: 0, days: i32::MAX, micros: i64::MAX }),
    ] {
        let reject = ends(column, declared, value.clone()).unwrap_err();
        assert_eq!((reject.code, reject.column.as_deref()), (RejectCode::OutOfRange, Some(column)), "{value:?}");
    }
}
