//! The archive: the rows as PostgreSQL's own binary COPY, compressed, and beside them a manifest with the statements that
//! make the table again and the digests of everything.
//!
//! `NAME.archive.zst` is a zstd stream, which `zstd -d` and `COPY … FROM … (FORMAT binary)` read without Heirloom.
//! `NAME.archive.json` is the manifest; its digest is in the chain, and it holds that of the rows.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{MigrateError, Result};
use crate::failpoint::{Failpoints, Point};
use crate::part::Part;
use crate::plan::Plan;

/// Version of the archive's own form. The second has comments, options and rights that the first left out.
const FORMAT: u32 = 2;

/// Phases of which the first form said all there is to say.
const FIRST_PHASES: [i32; 17] = [10, 30, 31, 32, 33, 34, 60, 61, 62, 63, 64, 65, 70, 71, 80, 81, 82];

/// How hard zstd tries: its default.
const LEVEL: i32 = 3;

/// One statement that makes the table again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Below 50 before the rows, from 50 on after them; from 90 on owner and grants.
    pub phase: i32,
    /// The statement; names in the table's schema are not qualified.
    pub sql: String,
}

/// What lies in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the form.
    pub format: u32,
    /// The run.
    pub run_id: Uuid,
    /// The migration's name.
    pub name: String,
    /// The source, without credentials.
    pub source: String,
    /// Schema of the table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The columns that are carried, quoted, in their order.
    pub columns: Vec<String>,
    /// The key that the rows are in the order of, quoted.
    pub key: Vec<String>,
    /// How many rows.
    pub rows: u64,
    /// Bytes of the stream before it was compressed.
    pub stream_bytes: u64,
    /// blake3 of the stream before it was compressed, hex.
    pub stream_digest: String,
    /// blake3 of the compressed file, hex.
    pub file_digest: String,
    /// The statements that make the table again.
    pub statements: Vec<Statement>,
}

/// What the chain keeps of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveMark {
    /// Path of the manifest.
    pub manifest: String,
    /// blake3 of the manifest, hex.
    pub manifest_digest: String,
    /// blake3 of the rows, hex.
    pub stream_digest: String,
    /// How many rows.
    pub rows: u64,
    /// Bytes of the compressed file.
    pub bytes: u64,
    /// When it was restored into a scratch place and compared.
    pub restored_at: Timestamp,
}

/// Where the manifest of a plan's archive lies: in the directory that the file names, else beside the plan.
pub fn path_for(plan_path: &Path, plan: &Plan, directory: Option<&str>) -> PathBuf {
    let parent = plan_path.parent().map(Path::to_owned).unwrap_or_default();
    let directory = directory.map_or(parent.clone(), |directory| parent.join(directory));
    directory.join(format!("{}.{}.archive.json", plan.name, plan.run_id.simple()))
}

/// An archive under a name that nobody else has, until the chain says that it is the one: of two operators at once, whoever
/// comes second must not write over what the first put down. Dropped before it is kept, it is removed.
pub(super) struct Staged {
    place: PathBuf,
    staging: PathBuf,
}

impl Staged {
    pub(super) fn new(place: &Path) -> Self {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let staging = place.with_file_name(format!("{}.{name}", Uuid::new_v4().simple()));
        Self { place: place.to_owned(), staging }
    }

    /// Where its manifest lies until then.
    pub(super) fn manifest(&self) -> &Path {
        &self.staging
    }

