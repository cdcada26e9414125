//! `docs/reference/` is made from the program and compared with what is committed; `HEIRLOOM_BLESS=1` rewrites it.

use std::fmt::Write as _;
use std::path::PathBuf;

use heirloom::command::{self, WIDTH};
use heirloom::config::{DEFAULT_FILE, Env};
use heirloom::explain::{CASES, Exit};
use heirloom::ops::ALL;

const MADE: &str = "<!-- Made from the program by tests/it/docs.rs; HEIRLOOM_BLESS=1 rewrites it. -->";

#[track_caller]
fn compare(name: &str, expected: &str) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference")).join(name);
    if std::env::var_os("HEIRLOOM_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
    assert!(found == expected, "docs/reference/{name} is stale (line {differs:?}); run the test with HEIRLOOM_BLESS=1");
}

#[test]
fn cli() {
    let mut page = format!("# The command line\n\n{MADE}\n");
    let mut tree = command::tree().term_width(WIDTH);
    tree.build();
    section(&mut page, &mut tree, "heirloom");
    compare("cli.md", &page);
}

fn section(page: &mut String, command: &mut clap::Command, name: &str) {
    let help = command.render_help().to_string();
    write!(page, "\n## {name}\n\n```text\n{}\n```\n", help.trim_end()).unwrap();
    let words: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for word in words {
        let sub = command.find_subcommand_mut(&word).unwrap();
        section(page, sub, &format!("{name} {word}"));
    }
}

#[test]
fn config() {
    let page = format!(
        "# Settings\n\n{MADE}\n\nDefaults are overruled by the settings file, that by the environment ([env.md](env.md)), that by\n\
         flags. The file is the one given with `--config`, else the one `HEIRLOOM_CONFIG` names, else\n\
         `heirloom/config.toml` in the platform's configuration directory. `heirloom config` shows what is in force and\n\
         where it comes from.\n\n```toml\n{DEFAULT_FILE}```\n"
    );
    compare("config.md", &page);
}

#[test]
fn env() {
    let mut page = format!("# Environment\n\n{MADE}\n\nAn empty variable counts as not set.\n");
    for variable in Env::ALL {
        let doc: Vec<&str> = variable.doc.lines().map(str::trim).collect();
        write!(page, "\n## {}\n\n{}\n", variable.name, doc.join("\n")).unwrap();
    }
    compare("env.md", &page);
}

#[test]
fn errors() {
    let mut page = format!(
        "# Errors and exit codes\n\n{MADE}\n\nAn error is written to stderr: `Error:` what happened, `Caused by:` why, `hint:` what to do. With\n\
         `--json` it is one object there, `{{\"error\": {{\"code\", \"exit\", \"message\", \"causes\", \"hints\"}}}}`.\n\n\
         | exit code | meaning |\n| --- | --- |\n"
    );
    for (exit, meaning) in Exit::ALL {
        writeln!(page, "| {} | {meaning} |", exit as u8).unwrap();
    }
    page.push_str("\n| code | exit | when | what to do |\n| --- | --- | --- | --- |\n");
    for case in CASES {
        let hint = if case.hint.is_empty() { "the error says it" } else { case.hint };
        writeln!(page, "| `{}` | {} | {} | {} |", case.code, case.exit as u8, case.when, hint.replace('|', "\\|"))
            .unwrap();
    }
    compare("errors.md", &page);
}

#[test]
fn findings() {
    let mut page = format!(
        "# Findings\n\n{MADE}\n\n`heirloom plan` looks for these traps and says in how many rows each was found, and what to write in\n\
         the [migration file](migration-file.md). A finding warns and never refuses: a plan is refused only for columns that would\n\
         be lost and for rejects above the budget. `danger` loses or exposes something if it is passed over, `warning` is\n\
         seldom meant, `note` is good to know.\n\n\
         | finding | severity | what it means | what to do |\n| --- | --- | --- | --- |\n"
    );
    for check in heirloom_migrate::finding::ALL {
        let severity = serde_json::to_value(check.severity).unwrap();
        let cell = |text: &str| text.replace('|', "\\|");
        let anchor = format!("<a id=\"{0}\"></a>`{0}`", check.id);
        writeln!(page, "| {anchor} | {} | {} | {} |", severity.as_str().unwrap(), cell(check.means), cell(check.cure))
            .unwrap();
    }
    compare("findings.md", &page);
}

