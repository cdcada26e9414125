//! Columns of any type with names of any kind, and values such as real tables hold: as the text a server would read.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Column types, with the part of the grammar that makes values of them.
pub(crate) const TYPES: [&str; 34] = [
    "text",
    "varchar(12)",
    "character(6)",
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "numeric(12,3)",
    "real",
    "double precision",
    "boolean",
    "date",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "bytea",
    "inet",
    "hand_mood",
    "hand_label",
    "vector(4)",
    "vector(3)",
    "vector",
    "halfvec(2)",
    "text[]",
    "integer[]",
    "numeric[]",
    "double precision[]",
    "timestamptz[]",
    "json[]",
    "hand_mood[]",
    "character(3)[]",
];

/// What the types above need.
pub(crate) const NEEDED: &str = "create extension if not exists vector;
    create type hand_mood as enum ('Very Happy', 'sad', ' ', '\"', 'NULL', '日本');
    create domain hand_label as text check (length(value) < 1000000);";

/// A word, a mess or an essay; no NUL, which PostgreSQL has no text with.
pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        20 => select(MESSES.to_vec()).prop_map(str::to_owned),
        20 => any::<String>().prop_map(|text| text.replace('\0', "\u{1}")),
        1 => (vec(any::<char>(), 1..4), 1_000..60_000_usize)
            .prop_map(|(chars, times)| String::from_iter(chars).replace('\0', "x").repeat(times)),
    ]
    .boxed()
}

const MESSES: [&str; 40] = [
    "",
    " ",
    "\t\n ",
    "\r\n",
    "a\r\nb\r\n",
    "\\N",
    "\\.",
    "\n\\.\n",
    "\\",
    "\\\\",
    "a\\tb",
    "'",
    "''; drop table heirloom.memory; --",
    "\"",
    "\"\"",
    "$$",
    "$1",
    "{}",
    "{a,NULL}",
    "null",
    "NULL",
    "{\"$blob\": \"AA==\"}",
    "$expr0",
    "\u{1}\u{7}\u{8}\u{1b}[31m\u{7f}\u{85}",
    "\u{feff}begins with a mark",
    "\u{a0}",
    "\u{200b}",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "é",
    "e\u{301}",
    "ﬀ ß İ ı",
    "日本語の記憶",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "\u{202e}right to left",
    "trailing   ",
    "  leading",
    "1e400",
    "-0",
    "plain words",
    "deploy with the flag --force",
];

