//! The document to a [`MigrationFile`]: what each section takes, and the preset beneath.
//!
//! What the file says wins: key by key in `[source]`, `[keep]`, `[reject]` and `[id]`, field by field in `[map]`, and as a
//! whole in `[namespace]`.

use super::doc::{Doc, Tab, Val};
use super::secret::{check_source, check_target, check_token};
use super::suggest::nearest;
use super::{
    At, Budget, Epoch, FieldSpec, IdRule, KeepRest, MigrationFile, NamespaceSpec, Otherwise, Redact, RetireSpec,
    SoakSpec, SourceSpec, TreeSpec, Ttl, preset,
};
use crate::error::{MigrateError, Place, Result};
use crate::mapping::fold;
use crate::source::Relation;
use crate::target::{Collisions, Gate};

/// A file or a preset, as far as it says something.
#[derive(Default)]
struct Part {
    name: Option<At<String>>,
    tenant: Option<At<String>>,
    url: Option<At<String>>,
    preset: Option<At<String>>,
    relation: Option<At<Relation>>,
    key: Option<Vec<At<String>>>,
    changed_at: Option<At<String>>,
    mark: Option<At<String>>,
    outbox: Option<bool>,
    tree: Option<TreePart>,
    target: Option<At<String>>,
    collisions: Option<Collisions>,
    gate: Option<Gate>,
    token: Option<At<String>>,
    concurrency: Option<usize>,
    dimension: Option<usize>,
    namespace: Option<NamespaceSpec>,
    map: Vec<(At<String>, FieldSpec)>,
    optional: Vec<String>,
    rest: Option<KeepRest>,
    drop: Vec<(At<String>, String)>,
    budget: Option<Budget>,
    id: Option<IdRule>,
    redact: Option<Redact>,
    days: Option<u32>,
    shadow: Option<At<String>>,
    grace: Option<u32>,
    archive: Option<String>,
}

/// Days of a soak when the file says nothing.
const SOAK_DAYS: u32 = 30;

/// Requests to a memory plugin at a time when the file says nothing.
const CONCURRENCY: usize = 8;

/// Width of the vectors of the platform's own plugin.
const DIMENSION: usize = 1_536;

/// Days of grace when the file says nothing.
const GRACE_DAYS: u32 = 7;

/// A `[source.tree]`, as far as it says something: a file may name another table for its preset's tree.
struct TreePart {
    place: Place,
    table: Option<At<String>>,
    id: Option<At<String>>,
    parent: Option<At<String>>,
    of: Option<At<String>>,
}

impl MigrationFile {
    /// Reads a migration file with its preset merged in.
    ///
    /// # Errors
    /// [`MigrateError::File`] at the place of the first thing that is wrong.
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let doc = Doc::new(path, text);
        let root = doc.root()?;
        let start = root.place.clone();
        let mut part = Part::read(root)?;
        if let Some(name) = &part.preset {
            let text = preset::find(&name.value).ok_or_else(|| {
                let known: Vec<&str> = preset::PRESETS.iter().map(|(known, _)| *known).collect();
                MigrateError::File {
                    place: name.place.clone(),
                    what: format!("no preset `{}`{}", name.value, nearest(&name.value, known.iter().copied())),
                    accepted: format!("accepted: {}", known.join(", ")),
                }
            })?;
            let doc = Doc::new(format!("preset:{}", name.value), text);
            let below = Part::read(doc.root()?)?;
            part = part.over(below);
        }
        part.finish(path, text, &start)
    }

    /// Reads a migration file from disk.
    ///
    /// # Errors
    /// [`MigrateError::Io`] when it cannot be read or is not UTF-8, else as [`MigrationFile::parse`].
    pub fn load(path: &str) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| MigrateError::Io { path: path.to_owned(), reason: error.to_string() })?;
        Self::parse(path, &text)
    }
}

