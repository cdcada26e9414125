//! What an operation is given: the configuration, the database and the store (opened once, on first use, and shared by
//! every call of a process), who calls, who is watching, and whether it should stop.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use heirloom_engine::{Database, Location};
use heirloom_migrate::clock::Clock;
use heirloom_store::{Hit, Recall, Recalled, Scope, Store, StoreError};
use tokio::sync::{Notify, OnceCell};

use crate::asked::Recalls;
use crate::caller::Caller;
use crate::config::{CallerConfig, Config};
use crate::embed::{self, Embedding};
use crate::error::{Error, Result};
use crate::questions::Questions;

/// Whether to stop; set once, seen by every clone.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    inner: Arc<(AtomicBool, Notify)>,
}

impl Cancel {
    /// Asks to stop.
    pub fn cancel(&self) {
        self.inner.0.store(true, Ordering::SeqCst);
        self.inner.1.notify_waiters();
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.inner.0.load(Ordering::SeqCst)
    }

    /// Waits until somebody asks to stop.
    pub async fn cancelled(&self) {
        let notified = self.inner.1.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        if !self.is_cancelled() {
            notified.await;
        }
    }
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is moving: a tenant or a migration.
    pub label: String,
    /// Rows done.
    pub done: u64,
    /// Rows in all; 0 when unknown.
    pub total: u64,
    /// Rows set aside.
    pub rejected: u64,
}

/// Whoever waits for an operation. A door implements it; nothing here prints.
pub trait Watch: Send + Sync {
    /// Called as often as the operation likes; the watcher thins it out.
    fn progress(&self, progress: &Progress);
    /// A sentence worth telling while the operation runs.
    fn note(&self, sentence: &str);
    /// A sentence that whoever asked for quiet must hear all the same.
    fn warn(&self, sentence: &str) {
        self.note(sentence);
    }
    /// Called when the line of a tenant changes; a watcher without a table does not look.
    fn tenant(&self, _line: &TenantLine) {}
}

/// A tenant's line of the fleet's table, laid out for 80 columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantLine {
    /// The headings, laid out as the line is.
    pub heading: String,
    /// The tenant.
    pub label: String,
    /// The line.
    pub text: String,
    /// How far its step is.
    pub stage: Stage,
}

/// How far a tenant's step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It goes on: what a line says is for eyes.
    AtWork,
    /// It begins to wait, which is worth telling.
    Waits,
    /// It has come to its end.
    Settled,
}

/// A watcher that does not look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&self, _progress: &Progress) {}
    fn note(&self, _sentence: &str) {}
}

/// What an operation is given.
pub struct Context {
    shared: Arc<Shared>,
    caller: Caller,
    cancel: Cancel,
    watch: Arc<dyn Watch>,
    /// The directory and the variables of a command that attached.
    elsewhere: Option<(PathBuf, HashMap<String, String>)>,
}

/// What all calls of a process share.
struct Shared {
    config: Config,
    database: OnceCell<Database>,
    store: OnceCell<Store>,
    keeper: OnceCell<Store>,
    may_serve: OnceCell<()>,
    embedding: OnceCell<Option<Embedding>>,
    recalls: Recalls,
    /// Where questions are recorded, by who serves and was told to.
    questions: OnceLock<Questions>,
    /// Counts what was written by this process.
    news: tokio::sync::watch::Sender<u64>,
}

impl Context {
    /// The context of the person who started this process; opens nothing yet.
    pub fn new(config: Config, watch: Arc<dyn Watch>, cancel: Cancel) -> Self {
        let caller = Caller::Owner(config.caller.clone());
        let shared = Shared {
            config,
            database: OnceCell::new(),
            store: OnceCell::new(),
            keeper: OnceCell::new(),
            may_serve: OnceCell::new(),
            embedding: OnceCell::new(),
            recalls: Recalls::default(),
            questions: OnceLock::new(),
            news: tokio::sync::watch::Sender::new(0),
        };
        Self { shared: Arc::new(shared), caller, cancel, watch, elsewhere: None }
    }

    /// The same process, called by somebody else: a door's way to run an operation.
    #[must_use]
    pub fn call(&self, caller: Caller) -> Self {
        Self {
            shared: self.shared.clone(),
            caller,
            cancel: self.cancel.clone(),
            watch: Arc::new(Unwatched),
            elsewhere: None,
        }
    }

