//! The stores of a fleet: each opened once a process, whichever tenants go there, and closed when the last of them has left.
//! An embedded store that is not there is made by who hands memories down, and by nobody who only looks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heirloom_engine::{Database, EngineError, Location, Options};
use heirloom_migrate::ledger;
use heirloom_migrate::plan::Target;
use heirloom_store::{Store, StoreError, UpOptions};
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::context::Context;
use crate::error::{Error, Result};

/// Tenants applied after which the planner looks again at a store's tables: a store that has grown from nothing is read whole
/// for every question until it has. Once it knows that ids are unique, it knows it of any number.
const LOOKS: [usize; 3] = [1, 16, 256];

/// The stores, by place and credential.
pub struct Targets {
    places: HashMap<String, Arc<Place>>,
}

/// A tenant's stay at a store. It ends with the tenant's step, whether that came to its end, was refused, given up or a fault.
pub struct Stay(Arc<Place>);

/// One store.
pub struct Place {
    /// Where it is opened: a throw-away where it is not there and is only looked at.
    location: Location,
    display: String,
    stands_in: bool,
    options: Options,
    connect_timeout: Duration,
    up: UpOptions,
    /// Whether it is the configured store, which the process closes.
    configured: bool,
    /// Tenants that have yet to leave it.
    left: AtomicUsize,
    applied: AtomicUsize,
    finished: AtomicBool,
    /// Its end, once the last tenant left.
    finishing: Mutex<Option<JoinHandle<()>>>,
    database: OnceCell<Database>,
    store: OnceCell<Store>,
    looked: OnceCell<Target>,
    ledger: OnceCell<()>,
    /// Tenants that may hand down there at a time where a rate holds them back.
    turns: Arc<Semaphore>,
    /// Why it cannot be opened: one who waited for nothing has waited for all.
    trouble: Mutex<Option<crate::explain::Told>>,
}

impl Targets {
    /// Places for tenants that go to these, to write where `making`; opens the configured store, when one of them is that.
    pub(super) async fn new(
        context: &Context,
        wanted: &[&Location],
        parallel: usize,
        connect_timeout: Duration,
        making: bool,
    ) -> Result<Self> {
        let config = context.config();
        let configured = context.location().ok();
        let mut sharers: HashMap<String, (usize, &Location)> = HashMap::new();
        for location in wanted {
            sharers.entry(key(location)).or_insert((0, location)).0 += 1;
        }
        let mut places = HashMap::new();
        for (key, (sharing, location)) in sharers {
            let stands_in = !making && !location.is_there();
            let configured = !stands_in && configured.as_ref() == Some(location);
            let pool = match config.origin("database.pool") {
                // As many again as are at work may have lent their place and go on.
                "default" if sharing > 1 => config.database.pool.max(sharing.min(parallel.saturating_mul(2)) + 2),
                _ => config.database.pool,
            };
            let embedded = !matches!(location, Location::Server(_));
            let place = Place {
                turns: Arc::new(Semaphore::new(if embedded { 1 } else { pool.saturating_sub(2).max(1) })),
                location: if stands_in { Location::Temporary } else { location.clone() },
                display: location.display(),
                stands_in,
                options: Options { pool_size: pool, ..config.engine() },
                connect_timeout,
                up: UpOptions { dimension: config.store.dimension, language: config.store.language.clone() },
                configured,
                left: AtomicUsize::new(sharing),
                applied: AtomicUsize::new(0),
                finished: AtomicBool::new(false),
                finishing: Mutex::new(None),
                database: OnceCell::new(),
                store: OnceCell::new(),
                looked: OnceCell::new(),
                ledger: OnceCell::new(),
                trouble: Mutex::new(None),
            };
            // A directory has one owner: that it is open elsewhere is known here, where the command can still be sent there.
            if configured && !matches!(location, Location::Server(_)) && location.is_there() {
                place.opened(context.database().await?.clone());
            }
            places.insert(key, Arc::new(place));
        }
        Ok(Self { places })
    }

    /// The place of a location.
    ///
    /// # Errors
    /// [`Error::Bug`] for one that no tenant named.
    pub fn place(&self, location: &Location) -> Result<Arc<Place>> {
        let place = self.places.get(&key(location)).cloned();
        place.ok_or_else(|| Error::Bug("a store was asked for that no tenant goes to".to_owned()))
    }

    /// The stay of a tenant that goes to a location. Each that was counted takes one.
    pub(super) fn stay(&self, location: &Location) -> Option<Stay> {
        self.place(location).ok().map(Stay)
    }

    /// Waits until every place has come to its end.
    pub(super) async fn close(&self) {
        for place in self.places.values() {
            let finishing = place.finishing.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(finishing) = finishing
                && let Err(error) = finishing.await
            {
                tracing::warn!(%error, "a store did not come to its end");
            }
            place.finish().await;
        }
    }
}

fn key(location: &Location) -> String {
    match location {
        Location::Server(url) => url.clone(),
        Location::Embedded(dir) => dir.display().to_string(),
        Location::Temporary => String::new(),
    }
}

impl Place {
    fn opened(&self, database: Database) {
        // Nobody else has this place yet.
        drop(self.database.set(database));
    }

