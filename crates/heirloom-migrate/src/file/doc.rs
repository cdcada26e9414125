//! TOML with the place of every word: a thin reader over the spanned tree of the `toml` crate.
//!
//! Knows nothing of migrations: it turns spans into lines and columns, refuses unknown keys and wrong types with a
//! sentence that says what is accepted.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::At;
use super::suggest::nearest;
use crate::error::{MigrateError, Place, Result};

/// A text and the name under which its places are reported.
pub(crate) struct Doc<'t> {
    name: String,
    text: &'t str,
}

impl<'t> Doc<'t> {
    pub(crate) fn new(name: impl Into<String>, text: &'t str) -> Self {
        Self { name: name.into(), text }
    }

    /// The whole document as a table.
    pub(crate) fn root(&self) -> Result<Tab<'_, 't>> {
        let table = DeTable::parse(self.text).map_err(|error| MigrateError::File {
            place: self.place(error.span().map_or(0, |span| span.start)),
            what: format!("this is not TOML: {}", error.message()),
            accepted: "a migration file is TOML 1.0 (https://toml.io)".to_owned(),
        })?;
        Ok(Tab { doc: self, table: table.into_inner(), place: self.place(0), path: String::new() })
    }

    /// Line and column (in characters) of a byte offset, 1-based.
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            file: self.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn fail<T>(place: Place, what: String, accepted: impl Into<String>) -> Result<T> {
        Err(MigrateError::File { place, what, accepted: accepted.into() })
    }
}

/// One table of the document.
pub(crate) struct Tab<'d, 't> {
    doc: &'d Doc<'t>,
    table: DeTable<'t>,
    /// Where it starts.
    pub(crate) place: Place,
    path: String,
}

/// One value with its key's place and its own.
pub(crate) struct Val<'d, 't> {
    doc: &'d Doc<'t>,
    /// The key, and where it stands.
    pub(crate) key: At<String>,
    /// Where the value stands.
    pub(crate) place: Place,
    value: DeValue<'t>,
    path: String,
}

impl<'d, 't> Tab<'d, 't> {
    /// Refuses keys that are not listed.
    pub(crate) fn only(&self, accepted: &[&str]) -> Result<()> {
        for key in self.table.keys() {
            let found: &str = key.get_ref();
            if !accepted.contains(&found) {
                let section = if self.path.is_empty() { "the file".to_owned() } else { format!("[{}]", self.path) };
                return Doc::fail(
                    self.doc.place(key.span().start),
                    format!("unknown key `{found}` in {section}{}", nearest(found, accepted.iter().copied())),
                    format!("accepted here: {}", accepted.join(", ")),
                );
            }
        }
        Ok(())
    }

    /// Takes a key out.
    pub(crate) fn take(&mut self, key: &str) -> Option<Val<'d, 't>> {
        let (found, value) = self.table.remove_entry(key)?;
        Some(self.val(found, value))
    }

    /// Takes a key out that must be a table.
    pub(crate) fn take_table(&mut self, key: &str) -> Result<Option<Tab<'d, 't>>> {
        self.take(key).map(Val::table).transpose()
    }

    /// Takes a string out, with its place.
    pub(crate) fn take_string(&mut self, key: &str) -> Result<Option<At<String>>> {
        self.take(key).map(Val::string).transpose()
    }

    /// All entries, in the order of the text.
    pub(crate) fn entries(self) -> Vec<Val<'d, 't>> {
        let Self { doc, table, path, .. } = self;
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries.into_iter().map(|(key, value)| make(doc, &path, key, value)).collect()
    }

    /// An error at the start of this table.
    pub(crate) fn fail<T>(&self, what: impl Into<String>, accepted: impl Into<String>) -> Result<T> {
        Doc::fail(self.place.clone(), what.into(), accepted)
    }

    fn val(&self, key: Spanned<std::borrow::Cow<'t, str>>, value: Spanned<DeValue<'t>>) -> Val<'d, 't> {
        make(self.doc, &self.path, key, value)
    }
}

fn make<'d, 't>(
    doc: &'d Doc<'t>,
    path: &str,
    key: Spanned<std::borrow::Cow<'t, str>>,
    value: Spanned<DeValue<'t>>,
) -> Val<'d, 't> {
    let path = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
    let place = doc.place(value.span().start);
    let key = At { place: doc.place(key.span().start), value: key.into_inner().into_owned() };
    Val { doc, key, place, value: value.into_inner(), path }
}

