//! `tenants.toml`: who there is, what each has of its own, and what all share.
//!
//! A word in `[defaults]` holds for every tenant that does not say otherwise, and `{tenant}` in it stands for the
//! tenant's name. Nothing here opens anything or resolves a reference: a secret stays a reference.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::apply::{Manners, Rate};
use crate::error::{MigrateError, Place, Result};
use crate::file::doc::{Doc, Tab, Val};
use crate::file::parse::budget;
use crate::file::secret::{check_source, check_target};
use crate::file::suggest::nearest;
use crate::file::{At, Budget};

/// Keys that `[defaults]` and a `[[tenant]]` both take, with what each says; `docs/reference/tenants-file.md` lists them.
pub const SHARED: &[&str] = &[
    "file",
    "source",
    "target",
    "preset",
    "table",
    "tree",
    "namespace",
    "filter",
    "key",
    "budget",
    "allow",
    "rate",
    "byte_rate",
    "pause_file",
    "max_lag",
    "max_lock_waits",
    "max_active",
    "shadow",
];

/// Keys of `[defaults]` alone.
pub const ONCE: &[&str] = &["plans", "parallel", "connect_timeout", "patience"];

/// Most tenants of a file.
pub const MOST_TENANTS: usize = 10_000;

/// What a tenants file may let pass, by name. Nothing of it is let pass unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allow {
    /// Reads its source with a credential that another tenant has too.
    SharedSource,
    /// Writes with a credential that another tenant has too.
    SharedTarget,
    /// Is a superuser on one of its sides.
    Superuser,
    /// Bypasses row-level security on one of its sides.
    BypassRls,
    /// Hands rows down to a namespace that another tenant's rows go to.
    SharedNamespace,
    /// Can read another tenant's rows at the source.
    ReadsOthers,
    /// Could not be tried on another tenant's rows.
    UntriedOthers,
}

impl Allow {
    /// Every word, as the file writes it.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::SharedSource, "shared-source"),
        (Self::SharedTarget, "shared-target"),
        (Self::Superuser, "superuser"),
        (Self::BypassRls, "bypassrls"),
        (Self::SharedNamespace, "shared-namespace"),
        (Self::ReadsOthers, "reads-others"),
        (Self::UntriedOthers, "untried-others"),
    ];

    /// As the file writes it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, word)| word)
    }
}

/// A tenants file.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantsFile {
    /// As given.
    pub path: String,
    /// `name`: heads the table and the report.
    pub name: String,
    /// Where made migration files and plans lie, beside the tenants file.
    pub plans: String,
    /// Tenants at work at a time, where the command line says nothing.
    pub parallel: Option<usize>,
    /// How long a database may take to let a tenant in.
    pub connect_timeout: Duration,
    /// How long a tenant may show no sign of life before it is given up.
    pub patience: Duration,
    /// The tenants, in the order of the file.
    pub tenants: Vec<Tenant>,
}

/// One tenant, with the defaults beneath.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// Names its plan, its rows in the store and its line.
    pub name: At<String>,
    /// The migration file that is its template, relative to the tenants file.
    pub file: Option<At<String>>,
    /// `[source] url`
    pub source: Option<At<String>>,
    /// `[target] url`
    pub target: Option<At<String>>,
    /// `[source] preset`
    pub preset: Option<At<String>>,
    /// `[source] table`
    pub table: Option<At<String>>,
    /// `[source.tree] table`
    pub tree: Option<At<String>>,
    /// `[namespace] template`
    pub namespace: Option<At<String>>,
    /// SQL that its rows fulfil, for a table that several tenants share.
    pub filter: Option<At<String>>,
    /// `[source] key`, needed with a filter: what is filtered has no key of its own.
    pub key: Option<At<Vec<String>>>,
    /// `[reject] budget`
    pub budget: Option<At<String>>,
    /// What is let pass.
    pub allow: BTreeSet<Allow>,
    /// Queries for the shadow recall of its soak, relative to the tenants file.
    pub shadow: Option<At<String>>,
    /// How fast its rows may be handed down.
    pub rate: Rate,
    /// When handing down waits for others; a pause file relative to the tenants file.
    pub manners: Manners,
}

