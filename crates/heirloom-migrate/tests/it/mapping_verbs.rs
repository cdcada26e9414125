//! Each verb of `[map]` on one row, and what it says when the row does not fit.

use heirloom_migrate::mapping::{Mapped, Note, Reject, RejectCode};
use heirloom_migrate::value::Value;
use heirloom_store::Moment;

use crate::mapping_support::{at, compile, row, table, text};

/// A table `t (id, body, c, d)` whose content is `body`, mapped by one more line; `c` and `d` as given.
fn map(line: &str, c: (&str, Value), d: (&str, Value)) -> Result<Mapped, Reject> {
    let table = table("t", &[("id", "bigint"), ("body", "text"), ("c", c.0), ("d", d.0)]);
    let file = format!(
        "name = \"n\"\n[source]\nurl = \"store\"\ntable = \"t\"\n[namespace]\ntemplate = \"custom:all\"\n[map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n{line}\n"
    );
    compile(&file, &table, None).map(&row("1", vec![Value::Int(1), text("said"), c.1, d.1]))
}

fn ok(line: &str, declared: &str, value: Value) -> Mapped {
    map(line, (declared, value), ("text", Value::Null)).unwrap_or_else(|reject| panic!("{line}: {reject:?}"))
}

fn set_aside(line: &str, declared: &str, value: Value, field: &str, code: RejectCode) {
    let reject = map(line, (declared, value), ("text", Value::Null)).expect_err("a row set aside");
    assert_eq!(
        (reject.code, reject.field.as_deref(), reject.column.as_deref()),
        (code, Some(field), Some("c")),
        "{line}"
    );
}

#[test]
fn from_carries_the_column() {
    assert_eq!(ok("topic = \"c\"", "text", text(" as is ")).memory.topic.as_deref(), Some(" as is "));
    assert_eq!(ok("topic = { from = \"c\" }", "text", Value::Null).memory.topic, None);
    set_aside("topic = \"c\"", "text", text("nul\0"), "topic", RejectCode::Nul);
    set_aside("topic = \"c\"", "dynamic", Value::InvalidText(vec![0xff]), "topic", RejectCode::InvalidUtf8);
    assert!(ok("source_run_id = \"c\"", "text", text(&"r".repeat(2_000))).memory.source_run_id.is_some());
    set_aside("source_run_id = \"c\"", "text", text(&"r".repeat(2_001)), "source_run_id", RejectCode::TooLarge);
    let long = "l".repeat((64 << 20) + 1);
    assert!(ok("topic = \"c\"", "text", text(&long[1..])).memory.topic.is_some());
    set_aside("topic = \"c\"", "text", text(&long), "topic", RejectCode::TooLarge);
    set_aside("metadata = \"c\"", "jsonb", Value::Json(format!("\"{long}\"")), "metadata", RejectCode::TooLarge);
    set_aside("source = \"c\"", "text", text("robot"), "source", RejectCode::UnmappedValue);
    set_aside("pin = \"c\"", "text", text("perhaps"), "pin", RejectCode::TypeMismatch);
    set_aside("confidence = \"c\"", "real", Value::Float32(1.5), "confidence", RejectCode::OutOfRange);
    set_aside("project_id = \"c\"", "bigint", Value::Int(i64::MAX), "project_id", RejectCode::OutOfRange);
    set_aside(
        "metadata = \"c\"",
        "json",
        Value::Json("{\"a\": \"\\u0000\"}".into()),
        "metadata",
        RejectCode::InvalidJson,
    );
    set_aside("metadata = \"c\"", "json", Value::Json("\"\\ud800\"".into()), "metadata", RejectCode::InvalidJson);
}

#[test]
fn what_jsonb_cannot_keep_is_told_before_it_is_asked() {
    let metadata = |json: &str| map("metadata = \"c\"", ("json", Value::Json(json.to_owned())), ("text", Value::Null));
    // The limits as PostgreSQL's own `numeric` has them; each was tried on 16 and 18.
    let digits = |n| "9".repeat(n);
    for kept in ["1e131071", "123e131069", "0.0001e131075", "1e-16383", "1.5e-16382", "0e200000", "-0e1073741823"] {
        assert!(metadata(&format!("{{\"n\": [{kept}]}}")).is_ok(), "{kept}");
    }
    assert!(metadata(&digits(131_072)).is_ok() && metadata(&format!("0.{}", digits(16_383))).is_ok());
    let beyond =
        ["1e131072", "123e131070", "0.0001e131076", "1e-16384", "0e-16384", "0e1073741824", "0e99999999999999999999"];
    for number in beyond.map(str::to_owned).into_iter().chain([digits(131_073), format!("0.{}", digits(16_384))]) {
        let reject = metadata(&format!("{{\"n\": [{number}]}}")).unwrap_err();
        assert_eq!(reject.code, RejectCode::InvalidJson, "{:.20}", number);
        assert!(reject.message.contains("a number that jsonb cannot keep"), "{}", reject.message);
    }
    let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(metadata(&deep(127)).is_ok());
    let reject = metadata(&deep(128)).unwrap_err();
    assert!(reject.message.contains("nested deeper than 127 levels"), "{}", reject.message);
}