#[test]
fn operations() {
    let mut page = format!(
        "# Operations\n\n{MADE}\n\nEverything Heirloom can do, with the JSON Schema of its arguments. The command line is made from this\n\
         list ([cli.md](cli.md)).\n"
    );
    for op in ALL {
        let schema = serde_json::to_string_pretty(&(op.schema)()).unwrap();
        let effect = if op.read_only { "Reads only." } else { "Writes." };
        let doors: Vec<&str> = [(op.doors.cli, "command line"), (op.doors.http, "HTTP"), (op.doors.mcp, "MCP")]
            .into_iter()
            .filter_map(|(open, name)| open.then_some(name))
            .collect();
        write!(page, "\n## {}\n\n{}. {effect} Meant for: {}.\n", op.name, op.summary, doors.join(", ")).unwrap();
        write!(page, "\n```json\n{schema}\n```\n").unwrap();
    }
    compare("operations.md", &page);
}

#[test]
fn the_guide_to_mcp_lists_the_tools() {
    use heirloom::caller::Caller;
    use heirloom::config::CallerConfig;
    use heirloom::mcp::tools::{Offer, list};

    let offer = Offer { workspace: Some("x".into()), pgmnemo: true };
    let mut table = String::from(
        "\n| tool | reads only | arguments (* required) | what an agent is told |\n| --- | --- | --- | --- |\n",
    );
    for tool in list(&Caller::Owner(CallerConfig::NOBODY), &offer) {
        let schema = &tool.input_schema;
        let required: Vec<&str> = match schema.get("required").and_then(|all| all.as_array()) {
            Some(all) => all.iter().filter_map(|name| name.as_str()).collect(),
            None => Vec::new(),
        };
        let fields = schema.get("properties").and_then(|all| all.as_object()).into_iter().flatten();
        let fields: Vec<String> = fields
            .map(|(name, _)| format!("`{name}`{}", if required.contains(&name.as_str()) { "*" } else { "" }))
            .collect();
        let reads = if tool.annotations.unwrap().read_only_hint.unwrap() { "yes" } else { "no" };
        let told = tool.description.unwrap();
        writeln!(table, "| `{}` | {reads} | {} | {told} |", tool.name, fields.join(", ")).unwrap();
    }
    table.push('\n');
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/mcp.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- tools: ").unwrap();
    let (mark, rest) = rest.split_once("-->").unwrap();
    let (found, after) = rest.split_once("<!-- /tools -->").unwrap();
    if std::env::var_os("HEIRLOOM_BLESS").is_some() {
        std::fs::write(path, format!("{before}<!-- tools: {mark}-->\n{table}<!-- /tools -->{after}")).unwrap();
        return;
    }
    assert_eq!(found.trim_start_matches('\n'), table.trim_start_matches('\n'), "run the test with HEIRLOOM_BLESS=1");
}

/// What a page shows in blocks of this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    page.split(&open).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_guide_to_the_memory_plugin_names_commands_and_variables_that_are_there() {
    let page = include_str!("../../../../docs/guides/memory-plugin.md");
    let mut commands = 0;
    for line in blocks(page, "sh").iter().flat_map(|block| block.lines()) {
        let (variables, words): (Vec<&str>, Vec<&str>) =
            line.split_whitespace().partition(|word| word.starts_with("MEMORY_PLUGIN_"));
        for variable in variables {
            let name = variable.split('=').next().unwrap();
            assert!(Env::ALL.iter().any(|known| known.name == name), "{line}");
        }
        command::tree().try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        commands += 1;
    }
    assert!(commands >= 8);
}

#[test]
fn the_guide_to_embeddings_names_settings_and_commands_that_are_there() {
    let page = include_str!("../../../../docs/guides/embeddings.md");
    let settings = blocks(page, "toml");
    assert!(settings.len() >= 4);
    for (at, text) in settings.iter().enumerate() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let flags = heirloom::config::Flags { config: Some(file.path().to_owned()), ..Default::default() };
        heirloom::config::Config::load(&flags, &|_| None).unwrap_or_else(|error| panic!("block {at}: {error}"));
    }
    let mut commands = 0;
    for line in blocks(page, "sh").iter().flat_map(|block| block.lines()) {
        let (variables, words): (Vec<&str>, Vec<&str>) =
            line.split_whitespace().partition(|word| word.contains("_") && word.contains('='));
        for variable in variables {
            let name = variable.split('=').next().unwrap();
            assert!(Env::ALL.iter().any(|known| known.name == name), "{line}");
        }
        assert_eq!(words[0], "heirloom", "{line}");
        command::tree().try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        commands += 1;
    }
    assert!(commands >= 4);
    for word in page
        .split(|c: char| !(c.is_ascii_lowercase() || c == '.' || c == '_'))
        .filter(|word| word.starts_with("embedding."))
    {
        let key = word.trim_end_matches('.').trim_start_matches("embedding.");
        assert!(DEFAULT_FILE.contains(&format!("\n# {key} = ")), "{word}");
    }
}