impl TenantsFile {
    /// Reads a tenants file from disk.
    ///
    /// # Errors
    /// [`MigrateError::Io`] when it cannot be read or is not UTF-8, else as [`TenantsFile::parse`].
    pub fn load(path: &str) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| MigrateError::Io { path: path.to_owned(), reason: error.to_string() })?;
        Self::parse(path, &text)
    }

    /// Reads a tenants file.
    ///
    /// # Errors
    /// [`MigrateError::File`] at the place of the first thing that is wrong.
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let doc = Doc::new(path, text);
        let mut root = doc.root()?;
        root.only(&["name", "defaults", "tenant"])?;
        let start = root.place.clone();
        let name = root.take_string("name")?.map_or_else(|| stem(path), |name| name.value);
        let mut file = Self {
            path: path.to_owned(),
            name,
            plans: "tenants".to_owned(),
            parallel: None,
            connect_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(600),
            tenants: Vec::new(),
        };
        let defaults = match root.take_table("defaults")? {
            Some(table) => file.defaults(table)?,
            None => Part::default(),
        };
        let Some(list) = root.take("tenant") else {
            return fail(start, "there is no tenant", "write one [[tenant]] with a name and a source for each");
        };
        for entry in list.elements() {
            let tenant = tenant(entry, &defaults)?;
            if let Some(twin) =
                file.tenants.iter().find(|known| known.name.value.eq_ignore_ascii_case(&tenant.name.value))
            {
                let what =
                    format!("tenant `{}` is named twice, first in line {}", tenant.name.value, twin.name.place.line);
                return fail(
                    tenant.name.place,
                    &what,
                    "give each tenant a name of its own; case does not tell them apart",
                );
            }
            file.tenants.push(tenant);
        }
        if file.tenants.is_empty() || file.tenants.len() > MOST_TENANTS {
            let what = format!("there are {} tenants", file.tenants.len());
            return fail(start, &what, &format!("1 to {MOST_TENANTS} are accepted"));
        }
        Ok(file)
    }

    fn defaults(&mut self, mut table: Tab<'_, '_>) -> Result<Part> {
        table.only(&[ONCE, SHARED].concat())?;
        if let Some(plans) = table.take_string("plans")? {
            let inside = !plans.value.is_empty() && !plans.value.starts_with('/') && !plans.value.contains("..");
            if !inside {
                return fail(
                    plans.place,
                    &format!("plans `{}`", plans.value),
                    "write a directory below that of this file",
                );
            }
            self.plans = plans.value;
        }
        self.parallel = table.take("parallel").map(Val::width).transpose()?.map(|most| most.value);
        for (key, into) in [("connect_timeout", &mut self.connect_timeout), ("patience", &mut self.patience)] {
            if let Some(seconds) = table.take(key).map(Val::number).transpose()? {
                if !(0.1..=86_400.0).contains(&seconds.value) {
                    let what = format!("{key} is {} seconds", seconds.value);
                    return fail(seconds.place, &what, "0.1 to 86400 seconds are accepted");
                }
                *into = Duration::from_secs_f64(seconds.value);
            }
        }
        part(table)
    }
}

/// What defaults and tenants have in common, as far as it is said.
#[derive(Default, Clone)]
struct Part {
    file: Option<At<String>>,
    source: Option<At<String>>,
    target: Option<At<String>>,
    preset: Option<At<String>>,
    table: Option<At<String>>,
    tree: Option<At<String>>,
    namespace: Option<At<String>>,
    filter: Option<At<String>>,
    key: Option<At<Vec<String>>>,
    budget: Option<At<String>>,
    allow: BTreeSet<Allow>,
    pause_file: Option<At<String>>,
    shadow: Option<At<String>>,
    rate: Rate,
    limits: Manners,
}

fn part(mut table: Tab<'_, '_>) -> Result<Part> {
    let key = match table.take("key") {
        None => None,
        Some(word) => {
            let place = word.place.clone();
            Some(At { value: word.strings()?.into_iter().map(|name| name.value).collect(), place })
        }
    };
    let said = match table.take("budget") {
        None => None,
        Some(word) => {
            let place = word.place.clone();
            let value = match budget(word)? {
                Budget::Rows(rows) => rows.to_string(),
                Budget::Percent(share) => format!("{share}%"),
            };
            Some(At { value, place })
        }
    };
    let allow = match table.take("allow") {
        None => BTreeSet::new(),
        Some(words) => words.strings()?.into_iter().map(allowed).collect::<Result<_>>()?,
    };
    let mut limit = |key: &str| Ok::<_, MigrateError>(table.take(key).map(Val::whole).transpose()?.map(|at| at.value));
    let limits = Manners {
        lag_bytes: limit("max_lag")?,
        lock_waits: limit("max_lock_waits")?,
        active: limit("max_active")?,
        pause_files: Vec::new(),
    };
    let mut speed =
        |key: &str| Ok::<_, MigrateError>(table.take(key).map(Val::width).transpose()?.map(|at| at.value as u64));
    let rate = Rate { rows: speed("rate")?, bytes: speed("byte_rate")? };
    Ok(Part {
        pause_file: table.take_string("pause_file")?,
        shadow: table.take_string("shadow")?,
        rate,
        limits,
        file: table.take_string("file")?,
        source: table.take_string("source")?.map(check_source).transpose()?,
        target: table.take_string("target")?.map(check_target).transpose()?,
        preset: table.take_string("preset")?,
        table: table.take_string("table")?,
        tree: table.take_string("tree")?,
        namespace: table.take_string("namespace")?,
        filter: table.take_string("filter")?,
        key,
        budget: said,
        allow,
    })
}