    /// Moves both files to their place.
    pub(super) async fn keep(self, failpoints: &Failpoints) -> Result<()> {
        failpoints.pass(Point::BeforeKeep).await?;
        for (from, to, point) in [
            (rows_path(&self.staging), rows_path(&self.place), Point::RowsKept),
            (self.staging.clone(), self.place.clone(), Point::AfterKeep),
        ] {
            std::fs::rename(&from, &to).map_err(|error| io(&to, &error))?;
            failpoints.pass(point).await?;
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Nothing is there any more once it is kept, and a rest that cannot be removed says nothing more.
        let _ = std::fs::remove_file(&self.staging);
        let _ = std::fs::remove_file(rows_path(&self.staging));
    }
}

/// Takes away what archives of this place left that were never kept: who was killed could not do it, and a table in a file
/// that nobody knows of is neither small nor anybody's to see. Only once the chain says that the table is away: whoever else
/// makes an archive then comes too late to keep it.
pub(super) fn tidy(place: &Path) {
    let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stem = place.file_stem().unwrap_or_default().to_string_lossy();
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|entry| is_left(&entry.file_name().to_string_lossy(), &stem)) {
        // As where one is dropped: a rest that cannot be removed says nothing more.
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Whether a file is what an archive of this name is while it is made: `ID.NAME.json`, `ID.NAME.zst`, either with `.ID.part`.
fn is_left(name: &str, stem: &str) -> bool {
    let is_id = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some((id, rest)) = name.split_once('.') else { return false };
    let ending = rest.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.'));
    let is_ending = |ending: &str| match ending.split_once('.') {
        None => ["json", "zst"].contains(&ending),
        Some((kind, part)) => ["json", "zst"].contains(&kind) && part.strip_suffix(".part").is_some_and(is_id),
    };
    is_id(id) && ending.is_some_and(is_ending)
}

/// The rows beside a manifest.
pub(super) fn rows_path(manifest: &Path) -> PathBuf {
    manifest.with_extension("zst")
}

/// Writes the rows as they stream by. One that is given up leaves nothing behind.
pub(super) struct Writer {
    encoder: zstd::stream::write::Encoder<'static, Hashing<std::fs::File>>,
    path: PathBuf,
    part: Part,
    digest: blake3::Hasher,
    bytes: u64,
}

impl Writer {
    /// A new file beside its place.
    pub(super) fn new(manifest: &Path) -> Result<Self> {
        let path = rows_path(manifest);
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(|error| io(parent, &error))?;
        }
        let (part, file) = Part::new(&path).map_err(|error| io(&path, &error))?;
        let hashing = Hashing { inner: file, digest: blake3::Hasher::new() };
        let encoder = zstd::stream::write::Encoder::new(hashing, LEVEL).map_err(|error| io(&path, &error))?;
        Ok(Self { encoder, path, part, digest: blake3::Hasher::new(), bytes: 0 })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.encoder.write_all(bytes).map_err(|error| io(&self.path, &error))
    }

    /// Closes the file and moves it to its place. Gives back bytes and digest of the stream, and digest of the file.
    pub(super) fn finish(self) -> Result<(u64, String, String)> {
        let Self { encoder, path, part, digest, bytes } = self;
        let done = encoder.finish().and_then(|hashing| {
            part.keep(&hashing.inner)?;
            Ok(hashing.digest.finalize().to_hex().to_string())
        });
        let file_digest = done.map_err(|error| io(&path, &error))?;
        Ok((bytes, digest.finalize().to_hex().to_string(), file_digest))
    }
}

/// A reader of the rows; the bytes as COPY takes them.
pub(super) fn reader(manifest: &Path) -> Result<impl Read + use<>> {
    let path = rows_path(manifest);
    let file = std::fs::File::open(&path).map_err(|error| io(&path, &error))?;
    zstd::stream::read::Decoder::new(file).map_err(|error| io(&path, &error))
}

impl Manifest {
    /// Whether a statement of this phase, made now, would be in it if it had been on the table.
    pub(super) fn knows(&self, phase: i32) -> bool {
        self.format >= 2 || FIRST_PHASES.contains(&phase)
    }

    /// A manifest without its digests.
    pub(super) fn new(plan: &Plan, schema: &str, table: &str, made_at: Timestamp) -> Self {
        Self {
            format: FORMAT,
            run_id: plan.run_id,
            name: plan.name.clone(),
            source: plan.source.display.clone(),
            schema: schema.to_owned(),
            table: table.to_owned(),
            made_at,
            columns: Vec::new(),
            key: Vec::new(),
            rows: 0,
            stream_bytes: 0,
            stream_digest: String::new(),
            file_digest: String::new(),
            statements: Vec::new(),
        }
    }

    /// Writes the manifest and gives back its digest.
    pub(super) fn write(&self, path: &Path) -> Result<String> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| MigrateError::Ledger(error.to_string()))?;
        text.push(b'\n');
        Part::write(path, &text).map_err(|error| io(path, &error))?;
        Ok(blake3::hash(&text).to_hex().to_string())
    }

    /// Reads a manifest that has this digest, and holds the file with the rows against it.
    ///
    /// # Errors
    /// [`MigrateError::Io`] when one of them is not there, [`MigrateError::Refused`] when it is not what was written.
    pub(super) fn read(path: &Path, mark: &ArchiveMark) -> Result<Self> {
        let damaged = |what: &str| MigrateError::Refused {
            what: format!("The archive {} is not the one that was restored and compared: {what}", path.display()),
            cure: "put the archive back from a copy; nothing is dropped and nothing restored without it".into(),
        };
        let text = std::fs::read(path).map_err(|error| io(path, &error))?;
        if blake3::hash(&text).to_hex().as_str() != mark.manifest_digest {
            return Err(damaged("its manifest was changed"));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|_| damaged("its manifest cannot be read"))?;
        let rows = rows_path(path);
        let mut digest = blake3::Hasher::new();
        std::fs::File::open(&rows)
            .and_then(|mut file| std::io::copy(&mut file, &mut digest))
            .map_err(|error| io(&rows, &error))?;
        if digest.finalize().to_hex().as_str() != manifest.file_digest {
            return Err(damaged("the file with its rows was changed"));
        }
        Ok(manifest)
    }
}

/// Passes bytes on and hashes them.
struct Hashing<W> {
    inner: W,
    digest: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

pub(super) fn io(path: &Path, error: &std::io::Error) -> MigrateError {
    MigrateError::Io { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::is_left;

    #[test]
    fn only_what_an_archive_under_way_is_called_is_taken_away() {
        let id = "0123456789abcdef0123456789abcdef";
        let stem = format!("notes.{id}.archive");
        for left in ["json", "zst", "json.ID.part", "zst.ID.part"] {
            assert!(is_left(&format!("{id}.{stem}.{left}").replace("ID", id), &stem), "{left}");
        }
        for other in [
            format!("{stem}.json"),
            format!("{stem}.zst"),
            format!("{id}.other.{stem}.json"),
            format!("{id}.{stem}.json.bak"),
            format!("{id}.{stem}.toml"),
            format!("copy.{stem}.zst"),
            format!("{id}.notes.{}.archive.zst", id.replace('0', "1")),
            "notes.plan.audit".to_owned(),
        ] {
            assert!(!is_left(&other, &stem), "{other}");
        }
    }
}
