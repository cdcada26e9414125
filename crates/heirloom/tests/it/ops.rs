//! The list of operations: each file is in it, each name is unique, each schema fits what the parser makes.

use std::collections::BTreeSet;
use std::path::Path;

use heirloom::command;
use heirloom::ops::{ALL, GROUPS, Op};

fn files(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files(&path, &format!("{prefix}{name} "), found);
        } else {
            found.insert(format!("{prefix}{name}"));
        }
    }
}

#[test]
fn each_file_is_an_operation_and_each_operation_a_file() {
    let mut found = BTreeSet::new();
    files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ops")), "", &mut found);
    // The lists themselves, and what operations share.
    for helper in ["desk", "watch", "migration", "pages", "shared"] {
        found.remove(helper);
    }
    found.retain(|name| name != "mod" && !name.ends_with(" mod"));
    // A word of a command may have a dash, the name of a module may not.
    let listed: BTreeSet<String> = ALL.iter().map(|op| op.name.replace('-', "_")).collect();
    assert_eq!(found, listed);
    assert_eq!(listed.len(), ALL.len(), "two operations have one name");
}

#[test]
fn groups_lead_to_operations() {
    for (group, _, default) in GROUPS {
        assert!(default.starts_with(group), "{default}");
        assert!(Op::find(default).is_some(), "{default}");
    }
    for op in ALL {
        if let Some((group, _)) = op.name.split_once(' ') {
            assert!(GROUPS.iter().any(|(name, ..)| *name == group), "{} has no group", op.name);
        }
    }
}

#[test]
fn the_command_tree_is_sound() {
    command::tree().debug_assert();
}

#[test]
fn every_argument_is_documented_in_help_and_schema() {
    for op in ALL {
        let schema = (op.schema)();
        let command = (op.arguments)(clap::Command::new(op.name));
        let properties =
            schema.get("properties").and_then(|properties| properties.as_object()).cloned().unwrap_or_default();
        let arguments: BTreeSet<String> =
            command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
        let fields: BTreeSet<String> = properties.keys().cloned().collect();
        assert_eq!(fields, arguments, "{}", op.name);
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {}", op.name, argument.get_id());
        }
        for (name, property) in &properties {
            assert!(property.get("description").is_some(), "{} {name}", op.name);
        }
    }
}

#[test]
fn summaries_are_imperative_lines_without_a_full_stop() {
    for op in ALL {
        assert!(op.summary.chars().next().unwrap().is_uppercase(), "{}", op.name);
        assert!(!op.summary.ends_with('.'), "{}", op.name);
        assert!(op.summary.chars().count() <= 64, "{}: {}", op.name, op.summary);
    }
}
