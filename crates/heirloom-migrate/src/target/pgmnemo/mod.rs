//! An existing pgmnemo: the table `pgmnemo.agent_lesson` of a PostgreSQL database.
//!
//! What it does to rows that nobody asked for, and what is done about it here:
//!
//! - Its close-prior trigger closes every other open row with the same role, topic and commit when one is inserted, all of
//!   them when they come in one statement, and across projects. The plan predicts each (`predict.rs`); the file
//!   chooses whether that refuses or whether such rows come in statements of their own, the newest staying open.
//! - Its unique index takes one open entity of a name in a project. The plan predicts each and refuses (`named.rs`); what came
//!   into being since is set aside as the database refuses it.
//! - `t_valid_from` would be the time of the import. It is set to `created_at`.
//! - Its gate warns once a row. It is asked not to, and one warning a statement is given instead.
//! - A trigger stamps `updated_at` with every update, recall among them. So it tells no edit.
//!
//! A row bears its id in `doc_ref`, which pgmnemo never reads, as `heirloom:<id>`. Writers of ours take turns under an
//! advisory lock of the target, so that who closes whom does not depend on who is faster.
//!
//! Deliberately absent: `pgmnemo.ingest`, which drops near-duplicates and stamps times of its own.

mod carry;
mod named;
mod predict;
mod read;
mod statement;
mod write;

use std::collections::HashSet;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use heirloom_engine::{Database, Location, Options};
use uuid::Uuid;

use super::{Announced, Beyond, Fate, Foreign, Found, Left, Parcel, Predicted, Seen, Surface, Terms, Wanted};
use crate::error::{MigrateError, Result};
use crate::source::{Postgres, Relation, Source as _};

pub(super) use carry::{HIDDEN, STAMPED, carry, closing};
pub(super) use named::name;

/// Sessions on its server.
const SESSIONS: usize = 4;

/// Rows that are asked for at a time.
const QUESTION: usize = 1_000;

/// What an id is called in `doc_ref`.
const MARK: &str = "heirloom:";

const LOOK: &str = include_str!("../../../sql/queries/pgmnemo_look.sql");

/// A pgmnemo.
#[derive(Debug, Clone)]
pub struct Pgmnemo {
    database: Database,
    surface: Surface,
}

impl Pgmnemo {
    /// On a server; `url` is that of PostgreSQL.
    ///
    /// # Errors
    /// [`MigrateError::Engine`] when it does not answer.
    pub async fn open(url: &str, surface: Surface) -> Result<Self> {
        let options = Options { pool_size: SESSIONS, application_name: "heirloom target".into(), ..Options::default() };
        Ok(Self::of(Database::open(&Location::Server(url.to_owned()), &options).await?, surface))
    }

    /// In a database that is open. Nothing is asked of it while a connection of the ledger is held.
    pub fn of(database: Database, surface: Surface) -> Self {
        Self { database, surface }
    }
}

/// Every project is looked at, whatever the session of a role says.
async fn settle(tx: &Transaction<'_>) -> Result<()> {
    Ok(tx.batch_execute("set local pgmnemo.tenant_id = ''").await?)
}

/// A surface of another target's.
fn another() -> MigrateError {
    MigrateError::Ledger("a pgmnemo is opened as another target".into())
}

fn mark(id: Uuid) -> String {
    format!("{MARK}{id}")
}

fn unmark(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text.strip_prefix(MARK)?).ok()
}

#[async_trait]
impl Foreign for Pgmnemo {
    async fn look(&self) -> Result<Found> {
        let missing = |what: &str| MigrateError::Refused {
            what: format!("{} {what}", self.database.display()),
            cure: "name the database of an installed pgmnemo as [target] url, and a role that may use it".to_owned(),
        };
        let (may_write, width, is_ours): (bool, i32, bool) = {
            let client = self.database.client().await?;
            let Some(row) = client.query_opt(LOOK, &[]).await? else {
                return Err(missing("has no table pgmnemo.agent_lesson"));
            };
            (row.try_get("may_write")?, row.try_get("width")?, row.try_get("is_ours")?)
        };
        if !may_write {
            return Err(missing("does not let this role select, insert and update in pgmnemo.agent_lesson"));
        }
        let table = Relation::Table("pgmnemo.agent_lesson".to_owned());
        let identity = Postgres::in_target(&self.database).identity(&table).await?;
        let Surface::Pgmnemo { collisions, gate, .. } = self.surface else { return Err(another()) };
        Ok(Found {
            display: format!("pgmnemo in {}", self.database.display()),
            system: format!("pgmnemo:{}", identity.system),
            identity,
            dimension: usize::try_from(width).map_err(|_| missing("has vectors of no fixed width"))?,
            surface: Surface::Pgmnemo { collisions, gate, is_ours },
        })
    }

    async fn predict(&self, rows: &[Announced], _: &[&str]) -> Result<Predicted> {
        predict::predict(&self.database, rows).await
    }

    async fn deliver(&self, terms: Terms<'_>, rows: &[Parcel]) -> Result<Vec<Fate>> {
        let mut client = self.database.client().await?;
        let mut tx = client.transaction().await?;
        settle(&tx).await?;
        let fates = write::write(&mut tx, terms, rows).await?;
        tx.commit().await?;
        Ok(fates)
    }

    async fn rows(&self, surface: &Surface, wanted: &[Wanted<'_>]) -> Result<Seen> {
        let mut client = self.database.client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        settle(&tx).await?;
        let ids: Vec<Uuid> = wanted.iter().map(|one| one.id).collect();
        Ok(Seen { rows: read::rows(&tx, surface, &ids).await?, unseen: HashSet::new() })
    }

    async fn left(&self, _: &[&str], gone: &[Uuid]) -> Result<Left> {
        let mut client = self.database.client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        settle(&tx).await?;
        let mut left = Left::default();
        for part in gone.chunks(QUESTION) {
            left.there.extend(read::rows(&tx, &self.surface, part).await?.iter().map(|row| row.id));
        }
        Ok(left)
    }

    async fn beyond(&self, namespaces: &[&str]) -> Result<Beyond> {
        let mut client = self.database.client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        settle(&tx).await?;
        Ok(Beyond { live: read::live(&tx, namespaces).await?, ..Beyond::default() })
    }
}
