//! A source row on its way: mapped and digested, with no database in sight, so that it can be done on any thread.

use std::borrow::Cow;

use uuid::Uuid;

use crate::canon;
use crate::digest::{Digest, Key};
use crate::mapping::{Mapped, Program, Reject, RejectCode};
use crate::source::{Table, verbatim};
use crate::value::SourceRow;

/// A source row on its way.
pub(super) struct Item {
    /// The id it has, or would have.
    pub(super) id: Uuid,
    /// The row as read, with its key.
    pub(super) row: SourceRow,
    /// Its size as read.
    pub(super) bytes: u64,
    /// Digest of the row.
    pub(super) source_digest: Digest,
    /// The memory with its digest, or why it is set aside.
    pub(super) outcome: std::result::Result<(Mapped, Digest), Reject>,
}

/// What mapping needs, shared by all who do it.
pub(crate) struct Mapper {
    pub(crate) program: Program,
    pub(crate) table: Table,
    pub(crate) key: Key,
    /// Namespaces the plan announced, sorted.
    pub(crate) allowed: Vec<String>,
    pub(crate) dimension: usize,
}

impl Mapper {
    /// Digest of a source row; `buffer` is scratch space.
    pub(super) fn source_digest(&self, row: &SourceRow, buffer: &mut Vec<u8>) -> Digest {
        buffer.clear();
        verbatim::frames(&self.table, &self.program.clean(row), buffer);
        self.key.digest(buffer)
    }

    /// Maps one row and takes its digests.
    pub(super) fn map(&self, row: SourceRow, bytes: u64, buffer: &mut Vec<u8>) -> Item {
        // From here on there is only the row as it may be kept, set aside or not.
        let row = match self.program.clean(&row) {
            Cow::Owned(clean) => clean,
            Cow::Borrowed(_) => row,
        };
        let source_digest = self.source_digest(&row, buffer);
        let outcome = self.program.map(&row).and_then(|mapped| {
            if self.allowed.binary_search(&mapped.memory.namespace).is_err() {
                return Err(Reject {
                    code: RejectCode::NamespaceNotPlanned,
                    field: Some("namespace".into()),
                    column: None,
                    message: "the namespace is not among those the plan announced; make a new plan to admit it".into(),
                });
            }
            let digest = match self.program.surface() {
                None => self.key.digest(&canon::memory(&mapped.memory, self.dimension)),
                Some(surface) => surface.digest(&surface.frames(&mapped.memory, self.dimension), &self.key),
            };
            Ok((mapped, digest))
        });
        let id = match &outcome {
            Ok((mapped, _)) => mapped.memory.id,
            Err(_) => self.program.id(&row.key),
        };
        Item { id, row, bytes, source_digest, outcome }
    }
}
