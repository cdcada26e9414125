//! The rules for the database, from the same list: `sql/objects/functions/redaction_rules.sql` and
//! `may_hold_credential.sql` are what these say, which a test compares.

use std::fmt::Write;

use super::rules::list;

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn quoted_list(texts: &[String]) -> String {
    if texts.is_empty() {
        return "'{}'".to_owned();
    }
    let texts: Vec<String> = texts.iter().map(|text| format!("\n            {}", quoted(text))).collect();
    format!("array[{}\n        ]", texts.join(","))
}

/// The text of `redaction_rules.sql`.
pub fn rules_function() -> String {
    let mut sql = "-- The shapes of credentials, in the order they are applied. Generated from the rules in src/redact; `just bless`\n\
         -- writes it again. Group 1 of a pattern stays, group 2 goes.\n\n\
         create or replace function heirloom.redaction_rules()\n\
         returns table (n integer, label text, hints text[], pattern text, must text[], never text[], not_after text)\n\
         language sql\nimmutable\nset search_path = pg_catalog\nas $rules$\n    values\n"
        .to_owned();
    for (at, rule) in list().iter().enumerate() {
        let comma = if at == 0 { "" } else { ",\n" };
        let not_after = rule.not_after.map_or("null".to_owned(), quoted);
        let types = if at == 0 { ["::text[]", "::text"] } else { ["", ""] };
        // Writing into a String cannot fail.
        let _ = write!(
            sql,
            "{comma}    (\n        {},\n        {},\n        {}{ty},\n        {},\n        {}{ty},\n        {}{ty},\n        {not_after}{}\n    )",
            at + 1,
            quoted(rule.label),
            quoted(&format!("{{{}}}", rule.hints.join(","))),
            quoted(&rule.pattern),
            quoted_list(&rule.must),
            quoted_list(&rule.never),
            types[1],
            ty = types[0],
        );
    }
    sql.push_str("\n$rules$;\n");
    sql
}

/// The text of `may_hold_credential.sql`.
pub fn suspicion_function() -> String {
    let (mut named, mut runs): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for rule in list() {
        let shapes = match &rule.likely {
            Some(shape) => vec![shape.clone()],
            None => rule.hints.iter().map(|hint| hint.replace('.', "[.]")).collect(),
        };
        let kind = if rule.hints.is_empty() { &mut runs } else { &mut named };
        for shape in shapes {
            if !kind.contains(&shape) {
                kind.push(shape);
            }
        }
    }
    format!(
        "-- Whether a text may hold a credential: the first look, which clean rows pass. Without a search_path of its own, so\n\
         -- that a trigger's condition takes it in and calls nothing. Two patterns, because long runs counted beside\n\
         -- prefixes take twice the time of both. Generated from the rules in src/redact; `just bless` writes it again.\n\n\
         create or replace function heirloom.may_hold_credential(said text) returns boolean\n\
         language sql\nimmutable\nparallel safe\n\
         return\n    said operator(pg_catalog.~) {}\n    or said operator(pg_catalog.~) {};\n",
        quoted(&named.join("|")),
        quoted(&runs.join("|"))
    )
}