fn allowed(word: At<String>) -> Result<Allow> {
    let known = Allow::ALL.iter().find(|(_, known)| *known == word.value);
    known.map(|(allow, _)| *allow).ok_or_else(|| {
        let words = Allow::ALL.map(|(_, word)| word);
        MigrateError::File {
            what: format!("unknown word `{}`{}", word.value, nearest(&word.value, words)),
            place: word.place,
            accepted: format!("accepted: {}", words.join(", ")),
        }
    })
}

fn tenant(entry: Val<'_, '_>, defaults: &Part) -> Result<Tenant> {
    let mut table = entry.table()?;
    table.only(&[&["name"], SHARED].concat())?;
    let Some(name) = table.take_string("name")? else {
        return table.fail("a [[tenant]] has no `name`", "write name = \"…\": it names the tenant's plan and its line");
    };
    let plain = name.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !name.value.starts_with('.')
        && (1..=64).contains(&name.value.len());
    if !plain {
        let accepted = "up to 64 letters, digits, `-`, `_` and `.` are accepted, the first no dot: it names a file";
        return fail(name.place, &format!("name `{}`", name.value.escape_debug()), accepted);
    }
    let own = part(table)?;
    let filled = |own: Option<At<String>>, default: &Option<At<String>>| {
        own.or_else(|| {
            default
                .as_ref()
                .map(|word| At { value: word.value.replace("{tenant}", &name.value), place: word.place.clone() })
        })
    };
    Ok(Tenant {
        file: filled(own.file, &defaults.file),
        source: filled(own.source, &defaults.source),
        target: filled(own.target, &defaults.target),
        preset: filled(own.preset, &defaults.preset),
        table: filled(own.table, &defaults.table),
        tree: filled(own.tree, &defaults.tree),
        namespace: filled(own.namespace, &defaults.namespace),
        filter: filled(own.filter, &defaults.filter),
        key: own.key.or_else(|| defaults.key.clone()),
        budget: filled(own.budget, &defaults.budget),
        allow: own.allow.union(&defaults.allow).copied().collect(),
        shadow: filled(own.shadow, &defaults.shadow),
        rate: Rate { rows: own.rate.rows.or(defaults.rate.rows), bytes: own.rate.bytes.or(defaults.rate.bytes) },
        manners: Manners {
            lag_bytes: own.limits.lag_bytes.or(defaults.limits.lag_bytes),
            lock_waits: own.limits.lock_waits.or(defaults.limits.lock_waits),
            active: own.limits.active.or(defaults.limits.active),
            pause_files: filled(own.pause_file, &defaults.pause_file).map(|at| at.value.into()).into_iter().collect(),
        },
        name,
    })
}

