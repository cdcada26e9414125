//! Named places at which a migration can be made to fail, for tests that ask what is left behind.
//!
//! One list, [`Point`]: before and after every commit, lease, digest and marker of an apply and of what follows it, and before and after every commit and
//! file of a soak and of a retirement. Nothing is armed unless the caller hands in [`Failpoints`] that say so; an unarmed point costs one look at an empty
//! option.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;

use crate::error::{MigrateError, Result};

macro_rules! points {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A place at which a migration can be made to fail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Point {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Point {
            /// Every point, in the order in which they are passed.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name, as it is armed by.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

points! {
    /// The run is about to be entered in the ledger.
    BeforeRegister = "register.before-commit",
    /// The run is in the ledger, no chunk is claimed.
    AfterRegister = "register.after-commit",
    /// A chunk is about to be claimed.
    BeforeClaim = "lease.before-claim",
    /// A chunk is claimed and nothing is read.
    AfterClaim = "lease.after-claim",
    /// The leases are about to be renewed.
    BeforeRenew = "lease.before-renew",
    /// The leases were renewed.
    AfterRenew = "lease.after-renew",
    /// A chunk is about to be read and its digests taken.
    BeforeDigest = "chunk.before-digest",
    /// A chunk is read, mapped and digested, nothing is written.
    AfterDigest = "chunk.after-digest",
    /// The chunk's transaction is open and its token was good.
    AfterBegin = "chunk.after-begin",
    /// The chunk's rows and rejects are written, not committed.
    AfterRows = "chunk.after-rows",
    /// The marker was stamped in the chunk's transaction.
    AfterMark = "chunk.after-mark",
    /// The chunk is marked done, not committed.
    BeforeCommit = "chunk.before-commit",
    /// The chunk is committed, nobody was told.
    AfterCommit = "chunk.after-commit",
    /// What was to be written is, the run's state is not moved.
    BeforeSettle = "run.before-commit",
    /// The run's state is moved.
    AfterSettle = "run.after-commit",
    /// A row that the source has no longer is about to be forgotten in the store.
    BeforeForget = "gone.before-commit",
    /// It was forgotten, nobody was told.
    AfterForget = "gone.after-commit",
    /// The outbox is made at the source, not committed.
    BeforeOutbox = "outbox.before-commit",
    /// The outbox is at the source, nothing is read.
    AfterOutbox = "outbox.after-commit",
    /// What the outbox noted is dealt with and about to be removed there.
    BeforeTrim = "outbox.before-trim",
    /// It was removed.
    AfterTrim = "outbox.after-trim",
    /// The outbox is removed from the source, not committed.
    BeforeOutboxGoes = "outbox.before-remove",
    /// The outbox is gone from the source.
    AfterOutboxWent = "outbox.after-remove",
    /// Rows that were set aside are tried and written, not committed.
    BeforeRetry = "retry.before-commit",
    /// They are committed, nobody was told.
    AfterRetry = "retry.after-commit",
    /// The run is set to verified, not committed.
    BeforeProven = "verify.before-commit",
    /// The run is verified, no row is marked.
    AfterProven = "verify.after-commit",
    /// Verified rows are about to be marked at the source.
    BeforeStamp = "marker.before-stamp",
    /// Verified rows were marked at the source.
    AfterStamp = "marker.after-stamp",
    /// A soak is about to begin, or to begin again.
    BeforeSoak = "soak.before-commit",
    /// It began, and its head is not outside the database yet.
    AfterSoak = "soak.after-commit",
    /// What a sweep found, clean or not, is about to be recorded, and with it where the soak stands.
    BeforeSweep = "sweep.before-commit",
    /// It is recorded, nobody was told.
    AfterSweep = "sweep.after-commit",
    /// A chain whose head was lost is about to be taken as it is.
    BeforeAnchored = "anchored.before-commit",
    /// It is taken as it is, and its head is not outside the database yet.
    AfterAnchored = "anchored.after-commit",
    /// The newest head is about to be written beside the plan.
    BeforeHead = "head.before-file",
    /// It lies beside the plan.
    AfterHead = "head.after-file",
    /// The rows of an archive are read, their file is not whole.
    BeforeArchiveRows = "archive.before-rows",
    /// The file with the rows is whole, under a name that nobody knows.
    AfterArchiveRows = "archive.after-rows",
    /// The archive is restored and compared, and what was made for it is about to be rolled back.
    BeforeRehearsed = "rehearsal.before-rollback",
    /// Nothing is left of the rehearsal.
    AfterRehearsed = "rehearsal.after-rollback",
    /// The manifest is about to be written.
    BeforeManifest = "archive.before-manifest",
    /// The archive is whole, under a name that nobody knows.
    AfterManifest = "archive.after-manifest",
    /// The archive is about to be moved to its place.
    BeforeKeep = "archive.before-keep",
    /// Its rows are in their place, its manifest is not.
    RowsKept = "archive.after-rows-kept",
    /// It is in its place, and the chain does not say so.
    AfterKeep = "archive.after-keep",
    /// The archive, and that the table will be renamed, are about to be entered in the chain.
    BeforeArchived = "archived.before-commit",
    /// The chain names both, the table has its old name.
    AfterArchived = "archived.after-commit",
    /// The table is renamed at the source, not committed.
    BeforeRename = "rename.before-commit",
    /// It is renamed, and the chain does not say so.
    AfterRename = "rename.after-commit",
    /// That it is renamed is about to be entered in the chain.
    BeforeRetired = "retired.before-commit",
    /// The chain says so, nobody was told.
    AfterRetired = "retired.after-commit",
    /// The table is dropped at the source, not committed.
    BeforeDrop = "drop.before-commit",
    /// It is dropped, and the chain does not say so.
    AfterDrop = "drop.after-commit",
    /// That it is dropped is about to be entered in the chain.
    BeforeDropped = "dropped.before-commit",
    /// The chain says so, nobody was told.
    AfterDropped = "dropped.after-commit",
    /// The table is back at the source, renamed or made again, not committed.
    BeforeReturn = "return.before-commit",
    /// It is back, and the chain does not say so.
    AfterReturn = "return.after-commit",
    /// That it is back, and soaks again, is about to be entered in the chain.
    BeforeUnretired = "unretired.before-commit",
    /// The chain says so, nobody was told.
    AfterUnretired = "unretired.after-commit",
}

/// What happens at an armed point.
#[derive(Debug, Clone)]
pub enum Action {
    /// The step fails with an error that nobody retries.
    Error,
    /// The process ends at once, as under `kill -9`.
    Abort,
    /// The step waits at a gate.
    Wait(Gate),
}

/// Holds a step until it is opened.
#[derive(Debug, Clone)]
pub struct Gate(Arc<(Semaphore, Semaphore)>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new((Semaphore::new(0), Semaphore::new(0))))
    }
}

impl Gate {
    /// Waits until somebody stands at the gate.
    pub async fn reached(&self) {
        if let Ok(permit) = self.0.0.acquire().await {
            permit.forget();
        }
    }

    /// Lets one pass.
    pub fn open(&self) {
        self.0.1.add_permits(1);
    }

    async fn pass(&self) {
        self.0.0.add_permits(1);
        if let Ok(permit) = self.0.1.acquire().await {
            permit.forget();
        }
    }
}

#[derive(Debug)]
struct Armed {
    point: Point,
    /// Passes before it goes off; it goes off once.
    left: AtomicU64,
    action: Action,
}

/// Which points are armed. By default none.
#[derive(Debug, Clone, Default)]
pub struct Failpoints(Option<Arc<Vec<Armed>>>);

impl Failpoints {
    /// Arms one point for its `nth` pass, counted from 1.
    pub fn at(point: Point, nth: u64, action: Action) -> Self {
        Self::default().and(point, nth, action)
    }

    /// Arms one more point.
    #[must_use]
    pub fn and(self, point: Point, nth: u64, action: Action) -> Self {
        let Self(armed) = self;
        let mut armed = armed.and_then(Arc::into_inner).unwrap_or_default();
        armed.push(Armed { point, left: AtomicU64::new(nth.max(1)), action });
        Self(Some(Arc::new(armed)))
    }

    /// From text: `NAME=error` or `NAME=abort`, several separated by commas, each with `@N` for the N-th pass.
    ///
    /// # Errors
    /// [`MigrateError::Refused`] naming what is accepted.
    pub fn parse(text: &str) -> Result<Self> {
        let armed = text.split(',').map(|one| Self::one(one.trim())).collect::<Result<Vec<_>>>()?;
        Ok(Self(Some(Arc::new(armed))))
    }

    fn one(text: &str) -> Result<Armed> {
        let wrong = || {
            let names: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
            MigrateError::Refused {
                what: format!("`{text}` is no failpoint"),
                cure: format!(
                    "write NAME=error or NAME=abort, with @N for the N-th pass; the names are {}",
                    names.join(", ")
                ),
            }
        };
        let (name, action) = text.split_once('=').ok_or_else(wrong)?;
        let (action, nth) = action.split_once('@').unwrap_or((action, "1"));
        let point = Point::ALL.iter().copied().find(|point| point.name() == name).ok_or_else(wrong)?;
        let action = match action {
            "error" => Action::Error,
            "abort" => Action::Abort,
            _ => return Err(wrong()),
        };
        let nth: u64 = nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(wrong)?;
        Ok(Armed { point, left: AtomicU64::new(nth), action })
    }

    /// Whether every armed point has gone off.
    pub fn went_off(&self) -> bool {
        self.0.iter().flat_map(|armed| armed.iter()).all(|armed| armed.left.load(Ordering::SeqCst) == 0)
    }

    /// Passes a point.
    pub(crate) async fn pass(&self, point: Point) -> Result<()> {
        match &self.0 {
            None => Ok(()),
            Some(armed) => go_off(armed, point).await,
        }
    }
}

async fn go_off(armed: &[Armed], point: Point) -> Result<()> {
    for armed in armed.iter().filter(|armed| armed.point == point) {
        let passed = armed.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if passed != Ok(1) {
            continue;
        }
        match &armed.action {
            Action::Error => {
                return Err(MigrateError::Refused {
                    what: format!("The failpoint {} was armed", point.name()),
                    cure: "run the command again".into(),
                });
            }
            Action::Abort => std::process::abort(),
            Action::Wait(gate) => gate.pass().await,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_point_goes_off_at_its_pass_and_once() {
        let armed = Failpoints::parse("chunk.before-commit=error@2").unwrap();
        assert!(armed.pass(Point::BeforeCommit).await.is_ok());
        assert!(armed.pass(Point::AfterCommit).await.is_ok() && !armed.went_off());
        assert!(armed.pass(Point::BeforeCommit).await.is_err() && armed.went_off());
        assert!(armed.pass(Point::BeforeCommit).await.is_ok());
        assert!(Failpoints::default().pass(Point::BeforeCommit).await.is_ok());
    }

    #[test]
    fn what_is_no_failpoint_is_refused_with_the_names() {
        for text in
            ["", "chunk.before-commit", "chunk.before-commit=panic", "nowhere=error", "run.before-commit=error@0"]
        {
            let said = Failpoints::parse(text).unwrap_err().to_string();
            assert!(said.contains("lease.after-claim"), "{text}: {said}");
        }
    }
}
