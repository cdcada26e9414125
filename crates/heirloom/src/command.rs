//! The command tree, made from [`ops::ALL`] and nothing else. The terminal, the manual page, the completion scripts
//! and `docs/reference/cli.md` are made from it.

use clap::{Arg, ArgAction, Command, value_parser};

use crate::ops::{self, Op};

/// Help is laid out for a terminal of this width, or a narrower one.
pub const WIDTH: usize = 80;

/// The whole tree.
pub fn tree() -> Command {
    let mut root = Command::new("heirloom")
        .bin_name("heirloom")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A memory store for AI agents on PostgreSQL, and the migrator that hands existing memories down to it intact")
        .after_help("`heirloom demo` shows the main job on one screen. For a table of your own start with `heirloom detect URL`, then plan, apply, verify.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .max_term_width(WIDTH)
        .args(globals());
    for op in ops::ALL.iter().filter(|op| op.doors.cli && !op.name.contains(' ')) {
        root = root.subcommand(leaf(op, op.name));
    }
    for (group, summary, default) in ops::GROUPS {
        let mut command = Command::new(*group).about(*summary);
        if let Some(op) = Op::find(default) {
            command = (op.arguments)(command).about(*summary).long_about(None).args_conflicts_with_subcommands(true);
        }
        for op in ops::ALL.iter().filter(|op| op.doors.cli) {
            if let Some(word) = op.name.strip_prefix(*group).and_then(|rest| rest.strip_prefix(' ')) {
                command = command.subcommand(leaf(op, word));
            }
        }
        let after = order(group);
        root = root.subcommand(command.disable_help_subcommand(true).display_order(after));
    }
    root
}

// The detail stands below the options, not in a long form of the summary: so `-h` and `--help` are the same short page.
fn leaf(op: &Op, word: &'static str) -> Command {
    let command = (op.arguments)(Command::new(word)).about(op.summary).long_about(None).hide(op.hidden);
    let command = command.display_order(order(op.name)).max_term_width(WIDTH);
    if op.detail.is_empty() { command } else { command.after_help(op.detail) }
}

/// Where help lists a command: where the first operation of that name stands in [`ops::ALL`].
fn order(name: &str) -> usize {
    ops::ALL.iter().position(|op| op.name.split(' ').next() == name.split(' ').next()).unwrap_or(usize::MAX)
}

fn globals() -> Vec<Arg> {
    const HEADING: &str = "Everywhere";
    vec![
        Arg::new("data")
            .long("data")
            .value_name("DIR")
            .value_parser(value_parser!(std::path::PathBuf))
            .global(true)
            .help_heading(HEADING)
            .display_order(900)
            .help("Use the embedded store in this directory"),
        Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(value_parser!(std::path::PathBuf))
            .global(true)
            .help_heading(HEADING)
            .display_order(901)
            .help("Read settings from this file"),
        Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .global(true)
            .help_heading(HEADING)
            .display_order(902)
            .help("Print the result as JSON, and an error as JSON on stderr"),
        Arg::new("quiet")
            .long("quiet")
            .short('q')
            .action(ArgAction::SetTrue)
            .global(true)
            .help_heading(HEADING)
            .display_order(903)
            .help("Show no progress"),
        Arg::new("verbose")
            .short('v')
            .action(ArgAction::Count)
            .global(true)
            .conflicts_with("quiet")
            .help_heading(HEADING)
            .display_order(904)
            .help("Log more to stderr (can be repeated)"),
    ]
}