#[test]
fn otherwise_stands_beside_every_verb() {
    let late = || Value::Int(17);
    let scale = "importance = { from = \"c\", scale = [1, 10]";
    set_aside(&format!("{scale} }}"), "integer", late(), "importance", RejectCode::OutOfRange);
    assert_eq!(ok(&format!("{scale}, otherwise = \"3\" }}"), "integer", late()).memory.importance, 3);
    let kept = ok(&format!("{scale}, otherwise = \"keep\" }}"), "integer", late());
    assert_eq!(kept.memory.metadata, Some(serde_json::json!({ "c": 17 })));
    assert_eq!(kept.notes, [Note::ValueKept, Note::CreatedAtMissing]);

    let ttl = "expires_at = { from = \"c\", ttl = \"interval\", since = \"d\"";
    let made = ("timestamp with time zone", Value::Moment(at("2026-01-01T00:00:00Z")));
    let forever = || ("text", text("forever"));
    assert_eq!(map(&format!("{ttl} }}"), forever(), made.clone()).unwrap_err().code, RejectCode::TypeMismatch);
    let kept = map(&format!("{ttl}, otherwise = \"keep\" }}"), forever(), made.clone()).unwrap();
    assert_eq!((kept.memory.expires_at, kept.memory.metadata), (None, Some(serde_json::json!({ "c": "forever" }))));
    let end = map(&format!("{ttl}, otherwise = \"2027-01-01T00:00:00Z\" }}"), forever(), made).unwrap();
    assert_eq!(end.memory.expires_at, Some(at("2027-01-01T00:00:00Z")));

    // Each of two columns that did not fit is kept.
    let both = "pin = [{ from = \"c\", otherwise = \"keep\" }, { from = \"d\", otherwise = \"keep\" }]";
    let kept = map(both, ("text", text("perhaps")), ("text", text("maybe"))).unwrap();
    assert_eq!(kept.memory.metadata, Some(serde_json::json!({ "c": "perhaps", "d": "maybe" })));

    // JSON that cannot be kept as JSON is kept as the text it is.
    let half = "{\"a\": \"\\ud800\"}";
    let kept = ok("propagation = { from = \"c\", otherwise = \"keep\" }", "json", Value::Json(half.into()));
    assert_eq!((kept.memory.propagation, kept.memory.metadata), (None, Some(serde_json::json!({ "c": half }))));
}

#[test]
fn several_columns_are_alternatives() {
    for line in
        ["topic = [\"c\", \"d\"]", "topic = { from = [\"c\", \"d\"] }", "topic = [{ from = \"c\" }, { from = \"d\" }]"]
    {
        let topic = |c: Value, d: Value| map(line, ("text", c), ("text", d)).unwrap().memory.topic;
        assert_eq!(topic(text("one"), text("two")).as_deref(), Some("one"), "{line}");
        assert_eq!(topic(Value::Null, text("two")).as_deref(), Some("two"), "{line}");
        assert_eq!(topic(Value::Null, Value::Null), None, "{line}");
    }
}

#[test]
fn value_is_the_same_for_every_row() {
    assert_eq!(ok("importance = { value = 5 }", "text", Value::Null).memory.importance, 5);
    assert!(ok("pin = { value = true }", "text", Value::Null).memory.pin);
    let metadata = ok("metadata = { value = { origin = \"v1\" } }", "text", Value::Null).memory.metadata;
    assert_eq!(metadata, Some(serde_json::json!({ "origin": "v1" })));
    let when = ok("created_at = { value = 2026-01-01T00:00:00Z }", "text", Value::Null).memory.created_at;
    assert_eq!(when, Some(at("2026-01-01T00:00:00Z")));
}

