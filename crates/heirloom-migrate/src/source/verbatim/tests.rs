use heirloom_store::Moment;
use proptest::prelude::*;

use super::*;
use crate::source::{Column, Type};
use crate::value::Value;

fn table(columns: &[(Type, &str)]) -> Table {
    Table {
        name: "t".into(),
        columns: columns
            .iter()
            .enumerate()
            .map(|(i, (ty, declared))| Column {
                name: format!("c{i}"),
                declared: (*declared).into(),
                ty: *ty,
                not_null: false,
                generated: false,
                dimensions: None,
            })
            .collect(),
        primary_key: vec![],
        unique_keys: vec![],
        estimated_rows: None,
    }
}

fn check(value: Value, ty: Type, declared: &str) {
    let table = table(&[(ty, declared)]);
    let before = SourceRow { key: vec!["k".into()], values: vec![value] };
    let text = row(&table, &before);
    let after = restore(&table, &before.key, &text).unwrap();
    // Bits, not `==`: NaN must come back as NaN and −0 as −0.
    assert_eq!(format!("{before:?}"), format!("{after:?}"), "{text}");
}

#[test]
fn times_print_as_postgresql_does() {
    for (micros, text) in [
        (0, "1970-01-01 00:00:00+00"),
        (-1, "1969-12-31 23:59:59.999999+00"),
        (1_779_610_000_123_450, "2026-05-24 08:06:40.12345+00"),
        (-62_135_596_800_000_001, "0001-12-31 23:59:59.999999+00 BC"),
        (i64::MAX, "294247-01-10 04:00:54.775807+00"),
        (-210_866_803_200_000_000, "4714-11-24 00:00:00+00 BC"),
    ] {
        assert_eq!(time::moment(Moment::Micros(micros), "+00"), text);
        assert_eq!(time::read_moment(text), Some(Moment::Micros(micros)));
    }
}

#[test]
fn every_type_comes_back() {
    check(Value::Null, Type::Text, "text");
    check(Value::Bool(true), Type::Bool, "boolean");
    check(Value::Decimal("1.00".into()), Type::Decimal, "numeric");
    check(Value::Decimal("NaN".into()), Type::Decimal, "numeric");
    check(Value::Float32(-0.0), Type::Float32, "real");
    check(Value::Float32(f32::NAN), Type::Float32, "real");
    check(Value::Float64(f64::NEG_INFINITY), Type::Float64, "double precision");
    check(Value::Float64(1e300), Type::Dynamic, "");
    check(Value::InvalidText(vec![0xff, 0]), Type::Dynamic, "");
    check(Value::Bytes(vec![0, 255]), Type::Bytes, "bytea");
    check(Value::Bytes(vec![0, 255]), Type::Dynamic, "blob");
    check(Value::Json("{\"a\": 1.0, \"a\":2}".into()), Type::Json, "json");
    check(Value::Moment(Moment::Infinity), Type::Moment, "timestamp with time zone");
    check(Value::Date(-800_000), Type::Date, "date");
    check(Value::Other("infinity".into()), Type::Date, "date");
    check(Value::Interval { months: -14, days: 3, micros: -1 }, Type::Interval, "interval");
    check(Value::Vector(vec![0.1, -0.0, 1e-20]), Type::Vector, "vector(3)");
    let items =
        vec![Value::Text("a\"b\\c,{}".into()), Value::Null, Value::Text("NULL".into()), Value::Text(String::new())];
    check(Value::Array(items), Type::Array, "text[]");
    check(Value::Array(vec![Value::Int(1), Value::Null]), Type::Array, "integer[]");
}

#[test]
fn bytes_that_do_not_fit_name_the_column() {
    let error = restore(&table(&[(Type::Uuid, "uuid")]), &[], "{\"c0\": \"secret\"}").unwrap_err().to_string();
    assert!(error.contains("c0") && !error.contains("secret"), "{error}");
    assert!(restore(&table(&[(Type::Uuid, "uuid")]), &[], "{}").is_err());
    assert!(restore(&table(&[(Type::Uuid, "uuid")]), &[], "[").is_err());
}

#[test]
fn columns_may_bear_the_names_of_expressions_and_of_the_parser() {
    let mut table = table(&[(Type::Int, "bigint"), (Type::Text, "text")]);
    table.columns[0].name = "$serde_json::private::Number".into();
    table.columns[1].name = "$expr0".into();
    let text = |text: &str| Value::Text(text.into());
    let source = SourceRow { key: vec!["1".into()], values: vec![Value::Int(1), text("own"), text("computed")] };
    let kept = row(&table, &source);
    assert!(kept.contains("\"$expr0\":\"own\",\"$$expr0\":\"computed\""), "{kept}");
    assert_eq!(restore(&table, &source.key, &kept).unwrap(), source);
}

proptest! {
    #[test]
    fn any_row_comes_back(
        int in any::<i64>(),
        real in any::<f64>(),
        text in any::<String>(),
        bytes in any::<Vec<u8>>(),
        micros in -210_866_803_200_000_000_i64..i64::MAX,
        elements in prop::collection::vec(any::<f32>().prop_filter("finite", |x| x.is_finite()), 1..8),
    ) {
        check(Value::Int(int), Type::Int, "bigint");
        check(Value::Float64(real), Type::Float64, "double precision");
        check(Value::Text(text.clone()), Type::Text, "text");
        check(Value::Array(vec![Value::Text(text)]), Type::Array, "text[]");
        check(Value::Bytes(bytes), Type::Dynamic, "");
        check(Value::Moment(Moment::Micros(micros)), Type::Moment, "timestamp with time zone");
        check(Value::LocalTime(Moment::Micros(micros)), Type::LocalTime, "timestamp without time zone");
        check(Value::Vector(elements), Type::Vector, "vector");
    }
}

#[test]
fn the_lowest_interval_comes_back() {
    let text = super::time::interval(i32::MIN, i32::MIN, i64::MIN);
    assert_eq!(super::time::read_interval(&text), Some((i32::MIN, i32::MIN, i64::MIN)));
}