/// A value of a type, as text that the type reads.
pub(crate) fn value(ty: &str) -> BoxedStrategy<String> {
    if let Some(element) = ty.strip_suffix("[]") {
        return array(element);
    }
    let literal = |words: &[&str]| select(words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
    match ty {
        "smallint" => any::<i16>().prop_map(|n| n.to_string()).boxed(),
        "integer" => any::<i32>().prop_map(|n| n.to_string()).boxed(),
        "bigint" => any::<i64>().prop_map(|n| n.to_string()).boxed(),
        "numeric" => prop_oneof![
            4 => "-?[0-9]{1,80}(\\.[0-9]{1,80})?",
            2 => "-?[0-9](\\.[0-9]{0,5})?e-?[0-9]{1,2}",
            1 => literal(&["NaN", "Infinity", "-Infinity", "0", "-0.000", "00012.50", "1e1000", "1e-1000"]),
        ]
        .boxed(),
        "numeric(12,3)" => "-?[0-9]{1,9}(\\.[0-9]{1,5})?|NaN".boxed(),
        "real" => prop_oneof![any::<u32>().prop_map(|bits| float(f64::from(f32::from_bits(bits)), f32::from_bits(bits).to_string())), floats()].boxed(),
        "double precision" => {
            prop_oneof![any::<u64>().prop_map(|bits| float(f64::from_bits(bits), format!("{:e}", f64::from_bits(bits)))), floats()].boxed()
        }
        "boolean" => literal(&["true", "false"]).boxed(),
        "date" => prop_oneof![4 => day(), 1 => literal(&["infinity", "-infinity", "4713-01-01 BC", "5874897-12-31"])].boxed(),
        "timestamp" | "timestamptz" => prop_oneof![
            6 => (day(), clock(), "|\\+0[0-9]|-11:30|\\+05:45")
                .prop_map(|(day, clock, zone)| match day.strip_suffix(" BC") {
                    Some(day) => format!("{day} {clock}{zone} BC"),
                    None => format!("{day} {clock}{zone}"),
                }),
            1 => literal(&[
                "infinity", "-infinity", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00",
                "294246-12-31 23:59:59.999999+00", "294247-01-10 04:00:54.775807+00", "294247-01-10 04:00:54.775808+00",
                "0001-12-31 23:59:59.999999+00 BC", "1969-12-31 23:59:59.999999+00", "2000-01-01 00:00:00+00",
            ]),
        ]
        .boxed(),
        "interval" => prop_oneof![
            3 => (-2_000_000_000..2_000_000_000_i32, any::<i32>(), any::<i64>()),
            3 => (-40..40_i32, -40..40_i32, -200_000_000_000..200_000_000_000_i64),
            1 => select(vec![(0, 0, 0), (0, 0, -1), (0, 0, i64::MAX), (i32::MAX, i32::MAX, 1), (-1, 1, -1), (12, 0, 0)]),
        ]
        .prop_map(|(months, days, micros)| {
            let sign = if micros < 0 { "-" } else { "" };
            let (seconds, within) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
            format!("{months} mons {days} days {sign}{}:{:02}:{:02}.{within:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        })
        .boxed(),
        "uuid" => any::<u128>().prop_map(|bits| uuid::Uuid::from_u128(bits).to_string()).boxed(),
        "json" => json().boxed(),
        "jsonb" => json().prop_filter("jsonb keeps it", |text| !text.contains("\\u")).boxed(),
        "bytea" => vec(any::<u8>(), 0..40).prop_map(|bytes| hex(&bytes)).boxed(),
        "inet" => literal(&["10.0.0.1/8", "::1", "192.168.0.0/16", "fe80::1/64", "0.0.0.0/0", "10.1.2.3"]).boxed(),
        "hand_mood" => literal(&["Very Happy", "sad", " ", "\"", "NULL", "日本"]).boxed(),
        "vector(4)" => vector(4..5),
        "vector(3)" => vector(3..4),
        "vector" => vector(1..9),
        "halfvec(2)" => literal(&["[0.1,-65504]", "[0,1]", "[6e-8,-0]"]).boxed(),
        _ => text(),
    }
}

fn floats() -> BoxedStrategy<String> {
    select(vec![
        "NaN",
        "Infinity",
        "-Infinity",
        "0",
        "-0",
        "1e-45",
        "3.4028235e38",
        "0.1",
        "1e15",
        "123456789",
        "16777217",
    ])
    .prop_map(str::to_owned)
    .boxed()
}

/// Text of a float whose own text is `text` where it is finite.
fn float(value: f64, text: String) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        _ => text,
    }
}

fn day() -> BoxedStrategy<String> {
    (prop_oneof![3 => 1900..2100, 1 => 1..9999], 1..=12, 1..=28, select(vec!["", "", "", " BC"]))
        .prop_map(|(year, month, day, era)| {
            let year = if era.is_empty() { year } else { year % 4700 + 1 };
            format!("{year:04}-{month:02}-{day:02}{era}")
        })
        .boxed()
}

fn clock() -> BoxedStrategy<String> {
    (0..24, 0..60, 0..60, option::of(0..1_000_000))
        .prop_map(|(hour, minute, second, micros)| {
            let fraction = micros.map_or_else(String::new, |micros| format!(".{micros:06}"));
            format!("{hour:02}:{minute:02}:{second:02}{fraction}")
        })
        .boxed()
}

/// JSON in any dress: space, keys twice, numbers of any length, escapes that only `json` keeps.
pub(crate) fn json() -> BoxedStrategy<String> {
    prop_oneof![
        3 => select(vec![
            "null", " null ", "{}", "[]", "\"\"", "true", "-0", "-0.0", "1.00", "1E5", "1e-7", "{\"a\": 1.00,  \"a\":2}",
            "{\n\t\"b\" : [ 1 , null ] ,\r\n \"a\":{}}", "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"\\ud800\"",
            "123456789012345678901234567890.000000000000000000001", "[[[[[[[[]]]]]]]]", "\"\\/\"", "{\"\": 0}",
            "{\"$serde_json::private::Number\": \"1\"}", "{\"$blob\": \"AA==\"}", "  \"x\"  ",
        ])
        .prop_map(str::to_owned),
        1 => text().prop_map(|text| serde_json::Value::String(text).to_string()),
        1 => (text(), text(), " {0,3}").prop_map(|(key, value, space)| {
            let (key, value) = (serde_json::Value::String(key), serde_json::Value::String(value));
            format!("{space}{{{key}:{space}{value},{space}{key}:[{value}]}}{space}")
        }),
    ]
    .boxed()
}

fn vector(width: std::ops::Range<usize>) -> BoxedStrategy<String> {
    let element = prop_oneof![
        4 => -10.0..10.0_f32,
        1 => select(vec![0.0, -0.0, 1e-45, f32::MAX, f32::MIN_POSITIVE]),
    ];
    vec(element, width)
        .prop_map(|elements| {
            let parts: Vec<String> = elements.iter().map(|element| format!("{element:e}")).collect();
            format!("[{}]", parts.join(","))
        })
        .boxed()
}

/// An array of one dimension, of two, of none, or one that does not begin at 1.
fn array(element: &str) -> BoxedStrategy<String> {
    let item = option::weighted(0.8, value(element)).prop_map(|item| match item {
        None => "NULL".to_owned(),
        Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    });
    (vec(item, 0..5), 0..12)
        .prop_map(|(items, shape)| {
            let flat = format!("{{{}}}", items.join(","));
            match (items.len(), shape) {
                (0, _) => flat,
                (_, 0) => format!("{{{flat},{flat}}}"),
                (many, 1) => format!("[-1:{}]={flat}", i64::try_from(many).expect("few") - 2),
                _ => flat,
            }
        })
        .boxed()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    "\\x".chars().chain(digits.filter_map(|digit| char::from_digit(digit.into(), 16))).collect()
}

/// Column names: plain, reserved, quoted, odd, and ones that mean something to Heirloom itself.
pub(crate) fn names(count: usize) -> BoxedStrategy<Vec<String>> {
    let odd = select(vec![
        "a",
        "A",
        "b",
        "select",
        "from",
        "user",
        "order",
        "Group By",
        "a b",
        " ",
        "\"",
        "a\"b",
        "it's",
        "semi;colon",
        "--",
        "/*",
        "\\",
        "\\x",
        "$expr0",
        "$expr1",
        "$text",
        "$serde_json::private::Number",
        "content",
        "source_key",
        "metadata",
        "naïve",
        "日本",
        "🙂",
        "e\u{301}",
        "é",
        "dot.ted",
        "{brace}",
        "tab\there",
        "new\nline",
        "%s",
        "null",
        "ctid2",
        "s",
        "t",
        "s.a",
        "a_name_of_exactly_sixty_three_bytes_as_long_as_a_name_can_ever_",
    ])
    .prop_map(str::to_owned);
    let any_name = any::<String>().prop_map(|name| {
        let mut name = name.replace('\0', "");
        while name.len() > 63 {
            name.pop();
        }
        name
    });
    let name = prop_oneof![4 => odd, 1 => any_name]
        .prop_filter("a name the table has not", |name| !name.is_empty() && name != "id" && name != "id2");
    prop::collection::btree_set(name, count)
        .prop_map(|names| names.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
        .boxed()
}

/// A name as SQL quotes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as TOML quotes it.
pub(crate) fn toml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value for a message: its first characters and how long it is, so that a failed case fits on a screen.
pub(crate) fn brief(text: &str) -> String {
    const SHOWN: usize = 48;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((at, _)) => format!("{:?}… ({} bytes)", &text[..at], text.len()),
    }
}