impl Part {
    fn read(mut root: Tab<'_, '_>) -> Result<Self> {
        root.only(&[
            "name",
            "tenant",
            "preset",
            "source",
            "target",
            "namespace",
            "map",
            "keep",
            "reject",
            "id",
            "redact",
            "soak",
            "retire",
        ])?;
        let mut part = Self { name: root.take_string("name")?, tenant: root.take_string("tenant")?, ..Self::default() };
        if let Some(word) = root.take("redact") {
            let accepted = [("report", Redact::Report), ("apply", Redact::Apply), ("off", Redact::Off)];
            part.redact = Some(one_of(word, &accepted)?.value);
        }
        if let Some(mut table) = root.take_table("preset")? {
            table.only(&["summary", "looks_like", "optional"])?;
            if let Some(optional) = table.take("optional") {
                part.optional = optional.strings()?.into_iter().map(|name| name.value).collect();
            }
        }
        if let Some(table) = root.take_table("source")? {
            part.source(table)?;
        }
        if let Some(mut table) = root.take_table("target")? {
            table.only(&["url", "collisions", "gate", "token", "concurrency", "dimension"])?;
            part.target = table.take_string("url")?.map(check_target).transpose()?;
            let accepted = [("refuse", Collisions::Refuse), ("spread", Collisions::Spread)];
            part.collisions =
                table.take("collisions").map(|word| one_of(word, &accepted)).transpose()?.map(|at| at.value);
            let accepted = [("enforce", Gate::Enforce), ("warn", Gate::Warn)];
            part.gate = table.take("gate").map(|word| one_of(word, &accepted)).transpose()?.map(|at| at.value);
            part.token = table.take_string("token")?.map(check_token).transpose()?;
            part.concurrency = table.take("concurrency").map(|word| whole(word, "requests", 1, 64)).transpose()?;
            part.dimension = table.take("dimension").map(|word| whole(word, "dimensions", 1, 16_000)).transpose()?;
        }
        if let Some(table) = root.take_table("namespace")? {
            part.namespace = Some(namespace(table)?);
        }
        if let Some(table) = root.take_table("map")? {
            for entry in table.entries() {
                let key = entry.key.clone();
                part.map.extend(field(entry)?.into_iter().map(|spec| (key.clone(), spec)));
            }
        }
        if let Some(table) = root.take_table("keep")? {
            part.keep(table)?;
        }
        if let Some(mut table) = root.take_table("reject")? {
            table.only(&["budget"])?;
            part.budget = table.take("budget").map(budget).transpose()?;
        }
        if let Some(mut table) = root.take_table("soak")? {
            table.only(&["days", "shadow"])?;
            part.days = table.take("days").map(|word| days(word, 1)).transpose()?;
            part.shadow = table.take_string("shadow")?;
        }
        if let Some(mut table) = root.take_table("retire")? {
            table.only(&["grace", "archive"])?;
            part.grace = table.take("grace").map(|word| days(word, 0)).transpose()?;
            part.archive = table.take_string("archive")?.map(|word| word.value);
        }
        if let Some(mut table) = root.take_table("id")? {
            table.only(&["from"])?;
            part.id = match table.take("from") {
                None => None,
                Some(word) => Some(one_of(word, &[("derived", IdRule::Derived), ("key", IdRule::Key)])?.value),
            };
        }
        Ok(part)
    }

    fn source(&mut self, mut table: Tab<'_, '_>) -> Result<()> {
        table.only(&["url", "preset", "table", "query", "key", "changed_at", "mark", "outbox", "tree"])?;
        self.url = table.take_string("url")?.map(check_source).transpose()?;
        self.preset = table.take_string("preset")?;
        let by_name = table.take_string("table")?;
        let by_query = table.take_string("query")?;
        self.relation = match (by_name, by_query) {
            (Some(_), Some(_)) => return table.fail("[source] has both `table` and `query`", "write one of them"),
            (Some(name), None) => Some(At { value: Relation::Table(name.value), place: name.place }),
            (None, Some(query)) => Some(At { value: Relation::Query(query.value), place: query.place }),
            (None, None) => None,
        };
        self.key = table.take("key").map(Val::strings).transpose()?;
        self.changed_at = table.take_string("changed_at")?;
        self.mark = table.take_string("mark")?;
        self.outbox = table.take("outbox").map(Val::boolean).transpose()?;
        if let Some(tree) = table.take_table("tree")? {
            self.tree = Some(self::tree(tree)?);
        }
        Ok(())
    }

    fn keep(&mut self, mut table: Tab<'_, '_>) -> Result<()> {
        table.only(&["rest", "drop"])?;
        if let Some(word) = table.take("rest") {
            let accepted =
                [("origin", KeepRest::Origin), ("metadata", KeepRest::Metadata), ("nowhere", KeepRest::Nowhere)];
            self.rest = Some(one_of(word, &accepted)?.value);
        }
        if let Some(drop) = table.take_table("drop")? {
            for entry in drop.entries() {
                let column = entry.key.clone();
                let reason = entry.string()?;
                if reason.value.trim().is_empty() {
                    return Err(MigrateError::File {
                        place: reason.place,
                        what: format!("column `{}` is dropped without a reason", column.value),
                        accepted: "write why it may be left behind".into(),
                    });
                }
                self.drop.push((column, reason.value));
            }
        }
        Ok(())
    }

