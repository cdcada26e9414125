//! The settings of MCP clients: where each keeps its servers, and the entry for Heirloom in them.
//!
//! Claude Code, Cursor and VS Code keep JSON, Codex keeps TOML. What else is in a file stays, comments of a TOML file
//! too. A file that does not parse is left alone. Deliberately absent: copies of the old file that nobody asked for.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value, json};
use toml_edit::{Array, DocumentMut, Item, Table};

use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};

/// The name of our entry in every file.
const NAME: &str = "heirloom";

/// A client that can be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Claude Code, for this user.
    Claude,
    /// Codex.
    Codex,
    /// Cursor.
    Cursor,
    /// Visual Studio Code.
    VsCode,
}

/// How the client starts us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The program.
    pub command: String,
    /// Its words.
    pub args: Vec<String>,
}

/// A file as it would be.
#[derive(Debug)]
pub struct Change {
    /// The file.
    pub path: PathBuf,
    /// The entry as it stands in the file.
    pub shown: String,
    /// Whether the file would differ.
    pub changes: bool,
    content: String,
}

impl FromStr for Client {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "claude" => Ok(Self::Claude),
            "codex" => Ok(Self::Codex),
            "cursor" => Ok(Self::Cursor),
            "vscode" => Ok(Self::VsCode),
            _ => Err(Error::Argument {
                argument: "CLIENT",
                what: format!("`{}` is not known", crate::text::line(text, 32)),
                accepted: "claude, codex, cursor or vscode is accepted; docs/guides/mcp.md has what to write elsewhere"
                    .to_owned(),
            }),
        }
    }
}

impl Entry {
    /// The entry that starts this program on the store that this command would use.
    ///
    /// # Errors
    /// When the program does not know where it lies.
    pub fn of(context: &Context, namespaces: &[String], workspace: Option<&str>, read_only: bool) -> Result<Self> {
        let program = std::env::current_exe()
            .map_err(|error| Error::Bug(format!("the program does not know where it lies ({error})")))?;
        let mut args = vec!["mcp".to_owned()];
        let own: &[String] = match workspace {
            None if namespaces.is_empty() => &context.caller_config().namespaces,
            _ => namespaces,
        };
        let fallback = ["workspace:default".to_owned()];
        let own = if own.is_empty() && workspace.is_none() { &fallback } else { own };
        for namespace in own {
            args.extend(["--namespace".to_owned(), namespace.clone()]);
        }
        if let Some(id) = workspace {
            args.extend(["--workspace".to_owned(), id.to_owned()]);
        }
        if read_only {
            args.push("--read-only".to_owned());
        }
        // Only a directory that this command names: a URL may hold a password, and stays in the settings file.
        if context.config().origin("database.data") == "--data" {
            let data = context.path(&context.config().database.data);
            let data = std::path::absolute(&data).map_err(Error::file(&data))?;
            args.extend(["--data".to_owned(), data.display().to_string()]);
        }
        if let Some(file) = &context.config().given_file {
            let file = context.path(file);
            let file = std::path::absolute(&file).map_err(Error::file(&file))?;
            args.extend(["--config".to_owned(), file.display().to_string()]);
        }
        Ok(Self { command: program.display().to_string(), args })
    }
}

impl Client {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code",
            Self::Codex => "Codex",
            Self::Cursor => "Cursor",
            Self::VsCode => "Visual Studio Code",
        }
    }

    /// Its settings for this user.
    ///
    /// # Errors
    /// When there is no home directory.
    pub fn path(self) -> Result<PathBuf> {
        let none = || Error::Argument {
            argument: "--file",
            what: "there is no home directory to look for the client's settings in".to_owned(),
            accepted: "give the file".to_owned(),
        };
        Ok(match self {
            Self::Claude => Config::home().ok_or_else(none)?.join(".claude.json"),
            Self::Codex => Config::home().ok_or_else(none)?.join(".codex").join("config.toml"),
            Self::Cursor => Config::home().ok_or_else(none)?.join(".cursor").join("mcp.json"),
            Self::VsCode => Config::settings_of_programs().ok_or_else(none)?.join("Code/User/mcp.json"),
        })
    }

    /// The file with our entry in it.
    ///
    /// # Errors
    /// [`Error::File`] for a file that cannot be read or does not parse, with line and column.
    pub fn change(self, path: &Path, entry: &Entry) -> Result<Change> {
        let old = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::file(path)(error)),
        };
        let (content, shown) = match self {
            Self::Codex => in_toml(path, &old, entry)?,
            Self::Claude | Self::Cursor => in_json(path, &old, "mcpServers", json!(entry))?,
            Self::VsCode => in_json(
                path,
                &old,
                "servers",
                json!({ "type": "stdio", "command": entry.command, "args": entry.args }),
            )?,
        };
        Ok(Change { path: path.to_owned(), shown, changes: content != old, content })
    }
}

