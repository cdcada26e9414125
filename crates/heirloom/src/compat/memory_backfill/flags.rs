//! Flags as Go's `flag` package reads them: `-name`, `--name`, `-name=value`, `-name value`; a boolean takes its value only
//! after `=`; the first word without a dash ends them.

use uuid::Uuid;

use crate::error::{Error, Result};

/// What the command is to do: exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `-dry-run`, or `--check-only`: everything is checked, nothing is written anywhere.
    DryRun,
    /// `-apply`
    Apply,
    /// `-verify`
    Verify,
}

/// The flags of the platform's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// What to do.
    pub mode: Mode,
    /// `-workspace`: its memories alone.
    pub workspace: Option<Uuid>,
    /// `-limit`: so many of the oldest rows.
    pub limit: u64,
    /// `-verify-sample`: namespaces that the plugin is asked for.
    pub sample: usize,
}

/// What every refusal says is accepted.
const ACCEPTED: &str =
    "accepted: one of -dry-run (or --check-only), -apply, -verify; and -workspace UUID, -limit N, -verify-sample N";

impl Flags {
    /// Reads the words after the command.
    ///
    /// # Errors
    /// [`Error::Argument`] for a flag that is not known, a value that is not of its type, and no mode or several.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Result<Self> {
        let mut modes = [(Mode::DryRun, false), (Mode::Apply, false), (Mode::Verify, false)];
        let (mut workspace, mut limit, mut sample) = (None, 1_000_000, 50);
        let mut words = words.iter().map(AsRef::as_ref);
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).filter(|name| !name.is_empty())
            else {
                return refuse(format!("`{}` is no flag", shown(word)));
            };
            let (name, given) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let mode = match name {
                "dry-run" | "check-only" => Some(0),
                "apply" => Some(1),
                "verify" => Some(2),
                _ => None,
            };
            if let Some(at) = mode {
                modes[at].1 = boolean(name, given.as_deref())?;
                continue;
            }
            if !["workspace", "limit", "verify-sample"].contains(&name) {
                return refuse(format!("there is no flag -{}", shown(name)));
            }
            let Some(value) = given.or_else(|| words.next().map(str::to_owned)) else {
                return refuse(format!("-{name} has no value"));
            };
            match name {
                "workspace" if value.is_empty() => workspace = None,
                "workspace" => match value.parse() {
                    Ok(id) => workspace = Some(id),
                    Err(_) => return refuse(format!("-workspace `{}` is no UUID", shown(&value))),
                },
                "limit" => limit = number(name, &value)?,
                _ => sample = usize::try_from(number(name, &value)?).unwrap_or(usize::MAX),
            }
        }
        let asked: Vec<Mode> = modes.iter().filter(|(_, asked)| *asked).map(|(mode, _)| *mode).collect();
        match asked.as_slice() {
            [mode] => Ok(Self { mode: *mode, workspace, limit, sample }),
            none_or_many => refuse(format!("{} of them given", none_or_many.len())),
        }
    }
}

fn boolean(name: &str, value: Option<&str>) -> Result<bool> {
    match value {
        None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(other) => refuse(format!("-{name}=`{}` is neither true nor false", shown(other))),
    }
}

/// A count above 0: of nothing nothing can be said.
fn number(name: &str, value: &str) -> Result<u64> {
    match value.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => refuse(format!("-{name} `{}` is no whole number above 0", shown(value))),
    }
}

fn shown(word: &str) -> String {
    crate::text::line(word, 64)
}

fn refuse<T>(what: String) -> Result<T> {
    Err(Error::Argument { argument: "memory-backfill", what, accepted: ACCEPTED.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> String {
        Flags::parse(&words.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>()).unwrap_err().to_string()
    }

    #[test]
    fn one_dash_or_two_and_a_value_after_a_space_or_an_equals_sign() {
        let id = Uuid::from_u128(7);
        let plain = Flags { mode: Mode::Apply, workspace: None, limit: 1_000_000, sample: 50 };
        let parse = |words: String| Flags::parse(&words.split(' ').collect::<Vec<_>>()).unwrap();
        assert_eq!(parse("-apply".into()), plain);
        assert_eq!(parse("--apply=true -limit=5".into()), Flags { limit: 5, ..plain.clone() });
        assert_eq!(
            parse(format!("--workspace {id} -verify -verify-sample 3 --limit 9")),
            Flags { mode: Mode::Verify, workspace: Some(id), limit: 9, sample: 3 }
        );
        for word in ["-dry-run", "--check-only", "--dry-run=1"] {
            assert_eq!(parse(format!("{word} -apply=false")).mode, Mode::DryRun);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_accepted() {
        for (words, what) in [
            ("", "0 of them given"),
            ("-apply -verify", "2 of them given"),
            ("-aply", "there is no flag -aply"),
            ("apply", "`apply` is no flag"),
            ("-apply -limit", "-limit has no value"),
            ("-apply -limit 0", "-limit `0` is no whole number above 0"),
            ("-apply -limit -3", "-limit `-3` is no whole number above 0"),
            ("-verify -verify-sample=0", "-verify-sample `0` is no whole number above 0"),
            ("-apply -workspace me", "-workspace `me` is no UUID"),
            ("-apply=maybe", "-apply=`maybe` is neither true nor false"),
            ("- -apply", "`-` is no flag"),
            ("-- -apply", "`--` is no flag"),
        ] {
            assert!(said(words).contains(what) && said(words).contains("one of -dry-run"), "{words}: {}", said(words));
        }
    }
}
