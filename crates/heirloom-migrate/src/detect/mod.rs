//! Which tables of a source look like memories, and a migration file to start from for each.
//!
//! A table is scored by its name and columns; what scores well is looked into (bounded, read only) and gets a file: a
//! preset's where its columns are there, else one made from the migration guide's vocabulary. Each file is parsed,
//! compiled and run on the rows that were looked at before it is proposed, and its reject budget covers what they showed.
//! Deliberately absent: writing the file, and asking the target anything.

mod fields;
mod look;
mod owner;
mod preset;
mod score;
pub mod synonyms;
mod times;
mod trial;
mod write;

use self::look::Look;
use self::write::Sheet;
use crate::error::Result;
use crate::file::has_password;
use crate::source::{Source, Table, Type};

/// What stands in the file for a URL with a password.
const SECRET: &str = "env:LEGACY_DATABASE_URL";

/// A table that may hold memories.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Candidate {
    /// Qualified name.
    pub table: String,
    /// Its rows: estimated where the source only estimates.
    pub rows: Option<u64>,
    /// From 0 to 100; from 40 on a file is proposed.
    pub score: u32,
    /// The reasons, in plain sentences without content.
    pub why: Vec<String>,
    /// The preset whose columns are there.
    pub preset: Option<String>,
    /// The proposed migration file, TOML; empty when none is proposed (`why` says why).
    pub file: String,
}

impl Candidate {
    /// Whether somebody means this table by a name, with its schema or without.
    pub fn is_called(&self, name: &str) -> bool {
        self.table == name || self.table.strip_suffix(name).is_some_and(|schema| schema.ends_with('.'))
    }
}

/// Every table of the source, likeliest first. `url` is the source's URL as given; one with a password is not written out. A
/// file is proposed for what looks like memories, and for the table `asked` for whatever it looks like.
///
/// # Errors
/// Whatever keeps the source from listing its tables. A single table that cannot be looked into is no error: its
/// [`Candidate::why`] says so.
pub async fn detect(source: &dyn Source, url: &str, asked: Option<&str>) -> Result<Vec<Candidate>> {
    let tables = source.tables().await?;
    let url = if has_password(url) { SECRET } else { url };
    let mut found = Vec::with_capacity(tables.len());
    for table in &tables {
        if ["heirloom.", "heirloom_migrate."].iter().any(|own| table.name.starts_with(own)) {
            continue;
        }
        let (score, why) = score::score(table);
        let mut candidate = Candidate {
            table: table.name.clone(),
            rows: table.estimated_rows,
            score,
            why,
            preset: None,
            file: String::new(),
        };
        let preset = preset::matching(table);
        let is_asked = asked.is_some_and(|asked| candidate.is_called(asked));
        if (preset.is_some() || score >= score::LIKELY || is_asked)
            && let Err(error) = propose(source, url, table, &tables, preset, &mut candidate).await
        {
            candidate.why.push(format!("no file is proposed: {error}"));
        }
        found.push(candidate);
    }
    found.sort_by(|left, right| right.score.cmp(&left.score).then_with(|| left.table.cmp(&right.table)));
    Ok(found)
}

async fn propose(
    source: &dyn Source,
    url: &str,
    table: &Table,
    tables: &[Table],
    preset: Option<&'static str>,
    candidate: &mut Candidate,
) -> Result<()> {
    let declared = [&table.primary_key].into_iter().chain(&table.unique_keys).find(|key| !key.is_empty());
    let reading = declared.cloned().unwrap_or_else(|| orderable(table));
    let look = look::at(source, table, &reading).await?;
    let key = match declared {
        Some(key) => Some(key.clone()),
        None => unique_in(table, &look),
    };
    let key_line = match &key {
        Some(key) if *key == table.primary_key => None,
        Some(key) => {
            let names: Vec<String> = key.iter().map(|name| write::quote(name)).collect();
            Some(format!("key = {}", write::list(&names)))
        }
        None => {
            candidate.why.push("it has no key: name columns that are unique together".to_owned());
            Some("# The table has no key. Name columns that are unique together:\n# key = [\"…\"]".to_owned())
        }
    };
    let name = owner::plain(score::last_part(&table.name));
    let mut sheet = Sheet {
        name: &name,
        url,
        table: &table.name,
        preset: None,
        key: key_line,
        tree: None,
        namespace: None,
        map: Vec::new(),
        budget: ("0".to_owned(), Vec::new()),
    };
    if let Some(preset) = preset {
        match preset::tree(preset, table, tables) {
            Err(missing) => candidate.why.push(missing),
            Ok(tree) => {
                sheet.preset = Some(preset);
                sheet.tree = tree;
                match trial::run(source, &sheet.text(), table, &reading, &look).await {
                    Ok(rejects) => {
                        sheet.budget = trial::budget(&rejects, &look);
                        candidate.score = 100;
                        candidate.why.insert(0, format!("it has the columns of the preset {preset}"));
                        candidate.preset = Some(preset.to_owned());
                        candidate.file = sheet.text();
                        return Ok(());
                    }
                    Err(error) => candidate.why.push(format!("the preset {preset} does not fit as it stands: {error}")),
                }
                sheet.preset = None;
                sheet.tree = None;
            }
        }
    }
    let seen = fields::Seen { table, look: &look };
    sheet.namespace = Some(owner::template(&seen));
    sheet.map = fields::entries(&seen);
    let rejects = trial::run(source, &sheet.text(), table, &reading, &look).await?;
    sheet.budget = trial::budget(&rejects, &look);
    candidate.file = sheet.text();
    Ok(())
}

/// A column to read a table without a key by, once.
fn orderable(table: &Table) -> Vec<String> {
    let fits = |ty: Type| !matches!(ty, Type::Json | Type::Vector | Type::Other | Type::Array);
    table.columns.iter().filter(|column| fits(column.ty)).take(1).map(|column| column.name.clone()).collect()
}

/// A column called `id` or the like whose values are unique, when all rows were looked at.
fn unique_in(table: &Table, look: &Look) -> Option<Vec<String>> {
    if !look.whole || look.rows.is_empty() {
        return None;
    }
    table.columns.iter().enumerate().find_map(|(at, column)| {
        let folded = synonyms::fold(&column.name);
        if folded != "id" && folded != "uuid" && folded != "key" {
            return None;
        }
        let mut values: Vec<String> = Vec::with_capacity(look.rows.len());
        for row in &look.rows {
            let value = row.values.get(at).filter(|value| !value.is_null())?;
            values.push(format!("{value:?}"));
        }
        values.sort_unstable();
        let distinct = values.windows(2).all(|pair| pair[0] != pair[1]);
        distinct.then(|| vec![column.name.clone()])
    })
}
