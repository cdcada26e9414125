//! A plan on disk: sealed by a digest, written whole or not at all, refused when it is not what was sealed.

use std::path::{Path, PathBuf};

use super::{FORMAT, Plan};

/// This version, as a plan names the one that made it.
const VERSION: &str = env!("CARGO_PKG_VERSION");
use crate::error::{MigrateError, Result};
use crate::part::Part;

impl Plan {
    /// Where the plan of a migration file lies: `notes.toml` → `notes.plan.json` beside it.
    pub fn path_for(file: &Path) -> PathBuf {
        match file.extension() {
            Some(extension) if extension == "toml" => file.with_extension("plan.json"),
            _ => {
                let mut name = file.file_name().unwrap_or_default().to_os_string();
                name.push(".plan.json");
                file.with_file_name(name)
            }
        }
    }

    /// What is said where a run of the plan has to be there.
    pub fn never_applied(&self) -> MigrateError {
        refusal(&self.name, "it was not applied here yet", "run `heirloom apply` with it first")
    }

    /// Fills in the digest.
    pub fn seal(&mut self) {
        self.digest = self.computed_digest();
    }

    /// blake3 over the plan's compact JSON with an empty digest, hex. Field order is that of the type.
    fn computed_digest(&self) -> String {
        let bare = Self { digest: String::new(), ..self.clone() };
        let bytes = serde_json::to_vec(&bare).unwrap_or_default();
        blake3::hash(&bytes).to_hex().to_string()
    }

    /// Whether the plan is the one that was sealed.
    ///
    /// # Errors
    /// [`MigrateError::Plan`] when it is not.
    pub fn check_digest(&self) -> Result<()> {
        if self.digest == self.computed_digest() {
            return Ok(());
        }
        Err(self.refusal("its digest does not match what it says: it was edited or damaged after it was made"))
    }

    /// Whether the plan was made of a migration file that says this.
    pub fn is_of(&self, text: &str) -> bool {
        self.file.digest == blake3::hash(text.as_bytes()).to_hex().as_str()
    }

    fn refusal(&self, what: &str) -> MigrateError {
        refusal(&self.name, what, &format!("run plan {} again", self.file.path))
    }

    /// Writes the plan beside its place and moves it there, readable to its owner only: samples hold content.
    ///
    /// # Errors
    /// [`MigrateError::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let io =
            |error: std::io::Error| MigrateError::Io { path: path.display().to_string(), reason: error.to_string() };
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| io(error.into()))?;
        json.push(b'\n');
        Part::write(path, &json).map_err(io)
    }

    /// Reads a plan and checks that it is the one that was sealed.
    ///
    /// # Errors
    /// [`MigrateError::Io`] when it cannot be read; [`MigrateError::Plan`] when it is no plan, one of another form, or
    /// one whose digest no longer matches.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let again = "run plan again on its migration file";
        let text =
            std::fs::read(path).map_err(|error| MigrateError::Io { path: shown.clone(), reason: error.to_string() })?;
        let json: serde_json::Value = serde_json::from_slice(&text).map_err(|error| {
            let what = format!("it is not JSON (line {}, column {})", error.line(), error.column());
            refusal(&shown, &what, "give the .plan.json that plan has written, not the migration file")
        })?;
        match json.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(refusal(&shown, &format!("it has form {format}, this binary knows form {FORMAT}"), again));
            }
            None => {
                return Err(refusal(&shown, "it is JSON, but no plan", "give the .plan.json that plan has written"));
            }
        }
        // A later version may write more into a plan, and leaves its form what it is as long as nobody reads it otherwise.
        let maker = json.get("heirloom").and_then(serde_json::Value::as_str).filter(|maker| *maker != VERSION);
        let refused = |what: &str, mine: &str| match maker {
            None => refusal(&shown, &format!("{what}: {mine}"), again),
            Some(maker) => refusal(
                &shown,
                &format!("{what}: {mine}, or is of Heirloom {maker}, and this is {VERSION}"),
                &format!("go on with Heirloom {maker}, or {again}: what is handed down already stays"),
            ),
        };
        let plan: Self = serde_json::from_value(json.clone())
            .map_err(|_| refused("a part of it is missing or of the wrong type", "it was edited or damaged"))?;
        let unknown = serde_json::to_value(&plan).map_or(true, |known| known != json);
        if unknown {
            return Err(refused("it holds something that plan did not write", "it was edited after it was made"));
        }
        plan.check_digest()?;
        Ok(plan)
    }
}

fn refusal(plan: &str, what: &str, cure: &str) -> MigrateError {
    MigrateError::Plan { plan: plan.to_owned(), what: what.to_owned(), cure: cure.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_lies_beside_its_file() {
        assert_eq!(Plan::path_for(Path::new("a/notes.toml")), Path::new("a/notes.plan.json"));
        assert_eq!(Plan::path_for(Path::new("notes.v2.toml")), Path::new("notes.v2.plan.json"));
        assert_eq!(Plan::path_for(Path::new("notes")), Path::new("notes.plan.json"));
    }
}
