//! The arrows between the rooms that Cargo cannot hold, read from the sources.

use std::path::{Path, PathBuf};

struct Source {
    path: String,
    /// Without comments and without the tests inside the file.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut found = Vec::new();
    for name in ["heirloom-engine", "heirloom-store", "heirloom-migrate", "heirloom"] {
        read(&root.join(name).join("src"), &format!("{name}/src"), &mut found);
    }
    assert!(found.len() > 30);
    found
}

fn read(dir: &Path, prefix: &str, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            read(&path, &name, found);
        } else if name.ends_with(".rs") && !name.ends_with("/tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            found.push(Source { path: name, code, lines: text.lines().count() });
        }
    }
}

/// Nothing in `room` says any of `words`, except the files named.
#[track_caller]
fn absent(room: &str, words: &[&str], except: &[&str]) {
    for source in sources().iter().filter(|source| source.path.starts_with(room)) {
        if except.iter().any(|name| source.path == *name) {
            continue;
        }
        for word in words {
            assert!(!source.code.contains(word), "{} says `{word}`", source.path);
        }
    }
}

#[test]
fn the_engine_knows_no_table_and_the_store_no_migration() {
    absent("heirloom-engine/", &["heirloom_store", "heirloom_migrate", "clap"], &[]);
    absent("heirloom-store/", &["heirloom_migrate", "clap"], &[]);
    absent("heirloom-migrate/", &["clap", "indicatif"], &[]);
}

#[test]
fn verify_shares_no_code_with_the_writer() {
    let writers = ["heirloom_store::bulk", "crate::apply", "super::apply", "canon::memory", "canon::encode"];
    absent("heirloom-migrate/src/verify", &writers, &[]);
}

#[test]
fn only_the_store_writes_memory_tables() {
    let statements = ["insert into heirloom.", "update heirloom.", "delete from heirloom.", "copy heirloom."];
    absent("heirloom-engine/", &statements, &[]);
    absent("heirloom-migrate/", &statements, &[]);
    // The demo plays the user who changes a row behind everybody's back, for verify to find.
    for source in sources().iter().filter(|source| source.path.starts_with("heirloom/src/")) {
        if !source.path.starts_with("heirloom/src/demo/") {
            for statement in statements {
                assert!(!source.code.contains(statement), "{} says `{statement}`", source.path);
            }
        }
    }
}

#[test]
fn only_the_marker_and_the_end_write_to_a_source() {
    let writers =
        ["heirloom-migrate/src/apply/mark.rs", "heirloom-migrate/src/apply/outbox.rs", "heirloom-migrate/src/retire/"];
    for source in sources().iter().filter(|source| source.path.starts_with("heirloom-migrate/")) {
        assert!(!source.code.contains("cascade"), "{} says `cascade`", source.path);
        if !writers.iter().any(|writer| source.path.starts_with(writer)) {
            for statement in ["alter table", "drop table", "create schema"] {
                assert!(!source.code.contains(statement), "{} says `{statement}`", source.path);
            }
        }
    }
    absent("heirloom-migrate/src/soak/", &["Timestamp::now"], &[]);
    absent("heirloom-migrate/src/retire/", &["Timestamp::now"], &[]);
}

#[test]
fn only_the_ledger_writes_the_ledger() {
    let statements = ["insert into heirloom_migrate.", "update heirloom_migrate.", "delete from heirloom_migrate."];
    for source in sources().iter().filter(|source| !source.path.starts_with("heirloom-migrate/src/ledger/")) {
        for statement in statements {
            assert!(!source.code.contains(statement), "{} says `{statement}`", source.path);
        }
    }
}

#[test]
fn a_door_calls_operations_only() {
    absent("heirloom/src/cli/", &["heirloom_engine", "heirloom_store", "heirloom_migrate"], &[]);
    absent("heirloom/src/ops/", &["crate::cli"], &[]);
}

#[test]
fn a_foreign_contract_is_form_and_asks_in_one_place() {
    absent(
        "heirloom/src/compat/",
        &["heirloom_engine", "heirloom_migrate", "tokio_postgres", "clap", "crate::cli"],
        &[],
    );
    let asks = [".commit(", ".remember(", ".recall(", ".revise(", "store.forget("];
    absent("heirloom/src/compat/", &asks, &["heirloom/src/compat/memories.rs"]);
    absent("heirloom/src/http/", &["heirloom_migrate", "crate::cli"], &[]);
}

#[test]
fn only_the_configuration_reads_the_environment() {
    let reads = ["env::var", "env::args", "env::home_dir", "ProjectDirs", "env::current_dir"];
    // Where the engine's library keeps its template is for the library to say; `cluster.rs` looks there as it does.
    let readers = ["heirloom-engine/src/testkit.rs", "heirloom-engine/src/cluster.rs", "heirloom/src/config/mod.rs"];
    absent("heirloom", &reads, &readers);
}

#[test]
fn only_the_terminal_prints() {
    let prints = ["println!", "print!(", "eprintln!", "eprint!(", "io::stdout()", "dbg!("];
    // The wire of MCP is stdout.
    absent("heirloom", &prints, &["heirloom/src/cli/print.rs", "heirloom/src/mcp/stdio.rs"]);
}

#[test]
fn only_explain_gives_exit_codes() {
    let except =
        ["heirloom/src/cli/mod.rs", "heirloom/src/cli/print.rs", "heirloom/src/cli/signals.rs", "heirloom/src/main.rs"];
    absent("heirloom", &["ExitCode", "process::exit"], &except);
}

#[test]
fn files_stay_small() {
    let mut sizes: Vec<(usize, String)> = sources().into_iter().map(|source| (source.lines, source.path)).collect();
    sizes.sort();
    let (median, _) = sizes[sizes.len() / 2];
    assert!(median <= 200, "the median file has {median} lines");
    let (most, path) = sizes.last().unwrap();
    assert!(*most <= 800, "{path} has {most} lines");
}

#[test]
fn main_is_one_expression() {
    let main = sources().into_iter().find(|source| source.path == "heirloom/src/main.rs").unwrap();
    assert!(main.lines <= 60);
}
