//! A file that is written beside its place and moved there when it is whole; one that does not get that far is taken away.
//! Readable to its owner alone: plans and archives hold memories.

use std::fs::File;
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A file under way. Dropped before it is kept, it is removed.
#[derive(Debug)]
pub(crate) struct Part {
    part: PathBuf,
    place: PathBuf,
    kept: bool,
}

impl Part {
    /// A new file beside a place, under a name that nobody else has.
    pub(crate) fn new(place: &Path) -> Result<(Self, File)> {
        let mut name = place.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", Uuid::new_v4().simple()));
        let part = place.with_file_name(name);
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(&part)?;
        Ok((Self { part, place: place.to_owned(), kept: false }, file))
    }

    /// Moves the file to its place, once its bytes are on the disk.
    pub(crate) fn keep(mut self, file: &File) -> Result<()> {
        file.sync_all()?;
        std::fs::rename(&self.part, &self.place)?;
        self.kept = true;
        Ok(())
    }

    /// Writes these bytes to a place, whole or not at all.
    pub(crate) fn write(place: &Path, bytes: &[u8]) -> Result<()> {
        let (part, mut file) = Self::new(place)?;
        file.write_all(bytes)?;
        part.keep(&file)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // What kept it from being written is told by whoever wrote; a rest that cannot be removed says nothing more.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a.json");
        let names = || {
            let names = std::fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.file_name());
            names.collect::<Vec<_>>()
        };
        let (part, mut file) = Part::new(&place).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(names().len(), 1);
        drop(part);
        assert!(names().is_empty(), "a part is left");
        Part::write(&place, b"one").unwrap();
        Part::write(&place, b"two").unwrap();
        assert_eq!((std::fs::read(&place).unwrap(), names().len()), (b"two".to_vec(), 1));
        // Where it cannot be moved to.
        let taken = dir.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        std::fs::write(taken.join("file"), "").unwrap();
        assert!(Part::write(&taken, b"three").is_err());
        assert_eq!(names().len(), 2, "{:?}", names());
    }
}