    /// The database, let in within the time there is. What kept one out keeps out all who come after.
    ///
    /// # Errors
    /// When it does not answer, does not let in, or takes too long to.
    pub async fn database(&self) -> Result<&Database> {
        let opened = self.database.get_or_try_init(|| async {
            if let Some(told) = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                return Err(Error::Told(Box::new(told)));
            }
            let opening = Database::open(&self.location, &self.options);
            let opened = match &self.location {
                Location::Server(_) => in_time(opening, self.connect_timeout, &self.display).await,
                // Nobody is asked: an engine of ours starts, and takes as long as this machine does.
                Location::Embedded(_) | Location::Temporary => opening.await.map_err(Into::into),
            };
            if let Err(error) = &opened {
                let told = crate::explain::explain(error).told();
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
            }
            opened
        });
        opened.await
    }

    /// What a plan needs to know of it, looked at once.
    ///
    /// # Errors
    /// As [`Target::look`].
    pub async fn looked(&self) -> Result<&Target> {
        let database = self.database().await?;
        let look = || async { Ok(Target { display: self.display.clone(), ..Target::look(database).await? }) };
        self.looked.get_or_try_init(look).await
    }

    /// The database of a store that must be there.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`] where a throw-away would stand in for it; else as [`Place::database`].
    pub async fn existing(&self) -> Result<&Database> {
        if self.stands_in {
            return Err(StoreError::NotInstalled(self.display.clone()).into());
        }
        self.database().await
    }

    /// Whether it is opened where it lies: no throw-away stands in for it.
    pub fn is_there(&self) -> bool {
        !self.stands_in
    }

    /// The store, which must be there.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn store(&self) -> Result<&Store> {
        let database = self.existing().await?;
        self.store.get_or_try_init(|| async { Ok(Store::open(database).await?) }).await
    }

    /// The store and its ledger, made when they are not there. A store that a plan knew must not have gone.
    ///
    /// # Errors
    /// As [`Store::up`].
    pub async fn prepared(&self, known: bool, dimension: usize) -> Result<&Store> {
        let database = self.database().await?;
        let store = self
            .store
            .get_or_try_init(|| async {
                match Store::inspect(database).await? {
                    Some(_) => Ok::<_, Error>(Store::open(database).await?),
                    None if known => Err(StoreError::NotInstalled(database.display()).into()),
                    None => Ok(Store::up(database, &UpOptions { dimension, ..self.up.clone() }).await?),
                }
            })
            .await?;
        self.ledger.get_or_try_init(|| async { Ok::<_, Error>(ledger::ensure(database).await?) }).await?;
        Ok(store)
    }

    /// Waits until there is a connection for a tenant that takes its time in a transaction: who waits for one while others
    /// keep to a rate looks as silent as one whose database hangs.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes it.
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// The same, where there is one now.
    pub(super) fn turn_now(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).try_acquire_owned().ok()
    }

    /// A tenant was applied.
    ///
    /// # Errors
    /// When the store does not answer any more.
    pub async fn grew(&self, written: u64) -> Result<()> {
        let applied = self.applied.fetch_add(usize::from(written > 0), Ordering::SeqCst) + 1;
        match self.store.get() {
            Some(store) if written > 0 && LOOKS.contains(&applied) => Ok(store.look_again().await?),
            _ => Ok(()),
        }
    }

    async fn finish(&self) {
        if self.finished.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(store) = self.store.get()
            && self.applied.load(Ordering::SeqCst) > 0
        {
            let kept = store.upkeep(Some(&[])).await;
            let looked = store.look_again().await;
            // The rows are there, and `heirloom upkeep` does the same at any time.
            if let Some(error) = kept.err().or(looked.err()) {
                tracing::warn!(error = %error, "upkeep did not come to its end");
            }
        }
        self.close().await;
    }

    async fn close(&self) {
        if !self.configured
            && let Some(database) = self.database.get()
            && let Err(error) = database.close().await
        {
            tracing::debug!(error = %error, "a store was not closed");
        }
    }
}

impl Drop for Stay {
    /// With the last one, what looks at the whole store is done once, and it is closed, so that a thousand stores are never
    /// open at a time. It is a task of its own: the rows of that tenant are there, so its step must not be called silent for it.
    fn drop(&mut self) {
        if self.0.left.fetch_sub(1, Ordering::SeqCst) == 1
            && let Ok(runtime) = Handle::try_current()
        {
            let place = Arc::clone(&self.0);
            let finishing = runtime.spawn(async move { place.finish().await });
            *self.0.finishing.lock().unwrap_or_else(PoisonError::into_inner) = Some(finishing);
        }
    }
}

/// Waits for a database to let somebody in, and no longer than it may take.
///
/// # Errors
/// The opening's own; [`EngineError::Unreachable`] when it takes too long.
pub(crate) async fn in_time<T, E: Into<Error>>(
    opening: impl Future<Output = std::result::Result<T, E>>,
    most: Duration,
    display: &str,
) -> Result<T> {
    match tokio::time::timeout(most, opening).await {
        Ok(opened) => opened.map_err(Into::into),
        Err(_) => Err(EngineError::Unreachable {
            url: display.to_owned(),
            reason: format!("nobody was let in within {} s", most.as_secs_f32()),
            source: None,
        }
        .into()),
    }
}
