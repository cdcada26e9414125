//! A sign of life, given while many bytes pass: whoever watches a retirement must not take a long one for a dead one.

/// Bytes between two signs.
const EVERY: usize = 1024 * 1024;

/// Gives the caller's callback a sign now and then.
pub(super) struct Alive<'a> {
    progress: &'a mut (dyn FnMut(u64, u64) + Send),
    rows: u64,
    since: usize,
}

impl<'a> Alive<'a> {
    /// Shows the rows of a table that were all compared before.
    pub(super) fn new(rows: u64, progress: &'a mut (dyn FnMut(u64, u64) + Send)) -> Self {
        // The first bytes give a sign at once.
        Self { progress, rows, since: EVERY }
    }

    /// So many bytes went by.
    pub(super) fn passed(&mut self, bytes: usize) {
        self.since = self.since.saturating_add(bytes);
        if self.since >= EVERY {
            self.since = 0;
            (self.progress)(self.rows, self.rows);
        }
    }
}
