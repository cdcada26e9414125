//! What the target should hold: the source read again and mapped again.

use std::collections::HashSet;

use heirloom_store::{Moment, Store};
use uuid::Uuid;

use super::wire;
use crate::canon::{self, FIELDS};
use crate::digest::{Digest, Key};
use crate::error::{MigrateError, Result};
use crate::file::MigrationFile;
use crate::mapping::Program;
use crate::plan::{self, Plan, PlannedChunk};
use crate::source::{self, Source, verbatim};
use crate::target::{self, Foreign, Wanted};

/// Everything the comparison needs, checked once.
pub(super) struct Work<'a> {
    pub(super) plan: &'a Plan,
    pub(super) program: Program,
    pub(super) source: &'a dyn Source,
    pub(super) store: &'a Store,
    /// The target, where it is no store.
    pub(super) foreign: Option<&'a dyn Foreign>,
    /// Made for this run and kept nowhere.
    pub(super) key: Key,
    /// The store's own, for what the origin recorded.
    pub(super) origin_key: Key,
    pub(super) origin_source: String,
    pub(super) show_content: bool,
}

/// A source row and what it should be in the target.
pub(super) struct Expected {
    pub(super) key: Vec<String>,
    pub(super) id: Uuid,
    pub(super) source_digest: Digest,
    /// Whether a row before it had the same identity, so that `apply` set this one aside.
    pub(super) repeated: bool,
    /// When it is over.
    pub(super) expires_at: Option<Moment>,
    /// Namespace and one frame a field; `None` when the row does not map or is a repetition.
    pub(super) memory: Option<(String, Vec<Vec<u8>>)>,
}

impl Expected {
    /// How a target that is no store is asked for it.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        let place = self.memory.as_ref().and_then(|(namespace, frames)| {
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
        Ok(Self {
            plan,
            program,
            source,
            store,
            foreign,
            key: Key::random(),
            origin_key: Key::of_store(store.meta().store_id),
            origin_source: plan.origin_source(),
            show_content,
        })
    }

    /// Reads a chunk of the source; its connection is released before this returns.
    pub(super) async fn read(&self, chunk: &PlannedChunk, seen: &mut HashSet<Uuid>) -> Result<Vec<Expected>> {
        let read = self.plan.reading(&chunk.range, self.program.expressions());
        let dimension = self.plan.width(self.store.meta().dimension);
        let (mut rows, mut buffer) = (Vec::new(), Vec::new());
        self.source
            .scan(&read, &mut |row, _bytes| {
                buffer.clear();
                verbatim::frames(&self.plan.source.table, &self.program.clean(&row), &mut buffer);
                let source_digest = self.origin_key.digest(&buffer);
                let mapped = self.program.map(&row).ok();
                let id = mapped.as_ref().map_or_else(|| self.program.id(&row.key), |mapped| mapped.memory.id);
                // A second row with the same identity is set aside by apply.
                let repeated = !seen.insert(id);
                let expires_at = mapped.as_ref().and_then(|mapped| mapped.memory.expires_at);
                let memory = mapped.filter(|_| !repeated).map(|mapped| {
                    let frames = match self.program.surface() {
                        None => (0..FIELDS.len()).map(|tag| canon::field(&mapped.memory, tag, dimension)).collect(),
                        Some(surface) => surface.frames(&mapped.memory, dimension),
                    };
                    (mapped.memory.namespace, frames)
                });
                rows.push(Expected { key: row.key, id, source_digest, repeated, expires_at, memory });
                Ok(())
            })
            .await?;
        Ok(rows)
    }
}
