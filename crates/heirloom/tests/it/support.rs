//! The binary in an environment of its own: nothing of the machine's leaks in, nothing volatile leaks out.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A home directory of its own, and commands that know no other.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: heirloom_engine::testkit::scratch() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The binary, with words to come.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heirloom"));
        command.env_clear().current_dir(self.path()).stdin(Stdio::null());
        command.env("HOME", self.path()).env("XDG_DATA_HOME", self.path().join("data"));
        command.env("XDG_CONFIG_HOME", self.path().join("config")).env("TMPDIR", std::env::temp_dir());
        command.env("COLUMNS", "80").env("TZ", "UTC");
        // The embedded engine's own files, a hundred megabytes that no store changes, are unpacked once and not once a home.
        command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
        command
    }

    /// Runs words separated by spaces.
    pub(crate) fn run(&self, words: &str) -> Ran {
        self.run_with(words, &[])
    }

    /// Runs words separated by spaces, with variables.
    pub(crate) fn run_with(&self, words: &str, variables: &[(&str, &str)]) -> Ran {
        let output = self.command().args(words.split_whitespace()).envs(variables.iter().copied()).output().unwrap();
        self.ran(&output)
    }

    fn ran(&self, output: &Output) -> Ran {
        let home = self.path().display().to_string();
        let text = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).unwrap().replace(&home, "[HOME]");
            text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
        };
        Ran { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// What a run left: its exit code and its words, with `[HOME]` for the home directory.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", self.stderr)?;
        }
        write!(f, "--- exit {}", self.code)
    }
}
