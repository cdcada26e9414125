//! Rows worked on in batches, on other threads than the one that reads them, and given back in their order.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::error::{MigrateError, Result};

/// Rows of a batch: enough that handing them over costs nothing a row.
const ROWS: usize = 256;

/// Where rows go in. Whoever reads them says [`Batches::end`]; what is dropped before is never whole.
pub(crate) struct Batches<T, R> {
    work: Arc<dyn Fn(Vec<T>) -> Vec<R> + Send + Sync>,
    next: Vec<T>,
    sent: UnboundedSender<JoinHandle<Vec<R>>>,
}

/// Where they come out. As many batches wait here as were read: the chunk is the bound.
pub(crate) struct Worked<R>(UnboundedReceiver<JoinHandle<Vec<R>>>);

impl<T: Send + 'static, R: Send + 'static> Batches<T, R> {
    /// Both ends; `work` gives as many answers as it is given rows.
    pub(crate) fn new(work: impl Fn(Vec<T>) -> Vec<R> + Send + Sync + 'static) -> (Self, Worked<R>) {
        let (sent, worked) = unbounded_channel();
        (Self { work: Arc::new(work), next: Vec::with_capacity(ROWS), sent }, Worked(worked))
    }

    /// One more row.
    pub(crate) fn push(&mut self, row: T) {
        self.next.push(row);
        if self.next.len() == ROWS {
            let full = std::mem::replace(&mut self.next, Vec::with_capacity(ROWS));
            self.send(full);
        }
    }

    /// That was the last.
    pub(crate) fn end(mut self) {
        let rest = std::mem::take(&mut self.next);
        self.send(rest);
    }

    fn send(&self, rows: Vec<T>) {
        let work = Arc::clone(&self.work);
        // Nobody is there any more who would want it: an error ended the other end.
        let _ = self.sent.send(tokio::task::spawn_blocking(move || work(rows)));
    }
}

impl<R> Worked<R> {
    /// The next batch; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<R>>> {
        let Some(batch) = self.0.recv().await else { return Ok(None) };
        let broken = |error| MigrateError::Ledger(format!("rows could not be worked on: {error}"));
        batch.await.map(Some).map_err(broken)
    }

    /// All of them.
    pub(crate) async fn all(mut self) -> Result<Vec<R>> {
        let mut all = Vec::new();
        while let Some(batch) = self.next().await? {
            all.extend(batch);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_row_comes_back_in_its_order() {
        for count in [0, 1, ROWS, 3 * ROWS + 1] {
            let (mut batches, worked) = Batches::new(|rows: Vec<usize>| rows.into_iter().map(|row| row * 2).collect());
            (0..count).for_each(|row| batches.push(row));
            batches.end();
            assert_eq!(worked.all().await.unwrap(), (0..count).map(|row| row * 2).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn work_that_breaks_is_an_error() {
        let (mut batches, worked) =
            Batches::new(|rows: Vec<u8>| rows.into_iter().map(|row| 1 / row).collect::<Vec<u8>>());
        batches.push(0);
        batches.end();
        assert!(worked.all().await.unwrap_err().to_string().contains("rows could not be worked on"));
    }
}