#[test]
fn expr_is_evaluated_at_the_source_and_read_after_the_columns() {
    let table = table("t", &[("id", "bigint"), ("body", "text")]);
    let file = "name = \"n\"\n[source]\nurl = \"store\"\ntable = \"t\"\n[namespace]\ntemplate = \"custom:all\"\n[map]\ncontent = \"body\"\nkind = { value = \"fact\" }\ntopic = { expr = \"lower(body)\" }\n";
    let program = compile(file, &table, None);
    assert_eq!(program.expressions(), ["lower(body)"]);
    let mapped = program.map(&row("1", vec![Value::Int(1), text("SAID"), text("said")])).unwrap();
    assert_eq!(mapped.memory.topic.as_deref(), Some("said"));
    assert!(mapped.origin.contains("\"$expr0\":\"said\""), "{}", mapped.origin);
}

#[test]
fn a_column_whose_name_is_no_key_of_json_stays_in_the_origin() {
    let table = table("t", &[("id", "bigint"), ("body", "text"), ("$serde_json::private::Number", "bigint")]);
    let source = row("1", vec![Value::Int(1), text("said"), Value::Int(7)]);
    for (rest, aside) in [("origin", false), ("metadata", true)] {
        let file = format!(
            "name = \"n\"\n[source]\nurl = \"store\"\ntable = \"t\"\n[namespace]\ntemplate = \"custom:all\"\n[keep]\nrest = \"{rest}\"\n[map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n"
        );
        match compile(&file, &table, None).map(&source) {
            Ok(mapped) => assert!(!aside && mapped.origin.contains("::Number\":7"), "{}", mapped.origin),
            Err(reject) => assert!(aside && reject.code == RejectCode::InvalidJson, "{reject:?}"),
        }
    }
}

#[test]
fn values_fold_case_and_outer_space() {
    let line = "state = { from = \"c\", values = { open = \"draft\", \"2\" = \"validated\" } }";
    assert_eq!(ok(line, "text", text(" OPEN\n")).memory.state, "draft");
    assert_eq!(ok(line, "integer", Value::Int(2)).memory.state, "validated");
    set_aside(line, "text", text("closed"), "state", RejectCode::UnmappedValue);
    set_aside(line, "dynamic", Value::Bytes(vec![1]), "state", RejectCode::UnmappedValue);
}

#[test]
fn otherwise_reject_sets_the_row_aside() {
    let line = "state = { from = \"c\", values = { open = \"draft\" }, otherwise = \"reject\" }";
    set_aside(line, "text", text("closed"), "state", RejectCode::UnmappedValue);
    // A row that says nothing is not an unlisted value.
    assert_eq!(ok(line, "text", Value::Null).memory.state, "draft");
}

#[test]
fn otherwise_keep_puts_the_raw_value_into_metadata() {
    let line = "importance = { from = \"c\", values = { high = 5 }, otherwise = \"keep\" }";
    let mapped = ok(line, "text", text("Higher"));
    assert_eq!(mapped.memory.importance, 3);
    assert_eq!(mapped.memory.metadata, Some(serde_json::json!({ "c": "Higher" })));
    assert!(mapped.notes.contains(&Note::ValueKept));
    let plain = ok("importance = { from = \"c\", otherwise = \"keep\" }", "text", text("9000"));
    assert_eq!((plain.memory.importance, plain.memory.metadata), (3, Some(serde_json::json!({ "c": "9000" }))));
}

#[test]
fn otherwise_a_value_speaks_for_what_is_not_listed_and_for_null() {
    let listed = "state = { from = \"c\", values = { open = \"draft\" }, otherwise = \"candidate\" }";
    assert_eq!(ok(listed, "text", text("closed")).memory.state, "candidate");
    assert_eq!(ok(listed, "text", Value::Null).memory.state, "candidate");
    let plain = "topic = { from = \"c\", otherwise = \"general\" }";
    assert_eq!(ok(plain, "text", Value::Null).memory.topic.as_deref(), Some("general"));
    assert_eq!(ok(plain, "text", text("deploys")).memory.topic.as_deref(), Some("deploys"));
    let number = "importance = { from = \"c\", otherwise = 2 }";
    assert_eq!(ok(number, "text", text("high")).memory.importance, 2);
}

#[test]
fn scale_is_linear_and_half_rounds_up() {
    let line = "importance = { from = \"c\", scale = [0, 8] }";
    for (from, to) in [(0.0, 1), (1.0, 2), (0.9, 1), (3.0, 3), (8.0, 5)] {
        assert_eq!(ok(line, "double precision", Value::Float64(from)).memory.importance, to, "{from}");
    }
    assert_eq!(ok(line, "text", text("8")).memory.importance, 5);
    set_aside(line, "double precision", Value::Float64(8.1), "importance", RejectCode::OutOfRange);
    set_aside(line, "double precision", Value::Float64(f64::NAN), "importance", RejectCode::TypeMismatch);
    set_aside(line, "text", text("high"), "importance", RejectCode::TypeMismatch);
}

