//! Which preset a table looks like, and where the table of parents of that preset lies.

use super::score::last_part;
use crate::file::PRESETS;
use crate::source::Table;

/// The preset all of whose `looks_like` columns are there; the one with most when there are several.
pub(super) fn matching(table: &Table) -> Option<&'static str> {
    PRESETS
        .iter()
        .filter_map(|(name, text)| {
            let preset: toml::Value = toml::from_str(text).ok()?;
            let columns = preset.get("preset")?.get("looks_like")?.as_array()?.clone();
            let there = |column: &toml::Value| {
                column.as_str().is_some_and(|name| table.columns.iter().any(|known| known.name == name))
            };
            (!columns.is_empty() && columns.iter().all(there)).then_some((columns.len(), *name))
        })
        .max()
        .map(|(_, name)| name)
}

/// The preset's `[source.tree]` with the table of parents as it is called here, beside the migrated table if there.
///
/// # Errors
/// A sentence, when the preset needs a table of parents and there is none.
pub(super) fn tree(
    preset: &str,
    table: &Table,
    tables: &[Table],
) -> Result<Option<[(&'static str, String); 4]>, String> {
    let text = PRESETS.iter().find(|(name, _)| *name == preset).map_or("", |(_, text)| *text);
    let parsed: Option<toml::Value> = toml::from_str(text).ok();
    let Some(tree) = parsed.as_ref().and_then(|preset| preset.get("source")?.get("tree")) else { return Ok(None) };
    let word = |word: &str| tree.get(word).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let wanted = word("table");
    let schema = |name: &str| name.strip_suffix(last_part(name)).unwrap_or_default().to_owned();
    let named: Vec<&Table> = tables.iter().filter(|known| last_part(&known.name) == last_part(&wanted)).collect();
    let beside = named.iter().find(|known| schema(&known.name) == schema(&table.name)).or(named.first());
    match beside {
        Some(found) => Ok(Some([
            ("table", found.name.clone()),
            ("id", word("id")),
            ("parent", word("parent")),
            ("of", word("of")),
        ])),
        None => Err(format!("the preset {preset} needs a table {wanted} of parents, which is not there")),
    }
}
