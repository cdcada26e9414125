//! Signs of life of a tenant at work, and a source that gives one with every row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use heirloom_engine::Database;

use crate::error::Result;
use crate::source::{Column, Examined, Identity, KeyRange, Read, Relation, Since, Source, Table, TreeRows, Visit};

/// How often there is a sign of life while something of our own works.
const BEAT: Duration = Duration::from_millis(200);

/// When a tenant last showed a sign of life. Clones share it.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Beat>);

#[derive(Debug)]
struct Beat {
    began: Instant,
    /// When it got the place it has, in milliseconds after it began.
    seated: AtomicU64,
    last: AtomicU64,
    knocking: AtomicBool,
    seat: AtomicU8,
}

/// Whether a tenant has its place.
const HAS: u8 = 0;
const LEFT: u8 = 1;
const WANTS: u8 = 2;

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(Beat {
            began: Instant::now(),
            seated: AtomicU64::new(0),
            last: AtomicU64::new(0),
            knocking: AtomicBool::new(false),
            seat: AtomicU8::new(HAS),
        }))
    }
}

impl Pulse {
    /// A sign of life.
    pub fn beat(&self) {
        self.0.last.store(self.now(), Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The tenant is paused: it needs no place until somebody lets it go on.
    pub fn leave(&self) {
        self.0.seat.store(LEFT, Ordering::SeqCst);
    }

    /// Whether the tenant has its place; where it left it, it is given one as soon as there is room, before any that begins.
    pub fn take(&self) -> bool {
        let _wants = self.0.seat.compare_exchange(LEFT, WANTS, Ordering::SeqCst, Ordering::SeqCst);
        self.0.seat.load(Ordering::SeqCst) == HAS
    }

    pub(super) fn has_left(&self) -> bool {
        self.0.seat.load(Ordering::SeqCst) != HAS
    }

    pub(super) fn wants(&self) -> bool {
        self.0.seat.load(Ordering::SeqCst) == WANTS
    }

    /// Gives a place to one that wants one.
    pub(super) fn seat(&self) {
        self.0.seated.store(self.now(), Ordering::Relaxed);
        let _left = self.0.seat.compare_exchange(WANTS, HAS, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Whether the tenant is being let in by a database: it costs nothing while it waits.
    pub fn knock(&self, knocking: bool) {
        self.0.knocking.store(knocking, Ordering::Relaxed);
        self.beat();
    }

    /// Waits for something of our own that takes its time: no database is silent meanwhile.
    pub async fn kept<T>(&self, working: impl Future<Output = T>) -> T {
        tokio::pin!(working);
        loop {
            self.beat();
            if let Ok(done) = tokio::time::timeout(BEAT, &mut working).await {
                return done;
            }
        }
    }

    pub(super) fn is_knocking(&self) -> bool {
        self.0.knocking.load(Ordering::Relaxed)
    }

    /// For how long the tenant has had its place.
    pub(super) fn age(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.0.seated.load(Ordering::Relaxed)))
    }

    /// How long there was none.
    pub fn silence(&self) -> Duration {
        self.0.began.elapsed().saturating_sub(Duration::from_millis(self.0.last.load(Ordering::Relaxed)))
    }
}

/// A source whose every answer and every row is a sign of life.
pub struct Watched {
    source: Box<dyn Source>,
    pulse: Pulse,
}

impl Watched {
    /// Watches a source.
    pub fn new(source: Box<dyn Source>, pulse: Pulse) -> Self {
        Self { source, pulse }
    }

    fn alive<T>(&self, answer: T) -> T {
        self.pulse.beat();
        answer
    }
}

#[async_trait]
impl Source for Watched {
    fn display(&self) -> String {
        self.source.display()
    }

    fn database(&self) -> Option<&Database> {
        self.source.database()
    }

    fn marker(&self) -> Option<&Database> {
        self.source.marker()
    }

    fn let_go(&self) {
        self.source.let_go();
    }

    fn file(&self) -> Option<&std::path::Path> {
        self.source.file()
    }

    async fn row_version(&self, relation: &Relation) -> Result<Option<String>> {
        Ok(self.alive(self.source.row_version(relation).await?))
    }

    async fn horizon(&self, relation: &Relation, column: &Column, overlap: Duration) -> Result<Option<Since>> {
        Ok(self.alive(self.source.horizon(relation, column, overlap).await?))
    }

    async fn touched(&self, read: &Read, ranges: &[&KeyRange]) -> Result<Vec<usize>> {
        Ok(self.alive(self.source.touched(read, ranges).await?))
    }

    async fn describe(&self, relation: &Relation) -> Result<Table> {
        Ok(self.alive(self.source.describe(relation).await?))
    }

    async fn examine(&self, relation: &Relation) -> Result<Examined> {
        Ok(self.alive(self.source.examine(relation).await?))
    }

    async fn tables(&self) -> Result<Vec<Table>> {
        Ok(self.alive(self.source.tables().await?))
    }

    async fn identity(&self, relation: &Relation) -> Result<Identity> {
        Ok(self.alive(self.source.identity(relation).await?))
    }

    async fn tree(&self, table: &str, id: &str, parent: &str) -> Result<TreeRows> {
        Ok(self.alive(self.source.tree(table, id, parent).await?))
    }

    async fn scan(&self, read: &Read, visit: &mut Visit<'_>) -> Result<u64> {
        let pulse = self.pulse.clone();
        let mut rows = 0_u64;
        let read = self
            .source
            .scan(read, &mut |row, bytes| {
                // The clock is asked for every hundredth row: it costs more than the row's share of a scan.
                rows += 1;
                if rows % 100 == 1 {
                    pulse.beat();
                }
                visit(row, bytes)
            })
            .await?;
        Ok(self.alive(read))
    }
}
