//! Questions as they are asked, for the shadow recall of a soak: recorded where the settings name a file, and nowhere else.
//!
//! Questions are content, which the store and its ledger never keep of anybody's asking. The file is the operator's: outside
//! of the database, readable by him alone, deleted when he has seen enough. Deliberately absent: who asked, and what was answered.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use heirloom_store::redact::redact;
use serde_json::json;

use crate::error::{Error, Result};

/// Size of a file that is not added to.
const MOST: u64 = 16 << 20;

/// Longest question that is recorded, in bytes.
const LONGEST: usize = 4 << 10;

/// A file that questions are added to.
#[derive(Debug)]
pub struct Questions {
    path: PathBuf,
    file: Mutex<File>,
    /// Somebody was told that no more is recorded.
    told: AtomicBool,
}

impl Questions {
    /// Opens the file, or makes it for its owner alone.
    ///
    /// # Errors
    /// When it cannot be written, is no file, or others may read it.
    pub fn open(path: &Path) -> Result<Self> {
        let wrong = |what: String, accepted: &str| Error::Config {
            origin: format!("{} (soak.record)", path.display()),
            what,
            accepted: accepted.to_owned(),
        };
        if path.exists() && !path.is_file() {
            return Err(wrong("it is no file".to_owned(), "a path at which a file is or can be made is accepted"));
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(Error::file(path))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = file.metadata().map_err(Error::file(path))?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(wrong(
                    format!("others may use it (mode {mode:04o}), and questions are content"),
                    "a file of mode 0600 is accepted (`chmod 600`)",
                ));
            }
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), told: AtomicBool::new(false) })
    }

    /// Adds a question. That it cannot is told once in the log, and takes no answer from anybody.
    pub fn add(&self, namespaces: &[String], words: &str) {
        let words = redact(words.trim());
        if words.is_empty() || words.len() > LONGEST {
            return;
        }
        let at = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string();
        let line = json!({ "at": at, "namespaces": namespaces, "query": words }).to_string() + "\n";
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let full = file.metadata().is_ok_and(|there| there.len() + line.len() as u64 > MOST);
        let why = match full {
            true => "it is full".to_owned(),
            // In one piece, so that several processes may add to one file.
            false => match file.write_all(line.as_bytes()) {
                Ok(()) => return,
                Err(error) => error.to_string(),
            },
        };
        if !self.told.swap(true, Ordering::SeqCst) {
            tracing::warn!(file = %self.path.display(), why, "questions are not recorded any more (soak.record)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_line_without_credentials_and_a_full_file_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("questions.jsonl");
        let kept = Questions::open(&path).unwrap();
        kept.add(&["team:a".to_owned()], " who has the key sk-abcdefghijklmnop1234 \n");
        kept.add(&["team:a".to_owned()], "  ");
        kept.add(&["team:a".to_owned()], &"long ".repeat(LONGEST));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.ends_with("\"query\":\"who has the key [REDACTED:SK_TOKEN]\"}\n") && text.lines().count() == 1,
            "{text}"
        );
        File::options().write(true).open(&path).unwrap().set_len(MOST).unwrap();
        kept.add(&[], "one more");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), MOST);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("questions.jsonl");
        drop(Questions::open(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Questions::open(&path).unwrap_err().to_string();
        assert!(refused.contains("mode 0640") && refused.contains("chmod 600"), "{refused}");
        assert!(Questions::open(dir.path()).unwrap_err().to_string().contains("it is no file"));
    }
}
