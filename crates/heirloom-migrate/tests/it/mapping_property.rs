//! The mapping on rows of any types and any values: it never panics, it says the same twice, and the row can be built
//! again from what the store keeps.

use heirloom_migrate::mapping::Mapped;
use heirloom_migrate::source::{Table, verbatim};
use heirloom_migrate::value::{SourceRow, Value};
use heirloom_store::Moment;
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use crate::mapping_support::{compile, row, table};

const TYPES: [&str; 18] = [
    "boolean",
    "bigint",
    "numeric",
    "real",
    "double precision",
    "text",
    "bytea",
    "json",
    "timestamp with time zone",
    "timestamp without time zone",
    "date",
    "interval",
    "uuid",
    "vector(3)",
    "text[]",
    "dynamic",
    "vector",
    "inet",
];

/// A value that a column of this type may hold; a dynamic one holds anything.
fn value(declared: &str) -> BoxedStrategy<Value> {
    let micros = -210_866_803_200_000_000_i64..i64::MAX;
    let some = match declared {
        "boolean" => any::<bool>().prop_map(Value::Bool).boxed(),
        "bigint" => any::<i64>().prop_map(Value::Int).boxed(),
        "numeric" => "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,12})?|NaN|Infinity".prop_map(Value::Decimal).boxed(),
        "real" => any::<f32>().prop_map(Value::Float32).boxed(),
        "double precision" => any::<f64>().prop_map(Value::Float64).boxed(),
        "text" => words().prop_map(Value::Text).boxed(),
        "bytea" => any::<Vec<u8>>().prop_map(Value::Bytes).boxed(),
        "json" => json().prop_map(Value::Json).boxed(),
        "timestamp with time zone" => {
            prop_oneof![micros.prop_map(Moment::Micros), Just(Moment::Infinity)].prop_map(Value::Moment).boxed()
        }
        "timestamp without time zone" => micros.prop_map(|at| Value::LocalTime(Moment::Micros(at))).boxed(),
        "date" => (-2_440_588_i32..100_000_000).prop_map(Value::Date).boxed(),
        "interval" => {
            any::<(i32, i32, i64)>().prop_map(|(months, days, micros)| Value::Interval { months, days, micros }).boxed()
        }
        "uuid" => any::<u128>().prop_map(|bits| Value::Uuid(uuid::Uuid::from_u128(bits))).boxed(),
        "vector(3)" => prop::collection::vec(-2.0_f32..2.0, 3).prop_map(Value::Vector).boxed(),
        "vector" => {
            prop::collection::vec(prop_oneof![Just(0.0_f32), -2.0_f32..2.0], 1..6).prop_map(Value::Vector).boxed()
        }
        "text[]" => prop::collection::vec(words().prop_map(Value::Text), 0..4).prop_map(Value::Array).boxed(),
        "dynamic" => prop_oneof![
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_map(Value::Float64),
            words().prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            Just(Value::InvalidText(vec![0xc3, 0x28])),
        ]
        .boxed(),
        _ => words().prop_map(Value::Other).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 9 => some].boxed()
}

/// Texts that mean something to some verb; the last is one that PostgreSQL cannot hold.
pub(crate) const WORDS: &[&str] = &[
    "open",
    " Deleted ",
    "30 days",
    "2024-02-31",
    "2026-01-01T00:00:00Z",
    "infinity",
    "5",
    "[1,2,3]",
    "{}",
    "",
    " ",
    "true",
    "P1M",
    "{\"a\":",
    "1e400",
    "-0",
    "nul\0",
];

/// Words that mean something to some verb, and any others.
fn words() -> BoxedStrategy<String> {
    prop_oneof![prop::sample::select(WORDS).prop_map(str::to_owned), any::<String>()].boxed()
}

fn json() -> BoxedStrategy<String> {
    prop_oneof![
        prop::sample::select(vec![
            "null",
            "{\"a\": 1.00, \"a\": 2}",
            "[1, 1E5]",
            "\"\\ud800\"",
            "\"\\u0000\"",
            "1e400",
            "-0",
            "{"
        ])
        .prop_map(str::to_owned),
        any::<String>().prop_map(|text| Json::String(text).to_string()),
    ]
    .boxed()
}

