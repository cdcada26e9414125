//! What the target should hold: the source read again and mapped again.

use std::sync::Arc;

use heirloom_store::{Moment, Store};
use uuid::Uuid;

use super::wire;
use crate::batch::{Batches, Worked};
use crate::canon::{self, FIELDS};
use crate::digest::{Digest, Key};
use crate::error::{MigrateError, Result};
use crate::file::MigrationFile;
use crate::frames::Frames;
use crate::mapping::Program;
use crate::plan::{self, Plan};
use crate::source::{self, KeyRange, Read, Source, Table, verbatim};
use crate::target::{self, Foreign, Wanted};
use crate::value::SourceRow;

/// Everything the comparison needs, checked once.
pub(super) struct Work<'a> {
    pub(super) plan: &'a Plan,
    /// As it stands in the plan.
    pub(super) file: MigrationFile,
    pub(super) mapping: Arc<Mapping>,
    pub(super) source: &'a dyn Source,
    pub(super) store: &'a Store,
    /// The target, where it is no store.
    pub(super) foreign: Option<&'a dyn Foreign>,
    pub(super) origin_source: String,
    pub(super) show_content: bool,
}

/// What it takes to say what a source row should be, on any thread.
pub(super) struct Mapping {
    pub(super) program: Program,
    table: Table,
    /// The width of the target's vectors.
    dimension: usize,
    /// Made for this run and kept nowhere.
    pub(super) key: Key,
    /// The store's own, for what the origin recorded.
    pub(super) origin_key: Key,
}

/// A source row and what it should be in the target.
pub(super) struct Expected {
    pub(super) key: Vec<String>,
    pub(super) id: Uuid,
    pub(super) source_digest: Digest,
    /// Whether a row before it has the same identity, so that `apply` set this one aside.
    pub(super) repeated: bool,
    /// When it is over.
    pub(super) expires_at: Option<Moment>,
    /// `None` when the row does not map or is a repetition.
    pub(super) memory: Option<Wished>,
}

/// What a memory should be.
pub(super) struct Wished {
    pub(super) namespace: String,
    /// One frame a field.
    pub(super) frames: Frames,
    /// Digest of them all.
    pub(super) digest: Digest,
}

impl Expected {
    /// How a target that is no store is asked for it.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        let place = self.memory.as_ref().and_then(|Wished { namespace, frames, .. }| {
            let at = FIELDS.iter().position(|field| *field == "content")?;
            Some((namespace.as_str(), std::str::from_utf8(wire::body(frames.get(at)?)?).ok()?))
        });
        Wanted { id: self.id, place }
    }
}

impl<'a> Work<'a> {
    pub(super) async fn new(
        plan: &'a Plan,
        source: &'a dyn Source,
        store: &'a Store,
        foreign: Option<&'a dyn Foreign>,
        show_content: bool,
    ) -> Result<Self> {
        plan.check_digest()?;
        if foreign.is_none() {
            target::store_alone(plan, "this comparison")?;
        }
        let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
        let table = source::describe_without_mark(source, &file).await?;
        let tree = match &file.source.tree {
            Some(tree) => Some(source.tree(&tree.table.value, &tree.id.value, &tree.parent.value).await?),
            None => None,
        };
        if plan::source_fingerprint(&table, &plan.source.key, tree.as_ref()) != plan.source.fingerprint {
            return Err(MigrateError::Plan {
                plan: plan.name.clone(),
                what: format!("the source {} changed its columns, key or tree of parents", plan.source.display),
                cure: format!("run `heirloom plan {}` again, apply and verify that", plan.file.path),
            });
        }
        let dimension = store.meta().dimension;
        let program = Program::compile(&file, &table, plan.context(dimension, tree))?;
        let mapping = Arc::new(Mapping {
            program,
            table: plan.source.table.clone(),
            dimension: plan.width(dimension),
            key: Key::random(),
            origin_key: Key::of_store(store.meta().store_id),
        });
        Ok(Self { plan, file, mapping, source, store, foreign, origin_source: plan.origin_source(), show_content })
    }

    /// Where the rows of a chunk go in that [`Self::read`] reads, and where they come out.
    pub(super) fn batches(&self) -> (Batches<SourceRow, Expected>, Worked<Expected>) {
        let mapping = Arc::clone(&self.mapping);
        Batches::new(move |rows| mapping.expect_all(rows))
    }

    /// The namespaces that the plan announced.
    pub(super) fn namespaces(&self) -> Vec<&'a str> {
        self.plan.namespaces.iter().map(|namespace| namespace.namespace.as_str()).collect()
    }

    /// The read of a range of the source, with all that the mapping takes.
    pub(super) fn reading(&self, range: &KeyRange) -> Read {
        self.plan.reading(range, self.mapping.program.expressions())
    }

    /// Reads the source; its connection is released before this returns.
    pub(super) async fn read(&self, read: &Read, mut batches: Batches<SourceRow, Expected>) -> Result<()> {
        self.source
            .scan(read, &mut |row, _bytes| {
                batches.push(row);
                Ok(())
            })
            .await?;
        batches.end();
        Ok(())
    }
}

impl Expected {
    /// A second row of one identity, which `apply` has set aside.
    pub(super) fn repeats(&mut self) {
        self.repeated = true;
        self.memory = None;
    }
}

impl Mapping {
    fn expect_all(&self, rows: Vec<SourceRow>) -> Vec<Expected> {
        let mut buffer = Vec::new();
        rows.into_iter().map(|row| self.expect(row, &mut buffer)).collect()
    }

    /// What one row should be; `buffer` is scratch space.
    fn expect(&self, row: SourceRow, buffer: &mut Vec<u8>) -> Expected {
        buffer.clear();
        verbatim::frames(&self.table, &self.program.clean(&row), buffer);
        let source_digest = self.origin_key.digest(buffer);
        let mapped = self.program.map(&row).ok();
        let id = mapped.as_ref().map_or_else(|| self.program.id(&row.key), |mapped| mapped.memory.id);
        let expires_at = mapped.as_ref().and_then(|mapped| mapped.memory.expires_at);
        let memory = mapped.map(|mapped| {
            let frames = match self.program.surface() {
                None => canon::frames(&mapped.memory, self.dimension),
                Some(surface) => surface.frames(&mapped.memory, self.dimension).into_iter().collect(),
            };
            let digest = self.key.digest(frames.bytes());
            Wished { namespace: mapped.memory.namespace, frames, digest }
        });
        Expected { key: row.key, id, source_digest, repeated: false, expires_at, memory }
    }
}