    /// This over `below`.
    fn over(mut self, below: Self) -> Self {
        let own: Vec<String> = self.map.iter().map(|(field, _)| field.value.clone()).collect();
        let mut map = self.map;
        map.extend(below.map.into_iter().filter(|(field, _)| !own.contains(&field.value)));
        for (column, reason) in below.drop {
            if !self.drop.iter().any(|(own, _)| own.value == column.value) {
                self.drop.push((column, reason));
            }
        }
        Self {
            name: self.name.or(below.name),
            tenant: self.tenant.or(below.tenant),
            url: self.url.or(below.url),
            preset: self.preset,
            relation: self.relation.or(below.relation),
            key: self.key.or(below.key),
            changed_at: self.changed_at.or(below.changed_at),
            mark: self.mark.or(below.mark),
            outbox: self.outbox.or(below.outbox),
            tree: match (self.tree, below.tree) {
                (Some(tree), Some(below)) => Some(tree.over(below)),
                (tree, below) => tree.or(below),
            },
            target: self.target.or(below.target),
            collisions: self.collisions.or(below.collisions),
            gate: self.gate.or(below.gate),
            token: self.token.or(below.token),
            concurrency: self.concurrency.or(below.concurrency),
            dimension: self.dimension.or(below.dimension),
            namespace: self.namespace.or(below.namespace),
            map,
            optional: [self.optional, below.optional].concat(),
            rest: self.rest.or(below.rest),
            drop: self.drop,
            budget: self.budget.or(below.budget),
            id: self.id.or(below.id),
            redact: self.redact.or(below.redact),
            days: self.days.or(below.days),
            shadow: self.shadow.or(below.shadow),
            grace: self.grace.or(below.grace),
            archive: self.archive.or(below.archive),
        }
    }

    fn finish(self, path: &str, text: &str, start: &Place) -> Result<MigrationFile> {
        let missing = |what: &str, accepted: &str| MigrateError::File {
            place: start.clone(),
            what: format!("{what} is missing"),
            accepted: accepted.to_owned(),
        };
        let name = self
            .name
            .ok_or_else(|| missing("`name`", "write name = \"…\" at the top: it names the plan and the run"))?;
        let plain = !name.value.is_empty()
            && name.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !plain {
            return Err(MigrateError::File {
                place: name.place,
                what: format!("name `{}`", name.value),
                accepted: "letters, digits, `-`, `_` and `.` are accepted: it becomes part of file names".into(),
            });
        }
        Ok(MigrationFile {
            name: name.value,
            tenant: self.tenant.map(|tenant| tenant.value),
            path: path.to_owned(),
            text: text.to_owned(),
            source: SourceSpec {
                url: self
                    .url
                    .ok_or_else(|| missing("[source] url", "write url = \"env:NAME\", \"sqlite:FILE\" or \"store\""))?,
                preset: self.preset,
                relation: self.relation.ok_or_else(|| {
                    missing("[source] table", "write table = \"schema.name\" or query = \"select …\"")
                })?,
                key: self.key.unwrap_or_default(),
                changed_at: self.changed_at,
                mark: self.mark,
                outbox: self.outbox.unwrap_or_default(),
                tree: self.tree.map(TreePart::finish).transpose()?,
            },
            target: self.target,
            collisions: self.collisions.unwrap_or_default(),
            gate: self.gate.unwrap_or_default(),
            token: self.token,
            concurrency: self.concurrency.unwrap_or(CONCURRENCY),
            dimension: self.dimension.unwrap_or(DIMENSION),
            namespace: self.namespace.ok_or_else(|| {
                missing(
                    "[namespace]",
                    "write template = \"workspace:{column}\", or from and values: it says who will see each row",
                )
            })?,
            map: self.map,
            optional: self.optional,
            keep_rest: self.rest.unwrap_or_default(),
            drop: self.drop,
            budget: self.budget.unwrap_or(Budget::Rows(0)),
            id: self.id.unwrap_or_default(),
            redact: self.redact.unwrap_or_default(),
            soak: SoakSpec { days: self.days.unwrap_or(SOAK_DAYS), shadow: self.shadow },
            retire: RetireSpec { grace: self.grace.unwrap_or(GRACE_DAYS), archive: self.archive },
        })
    }
}

fn tree(mut table: Tab<'_, '_>) -> Result<TreePart> {
    table.only(&["table", "id", "parent", "of"])?;
    Ok(TreePart {
        place: table.place.clone(),
        table: table.take_string("table")?,
        id: table.take_string("id")?,
        parent: table.take_string("parent")?,
        of: table.take_string("of")?,
    })
}