#[test]
fn ttl_and_since_make_an_end() {
    let created = || ("timestamp with time zone", Value::Moment(at("2024-01-31T00:00:00Z")));
    let end =
        |line: &str, declared: &str, value: Value| map(line, (declared, value), created()).unwrap().memory.expires_at;
    let seconds = "expires_at = { from = \"c\", ttl = \"seconds\", since = \"d\" }";
    let interval = "expires_at = { from = \"c\", ttl = \"interval\", since = \"d\" }";
    assert_eq!(end(seconds, "integer", Value::Int(60)), Some(at("2024-01-31T00:01:00Z")));
    assert_eq!(end(interval, "text", text("1 mon")), Some(at("2024-02-29T00:00:00Z")));
    let absolute = "expires_at = { from = \"c\", ttl = \"absolute\" }";
    assert_eq!(end(absolute, "text", text("infinity")), Some(Moment::Infinity));
    set_aside(seconds, "text", text("soon"), "expires_at", RejectCode::TypeMismatch);
    set_aside(absolute, "text", text("soon"), "expires_at", RejectCode::TypeMismatch);
    set_aside(seconds, "integer", Value::Int(60), "expires_at", RejectCode::FieldMissing);
}

#[test]
fn when_true_takes_the_first_time_there_is() {
    let line = "verified_at = { from = \"c\", when_true = [\"d\"] }";
    let time = |flag: Value, d: Value| {
        map(line, ("boolean", flag), ("timestamp with time zone", d)).unwrap().memory.verified_at
    };
    let when = at("2026-01-01T00:00:00Z");
    assert_eq!(time(Value::Bool(true), Value::Moment(when)), Some(when));
    assert_eq!(time(Value::Bool(true), Value::Null), None);
    assert_eq!(time(Value::Bool(false), Value::Moment(when)), None);
    let reject = map(line, ("boolean", Value::Bool(true)), ("text", text("lately"))).unwrap_err();
    assert_eq!((reject.code, reject.column.as_deref()), (RejectCode::TypeMismatch, Some("d")));
}

#[test]
fn zone_makes_a_wall_clock_a_moment() {
    let line = "created_at = { from = \"c\", zone = \"America/Los_Angeles\" }";
    let clock = Value::LocalTime(at("2026-07-01T12:00:00Z"));
    assert_eq!(ok(line, "timestamp without time zone", clock).memory.created_at, Some(at("2026-07-01T19:00:00Z")));
    assert_eq!(ok(line, "date", Value::Date(0)).memory.created_at, Some(at("1970-01-01T08:00:00Z")));
    set_aside(line, "text", text("noon"), "created_at", RejectCode::TypeMismatch);
    set_aside("created_at = \"c\"", "text", text("2026-07-01 12:00:00"), "created_at", RejectCode::TypeMismatch);
}

#[test]
fn epoch_counts_from_1970() {
    let when = Some(at("2025-12-11T08:00:00.123Z"));
    for (unit, count) in [("ms", 1_765_440_000_123), ("us", 1_765_440_000_123_000), ("ns", 1_765_440_000_123_000_000)] {
        let line = format!("created_at = {{ from = \"c\", epoch = \"{unit}\" }}");
        assert_eq!(ok(&line, "bigint", Value::Int(count)).memory.created_at, when, "{unit}");
    }
    let line = "created_at = { from = \"c\", epoch = \"s\" }";
    assert_eq!(ok(line, "numeric", Value::Decimal("1765440000.123".into())).memory.created_at, when);
    set_aside(line, "bigint", Value::Int(i64::MAX), "created_at", RejectCode::OutOfRange);
    set_aside(line, "numeric", Value::Decimal("NaN".into()), "created_at", RejectCode::TypeMismatch);
}