impl<'d, 't> Val<'d, 't> {
    /// An error at this value.
    pub(crate) fn fail<T>(&self, what: impl Into<String>, accepted: impl Into<String>) -> Result<T> {
        Doc::fail(self.place.clone(), what.into(), accepted)
    }

    fn wrong<T>(&self, accepted: &str) -> Result<T> {
        self.fail(format!("`{}` is {}", self.path, article(self.value.type_str())), format!("write {accepted}"))
    }

    pub(crate) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(crate) fn is_array(&self) -> bool {
        self.value.is_array()
    }

    pub(crate) fn table(self) -> Result<Tab<'d, 't>> {
        match self.value {
            DeValue::Table(table) => Ok(Tab { doc: self.doc, table, place: self.key.place, path: self.path }),
            _ => self.wrong("a table"),
        }
    }

    pub(crate) fn string(self) -> Result<At<String>> {
        match self.value {
            DeValue::String(text) => Ok(At { value: text.into_owned(), place: self.place }),
            _ => self.wrong("a string in quotes"),
        }
    }

    pub(crate) fn boolean(self) -> Result<bool> {
        match self.value {
            DeValue::Boolean(value) => Ok(value),
            _ => self.wrong("true or false"),
        }
    }

    /// A string, or a number or boolean taken as its text: targets of a value map and budgets.
    pub(crate) fn scalar(self) -> Result<At<String>> {
        let text = match &self.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(value) => value.to_string(),
            _ => return self.wrong("a string in quotes"),
        };
        Ok(At { value: text, place: self.place })
    }

    /// The elements of an array, or the single value as one element.
    pub(crate) fn elements(self) -> Vec<Val<'d, 't>> {
        let (doc, path, key) = (self.doc, self.path.clone(), self.key.clone());
        match self.value {
            DeValue::Array(items) => items
                .into_iter()
                .map(|item| Val {
                    doc,
                    key: key.clone(),
                    place: doc.place(item.span().start),
                    value: item.into_inner(),
                    path: path.clone(),
                })
                .collect(),
            value => vec![Val { doc, key, place: self.place, value, path }],
        }
    }

    /// A string, or an array of strings.
    pub(crate) fn strings(self) -> Result<Vec<At<String>>> {
        self.elements().into_iter().map(Val::string).collect()
    }

    pub(crate) fn number(self) -> Result<At<f64>> {
        let parsed = match &self.value {
            DeValue::Integer(number) => number.to_string().parse::<f64>().ok(),
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            _ => None,
        };
        match parsed.filter(|number| number.is_finite()) {
            Some(value) => Ok(At { value, place: self.place }),
            None => self.wrong("a number"),
        }
    }

    /// A number as it is written.
    pub(crate) fn written_number(self) -> Result<At<String>> {
        match &self.value {
            DeValue::Integer(number) => Ok(At { value: number.to_string(), place: self.place }),
            DeValue::Float(number) => Ok(At { value: number.as_str().to_owned(), place: self.place }),
            _ => self.wrong("a number"),
        }
    }

    pub(crate) fn whole(self) -> Result<At<u64>> {
        let parsed = match &self.value {
            DeValue::Integer(number) => number.to_string().parse::<u64>().ok(),
            _ => None,
        };
        match parsed {
            Some(value) => Ok(At { value, place: self.place }),
            None => self.wrong("a whole number, 0 or more"),
        }
    }

    pub(crate) fn width(self) -> Result<At<usize>> {
        let parsed = match &self.value {
            DeValue::Integer(number) => number.to_string().parse::<usize>().ok(),
            _ => None,
        };
        match parsed.filter(|&number| number > 0) {
            Some(value) => Ok(At { value, place: self.place }),
            None => self.wrong("a whole number above 0"),
        }
    }

    /// The value as plain TOML.
    pub(crate) fn plain(self) -> Result<At<toml::Value>> {
        match plain(&self.value) {
            Some(value) => Ok(At { value, place: self.place }),
            None => self.wrong("a number within 64 bits"),
        }
    }
}

fn plain(value: &DeValue<'_>) -> Option<toml::Value> {
    Some(match value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(number) => toml::Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Float(number) => toml::Value::Float(number.as_str().parse().ok()?),
        DeValue::Boolean(value) => toml::Value::Boolean(*value),
        DeValue::Datetime(moment) => toml::Value::Datetime(*moment),
        DeValue::Array(items) => {
            toml::Value::Array(items.iter().map(|item| plain(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => toml::Value::Table(
            table
                .iter()
                .map(|(key, value)| Some((key.get_ref().to_string(), plain(value.get_ref())?)))
                .collect::<Option<_>>()?,
        ),
    })
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}