/// A field with a verb or without; `COL` stands for the column, `at` is a time.
pub(crate) const FIELDS: [&str; 18] = [
    "topic = \"COL\"",
    "topic = { from = \"COL\", otherwise = \"general\" }",
    "importance = { from = \"COL\", scale = [1, 10] }",
    "importance = { from = \"COL\", otherwise = \"keep\" }",
    "project_id = \"COL\"",
    "confidence = \"COL\"",
    "pin = \"COL\"",
    "state = { from = \"COL\", values = { open = \"draft\", deleted = \"archived\", 5 = \"validated\" }, otherwise = \"keep\" }",
    "expires_at = { from = \"COL\", ttl = \"seconds\", since = \"at\" }",
    "expires_at = { from = \"COL\", ttl = \"interval\", since = \"at\" }",
    "expires_at = { from = \"COL\", ttl = \"absolute\", zone = \"Europe/Zurich\" }",
    "verified_at = { from = \"COL\", when_true = [\"at\"] }",
    "created_at = { from = \"COL\", epoch = \"ms\" }",
    "valid_from = { from = \"COL\", zone = \"America/Los_Angeles\" }",
    "metadata = { merge = [\"COL\", \"body\"] }",
    "embedding = { from = \"COL\", otherwise = \"keep\" }",
    "embedding = { from = \"COL\", unpad = 2 }",
    "metadata = \"COL\"",
];

fn file(lines: &[String], rest: &str) -> String {
    format!(
        "name = \"n\"\n[source]\nurl = \"store\"\ntable = \"t\"\n[namespace]\ntemplate = \"custom:all\"\n\
         [keep]\nrest = \"{rest}\"\n[map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n{}\n",
        lines.join("\n")
    )
}

/// The source row from what the store keeps: the origin, and the columns that the memory carries unchanged.
fn rebuilt(table: &Table, key: &[String], mapped: &Mapped, embedding: Option<usize>) -> SourceRow {
    let mut object: Map<String, Json> = serde_json::from_str(&mapped.origin).expect("an object");
    if !object.contains_key("body") {
        object.insert("body".into(), Json::String(mapped.memory.content.clone()));
    }
    if let Some(column) = embedding.map(|i| &table.columns[i]).filter(|column| !object.contains_key(&column.name)) {
        let vector = Value::Vector(mapped.memory.embedding.clone().expect("a vector that is carried is there"));
        object.insert(column.name.clone(), verbatim::verbatim(&vector, Some(column.ty)));
    }
    verbatim::restore(table, key, &Json::Object(object).to_string()).expect("the bytes of the row")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_row_maps_without_panic_twice_the_same_and_can_be_built_again(
        (declared, cell, body, at) in (0..TYPES.len(), any::<bool>()).prop_flat_map(|(i, dynamic)| {
            let body = if dynamic { value("dynamic") } else { value("text") };
            (Just((TYPES[i], dynamic)), value(TYPES[i]), body, value("timestamp with time zone"))
        }),
        rest in prop::sample::select(vec!["origin", "metadata"]),
    ) {
        let (declared, dynamic) = declared;
        let table = table("t", &[
            ("id", "bigint"),
            ("body", if dynamic { "dynamic" } else { "text" }),
            ("c", declared),
            ("at", "timestamp with time zone"),
        ]);
        let source = row("1", vec![Value::Int(1), body, cell, at]);
        for field in FIELDS {
            let toml = file(&[field.replace("COL", "c")], rest);
            // What can never be cast is refused before any row; that is another test's business.
            let parsed = heirloom_migrate::file::MigrationFile::parse("n.toml", &toml).unwrap();
            let context = crate::mapping_support::context(&table, None);
            let Ok(program) = heirloom_migrate::mapping::Program::compile(&parsed, &table, context) else { continue };
            let first = program.map(&source);
            let again = compile(&toml, &table, None).map(&source);
            // As text: NaN is not equal to itself, and must be the same all the same.
            prop_assert_eq!(format!("{first:?}"), format!("{again:?}"));
            let Ok(mapped) = first else { continue };
            let embedding = field.starts_with("embedding").then_some(2);
            let back = rebuilt(&table, &source.key, &mapped, embedding);
            prop_assert_eq!(format!("{source:?}"), format!("{back:?}"), "{}", field);
        }
    }
}
