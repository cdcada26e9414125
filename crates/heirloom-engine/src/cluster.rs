//! The files of a new embedded cluster, made whole before anybody is served from them.
//!
//! The library lays a new cluster over a template in the user's cache, and copies a file up when it is first written: not at
//! once, so that a process killed then leaves an empty file where a table of the catalog was. Here the template is copied
//! beside the place where the cluster will be, all of it, and moved there: what is killed leaves nothing or everything, and
//! a store needs no file outside its own directory.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{EngineError, Result};

/// The cluster's place below the engine's directory.
const DATA: &str = "tmp/pglite/base";
/// What the library writes where it laid a cluster over a template.
const OVERLAY: &str = ".pglite-oxide-pgdata-overlay.json";

/// Of that file, what names the template.
#[derive(Deserialize)]
struct Overlay {
    #[serde(rename = "templateArchiveSha256")]
    template: String,
}

/// Whether a directory of the engine holds a cluster that can be opened.
pub(crate) fn is_complete(root: &Path) -> bool {
    let data = root.join(DATA);
    let whole = data.join("global/pg_control").is_file() || data.join(OVERLAY).is_file();
    data.join("PG_VERSION").is_file() && whole
}

/// Makes a cluster at `root`, which is not there yet, in the store's directory `dir`.
pub(crate) fn make(dir: &Path, root: &Path) -> Result<()> {
    let failed = |reason: String| EngineError::Embedded { dir: dir.to_owned(), reason };
    let new = dir.join("engine.new");
    // What was left half done; nobody was ever served from it.
    match std::fs::remove_dir_all(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(EngineError::io(&new)(error)),
        _ => {}
    }
    pglite_oxide::install_into(&new).map_err(|error| failed(format!("{error:#}")))?;
    let data = new.join(DATA);
    if let Some(template) = template(&data.join(OVERLAY))? {
        std::fs::remove_dir_all(&data).map_err(EngineError::io(&data))?;
        copy(&template, &data)?;
    }
    std::fs::rename(&new, root).map_err(EngineError::io(root))
}

/// The template that an overlay names; `None` where there is no overlay.
fn template(overlay: &Path) -> Result<Option<PathBuf>> {
    let read = match std::fs::read(overlay) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(EngineError::io(overlay))?,
    };
    let lost = |reason: &str| EngineError::Embedded { dir: overlay.to_owned(), reason: reason.to_owned() };
    let named: Overlay = serde_json::from_slice(&read).map_err(|_| lost("it does not name the engine's template"))?;
    let dirs = directories::ProjectDirs::from("dev", "pglite-oxide", "pglite-oxide");
    let cache = dirs.ok_or_else(|| lost("there is no directory for caches"))?.cache_dir().join("pgdata-template");
    // Below it a directory a format.
    let formats = std::fs::read_dir(&cache).map_err(EngineError::io(&cache))?;
    let found = formats.flatten().map(|format| format.path().join(&named.template).join("base"));
    let found = found.into_iter().find(|base| base.join("global/pg_control").is_file());
    found.map(Some).ok_or_else(|| lost("the engine's template is not in the cache"))
}

/// Copies a directory and what is below it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).map_err(EngineError::io(to))?;
    for entry in std::fs::read_dir(from).map_err(EngineError::io(from))? {
        let entry = entry.map_err(EngineError::io(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(EngineError::io(&source))?.is_dir() {
            copy(&source, &target)?;
        } else {
            std::fs::copy(&source, &target).map_err(EngineError::io(&source))?;
        }
    }
    Ok(())
}
