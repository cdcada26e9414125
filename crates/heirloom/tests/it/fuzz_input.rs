//! Requests by a contract, and what nobody should send: drawn from a seed, so that a number makes the same one again.

use heirloom::demo::rng::Rng;
use serde_json::{Map, Value, json};

use crate::fuzz_contract::Route;

/// In every text that is written, so that it is known again where it must not be.
pub(crate) const CONTENT: &str = "zanzibar";

/// A request to come.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: reqwest::Method,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) caller: Caller,
}

/// Whose token it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Admin,
    /// May read a namespace where nothing is.
    Stranger,
    Nobody,
}

/// What a field of such a name usually holds; the schema says no more than that it is text.
const USUAL: &[(&str, &[&str])] = &[
    (
        "namespace",
        &["team:fuzz", "team:fuzz", "team:fuzz", "team:fuzz", "workspace:fuzz", "org:fuzz", "project:7", "Team X"],
    ),
    ("workspace", &["fuzz", "child", "nobody"]),
    ("kind", &["fact", "lesson", "summary", "checkpoint", "workspace", "team"]),
    ("source", &["agent", "runtime", "user", "imported"]),
    ("state", &["draft", "candidate", "validated", "canonical", "deprecated", "archived", "Draft"]),
    ("to", &["candidate", "validated", "rejected", "active", "archived"]),
    ("scope", &["LOCAL", "TEAM", "GLOBAL"]),
    ("right", &["read", "write", "admin"]),
    ("query", &["zanzibar", "\"zanzibar clove\" -salt", "clove OR salt", "桑給巴爾", "a b c d e f g", "-"]),
    ("q", &["zanzibar", "clove"]),
    ("run", &["1", "x"]),
    ("cursor", &["", "0", "AAAA"]),
    ("parent", &["fuzz", "child"]),
];

/// Values that no schema asks for.
fn hostile(rng: &mut Rng) -> Value {
    let deep = (0..300).fold(json!(1), |inner, _| json!([inner]));
    let all = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(6),
        json!(1e308),
        json!(0.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(""),
        json!(" \t\n"),
        json!("a\u{0}b"),
        json!("\u{202e}\u{feff}\u{1f480}e\u{301}"),
        json!("'; -- $1 \\ % _ {} ${x} \u{7f}"),
        json!("2026-13-45T99:00:00Z"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("x".repeat(70_000)),
        json!([]),
        json!([null]),
        json!([[], {}]),
        json!(vec![0.0; 2_000]),
        json!(vec![1; 1_024]),
        json!({}),
        json!({ "": { "a\u{0}": 1 } }),
        deep,
    ];
    rng.pick(&all).clone()
}

/// What no header should hold.
fn garbage(rng: &mut Rng) -> &'static [u8] {
    const ALL: [&[u8]; 5] = [b"", b"\xff\xfe", b"\"1\", W/\"x\"", b"*/*;q=zzz", &[b'a'; 4_000]];
    ALL[rng.below(ALL.len() as u64) as usize]
}

/// Draws requests.
pub(crate) struct Input<'a> {
    pub(crate) rng: Rng,
    pub(crate) definitions: &'a Value,
    /// Ids that answers gave.
    pub(crate) known: &'a [String],
}

