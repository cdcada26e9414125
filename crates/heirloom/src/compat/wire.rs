//! JSON as the platform's programs read and write it; they are written in Go, and its decoder forgives more than ours.
//!
//! Read: names in any case, unknown ones passed over, the last of several counts, null leaves a field as it is, what
//! follows the first value is not looked at, half a surrogate pair is U+FFFD. Written: `<`, `>` and `&` escaped, one
//! line break at the end, whole numbers without a point.

use std::borrow::Cow;
use std::fmt;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use heirloom_store::Moment;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::http::fault::Fault;

/// The members of an object, in their order.
#[derive(Debug, Default, PartialEq)]
pub struct Fields(Vec<(String, Value)>);

impl Fields {
    /// Reads a body: an object, or null, which says nothing.
    ///
    /// # Errors
    /// 400 "invalid JSON".
    pub fn read(body: &[u8]) -> Result<Self, Fault> {
        let text = String::from_utf8_lossy(body);
        let mended = mended(&text);
        let mut json = serde_json::Deserializer::from_str(&mended);
        let read = Option::<Self>::deserialize(&mut json).map_err(|error| {
            let why = crate::http::body::not_json(&error);
            Fault::bad("body", format!("invalid JSON: {}", why.strip_prefix("this is not JSON, ").unwrap_or(&why)))
        })?;
        Ok(read.unwrap_or_default())
    }

    /// The last value of a name; null counts.
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The last value of a name that is not null.
    fn said(&self, name: &str) -> Option<&Value> {
        let mut named = self.0.iter().rev().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.find(|(_, value)| !value.is_null()).map(|(_, value)| value)
    }

    /// A text; empty when absent.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn text(&self, name: &str) -> Result<String, Fault> {
        match self.said(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(wrong(name, "a string")),
        }
    }

    /// A yes or no; no when absent.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn flag(&self, name: &str) -> Result<bool, Fault> {
        self.said(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| wrong(name, "true or false")))
    }

    /// A whole number; 0 when absent.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn whole(&self, name: &str) -> Result<i64, Fault> {
        self.said(name).map_or(Ok(0), |value| value.as_i64().ok_or_else(|| wrong(name, "a whole number")))
    }

    /// A time, RFC 3339 with any offset.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn time(&self, name: &str) -> Result<Option<Moment>, Fault> {
        let Some(value) = self.said(name) else { return Ok(None) };
        let read = value.as_str().and_then(rfc3339);
        read.map(Some).ok_or_else(|| wrong(name, "a time such as 2026-11-27T09:30:00Z"))
    }

    /// An object.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn object(&self, name: &str) -> Result<Option<Value>, Fault> {
        match self.said(name) {
            None => Ok(None),
            Some(value @ Value::Object(_)) => Ok(Some(value.clone())),
            Some(_) => Err(wrong(name, "an object")),
        }
    }

    /// Texts; none when absent. A null among them is an empty one.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Fault> {
        self.items(name)?
            .iter()
            .map(|item| match item {
                Value::Null => Ok(String::new()),
                Value::String(text) => Ok(text.clone()),
                _ => Err(wrong(name, "an array of strings")),
            })
            .collect()
    }

    /// Numbers in single precision; none when absent.
    ///
    /// # Errors
    /// 400 for another type, and for a number that is too large.
    pub fn numbers(&self, name: &str) -> Result<Vec<f32>, Fault> {
        self.items(name)?
            .iter()
            .map(|item| {
                #[expect(clippy::cast_possible_truncation, reason = "a vector has single precision")]
                let number = if item.is_null() { Some(0.0) } else { item.as_f64().map(|wide| wide as f32) };
                number.filter(|number| number.is_finite()).ok_or_else(|| wrong(name, "an array of numbers"))
            })
            .collect()
    }

    fn items(&self, name: &str) -> Result<&[Value], Fault> {
        match self.said(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(wrong(name, "an array")),
        }
    }
}

fn wrong(name: &str, accepted: &str) -> Fault {
    Fault::bad(name, format!("invalid JSON: {name} is not {accepted}"))
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Fields(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Escapes of half a surrogate pair become U+FFFD.
fn mended(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let code = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let mut out = String::with_capacity(text.len());
    let (mut at, mut kept) = (0, 0);
    while let Some(step) = text[at..].find('\\') {
        at += step;
        let length = match code(at) {
            Some(0xD800..=0xDBFF) if matches!(code(at + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                out.push_str(&text[kept..at]);
                out.push_str("\\ufffd");
                kept = at + 6;
                6
            }
            Some(_) => 6,
            // The character after the backslash, whatever it is.
            None => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
        at += length;
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// A time exactly as RFC 3339 has it.
pub fn rfc3339(text: &str) -> Option<Moment> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
    };
    let mark = |at: usize, mark: u8| text.as_bytes().get(at) == Some(&mark);
    let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
    let marks = mark(4, b'-') && mark(7, b'-') && mark(10, b'T') && mark(13, b':') && mark(16, b':');
    if !marks || digits(0..4).is_none() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut end = 19;
    let fraction = match text.get(19..)?.strip_prefix('.') {
        None => "",
        Some(rest) => {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            end = 20 + length;
            if length == 0 {
                return None;
            }
            // Below a nanosecond nobody keeps anything.
            &text[19..20 + length.min(9)]
        }
    };
    let offset = &text[end..];
    let is_offset = match offset.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', _, _, b':', _, _] => digits(end + 1..end + 3)? < 24 && digits(end + 4..end + 6)? < 60,
        _ => false,
    };
    let whole = format!("{}{fraction}{offset}", &text[..19]);
    if is_offset { whole.parse().ok() } else { None }
}

/// A moment as the platform writes it. Without one it is Go's time that is none.
pub fn moment(moment: Option<Moment>) -> String {
    match moment {
        Some(Moment::Infinity) => "9999-12-31T23:59:59Z".to_owned(),
        Some(moment @ Moment::Micros(_)) => moment.to_string(),
        Some(Moment::NegativeInfinity) | None => "0001-01-01T00:00:00Z".to_owned(),
    }
}

/// An end, where there is one.
pub fn end(end: Option<Moment>) -> Option<String> {
    end.filter(|end| *end != Moment::Infinity).map(|end| moment(Some(end)))
}

/// An object that says something.
pub fn told(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_null() && value.as_object().is_none_or(|members| !members.is_empty()))
}

/// A number as Go writes it: a whole one without a point.
///
/// # Errors
/// The serializer's.
pub fn number<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        None => serializer.serialize_none(),
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
        Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => serializer.serialize_i64(*whole as i64),
        Some(number) => serializer.serialize_f64(*number),
    }
}