impl Change {
    /// Replaces the file in one step; a link stays a link.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self) -> Result<()> {
        let target = end_of_links(&self.path);
        let failed = || Error::file(&target);
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed())?;
        let aside = folder.join(format!(".heirloom-{}", uuid::Uuid::new_v4().simple()));
        let written = (|| {
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&aside)?;
            if let Ok(old) = std::fs::metadata(&target) {
                file.set_permissions(old.permissions())?;
            }
            file.write_all(self.content.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&aside, &target)
        })();
        written.map_err(|error| {
            // It may never have been there.
            drop(std::fs::remove_file(&aside));
            failed()(error)
        })
    }
}

/// Where a path ends that may be a symbolic link, also one to a file that is not there yet. Links that go round in a circle
/// were refused when the file was read.
fn end_of_links(path: &Path) -> PathBuf {
    let mut at = path.to_owned();
    for _ in 0..64 {
        let Ok(to) = std::fs::read_link(&at) else { break };
        at = at.parent().unwrap_or(Path::new("")).join(to);
    }
    at
}

fn unreadable(path: &Path, line: usize, column: usize, what: &str) -> Error {
    Error::File {
        path: format!("{}:{line}:{column}", path.display()),
        reason: format!("{what}; nothing was written: mend the file, or name another with --file"),
    }
}

fn in_json(path: &Path, old: &str, servers: &str, entry: Value) -> Result<(String, String)> {
    let mut root: Value = if old.trim().is_empty() {
        json!({})
    } else {
        serde_json::from_str(old).map_err(|error| {
            unreadable(path, error.line(), error.column(), "this is not JSON (comments are not JSON either)")
        })?
    };
    let shown = format!("{:#}", json!({ servers: { NAME: entry.clone() } }));
    let fields = root.as_object_mut().ok_or_else(|| unreadable(path, 1, 1, "this is no JSON object"))?;
    let listed = fields.entry(servers).or_insert_with(|| Value::Object(Map::new()));
    let Some(listed) = listed.as_object_mut() else {
        return Err(unreadable(path, 1, 1, &format!("`{servers}` in it is no JSON object")));
    };
    let mut ours = listed.get(NAME).and_then(Value::as_object).cloned().unwrap_or_default();
    // What else stands in our entry stays: its `env` may hold the database's URL.
    ours.extend(entry.as_object().cloned().unwrap_or_default());
    let ours = Value::Object(ours);
    if listed.get(NAME) == Some(&ours) {
        return Ok((old.to_owned(), shown));
    }
    listed.insert(NAME.to_owned(), ours);
    Ok((format!("{root:#}\n"), shown))
}

fn in_toml(path: &Path, old: &str, entry: &Entry) -> Result<(String, String)> {
    let mut root: DocumentMut = old.parse().map_err(|error: toml_edit::TomlError| {
        let before = &old[..error.span().map_or(0, |span| span.start.min(old.len()))];
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        unreadable(path, before.matches('\n').count() + 1, column, "this is not TOML")
    })?;
    let ours = || {
        let mut table = Table::new();
        table.insert("command", toml_edit::value(&entry.command));
        table.insert("args", toml_edit::value(entry.args.iter().collect::<Array>()));
        table
    };
    let mut parent = Table::new();
    parent.set_implicit(true);
    let listed = root.entry("mcp_servers").or_insert(Item::Table(parent));
    let Some(listed) = listed.as_table_like_mut() else {
        return Err(unreadable(path, 1, 1, "`mcp_servers` in it is no table"));
    };
    let mut alone = DocumentMut::new();
    let mut shown = Table::new();
    shown.set_implicit(true);
    shown.insert(NAME, Item::Table(ours()));
    alone.insert("mcp_servers", Item::Table(shown));
    let says = |table: &dyn toml_edit::TableLike| {
        let args = table.get("args").and_then(Item::as_array);
        let args: Option<Vec<&str>> = args.and_then(|args| args.iter().map(toml_edit::Value::as_str).collect());
        table.get("command").and_then(Item::as_str) == Some(&entry.command)
            && args.is_some_and(|args| args == entry.args)
    };
    match listed.get_mut(NAME).and_then(Item::as_table_like_mut) {
        Some(there) if says(there) => {}
        // Settings of the client's own beside ours, such as a time limit, stay.
        Some(there) => {
            for (key, item) in ours() {
                there.insert(&key, item);
            }
        }
        None => {
            listed.insert(NAME, Item::Table(ours()));
        }
    }
    Ok((root.to_string(), alone.to_string()))
}
