//! Whether a JSON text says one key twice. `json` keeps both, `jsonb` the last one.

use std::collections::HashSet;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// True when any object inside holds a key twice. Text that is no JSON says nothing.
pub(crate) fn has_duplicate_key(text: &str) -> bool {
    serde_json::from_str::<Seen>(text).is_ok_and(|seen| seen.0)
}

struct Seen(bool);

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Seen;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
        let mut keys = HashSet::new();
        let mut twice = false;
        while let Some((key, value)) = map.next_entry::<String, Seen>()? {
            twice |= value.0 | !keys.insert(key);
        }
        Ok(Seen(twice))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Seen, A::Error> {
        let mut twice = false;
        while let Some(value) = seq.next_element::<Seen>()? {
            twice |= value.0;
        }
        Ok(Seen(twice))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Seen, E> {
        Ok(Seen(false))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen(false))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Seen, E> {
        Ok(Seen(false))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen(false))
    }

    fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
        Ok(Seen(false))
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen(false))
    }
}

#[cfg(test)]
mod tests {
    use super::has_duplicate_key;

    #[test]
    fn a_key_twice_is_seen_at_any_depth() {
        for (text, twice) in [
            (r#"{"a":1,"a":2}"#, true),
            (r#"[{"b":{"a":1.50,"a":null}}]"#, true),
            (r#"{"a":{"a":1e400},"b":[{"a":1},{"a":2}]}"#, false),
            ("null", false),
            ("not json", false),
        ] {
            assert_eq!(has_duplicate_key(text), twice, "{text}");
        }
    }
}
