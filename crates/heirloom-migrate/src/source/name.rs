//! Names of relations and columns: how they are spelt, quoted, and which one a misspelt one may have meant.

/// One relation as written: schema (absent: the search path) and name, exact, case and all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelling {
    /// The schema.
    pub(super) schema: Option<String>,
    /// The name.
    pub(super) name: String,
}

/// What a written name may mean, most literal first: the whole as a name, split at each dot, then as SQL reads it
/// (unquoted parts in lower case, `"…"` exact).
pub(super) fn spellings(written: &str) -> Vec<Spelling> {
    let mut found = vec![Spelling { schema: None, name: written.to_owned() }];
    for (at, _) in written.match_indices('.') {
        let (schema, name) = (&written[..at], &written[at + 1..]);
        if !schema.is_empty() && !name.is_empty() {
            found.push(Spelling { schema: Some(schema.to_owned()), name: name.to_owned() });
        }
    }
    if let Some(parts) = sql_parts(written) {
        let spelling = match <[String; 2]>::try_from(parts) {
            Ok([schema, name]) => Some(Spelling { schema: Some(schema), name }),
            Err(parts) => <[String; 1]>::try_from(parts).ok().map(|[name]| Spelling { schema: None, name }),
        };
        found.extend(spelling);
    }
    found.dedup();
    found
}

/// The parts of a dotted SQL name, or `None` when it is not one.
fn sql_parts(written: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = written;
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_part(quoted)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let part = &rest[..end];
                if part.is_empty() || part.contains('"') {
                    return None;
                }
                (part.to_lowercase(), &rest[end..])
            }
        };
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(parts),
            None => return None,
        }
    }
}

/// What stands before the closing quote (`""` is a quote), and what follows it.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('"')?;
        part.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                part.push('"');
                rest = next;
            }
            None if part.is_empty() => return None,
            None => return Some((part, rest)),
        }
    }
}

/// A name as an SQL identifier, always quoted.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal, under `standard_conforming_strings`.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Up to three of `there` that come nearest to what was written, the schema counting less than the name.
pub(super) fn nearest(written: &str, there: &[String]) -> Vec<String> {
    let wanted = last_part(written);
    let mut ranked: Vec<_> = there
        .iter()
        .map(|name| {
            let last = last_part(name);
            let near = if last.contains(&wanted) || wanted.contains(&last) { 1 } else { distance(&wanted, &last) };
            (near, name)
        })
        .filter(|(near, name)| *near <= 2 + name.chars().count().min(wanted.chars().count()) / 3)
        .collect();
    ranked.sort();
    ranked.into_iter().take(3).map(|(_, name)| name.clone()).collect()
}

/// The sentence of [`nearest`] for an error.
pub(super) fn there_is(written: &str, there: &[String]) -> String {
    let near = nearest(written, there);
    if !near.is_empty() {
        return format!("the nearest there: {}", near.join(", "));
    }
    match there {
        [] => "there is no table at all".to_owned(),
        [one] => format!("the only table there: {one}"),
        some if some.len() <= 8 => format!("there are: {}", some.join(", ")),
        many => format!("there are {} tables, none with a similar name", many.len()),
    }
}

fn last_part(name: &str) -> String {
    let last = sql_parts(name).and_then(|mut parts| parts.pop()).unwrap_or_else(|| name.to_owned());
    last.to_lowercase()
}

/// Edits between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(schema: Option<&str>, name: &str) -> Spelling {
        Spelling { schema: schema.map(str::to_owned), name: name.to_owned() }
    }

    #[test]
    fn a_name_is_read_literally_first_and_as_sql_last() {
        assert_eq!(spellings("notes"), [spelling(None, "notes")]);
        assert_eq!(spellings("Notes"), [spelling(None, "Notes"), spelling(None, "notes")]);
        assert_eq!(
            spellings("Mem.Item"),
            [spelling(None, "Mem.Item"), spelling(Some("Mem"), "Item"), spelling(Some("mem"), "item")]
        );
        assert_eq!(spellings(r#""a.b"."we""ird""#).last(), Some(&spelling(Some("a.b"), r#"we"ird"#)));
        assert_eq!(spellings(r#""open"#).len(), 1);
    }

    #[test]
    fn quoting_leaves_nothing_to_inject() {
        assert_eq!(identifier(r#"a"; drop table x --"#), r#""a""; drop table x --""#);
        assert_eq!(literal(r"o'b\'"), r"'o''b\'''");
    }

    #[test]
    fn the_nearest_names_come_first() {
        let there = ["public.agent_memories".to_owned(), "public.orders".to_owned(), "mem.mem_item".to_owned()];
        assert_eq!(nearest("agent_memory", &there), ["public.agent_memories"]);
        assert_eq!(nearest("mem_items", &there), ["mem.mem_item"]);
        assert_eq!(there_is("zzz", &there), "there are: public.agent_memories, public.orders, mem.mem_item");
    }
}