fn stem(path: &str) -> String {
    std::path::Path::new(path)
        .file_stem()
        .map_or_else(|| "tenants".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn fail<T>(place: Place, what: &str, accepted: &str) -> Result<T> {
    Err(MigrateError::File { place, what: what.to_owned(), accepted: accepted.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        TenantsFile::parse("tenants.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn defaults_hold_for_those_who_say_nothing_and_name_the_tenant() {
        let file = TenantsFile::parse(
            "a/seed.toml",
            "[defaults]\nfile = \"agents.toml\"\nsource = \"file:/run/{tenant}/url\"\nparallel = 3\nallow = [\"superuser\"]\n\
             [[tenant]]\nname = \"one\"\n[[tenant]]\nname = \"two\"\nsource = \"env:TWO\"\nbudget = 12\nallow = \"bypassrls\"\n",
        )
        .unwrap();
        assert_eq!((file.name.as_str(), file.parallel, file.plans.as_str()), ("seed", Some(3), "tenants"));
        let [one, two] = file.tenants.as_slice() else { panic!("{file:?}") };
        assert_eq!(one.source.as_ref().unwrap().value, "file:/run/one/url");
        assert_eq!(two.source.as_ref().unwrap().value, "env:TWO");
        assert_eq!(two.budget.as_ref().unwrap().value, "12");
        assert_eq!(one.allow, BTreeSet::from([Allow::Superuser]));
        assert_eq!(two.allow, BTreeSet::from([Allow::Superuser, Allow::BypassRls]));
    }

    #[test]
    fn manners_of_the_defaults_hold_for_those_who_say_nothing() {
        let file = TenantsFile::parse(
            "t.toml",
            "[defaults]\nrate = 500\nmax_lock_waits = 0\nmax_lag = 1000\npause_file = \"pause/{tenant}\"\n\
             [[tenant]]\nname = \"one\"\n[[tenant]]\nname = \"two\"\nrate = 7\nbyte_rate = 9000\nmax_lag = 0\nmax_active = 3\n\
             pause_file = \"halt\"\n",
        )
        .unwrap();
        let [one, two] = file.tenants.as_slice() else { panic!("{file:?}") };
        assert_eq!(
            (one.rate, two.rate),
            (Rate { rows: Some(500), bytes: None }, Rate { rows: Some(7), bytes: Some(9000) })
        );
        let manners = |file: &str, lag_bytes, active| Manners {
            pause_files: vec![file.into()],
            lag_bytes,
            lock_waits: Some(0),
            active,
        };
        assert_eq!(one.manners, manners("pause/one", Some(1000), None));
        assert_eq!(two.manners, manners("halt", Some(0), Some(3)));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_its_cure() {
        for (text, expected) in [
            ("", "tenants.toml:1:1: there is no tenant; write one [[tenant]]"),
            ("tenant = []", "tenants.toml:1:1: there are 0 tenants; 1 to 10000"),
            ("tenant = 3", "tenants.toml:1:10: `tenant` is an integer; write a table"),
            ("[[tenant]]\nsource = \"env:A\"", "tenants.toml:1:3: a [[tenant]] has no `name`; write name"),
            ("[[tenant]]\nname = \"a/b\"", "tenants.toml:2:8: name `a/b`; up to 64 letters"),
            ("[[tenant]]\nname = \"..\"", "tenants.toml:2:8: name `..`; up to 64 letters"),
            ("[[tenant]]\nname = \"\"", "tenants.toml:2:8: name ``; up to 64 letters"),
            ("[[tenant]]\nname = \"a\\u0000\"", "tenants.toml:2:8: name `a\\0`; up to 64 letters"),
            (
                "[[tenant]]\nname = \"a\"\n[[tenant]]\nname = \"A\"",
                "tenants.toml:4:8: tenant `A` is named twice, first in line 2",
            ),
            (
                "[[tenant]]\nname = \"a\"\nsourc = \"env:A\"",
                "tenants.toml:3:1: unknown key `sourc` in [tenant] (did you mean `source`?)",
            ),
            (
                "[defaults]\nparallel = 0\n",
                "tenants.toml:2:12: `defaults.parallel` is an integer; write a whole number above 0",
            ),
            ("[defaults]\nrate = 0\n", "tenants.toml:2:8: `defaults.rate` is an integer; write a whole number above 0"),
            (
                "[defaults]\nmax_active = -1\n",
                "tenants.toml:2:14: `defaults.max_active` is an integer; write a whole number, 0 or more",
            ),
            ("[defaults]\npatience = -1\n", "tenants.toml:2:12: patience is -1 seconds; 0.1 to 86400"),
            ("[defaults]\nplans = \"../x\"\n", "tenants.toml:2:9: plans `../x`; write a directory below"),
            (
                "[defaults]\nallow = [\"superusr\"]\n",
                "tenants.toml:2:10: unknown word `superusr` (did you mean `superuser`?); accepted: shared-source",
            ),
            ("[defaults]\nbudget = \"many\"\n", "tenants.toml:2:10: budget `many`; write a number of rows"),
            ("[defaults]\nsource = \"postgres://u:p@h/d\"\n", "tenants.toml:2:10: this URL has a password in it"),
            ("tenants = 1", "tenants.toml:1:1: unknown key `tenants` in the file (did you mean `tenant`?)"),
            ("name = ", "tenants.toml:1:8: this is not TOML"),
        ] {
            assert!(said(text).starts_with(expected), "{text}: {}", said(text));
        }
    }
}
