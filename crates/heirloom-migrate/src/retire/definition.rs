//! Whether two statements define the same.
//!
//! PostgreSQL writes some expressions otherwise once it has read what it wrote: `scope in ('A', 'B')` on a `varchar` comes back
//! as a list that is cast to text as a whole, and, read again, as a list of which each is. Which casts stand where, and in how
//! many parentheses, is therefore left out of the comparison; names, values, operators and their order are not.

use super::archive::Statement;

/// What may stand behind the name of a type.
const MORE: [&str; 5] = [" varying", " precision", " with time zone", " without time zone", "[]"];

/// The phase of the first statement that is not the same on both sides.
pub(super) fn first_difference(one: &[Statement], other: &[Statement]) -> Option<i32> {
    let longer = if one.len() > other.len() { one } else { other };
    let same = |at: usize| match (one.get(at), other.get(at)) {
        (Some(one), Some(other)) => {
            one.phase == other.phase && (one.sql == other.sql || bare(&one.sql) == bare(&other.sql))
        }
        _ => false,
    };
    (0..longer.len()).find(|&at| !same(at)).map(|at| longer[at].phase)
}

/// The statements of `now` that define something which none of `before` does.
pub(super) fn added<'a>(before: &[Statement], now: &'a [Statement]) -> Vec<&'a Statement> {
    let mut before: Vec<String> = before.iter().map(|statement| bare(&statement.sql)).collect();
    let known = |sql: &str, before: &mut Vec<String>| {
        let at = before.iter().position(|known| known == sql);
        at.map(|at| before.swap_remove(at)).is_some()
    };
    now.iter().filter(|statement| !known(&bare(&statement.sql), &mut before)).collect()
}

/// A statement without casts, parentheses and space; what stands in quotes stays as it is.
fn bare(sql: &str) -> String {
    let (mut bare, mut rest) = (String::with_capacity(sql.len()), sql);
    while let Some(first) = rest.chars().next() {
        if first == '\'' || first == '"' {
            let (quoted, after) = rest.split_at(quoted(rest, first));
            bare.push_str(quoted);
            rest = after;
        } else if let Some(cast) = rest.strip_prefix("::") {
            rest = after_type(cast);
        } else {
            if !matches!(first, '(' | ')') && !first.is_whitespace() {
                bare.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    bare
}

/// How long the quoted part is that a text begins with; a quote within is written twice.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = 1;
    loop {
        match text[at..].find(quote) {
            None => return text.len(),
            Some(end) if text[at + end + 1..].starts_with(quote) => at += end + 2,
            Some(end) => return at + end + 1,
        }
    }
}

/// What follows the type that a text begins with.
fn after_type(text: &str) -> &str {
    let mut rest = after_name(text);
    while let Some(name) = rest.strip_prefix('.') {
        rest = after_name(name);
    }
    loop {
        let before = rest;
        for more in MORE {
            rest = rest.strip_prefix(more).unwrap_or(rest);
        }
        // Width, or precision and scale.
        if let Some((width, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')'))
            && width.chars().all(|c| c.is_ascii_digit() || c == ',')
        {
            rest = after;
        }
        if rest == before {
            return rest;
        }
    }
}

fn after_name(text: &str) -> &str {
    match text.starts_with('"') {
        true => &text[quoted(text, '"')..],
        false => text.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(sql: &str) -> Vec<Statement> {
        vec![Statement { phase: 60, sql: sql.to_owned() }]
    }

    #[test]
    fn casts_and_parentheses_may_stand_elsewhere() {
        for (written, read_again) in [
            (
                "check ((scope)::text = ANY ((ARRAY['A'::character varying, 'B'::character varying(9)])::text[]))",
                "check (scope::text = ANY (ARRAY['A'::character varying::text, 'B'::character varying(9)::text]))",
            ),
            ("default (1)::numeric(12,3)", "default 1::numeric(12,3)"),
            ("check (at > '2026-01-01'::timestamp(3) with time zone)", "check ((at > '2026-01-01'))"),
            ("default 'x'::\"My schema\".\"Odd\"\"type\"[]", "default 'x'"),
        ] {
            assert_eq!(first_difference(&one(written), &one(read_again)), None, "{written}");
        }
    }

    #[test]
    fn what_is_new_is_found_wherever_it_stands() {
        let all = |sql: &[&str]| -> Vec<Statement> { sql.iter().flat_map(|sql| one(sql)).collect() };
        let before = all(&["a (1)", "b", "b", "c"]);
        let new = |sql: &[&str]| -> Vec<String> {
            added(&before, &all(sql)).iter().map(|statement| statement.sql.clone()).collect()
        };
        assert_eq!(new(&["c", "b", "a (1)::int"]), [""; 0], "casts, the order, and what is gone are nothing new");
        assert_eq!(new(&["b", "d", "b", "b", "a (2)"]), ["d", "b", "a (2)"]);
    }

    #[test]
    fn names_values_and_operators_may_not() {
        for (written, other) in [
            ("check (scope = 'A')", "check (scope = 'B')"),
            ("check (scope = 'A::text')", "check (scope = 'A')"),
            ("check (scope = 'a (b)')", "check (scope = 'a b')"),
            ("check (scope = 'it''s')", "check (scope = 'its')"),
            ("check (a < 1)", "check (a <= 1)"),
            ("check (a < 1)", "check (a < 1) not valid"),
            ("check (\"A\" < 1)", "check (a < 1)"),
            ("check (a < 1", "check (a < 12"),
        ] {
            assert_eq!(first_difference(&one(written), &one(other)), Some(60), "{written}");
        }
        assert_eq!(first_difference(&one("a"), &[]), Some(60));
        let later = [Statement { phase: 61, sql: "a".to_owned() }];
        assert_eq!(first_difference(&one("a"), &later), Some(61));
        assert_eq!(first_difference(&[], &[]), None);
        // What never ends is no reason to go beyond the end.
        assert_eq!(first_difference(&one("'"), &one("\"")), Some(60));
        assert_eq!(first_difference(&one("'é''"), &one("'é''")), None);
    }
}
