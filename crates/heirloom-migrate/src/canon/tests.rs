//! Each rule of the header, one test.

use heirloom_store::{Memory, Moment};
use serde_json::Value;
use uuid::Uuid;

use super::{FIELDS, field, memory};

fn blank() -> Memory {
    Memory::new(Uuid::nil(), "workspace:a", "text")
}

fn with(change: impl FnOnce(&mut Memory)) -> Vec<u8> {
    let mut row = blank();
    change(&mut row);
    memory(&row, 4)
}

fn metadata(json: &str) -> Vec<u8> {
    let value: Value = serde_json::from_str(json).unwrap();
    with(|row| row.metadata = Some(value))
}

fn frame(change: impl FnOnce(&mut Memory), name: &str) -> Vec<u8> {
    let mut row = blank();
    change(&mut row);
    field(&row, FIELDS.iter().position(|field| *field == name).unwrap(), 4)
}

#[test]
fn a_row_is_its_fields_one_after_the_other() {
    let row = blank();
    let fields: Vec<u8> = (0..FIELDS.len()).flat_map(|tag| field(&row, tag, 4)).collect();
    assert_eq!(memory(&row, 4), fields);
    assert!(field(&row, FIELDS.len(), 4).is_empty());
}

#[test]
fn every_field_has_a_frame_that_starts_with_its_number() {
    for (tag, name) in FIELDS.iter().enumerate() {
        let frame = field(&blank(), tag, 4);
        assert_eq!(usize::from(frame[0]), tag, "{name}");
        assert!(frame[1] == 0 && frame.len() == 2 || frame[1] == 1 && frame.len() > 6, "{name}");
    }
}

#[test]
fn the_id_is_not_part_of_it() {
    assert_eq!(memory(&blank(), 4), memory(&Memory::new(Uuid::max(), "workspace:a", "text"), 4));
}

#[test]
fn absent_is_not_empty() {
    assert_eq!(frame(|_| {}, "role"), [4, 0]);
    assert_eq!(frame(|row| row.role = Some(String::new()), "role"), [4, 1, 0, 0, 0, 0]);
}

#[test]
fn neighbouring_texts_cannot_flow_into_each_other() {
    let one = with(|row| {
        row.role = Some("ab".into());
        row.topic = Some("c".into());
    });
    let other = with(|row| {
        row.role = Some("a".into());
        row.topic = Some("bc".into());
    });
    assert_ne!(one, other);
}

#[test]
fn text_is_not_normalised() {
    assert_ne!(with(|row| row.content = "caf\u{e9}".into()), with(|row| row.content = "cafe\u{301}".into()));
    assert_ne!(with(|row| row.content = "a\r\n".into()), with(|row| row.content = "a\n".into()));
    assert_ne!(with(|row| row.content = "a ".into()), with(|row| row.content = "a".into()));
}

#[test]
fn moments_are_microseconds_and_infinities_are_apart() {
    let at = |moment| frame(|row| row.created_at = moment, "created_at");
    assert_eq!(at(None), [23, 0]);
    assert_eq!(at(Some(Moment::Micros(-1))), [&[23, 1, 0, 0, 0, 8][..], &[255; 8]].concat());
    assert_eq!(at(Some(Moment::Infinity)), [23, 1, 0, 0, 0, 1, b'+']);
    assert_eq!(at(Some(Moment::NegativeInfinity)), [23, 1, 0, 0, 0, 1, b'-']);
    assert_ne!(at(Some(Moment::Micros(1))), at(Some(Moment::Micros(2))));
}

#[test]
fn integers_and_booleans() {
    assert_eq!(
        frame(|row| row.project_id = Some(-2), "project_id"),
        [&[1, 1, 0, 0, 0, 8][..], &(-2i64).to_be_bytes()].concat()
    );
    assert_eq!(frame(|row| row.importance = 5, "importance"), [7, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5]);
    assert_eq!(frame(|row| row.pin = true, "pin"), [15, 1, 0, 0, 0, 1, 1]);
}

#[test]
fn minus_zero_is_zero_and_the_last_bit_counts() {
    let vector = |value: Vec<f32>| with(|row| row.embedding = Some(value));
    assert_eq!(vector(vec![-0.0, 1.0]), vector(vec![0.0, 1.0]));
    assert_ne!(vector(vec![0.1]), vector(vec![f32::from_bits(0.1f32.to_bits() + 1)]));
    assert_eq!(with(|row| row.confidence = Some(-0.0)), with(|row| row.confidence = Some(0.0)));
}

#[test]
fn a_narrow_embedding_is_one_padded_with_zeros() {
    let vector = |value: Vec<f32>| with(|row| row.embedding = Some(value));
    assert_eq!(vector(vec![1.0]), vector(vec![1.0, 0.0, 0.0, 0.0]));
    assert_ne!(vector(vec![0.0]), with(|_| {}));
}

#[test]
fn json_numbers_are_exact_decimals() {
    for (one, same) in [
        ("1.0", "1.00"),
        ("1", "1e0"),
        ("1E5", "100000"),
        ("0.001", "1e-3"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e9", "0"),
        ("120", "12e1"),
        ("10.50", "1.05E+1"),
    ] {
        assert_eq!(metadata(one), metadata(same), "{one} and {same}");
    }
    let long = format!("1{}", "0".repeat(400));
    assert_eq!(metadata("1e400"), metadata(&long));
    for (one, other) in [
        ("1", "2"),
        ("1", "-1"),
        ("1", "10"),
        ("1e400", "1e401"),
        ("0.1", "0.10000000000000001"),
        ("9007199254740993", "9007199254740992"),
        ("1", "\"1\""),
        ("1e99999999999999999999999999999999999999999", "1e9999999999999999999999999999999999999999"),
    ] {
        assert_ne!(metadata(one), metadata(other), "{one} and {other}");
    }
}

#[test]
fn json_keys_are_sorted_by_bytes_and_the_last_duplicate_wins() {
    assert_eq!(metadata(r#"{"b":1,"a":2}"#), metadata(r#"{"a":2,"b":1}"#));
    assert_eq!(metadata(r#"{"a":1.00,"a":2}"#), metadata(r#"{"a":2}"#));
    assert_eq!(metadata(r#"{"aa":1,"b":{"z":0,"ä":1}}"#), metadata(r#"{"b":{"ä":1,"z":0},"aa":1}"#));
    assert_ne!(metadata(r#"[1,2]"#), metadata(r#"[2,1]"#));
}

#[test]
fn json_shapes_do_not_flow_into_each_other() {
    for (one, other) in [
        ("{}", "[]"),
        ("[[]]", "[]"),
        ("[[],[]]", "[[[]]]"),
        (r#"{"a":"b"}"#, r#"["a","b"]"#),
        ("true", "\"t\""),
        (r#"["ab","c"]"#, r#"["a","bc"]"#),
    ] {
        assert_ne!(metadata(one), metadata(other), "{one} and {other}");
    }
}

#[test]
fn json_null_is_not_sql_null() {
    assert_ne!(metadata("null"), with(|_| {}));
    assert_ne!(metadata("null"), metadata("{}"));
}