impl TreePart {
    fn over(self, below: Self) -> Self {
        Self {
            place: self.place,
            table: self.table.or(below.table),
            id: self.id.or(below.id),
            parent: self.parent.or(below.parent),
            of: self.of.or(below.of),
        }
    }

    fn finish(self) -> Result<TreeSpec> {
        let place = self.place;
        let need = |key: &str, word: Option<At<String>>| {
            word.ok_or_else(|| MigrateError::File {
                place: place.clone(),
                what: format!("[source.tree] {key} is missing"),
                accepted: "write table, id, parent, and of (the column that names the node)".into(),
            })
        };
        Ok(TreeSpec {
            table: need("table", self.table)?,
            id: need("id", self.id)?,
            parent: need("parent", self.parent)?,
            of: need("of", self.of)?,
        })
    }
}

fn namespace(mut table: Tab<'_, '_>) -> Result<NamespaceSpec> {
    table.only(&["template", "from", "values", "otherwise"])?;
    let template = table.take_string("template")?;
    let from = table.take_string("from")?;
    let values = table.take_table("values")?;
    let otherwise = table.take_string("otherwise")?;
    match (template, from, values) {
        (Some(template), None, None) if otherwise.is_none() => Ok(NamespaceSpec::Template(template)),
        (None, Some(from), Some(values)) => {
            let values = listed_once(values, Val::string)?;
            let otherwise = otherwise.filter(|word| word.value != "reject");
            Ok(NamespaceSpec::Values { from, values, otherwise })
        }
        _ => table.fail(
            "[namespace] is neither a template nor a value map",
            "write template = \"workspace:{column}\" alone, or from = \"column\" with values = { VALUE = \"template\" }",
        ),
    }
}

const VERBS: [&str; 13] = [
    "from",
    "expr",
    "value",
    "values",
    "otherwise",
    "scale",
    "ttl",
    "since",
    "when_true",
    "zone",
    "epoch",
    "model",
    "unpad",
];

fn field(entry: Val<'_, '_>) -> Result<Vec<FieldSpec>> {
    if entry.is_array() {
        let each = entry.elements().into_iter().map(one_field).collect::<Result<Vec<_>>>()?;
        return Ok(each.concat());
    }
    one_field(entry)
}

/// One way to fill a field; `from = ["a", "b"]` is short for the same words about `a`, then about `b`.
fn one_field(entry: Val<'_, '_>) -> Result<Vec<FieldSpec>> {
    if !entry.is_table() {
        return Ok(vec![FieldSpec { from: Some(entry.string()?), ..FieldSpec::default() }]);
    }
    let mut table = entry.table()?;
    table.only(&[&VERBS[..], &["merge"]].concat())?;
    let from = table.take("from").map(Val::strings).transpose()?.unwrap_or_default();
    let spec = FieldSpec {
        from: None,
        expr: table.take_string("expr")?,
        value: table.take("value").map(Val::plain).transpose()?,
        values: table.take_table("values")?.map(value_map).transpose()?,
        otherwise: table.take("otherwise").map(otherwise).transpose()?,
        scale: table.take("scale").map(scale).transpose()?,
        ttl: match table.take("ttl") {
            None => None,
            Some(word) => Some(one_of(
                word,
                &[("seconds", Ttl::Seconds), ("interval", Ttl::Interval), ("absolute", Ttl::Absolute)],
            )?),
        },
        since: table.take_string("since")?,
        when_true: table.take("when_true").map(Val::strings).transpose()?,
        zone: table.take_string("zone")?,
        epoch: match table.take("epoch") {
            None => None,
            Some(word) => Some(one_of(
                word,
                &[("s", Epoch::Seconds), ("ms", Epoch::Millis), ("us", Epoch::Micros), ("ns", Epoch::Nanos)],
            )?),
        },
        model: table.take_string("model")?,
        unpad: table.take("unpad").map(Val::width).transpose()?,
        merge: table.take("merge").map(Val::strings).transpose()?,
    };
    let inputs = [!from.is_empty(), spec.expr.is_some(), spec.value.is_some(), spec.merge.is_some()];
    match inputs.iter().filter(|given| **given).count() {
        1 if from.is_empty() => Ok(vec![spec]),
        1 => Ok(from.into_iter().map(|from| FieldSpec { from: Some(from), ..spec.clone() }).collect()),
        0 => table.fail("this field has no input", "write one of from, expr, value, merge"),
        _ => table.fail("this field has more than one input", "write one of from, expr, value, merge"),
    }
}

