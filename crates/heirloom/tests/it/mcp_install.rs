//! `heirloom mcp install` in a home of its own: what is written, what stays, what is refused.

use serde_json::{Value, json};

use crate::support::Home;

/// The settings file of each client below a home.
const FILES: [(&str, &str); 4] = [
    ("claude", ".claude.json"),
    ("codex", ".codex/config.toml"),
    ("cursor", ".cursor/mcp.json"),
    ("vscode", "config/Code/User/mcp.json"),
];

fn entry(client: &str, text: &str) -> (String, Vec<String>) {
    let entry: Value = match client {
        "codex" => {
            let table: toml_edit::DocumentMut = text.parse().unwrap();
            let ours = &table["mcp_servers"]["heirloom"];
            let args: Vec<&str> = ours["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
            json!({ "command": ours["command"].as_str(), "args": args })
        }
        "vscode" => serde_json::from_str::<Value>(text).unwrap()["servers"]["heirloom"].clone(),
        _ => serde_json::from_str::<Value>(text).unwrap()["mcpServers"]["heirloom"].clone(),
    };
    (entry["command"].as_str().unwrap().to_owned(), serde_json::from_value(entry["args"].clone()).unwrap())
}

#[test]
fn each_client_gets_an_entry_that_starts_us() {
    for (client, file) in FILES {
        let home = Home::new();
        let path = home.path().join(file);
        // Nobody is there to be asked: it is shown, and not written.
        let ran = home.run(&format!("mcp install {client} -n team:a"));
        assert_eq!(ran.code, 0, "{ran}");
        assert!(ran.stdout.contains(&format!("[HOME]/{file}\n")) && ran.stdout.contains("heirloom"), "{ran}");
        assert!(ran.stdout.contains("Nothing was written"), "{ran}");
        assert!(!path.exists(), "{client}");

        let ran = home.run(&format!("mcp install {client} -n team:a --read-only --yes"));
        assert_eq!(ran.code, 0, "{ran}");
        let text = std::fs::read_to_string(&path).unwrap();
        let (command, args) = entry(client, &text);
        assert_eq!(command, env!("CARGO_BIN_EXE_heirloom"));
        assert_eq!(args, ["mcp", "--namespace", "team:a", "--read-only"]);
        // What is written is a command that starts.
        let output = home.command().args(&args).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty());

        let ran = home.run(&format!("mcp install {client} -n team:a --read-only --yes --json"));
        assert_eq!((ran.code, &ran.json()["written"]), (0, &json!(false)), "{ran}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        let folder = path.parent().unwrap();
        let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_str().unwrap().starts_with(".heirloom-")), "{left:?}");
    }
}

#[test]
fn what_else_is_in_the_file_stays() {
    let home = Home::new();
    let path = home.path().join(".codex/config.toml");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let before = "# mine\nmodel = \"o\"  # why\n\n[mcp_servers.other]\ncommand = \"x\"\n\n[mcp_servers.heirloom]\ncommand = \"old\"\nstartup_timeout_sec = 20\n";
    std::fs::write(&path, before).unwrap();
    assert_eq!(home.run("mcp install codex -n team:a --yes").code, 0);
    let after = std::fs::read_to_string(&path).unwrap();
    for line in before.lines().filter(|line| *line != "command = \"old\"") {
        assert!(after.contains(line), "{line}: {after}");
    }
    assert!(!after.contains("old"), "{after}");

    let path = home.path().join(".claude.json");
    let before = json!({ "numbers": [1.0, 12345678901234567890_u64], "mcpServers": { "other": { "command": "x" } }, "last": null });
    let mut with_ours = before.clone();
    with_ours["mcpServers"]["heirloom"] =
        json!({ "command": "old", "args": [], "env": { "DATABASE_URL": "postgres:///a" } });
    std::fs::write(&path, with_ours.to_string()).unwrap();
    assert_eq!(home.run("mcp install claude --yes").code, 0);
    let mut after: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let ours = after["mcpServers"].as_object_mut().unwrap().shift_remove("heirloom").unwrap();
    assert_eq!(ours["args"], json!(["mcp", "--namespace", "workspace:default"]));
    assert_ne!(ours["command"], "old");
    assert_eq!(ours["env"], json!({ "DATABASE_URL": "postgres:///a" }), "where the store is stays");
    assert_eq!(after.to_string(), before.to_string());
}

#[test]
fn a_file_that_does_not_parse_is_left_alone() {
    for (client, file, text, place) in [
        ("claude", ".claude.json", "{\n  \"a\": oops\n}", ":2:"),
        ("cursor", ".cursor/mcp.json", "{\n  // a comment\n}", ":2:3"),
        ("vscode", "config/Code/User/mcp.json", "[]", ":1:1"),
        ("codex", ".codex/config.toml", "a = 1\nb = = 2\n", ":2:"),
        ("claude", ".claude.json", "{\"mcpServers\": 7}", ":1:1"),
        ("codex", ".codex/config.toml", "mcp_servers = 7\n", ":1:1"),
    ] {
        let home = Home::new();
        let path = home.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let ran = home.run(&format!("mcp install {client} --yes"));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran}");
        assert!(ran.stderr.contains(&format!("[HOME]/{file}{place}")), "{ran}");
        assert!(ran.stderr.contains("nothing was written"), "{ran}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let home = Home::new();
    let ran = home.run("mcp install emacs --yes");
    assert_eq!(ran.code, 2, "{ran}");
    assert!(ran.stderr.contains("claude, codex, cursor or vscode is accepted"), "{ran}");
    let ran = home.run("mcp install claude --namespace bad --yes");
    assert!(ran.code != 0 && !home.path().join(".claude.json").exists(), "{ran}");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_that_is_not_there_yet_stays_a_link() {
    let home = Home::new();
    let dotfiles = home.path().join("dotfiles");
    std::fs::create_dir_all(&dotfiles).unwrap();
    let link = home.path().join(".claude.json");
    std::os::unix::fs::symlink("dotfiles/second", &link).unwrap();
    std::os::unix::fs::symlink("claude.json", dotfiles.join("second")).unwrap();
    let ran = home.run("mcp install claude -n team:a --yes");
    assert_eq!(ran.code, 0, "{ran}");
    for link in [link, dotfiles.join("second")] {
        assert!(link.symlink_metadata().unwrap().is_symlink(), "{}", link.display());
    }
    let (_, args) = entry("claude", &std::fs::read_to_string(dotfiles.join("claude.json")).unwrap());
    assert_eq!(args, ["mcp", "--namespace", "team:a"]);

    let round = home.path().join("round");
    std::os::unix::fs::symlink("round", &round).unwrap();
    let ran = home.run("mcp install claude -n team:a --yes --file round");
    assert!(ran.code == 1 && round.symlink_metadata().unwrap().is_symlink(), "{ran}");
}

#[test]
fn the_settings_file_of_the_command_is_that_of_the_entry() {
    let home = Home::new();
    std::fs::write(home.path().join("other.toml"), "[caller]\nnamespaces = [\"team:b\"]\n").unwrap();
    let ran = home.run("mcp install claude --yes --config other.toml");
    assert_eq!(ran.code, 0, "{ran}");
    let (_, args) = entry("claude", &std::fs::read_to_string(home.path().join(".claude.json")).unwrap());
    let file = std::fs::canonicalize(home.path()).unwrap().join("other.toml").display().to_string();
    assert_eq!(args, ["mcp", "--namespace", "team:b", "--config", &file]);
    let output = home.command().args(&args).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
}
