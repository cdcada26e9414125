//! The lock of a data directory, the record of who holds it, and the mark that it was ever in use.
//!
//! Files beside the engine's own: `heirloom.lock` (held with an advisory lock while open), `heirloom.owner.json`
//! (who holds it, mode 0600, removed on a clean close), `heirloom.owner.token` (the secret of the owner's door, likewise,
//! once it has one) and `heirloom.json` (written once, after the first successful
//! start; from then on missing engine files mean damage, never "start afresh").

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt;
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};

const LOCK: &str = "heirloom.lock";
const OWNER: &str = "heirloom.owner.json";
const TOKEN: &str = "heirloom.owner.token";
const MARK: &str = "heirloom.json";

/// Who has a data directory open.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct OwnerRecord {
    /// Process id of the owner.
    pub pid: u32,
    /// When it was opened, seconds since 1970 (UTC).
    pub since: u64,
    /// Loopback address of the owner's HTTP door; absent until it has one.
    pub address: Option<String>,
    /// File with the token for that door, mode 0600.
    pub token_file: Option<PathBuf>,
    /// Version of the owning binary.
    pub version: String,
}

/// What `heirloom.json` says of a directory.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    format: u32,
    created_by: String,
}

/// A held data directory. Dropping it releases the lock and removes the owner record.
#[derive(Debug)]
pub(crate) struct Held {
    dir: PathBuf,
    lock: File,
}

impl Held {
    /// Takes the directory, or says who has it.
    ///
    /// A directory with foreign files in it and no mark of ours is refused before anything is written.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        refuse_foreign(dir)?;
        std::fs::create_dir_all(dir).map_err(EngineError::io(dir))?;
        restrict(dir, 0o700)?;
        let path = dir.join(LOCK);
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(EngineError::io(&path))?;
        if !FileExt::try_lock_exclusive(&lock).map_err(EngineError::io(&path))? {
            return Err(EngineError::Owned { dir: dir.to_owned(), owner: read_owner(dir) });
        }
        let held = Self { dir: dir.to_owned(), lock };
        held.write_owner(None)?;
        Ok(held)
    }

    /// Records where the owner can be asked, and the secret that opens that door.
    pub(crate) fn announce(&self, address: &str, secret: &str) -> Result<()> {
        let token_file = self.dir.join(TOKEN);
        write_bytes(&token_file, secret.as_bytes())?;
        self.write_owner(Some((address, token_file)))
    }

    fn write_owner(&self, door: Option<(&str, PathBuf)>) -> Result<()> {
        let record = OwnerRecord {
            pid: std::process::id(),
            since: std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |elapsed| elapsed.as_secs()),
            address: door.as_ref().map(|(address, _)| (*address).to_owned()),
            token_file: door.map(|(_, token_file)| token_file),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        write_private(&self.dir.join(OWNER), &record)
    }

    /// Whether the directory has been in use before.
    pub(crate) fn was_in_use(&self) -> bool {
        is_marked(&self.dir)
    }

    /// Records that the directory is in use from now on.
    pub(crate) fn mark_in_use(&self) -> Result<()> {
        let mark = Mark { format: 1, created_by: env!("CARGO_PKG_VERSION").to_owned() };
        write_private(&self.dir.join(MARK), &mark)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A record that outlives its owner is harmless: the lock is the truth, the record only a courtesy.
        if let Err(error) = std::fs::remove_file(self.dir.join(OWNER)) {
            tracing::debug!(error = %error, "owner record was already gone");
        }
        if let Err(error) = std::fs::remove_file(self.dir.join(TOKEN)) {
            tracing::trace!(error = %error, "there was no door");
        }
        if let Err(error) = FileExt::unlock(&self.lock) {
            tracing::debug!(error = %error, "lock was already released");
        }
    }
}

/// Whether a directory was ever in use.
pub(crate) fn is_marked(dir: &Path) -> bool {
    dir.join(MARK).is_file()
}

/// The owner record of a directory, when there is one that can be read.
pub(crate) fn read_owner(dir: &Path) -> Option<OwnerRecord> {
    serde_json::from_slice(&std::fs::read(dir.join(OWNER)).ok()?).ok()
}

fn refuse_foreign(dir: &Path) -> Result<()> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return Err(EngineError::NotADataDirectory { dir: dir.to_owned(), reason: "it is a file".into() });
        }
        Err(error) => return Err(EngineError::io(dir)(error)),
    };
    let names: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.file_name())).collect();
    if names.is_empty() || names.iter().any(|name| name == LOCK) {
        return Ok(());
    }
    Err(EngineError::NotADataDirectory {
        dir: dir.to_owned(),
        reason: format!("it holds {} other file{}", names.len(), if names.len() == 1 { "" } else { "s" }),
    })
}

fn write_private(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| EngineError::io(path)(error.into()))?;
    write_bytes(path, &text)
}

fn write_bytes(path: &Path, text: &[u8]) -> Result<()> {
    let beside = path.with_extension("tmp");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&beside).map_err(EngineError::io(&beside))?;
    file.write_all(text).map_err(EngineError::io(&beside))?;
    file.sync_all().map_err(EngineError::io(&beside))?;
    std::fs::rename(&beside, path).map_err(EngineError::io(path))
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(EngineError::io(path))
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> Result<()> {
    Ok(())
}
