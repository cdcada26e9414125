//! How much a table looks like memories, from its name and its columns alone.

use super::synonyms::{OWNERS, SYNONYMS, TABLE_WORDS, fold};
use crate::source::{Column, Table, Type};

/// From this score on, a table is looked into and a file is proposed.
pub(super) const LIKELY: u32 = 40;

/// A score from 0 to 100, and the reasons.
pub(super) fn score(table: &Table) -> (u32, Vec<String>) {
    let mut why = Vec::new();
    let Some(content) = first(table, "content", |column| matches!(column.ty, Type::Text | Type::Dynamic)) else {
        return (0, vec!["no column could be the text of a memory".to_owned()]);
    };
    let sure = !matches!(fold(&content.name).as_str(), "value" | "data" | "message" | "summary" | "document");
    let mut points = if sure { 30 } else { 15 };
    why.push(format!("`{}` could be the text", content.name));
    let name = fold(last_part(&table.name));
    if name.split('_').any(|word| TABLE_WORDS.contains(&word)) {
        points += 30;
        why.push("its name speaks of memories".to_owned());
    }
    if let Some(column) = first(table, "embedding", |_| true) {
        points += 15;
        why.push(format!("`{}` looks like an embedding", column.name));
    }
    if let Some(column) = first(table, "created_at", |_| true) {
        points += 10;
        why.push(format!("`{}` says when it was written", column.name));
    }
    let owner = table.columns.iter().find(|column| OWNERS.iter().any(|(name, _)| *name == fold(&column.name)));
    if let Some(column) = owner {
        points += 10;
        why.push(format!("`{}` says whose it is", column.name));
    }
    let told = ["content", "embedding", "created_at", "updated_at", "is_active"];
    let others: Vec<&str> = SYNONYMS
        .iter()
        .filter(|(field, _)| !told.contains(field))
        .filter_map(|(field, _)| first(table, field, |_| true).map(|_| *field))
        .collect();
    if !others.is_empty() {
        points += u32::try_from(others.len()).unwrap_or(0) * 4;
        why.push(format!("columns for {}", others.join(", ")));
    }
    (points.min(100), why)
}

/// The likeliest column of a field.
pub(super) fn first<'a>(table: &'a Table, field: &str, fits: impl Fn(&Column) -> bool) -> Option<&'a Column> {
    all(table, field).into_iter().find(|column| fits(column))
}

/// Every column that may feed a field, likeliest first.
pub(super) fn all<'a>(table: &'a Table, field: &str) -> Vec<&'a Column> {
    let names = SYNONYMS.iter().find(|(known, _)| *known == field).map_or(&[][..], |(_, names)| *names);
    named(table, names)
}

/// The columns of these names, in the order of the names; one spelt exactly so comes before one that only reads so.
pub(super) fn named<'a>(table: &'a Table, names: &[&str]) -> Vec<&'a Column> {
    names
        .iter()
        .filter_map(|name| {
            let exact = table.columns.iter().find(|column| column.name == *name);
            exact.or_else(|| table.columns.iter().find(|column| fold(&column.name) == *name))
        })
        .collect()
}

/// The table's own name, without its schema and quotes.
pub(super) fn last_part(name: &str) -> &str {
    let name = name.trim_end_matches('"');
    name.rsplit(['.', '"']).find(|part| !part.is_empty()).unwrap_or(name)
}