#[test]
fn model_names_the_embedding() {
    let line = "embedding = { from = \"c\", model = \"small-3\" }";
    let memory = ok(line, "vector(3)", Value::Vector(vec![1.0, 2.0, 3.0])).memory;
    assert_eq!((memory.embedding_model.as_deref(), memory.embedding.unwrap().len()), (Some("small-3"), 3));
    assert_eq!(ok(line, "vector(3)", Value::Null).memory.embedding_model, None);
    set_aside(line, "vector", Value::Vector(vec![1.0; 1025]), "embedding", RejectCode::Dimension);
    set_aside(line, "real[]", Value::Array(vec![Value::Float32(f32::NAN)]), "embedding", RejectCode::VectorInvalid);
    set_aside(line, "vector", Value::Vector(vec![0.0, -0.0]), "embedding", RejectCode::VectorInvalid);
    set_aside(line, "text", text("near"), "embedding", RejectCode::TypeMismatch);
}

#[test]
fn an_embedding_is_read_from_text_arrays_and_bytes() {
    let line = "embedding = { from = \"c\" }";
    let bytes = |elements: &[f32]| Value::Bytes(elements.iter().flat_map(|element| element.to_le_bytes()).collect());
    for (declared, value) in [
        ("text", text(" [0.5, -2.5e-1] ")),
        ("text", text("{0.5,-0.25}")),
        ("jsonb", Value::Json("[0.5,-0.25]".into())),
        ("sparse", Value::Other("[0.5,-0.25]".into())),
        ("double precision[]", Value::Array(vec![Value::Float64(0.5), Value::Float64(-0.25)])),
        ("numeric[]", Value::Array(vec![Value::Decimal("0.5".into()), Value::Decimal("-0.25".into())])),
        ("bytea", bytes(&[0.5, -0.25])),
        ("dynamic", bytes(&[0.5, -0.25])),
    ] {
        assert_eq!(ok(line, declared, value.clone()).memory.embedding, Some(vec![0.5, -0.25]), "{value:?}");
    }
    for (declared, value, code) in [
        ("text", text("0.5,0.25"), RejectCode::TypeMismatch),
        ("text", text("[0.5,secret]"), RejectCode::TypeMismatch),
        ("text", text("{0.5,NULL}"), RejectCode::TypeMismatch),
        ("text", text("[0.5"), RejectCode::TypeMismatch),
        ("text", text("[]"), RejectCode::VectorInvalid),
        ("text", text("[0.5,1e99]"), RejectCode::VectorInvalid),
        ("bytea", Value::Bytes(vec![0; 7]), RejectCode::TypeMismatch),
        ("bytea", Value::Bytes(Vec::new()), RejectCode::VectorInvalid),
        ("dynamic", bytes(&[f32::NAN]), RejectCode::VectorInvalid),
        ("bytea", bytes(&[0.5; 1025]), RejectCode::Dimension),
    ] {
        set_aside(line, declared, value, "embedding", code);
    }
}

#[test]
fn unpad_cuts_zeros_and_nothing_else() {
    let line = "embedding = { from = \"c\", unpad = 2 }";
    let padded = Value::Vector([vec![0.5, 0.25], vec![0.0; 1534]].concat());
    assert_eq!(ok(line, "vector(1536)", padded).memory.embedding, Some(vec![0.5, 0.25]));
    set_aside(line, "vector(3)", Value::Vector(vec![0.5, 0.25, 0.1]), "embedding", RejectCode::Dimension);
    set_aside(line, "vector(1)", Value::Vector(vec![0.5]), "embedding", RejectCode::Dimension);
}

#[test]
fn merge_makes_one_object_and_later_keys_win() {
    let line = "metadata = { merge = [\"c\", \"d\"] }";
    let merged = |c: &str, d: Value| {
        let d = if matches!(d, Value::Json(_)) { ("jsonb", d) } else { ("text", d) };
        map(line, ("jsonb", Value::Json(c.into())), d).unwrap().memory.metadata
    };
    let json = |text: &str| Some(serde_json::from_str::<serde_json::Value>(text).unwrap());
    assert_eq!(merged("{\"a\": 1, \"b\": 1}", Value::Json("{\"b\": 2}".into())), json("{\"a\": 1, \"b\": 2}"));
    assert_eq!(merged("[1]", text("red")), json("{\"c\": [1], \"d\": \"red\"}"));
    assert_eq!(merged("null", Value::Null), None);
    // What our own spelling makes an object of is a value of its column, and none writes over another.
    let spelt = map(line, ("bytea", Value::Bytes(vec![1])), ("double precision", Value::Float64(f64::NAN))).unwrap();
    let spelt = spelt.memory.metadata.unwrap();
    assert_eq!(spelt.as_object().unwrap().keys().collect::<Vec<_>>(), ["c", "d"], "{spelt}");
    set_aside(line, "json", Value::Json("{".into()), "metadata", RejectCode::InvalidJson);
}
