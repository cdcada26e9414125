//! Words in, an operation and its JSON out.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::error::ErrorKind;
use serde_json::Value;

use crate::command;
use crate::config::Flags;
use crate::explain::{self, Explained};
use crate::ops::{GROUPS, Op};

/// An operation to run.
pub(super) struct Call {
    pub(super) op: &'static Op,
    pub(super) arguments: Value,
    pub(super) flags: Flags,
    pub(super) json: bool,
    pub(super) quiet: bool,
}

/// What the words mean.
pub(super) enum Parsed {
    /// Run this.
    Call(Call),
    /// Print this: help and version, or what is wrong with the words.
    Print { text: String, error: Option<Explained> },
}

/// The words of a binary that is called by the name of another platform's command: that command, with all that follows as its
/// flags.
pub(super) fn named(mut words: Vec<OsString>) -> Vec<OsString> {
    let name = words.first().map(PathBuf::from).and_then(|path| path.file_stem().map(OsString::from));
    if name.as_deref() == Some(std::ffi::OsStr::new("memory-backfill")) {
        words.splice(0..1, ["heirloom", "compat", "memory-backfill"].map(OsString::from));
    }
    words
}

/// Parses the words, the program's name first.
pub(super) fn parse(words: &[OsString]) -> Parsed {
    let matches = match command::tree().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => return refused(&error),
    };
    let Some((name, leaf)) = resolve(&matches) else {
        return wrong("no command was given".to_owned());
    };
    let Some(op) = Op::find(&name) else {
        return wrong(format!("`{name}` is not a command"));
    };
    match (op.parse)(leaf) {
        Ok(arguments) => Parsed::Call(Call {
            op,
            arguments,
            flags: Flags {
                data: leaf.get_one::<PathBuf>("data").cloned(),
                config: leaf.get_one::<PathBuf>("config").cloned(),
                verbose: leaf.get_count("verbose"),
            },
            json: leaf.get_flag("json"),
            quiet: leaf.get_flag("quiet"),
        }),
        Err(error) => {
            let explained = explain::explain(&error);
            Parsed::Print { text: explained.message.clone(), error: Some(explained) }
        }
    }
}

/// Whether `--json` is among the words, for when they cannot be parsed.
pub(super) fn wants_json(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// The operation's name and its own matches; a group alone means its first operation.
fn resolve(matches: &ArgMatches) -> Option<(String, &ArgMatches)> {
    let (name, inner) = matches.subcommand()?;
    if let Some((word, leaf)) = inner.subcommand() {
        return Some((format!("{name} {word}"), leaf));
    }
    let name = GROUPS.iter().find(|(group, ..)| *group == name).map_or(name, |(.., default)| default);
    Some((name.to_owned(), inner))
}

fn wrong(message: String) -> Parsed {
    Parsed::Print { text: format!("Error: {message}\n"), error: Some(super::usage(message)) }
}

fn refused(error: &clap::Error) -> Parsed {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Parsed::Print { text, error: None },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Parsed::Print { text, error: Some(super::usage("no command was given".to_owned())) }
        }
        _ => {
            let text = text.replacen("error: ", "Error: ", 1).replace("  tip: ", "hint: ");
            let sentence: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
            let first = sentence.join(" ").trim_start_matches("Error: ").to_owned();
            Parsed::Print { text, error: Some(super::usage(first)) }
        }
    }
}