fn value_map(table: Tab<'_, '_>) -> Result<Vec<(String, At<String>)>> {
    listed_once(table, Val::scalar)
}

/// The entries of a value map. Two keys that fold to the same value are refused: one of them would silently win.
fn listed_once<'d, 't>(
    table: Tab<'d, 't>,
    read: fn(Val<'d, 't>) -> Result<At<String>>,
) -> Result<Vec<(String, At<String>)>> {
    let mut listed: Vec<(String, At<String>)> = Vec::new();
    for entry in table.entries() {
        let key = entry.key.clone();
        if let Some((before, _)) = listed.iter().find(|(before, _)| fold(before) == fold(&key.value)) {
            return Err(MigrateError::File {
                place: key.place,
                what: format!(
                    "`{}` is listed before as `{before}`: case and outer space do not tell values apart",
                    key.value
                ),
                accepted: "list each value once".into(),
            });
        }
        listed.push((key.value, read(entry)?));
    }
    Ok(listed)
}

fn otherwise(word: Val<'_, '_>) -> Result<At<Otherwise>> {
    let word = word.scalar()?;
    let value = match word.value.as_str() {
        "reject" => Otherwise::Reject,
        "keep" => Otherwise::Keep,
        _ => Otherwise::Value(word.value),
    };
    Ok(At { value, place: word.place })
}

fn scale(word: Val<'_, '_>) -> Result<At<(f64, f64)>> {
    let place = word.place.clone();
    let ends = word.elements().into_iter().map(|end| Ok(end.number()?.value)).collect::<Result<Vec<f64>>>()?;
    match ends.as_slice() {
        [low, high] if low < high => Ok(At { value: (*low, *high), place }),
        _ => Err(MigrateError::File {
            place,
            what: "`scale` does not have two ends, the lower first".into(),
            accepted: "write the source's own range, e.g. scale = [1, 10]".into(),
        }),
    }
}

/// A whole number of days, from `least` to ten years.
fn days(word: Val<'_, '_>, least: u32) -> Result<u32> {
    whole(word, "days", least, 3_650)
}

/// A whole number of something, from `least` to `most`.
fn whole<T: std::str::FromStr + PartialOrd + std::fmt::Display>(
    word: Val<'_, '_>,
    what: &str,
    least: T,
    most: T,
) -> Result<T> {
    let word = word.written_number()?;
    let number = word.value.parse::<T>().ok().filter(|number| (&least..=&most).contains(&number));
    number.ok_or_else(|| MigrateError::File {
        place: word.place,
        what: format!("{} {what}", word.value),
        accepted: format!("write a whole number of {what}, {least} to {most}"),
    })
}

pub(crate) fn budget(word: Val<'_, '_>) -> Result<Budget> {
    let word = word.scalar()?;
    Budget::parse(&word.value).ok_or_else(|| MigrateError::File {
        place: word.place,
        what: format!("budget `{}`", word.value),
        accepted: "write a number of rows (\"12\") or a share of them (\"0.5%\")".into(),
    })
}

fn one_of<T: Copy>(word: Val<'_, '_>, accepted: &[(&str, T)]) -> Result<At<T>> {
    let word = word.string()?;
    match accepted.iter().find(|(name, _)| *name == word.value) {
        Some((_, value)) => Ok(At { value: *value, place: word.place }),
        None => {
            let names: Vec<&str> = accepted.iter().map(|(name, _)| *name).collect();
            Err(MigrateError::File {
                place: word.place,
                what: format!("unknown word `{}`{}", word.value, nearest(&word.value, names.iter().copied())),
                accepted: format!("accepted: {}", names.join(", ")),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::file::MigrationFile;

    #[test]
    fn a_value_listed_twice_is_refused() {
        let file = |namespace: &str, state: &str| {
            format!(
                "name = \"n\"\n[source]\nurl = \"store\"\ntable = \"t\"\n[namespace]\n{namespace}\n[map]\ncontent = \"c\"\nstate = {state}\n"
            )
        };
        let plain = "template = \"project:1\"";
        let text = file(plain, "{ from = \"s\", values = { Draft = \"draft\", \"draft \" = \"archived\" } }");
        assert_eq!(
            MigrationFile::parse("n.toml", &text).unwrap_err().to_string(),
            "n.toml:9:51: `draft ` is listed before as `Draft`: case and outer space do not tell values apart; list each value once"
        );
        let text = file("from = \"s\"\nvalues = { A = \"team:a\", a = \"org:a\" }", "\"s\"");
        assert!(MigrationFile::parse("n.toml", &text).is_err());
    }
}