impl Input<'_> {
    /// One request to a route.
    pub(crate) fn request(&mut self, route: &Route) -> Request {
        let mut path = route.path.clone();
        let (mut query, mut headers) = (form_urlencoded::Serializer::new(String::new()), Vec::new());
        for parameter in &route.parameters {
            let likely = if parameter.name.starts_with("namespace") { 90 } else { 30 };
            if !parameter.required && !self.rng.chance(likely) {
                continue;
            }
            let value = self.value(&parameter.name, &parameter.schema, 0);
            let value = if self.rng.chance(8) { hostile(&mut self.rng) } else { value };
            match (parameter.place.as_str(), value) {
                ("path", value) => {
                    let coded: String = text(&value).bytes().take(2_000).map(|byte| format!("%{byte:02X}")).collect();
                    path = path.replace(&format!("{{{}}}", parameter.name), &coded);
                }
                ("query", Value::Array(values)) => {
                    for value in values.iter().take(100) {
                        query.append_pair(&parameter.name, &text(value));
                    }
                }
                ("query", Value::Null) => {}
                ("query", value) => drop(query.append_pair(&parameter.name, &text(&value))),
                (_, value) => headers.push((parameter.name.clone(), text(&value).into_bytes())),
            }
        }
        if self.rng.chance(3) {
            query.append_pair("nonsense", "1");
        }
        let query = query.finish();
        if !query.is_empty() {
            path = format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' });
        }
        let body = route.body.as_ref().map_or_else(Vec::new, |schema| self.body(route, schema));
        self.headers(route, &mut headers);
        let caller = match self.rng.below(100) {
            0..5 => Caller::Nobody,
            5..15 => Caller::Stranger,
            _ => Caller::Admin,
        };
        let method = route.method.parse().unwrap();
        Request { method, path, headers, body, caller }
    }

    /// Headers beside the contract's: right for most, garbage for some.
    fn headers(&mut self, route: &Route, headers: &mut Vec<(String, Vec<u8>)>) {
        let mut add = |name: &str, value: &[u8]| headers.push((name.to_owned(), value.to_owned()));
        let (kind, accept) = (self.rng.chance(97), self.rng.chance(97));
        add("content-type", if kind { b"application/json" } else { garbage(&mut self.rng) });
        if route.tool.is_some() {
            add("accept", if accept { b"application/json, text/event-stream" } else { garbage(&mut self.rng) });
        }
        if self.rng.chance(2) {
            let names =
                ["if-match", "idempotency-key", "cookie", "range", "x-forwarded-for", "traceparent", "if-none-match"];
            let name = *self.rng.pick(&names);
            add(name, garbage(&mut self.rng));
        }
    }

    /// A body, most by the contract, some with one thing wrong, some that are no JSON.
    fn body(&mut self, route: &Route, schema: &Value) -> Vec<u8> {
        let mut body = self.value("", schema, 0);
        for _ in 0..self.rng.below(100).saturating_sub(70).div_ceil(20) {
            damage(&mut self.rng, &mut body);
        }
        if let Some(tool) = &route.tool {
            body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": body } });
            if self.rng.chance(3) {
                damage(&mut self.rng, &mut body);
            }
        }
        let mut bytes = body.to_string().into_bytes();
        if self.rng.chance(8) {
            let at = self.rng.below(bytes.len() as u64 + 1) as usize;
            let garbage: [&[u8]; 8] = [b"\xff", b"\\ud800", b"\0", b"}", b"\"", b",,", b"\xef\xbb\xbf", b"1e999999999"];
            match self.rng.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.clear(),
                _ => drop(bytes.splice(at..at, self.rng.pick(&garbage).iter().copied())),
            }
        }
        bytes
    }

    /// A value that the schema allows.
    fn value(&mut self, name: &str, schema: &Value, depth: u8) -> Value {
        if let Some(place) = schema["$ref"].as_str() {
            let definition = &self.definitions[place.rsplit('/').next().unwrap_or_default()];
            return if depth < 8 { self.value(name, definition, depth + 1) } else { Value::Null };
        }
        for several in ["anyOf", "oneOf"] {
            if let Some(several) = schema[several].as_array() {
                let one = self.rng.pick(several).clone();
                return self.value(name, &one, depth + 1);
            }
        }
        if let Some(all) = schema["enum"].as_array() {
            return self.rng.pick(all).clone();
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => self.rng.pick(kinds).clone(),
            kind => kind.clone(),
        };
        match kind.as_str() {
            Some("string") => Value::String(self.string(name, schema)),
            Some("integer") => json!(self.whole(schema)),
            Some("number") => json!(self.rng.below(2_001) as f64 / 1_000.0 - 1.0),
            Some("boolean") => json!(self.rng.chance(50)),
            Some("null") => Value::Null,
            Some("array") => {
                // A vector is of the store's width or it is none.
                let count = if name == "embedding" { 1_024 } else { self.rng.below(4) };
                Value::Array((0..count).map(|_| self.value(name, &schema["items"], depth + 1)).collect())
            }
            _ if schema["properties"].is_object() || schema["additionalProperties"] == false => {
                self.object(schema, depth)
            }
            _ => json!({ "note": CONTENT, "n": [1, 2.5, null] }),
        }
    }

    fn object(&mut self, schema: &Value, depth: u8) -> Value {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            // Who names no namespace is told so, and nothing more is tried.
            let likely = if name.starts_with("namespace") { 90 } else { 30 };
            if required.contains(&name.as_str()) || self.rng.chance(likely) {
                object.insert(name.clone(), self.value(name, property, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn string(&mut self, name: &str, schema: &Value) -> String {
        if schema["format"] == "date-time" || name.ends_with("_at") {
            return format!("20{:02}-0{}-11T10:00:00Z", self.rng.between(20, 30), self.rng.between(1, 9));
        }
        let one_of = |usual: &str| name.trim_end_matches('s').rsplit('_').next() == Some(usual);
        if let Some((_, values)) = USUAL.iter().find(|(names, _)| one_of(names)) {
            return (*self.rng.pick(values)).to_owned();
        }
        let wants_id = schema["format"] == "uuid" || ["id", "memory", "memory_id", "token", "cursor"].contains(&name);
        if wants_id && !self.known.is_empty() && self.rng.chance(80) {
            return self.rng.pick(self.known).clone();
        }
        if wants_id {
            return self.rng.uuid().to_string();
        }
        format!("{CONTENT} clove {}", self.rng.below(1_000_000))
    }

    fn whole(&mut self, schema: &Value) -> i64 {
        let (low, high) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
        match self.rng.below(4) {
            0 => low.unwrap_or(0),
            1 => high.unwrap_or(100),
            _ => self.rng.between(1, 5) as i64,
        }
    }
}

/// One thing of a value is wrong: another value, gone, or a name that nobody knows.
fn damage(rng: &mut Rng, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = rng.pick(&names);
            match rng.below(10) {
                0 => drop(fields.remove(name)),
                1 => drop(fields.insert("nonsense".to_owned(), hostile(rng))),
                2..6 => drop(fields.insert(name.clone(), hostile(rng))),
                _ => {
                    if let Some(inner) = fields.get_mut(name) {
                        damage(rng, inner);
                    }
                }
            }
        }
        Value::Array(items) if !items.is_empty() && rng.chance(70) => {
            let at = rng.below(items.len() as u64) as usize;
            damage(rng, &mut items[at]);
        }
        other => *other = hostile(rng),
    }
}

/// A value as it stands in a path or a query.
fn text(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().take(4_000).collect()
}