    /// The same store for somebody who asks to see what comes back: their recalls are not counted among those of others.
    #[must_use]
    pub fn uncounted(&self, caller: Caller, cancel: Cancel) -> Self {
        let shared = Shared {
            config: self.shared.config.clone(),
            database: OnceCell::new_with(self.shared.database.get().cloned()),
            store: OnceCell::new_with(self.shared.store.get().cloned()),
            keeper: OnceCell::new_with(self.shared.keeper.get().cloned()),
            may_serve: OnceCell::new_with(self.shared.may_serve.get().copied()),
            embedding: OnceCell::new(),
            recalls: Recalls::default(),
            questions: OnceLock::new(),
            news: tokio::sync::watch::Sender::new(0),
        };
        Self { shared: Arc::new(shared), caller, cancel, watch: Arc::new(Unwatched), elsewhere: None }
    }

    /// The same call for a command of another process: watched, stoppable by itself, with relative paths and `env:`
    /// references meant there.
    #[must_use]
    pub fn attached(
        self,
        watch: Arc<dyn Watch>,
        cancel: Cancel,
        directory: PathBuf,
        environment: HashMap<String, String>,
    ) -> Self {
        Self { watch, cancel, elsewhere: Some((directory, environment)), ..self }
    }

    /// The same call, stopped by somebody else.
    #[must_use]
    pub fn stopped_by(self, cancel: Cancel) -> Self {
        Self { cancel, ..self }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The caller's defaults: namespaces of a call that names none, and who acts.
    pub fn caller_config(&self) -> &CallerConfig {
        match &self.caller {
            Caller::Owner(config) => config,
            Caller::Guest(guest) => &guest.config,
            Caller::Token(_) => {
                static NOBODY: CallerConfig = CallerConfig::NOBODY;
                &NOBODY
            }
        }
    }

    /// Whether the operation came from another process.
    pub fn is_attached(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// A path as the caller means it.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.elsewhere.as_ref().map_or_else(|| path.to_owned(), |(directory, _)| directory.join(path))
    }

    /// What the NAME of an `env:NAME` reference stands for, as the caller means it.
    pub fn secret(&self, name: &str) -> Option<String> {
        match &self.elsewhere {
            Some((_, environment)) => environment.get(name).cloned(),
            None => Self::variable(name),
        }
    }

    /// What time it is, for whatever counts days.
    pub fn clock(&self) -> Clock {
        match Config::test_clock() {
            Some(seconds) => Clock::simulated(Arc::new(AtomicI64::new(seconds))),
            None => Clock::system(jiff::Timestamp::now),
        }
    }

    /// What the NAME of an `env:NAME` reference stands for in this process.
    pub fn variable(name: &str) -> Option<String> {
        Config::secret(name)
    }

    /// The database, when it was opened already.
    pub fn opened(&self) -> Option<&Database> {
        self.shared.database.get()
    }

    /// Whether to stop.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Who is watching.
    pub fn watch(&self) -> &Arc<dyn Watch> {
        &self.watch
    }

    /// Where the database is: the configured URL, else the embedded store's directory.
    ///
    /// # Errors
    /// When nothing is configured and there is no home directory.
    pub fn location(&self) -> Result<Location> {
        self.shared.config.location()
    }

    /// The database, opened on first use. Creates the embedded store's directory when it is not there.
    ///
    /// # Errors
    /// A URL that does not answer is an error; nothing falls back to the embedded store.
    pub async fn database(&self) -> Result<&Database> {
        self.database_at(&self.location()?).await
    }

    /// The database at a place that a migration file names. An operation has one target: the first place asked for.
    ///
    /// # Errors
    /// As [`Context::database`].
    pub async fn database_at(&self, location: &Location) -> Result<&Database> {
        self.shared
            .database
            .get_or_try_init(|| async {
                let options = self.shared.config.engine();
                Ok(Database::open(location, &options).await?)
            })
            .await
    }

    /// The database, when there is one: an embedded store that was never made is not made by looking at it.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`] instead of making one; otherwise as [`Context::database`].
    pub async fn existing(&self) -> Result<&Database> {
        if let Some(database) = self.shared.database.get() {
            return Ok(database);
        }
        let location = self.location()?;
        if !location.is_there() {
            return Err(StoreError::NotInstalled(location.display()).into());
        }
        self.database().await
    }

    /// The store, looked at once a process: a server would otherwise ask for its version with every call.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`] when there is none, and what else keeps it from being used.
    pub async fn store(&self) -> Result<Store> {
        let database = self.existing().await?;
        Ok(self.shared.store.get_or_try_init(|| Store::open(database)).await?.clone())
    }

    /// Refuses to serve others through a server's login that no policy holds; asked once a process. The embedded store has one
    /// user, whom nobody reaches but through this process.
    ///
    /// # Errors
    /// As [`Store::check_serving`].
    pub async fn check_serving(&self) -> Result<()> {
        let store = self.store().await?;
        if store.database().is_embedded() {
            return Ok(());
        }
        self.shared.may_serve.get_or_try_init(|| store.check_serving()).await?;
        Ok(())
    }

    /// The store as upkeep asks it: on a server as the owner whom `upkeep.url` names, else as everything asks it.
    ///
    /// # Errors
    /// As [`Context::store`], and when that URL leads to another store.
    pub async fn keeper(&self) -> Result<Store> {
        let store = self.store().await?;
        let url = &self.shared.config.upkeep.url;
        if url.is_empty() || store.database().is_embedded() {
            return Ok(store);
        }
        let open = || async {
            let options = heirloom_engine::Options { pool_size: 1, ..self.shared.config.engine() };
            let keeper = Store::open(&Database::open(&Location::Server(url.clone()), &options).await?).await?;
            if keeper.meta().store_id == store.meta().store_id {
                return Ok(keeper);
            }
            Err(Error::Config {
                origin: format!("{} (upkeep.url)", self.shared.config.origin("upkeep.url")),
                what: format!("{} holds another store", keeper.database().display()),
                accepted: format!("the owner's URL of {} is accepted", store.database().display()),
            })
        };
        Ok(self.shared.keeper.get_or_try_init(open).await?.clone())
    }

    /// Who turns texts into vectors, made on first use; `None` when the settings name nobody.
    ///
    /// # Errors
    /// When the settings name somebody who cannot be asked.
    pub async fn embedding(&self) -> embed::Result<Option<&Embedding>> {
        Ok(self.shared.embedding.get_or_try_init(|| Embedding::of(&self.shared.config)).await?.as_ref())
    }

    /// Recalls for whatever door asked, and keeps how long it took and how much it found.
    ///
    /// # Errors
    /// As [`Store::recall`].
    pub async fn recall(&self, scope: &Scope, request: &Recall) -> Result<Recalled> {
        let store = self.store().await?;
        let began = std::time::Instant::now();
        let found = store.recall(scope, request).await?;
        self.answered(scope, request, began.elapsed(), found.hits.len());
        Ok(found)
    }

    /// What the scope remembers of one topic about a question, noted among the latest recalls of this process.
    ///
    /// # Errors
    /// As [`Store::recall_of_topic`].
    pub async fn recall_of_topic(&self, scope: &Scope, request: &Recall, topic: &str) -> Result<Vec<Hit>> {
        let store = self.store().await?;
        let began = std::time::Instant::now();
        let hits = store.recall_of_topic(scope, request, topic).await?;
        self.answered(scope, request, began.elapsed(), hits.len());
        Ok(hits)
    }

    fn answered(&self, scope: &Scope, request: &Recall, took: std::time::Duration, hits: usize) {
        self.recalls().add(took, hits, scope.namespaces());
        if let (Some(questions), Some(words)) = (self.shared.questions.get(), &request.query) {
            questions.add(scope.namespaces(), words);
        }
    }

    /// Records questions from now on, where the settings say so (`soak.record`).
    ///
    /// # Errors
    /// As [`Questions::open`].
    pub(crate) fn record_questions(&self) -> Result<()> {
        let path = &self.shared.config.soak.record;
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        let questions = Questions::open(path)?;
        self.watch.note(&format!("Questions are recorded in {} (soak.record)", path.display()));
        self.shared.questions.get_or_init(|| questions);
        Ok(())
    }

    /// The latest recalls of this process.
    pub fn recalls(&self) -> &Recalls {
        &self.shared.recalls
    }

    /// Something was written, perhaps: whoever waits for [`Context::news`] looks.
    pub fn happened(&self) {
        self.shared.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes with every write of this process, and of others where the server tells.
    pub fn news(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.news.subscribe()
    }

    /// Closes the database when it was opened.
    ///
    /// # Errors
    /// When the embedded engine does not stop.
    pub async fn close(&self) -> Result<()> {
        match self.shared.database.get() {
            Some(database) => Ok(database.close().await?),
            None => Ok(()),
        }
    }
}