/// The text of a value as the platform writes it.
pub fn text(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

/// A response.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = format!("{}\n", text(value));
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Fields {
        Fields::read(text.as_bytes()).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    }

    #[test]
    fn what_goes_decoder_forgives() {
        let fields = read(r#"{"CONTENT":"a","content":"b","limit":5,"limit":null,"more":[1]} trailing"#);
        assert_eq!((fields.text("content"), fields.whole("limit")), (Ok("b".to_owned()), Ok(5)));
        assert_eq!(fields.given("limit"), Some(&Value::Null));
        assert_eq!(read("null"), Fields::default());
        assert_eq!(read(" {}").text("content"), Ok(String::new()));
        assert_eq!(read(r#"{"n":[null,"a"]}"#).texts("n"), Ok(vec![String::new(), "a".to_owned()]));
        assert_eq!(read(r#"{"v":[1,null,2.5]}"#).numbers("v"), Ok(vec![1.0, 0.0, 2.5]));
        assert_eq!(Fields::read(b"{\"t\":\"a\xffb\"}").expect("reads").text("t"), Ok("a\u{FFFD}b".to_owned()));
    }

    #[test]
    fn what_it_does_not() {
        for bad in ["", " ", "[]", "5", "\"a\"", "{", "{\"a\":}", "nul", "{'a':1}", "\u{feff}{}"] {
            assert_eq!(Fields::read(bad.as_bytes()).expect_err(bad).status, StatusCode::BAD_REQUEST, "{bad}");
        }
        let fields = read(r#"{"a":1,"b":"x","c":1.0,"d":[1e300],"e":[[]],"f":{}}"#);
        assert!(fields.text("a").is_err() && fields.flag("b").is_err() && fields.whole("c").is_err());
        assert!(fields.numbers("d").is_err() && fields.texts("e").is_err() && fields.texts("f").is_err());
        assert!(fields.object("b").is_err() && fields.time("a").is_err());
    }

    #[test]
    fn half_a_pair_is_mended_and_a_whole_one_is_not() {
        for (given, expected) in [
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\ud83d""#, "\u{FFFD}"),
            (r#""\ude00x""#, "\u{FFFD}x"),
            (r#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\ud83dé""#, "\u{FFFD}é"),
            (r#""\u00e9\n""#, "é\n"),
        ] {
            let fields = read(&format!("{{\"t\":{given}}}"));
            assert_eq!(fields.text("t").expect("a text"), expected, "{given}");
        }
        assert!(Fields::read(br#"{"t":"\"#).is_err() && Fields::read(br#"{"t":"\u12"#).is_err());
    }

    #[test]
    fn times_are_rfc_3339_and_nothing_else() {
        for good in [
            "2026-11-27T09:30:00Z",
            "2026-11-27T09:30:00.123456789012+08:00",
            "0001-01-01T00:00:00Z",
            "2026-02-28T23:59:59-23:59",
        ] {
            assert!(rfc3339(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2026-11-27",
            "2026-11-27 09:30:00Z",
            "2026-11-27t09:30:00z",
            "2026-11-27T09:30:00",
            "2026-11-27T09:30Z",
            "2026-11-27T24:00:00Z",
            "2026-11-27T09:30:60Z",
            "2026-02-30T09:30:00Z",
            "2026-11-27T09:30:00.Z",
            "2026-11-27T09:30:00+0800",
            "2026-11-27T09:30:00Z[UTC]",
            "2026-11-27T09:30:00é",
            "２026-11-27T09:30:00Z",
        ] {
            assert!(rfc3339(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_as_go_writes_it() {
        assert_eq!(text(&json!("<b>&\u{2028}é")), "\"\\u003cb\\u003e\\u0026\\u2028é\"");
        assert_eq!(moment(None), "0001-01-01T00:00:00Z");
        assert_eq!(moment(Some(Moment::Micros(1_500_000))), "1970-01-01T00:00:01.5Z");
        assert_eq!(end(Some(Moment::Infinity)), None);
        assert_eq!(
            (told(Some(json!({}))), told(Some(Value::Null)), told(Some(json!([])))),
            (None, None, Some(json!([])))
        );
    }
}
