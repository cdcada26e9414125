//! The mechanism: a schema that is the sum of its SQL files.
//!
//! Two schemas use it, the store's own and the ledger's of `heirloom-migrate`. Each keeps beside its tables what was
//! applied: `schema_version` (migrations) and `object` (objects).

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use tokio_postgres::{Client, GenericClient, Transaction};

use crate::error::{Result, StoreError};

/// Objects of the SQL door, in a schema whose name somebody else may have taken.
const SQL_DOOR: &str = "objects/pgmnemo/";

/// One SQL file of the binary.
#[derive(Debug, Clone, Copy)]
pub struct SqlFile {
    /// Path below `sql/`, as `migrations/0001_language.sql`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl SqlFile {
    /// File name without directory.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// sha256 of the text, lower-case hex.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A file below `sql/` of the crate that calls this, as a [`SqlFile`].
#[macro_export]
macro_rules! sql_file {
    ($path:literal) => {
        $crate::schema::SqlFile { path: $path, text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $path)) }
    };
}

/// A schema and the files it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Catalog {
    /// The schema's name; a plain lower-case identifier.
    pub schema: &'static str,
    /// Run once, in this order; the first is version 1.
    pub migrations: &'static [SqlFile],
    /// Re-applied when their text changes, in this order; each can be applied twice.
    pub objects: &'static [SqlFile],
    /// What these objects make of roles, a line each, as `rights.txt`; empty where nothing is to be looked after.
    pub rights: &'static str,
}

impl Catalog {
    /// Installs or upgrades the schema on this connection, under a session advisory lock of its own.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when the schema is ahead of this binary, [`StoreError::Altered`] when a migration that
    /// was applied is not the one this binary carries, [`StoreError::Conflict`] when the schema is somebody else's.
    pub async fn up(&self, client: &mut Client) -> Result<()> {
        self.locked(client, async |client| {
            self.check(client).await?;
            self.apply(client).await
        })
        .await
    }

    /// Whether every file of this binary was applied and no later migration, by the schema's own record: what stands before a
    /// step that needs the schema and is taken often. Policies and grants are [`Self::up`]'s to look after. Reads only.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_current(&self, client: &impl GenericClient) -> Result<bool> {
        if !self.exists(client, "object").await? {
            return Ok(false);
        }
        let applied = format!(
            "select name, sha256 from {0}.schema_version union all select path, sha256 from {0}.object",
            self.schema
        );
        let rows = client.query(&applied, &[]).await?;
        let applied: HashMap<&str, &str> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let migrations = self.migrations.iter().map(|file| (file.name(), file.sha256()));
        let mut ours = migrations.chain(self.objects.iter().map(|file| (file.path, file.sha256())));
        let versions = applied.keys().filter(|name| !name.contains('/')).count();
        Ok(versions == self.migrations.len() && ours.all(|(name, sha256)| applied.get(name) == Some(&sha256.as_str())))
    }

    /// The version the database is at; `None` when the schema is not installed. Reads only.
    pub async fn version(&self, client: &impl GenericClient) -> Result<Option<u32>> {
        if !self.exists(client, "schema_version").await? {
            return Ok(None);
        }
        let row = client
            .query_one(&format!("select coalesce(max(ordinal), 0) from {}.schema_version", self.schema), &[])
            .await?;
        Ok(Some(row.get::<_, i32>(0).unsigned_abs()))
    }

    /// The newest version this binary knows.
    pub fn known(&self) -> u32 {
        u32::try_from(self.migrations.len()).unwrap_or(u32::MAX)
    }

    /// Runs `work` while this connection holds the advisory lock of this schema.
    pub(super) async fn locked<T>(
        &self,
        client: &mut Client,
        work: impl AsyncFnOnce(&mut Client) -> Result<T>,
    ) -> Result<T> {
        let name = format!("heirloom up: {}", self.schema);
        client.execute("select pg_advisory_lock(hashtextextended($1, 0))", &[&name]).await?;
        let done = work(client).await;
        let unlocked = client.execute("select pg_advisory_unlock(hashtextextended($1, 0))", &[&name]).await;
        let done = done?;
        unlocked?;
        Ok(done)
    }

    /// Refuses a schema that is newer than this binary, altered, or not ours. Reads only.
    pub(crate) async fn check(&self, client: &impl GenericClient) -> Result<()> {
        let Some(found) = self.version(client).await? else { return self.refuse_foreign(client).await };
        if found > self.known() {
            return Err(StoreError::Newer { found, known: self.known() });
        }
        let rows = client
            .query(&format!("select ordinal, name, sha256 from {}.schema_version order by ordinal", self.schema), &[])
            .await?;
        for (at, row) in rows.iter().enumerate() {
            let ours = self.migrations.get(at);
            let same = ours.is_some_and(|file| {
                usize::try_from(row.get::<_, i32>(0)).is_ok_and(|ordinal| ordinal == at + 1)
                    && row.get::<_, &str>(1) == file.name()
                    && row.get::<_, &str>(2) == file.sha256()
            });
            if !same {
                return Err(StoreError::Altered { name: row.get(1) });
            }
        }
        Ok(())
    }

    /// Applies what is missing, all of it or nothing: whoever is killed on the way leaves what was there before. The
    /// caller holds the lock and has checked.
    pub(super) async fn apply(&self, client: &mut Client) -> Result<()> {
        let transaction = client.transaction().await?;
        transaction.batch_execute("set local search_path = pg_catalog").await?;
        self.bootstrap(&transaction).await?;
        let found = self.version(&transaction).await?.unwrap_or(0);
        for (file, ordinal) in self.migrations.iter().zip(1_i32..).skip(found as usize) {
            transaction.batch_execute(file.text).await?;
            transaction
                .execute(
                    &format!("insert into {}.schema_version (ordinal, name, sha256) values ($1, $2, $3)", self.schema),
                    &[&ordinal, &file.name(), &file.sha256()],
                )
                .await?;
        }
        let mut objects = self.apply_objects(&transaction, false).await?;
        let missing = self.missing_rights(&transaction).await?.len();
        if missing > 0 {
            tracing::info!(schema = self.schema, missing, "policies and grants were missing; they are put there again");
            objects = self.apply_objects(&transaction, true).await?;
        }
        transaction.commit().await?;
        if found < self.known() || objects > 0 {
            tracing::info!(schema = self.schema, found, version = self.known(), objects, "schema applied");
        }
        Ok(())
    }

    /// Applies the objects whose text changed, or all of them; how many.
    async fn apply_objects(&self, transaction: &Transaction<'_>, all: bool) -> Result<usize> {
        let applied: HashMap<String, String> = transaction
            .query(&format!("select path, sha256 from {}.object", self.schema), &[])
            .await?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let mut changed: Vec<_> =
            self.objects.iter().filter(|file| all || applied.get(file.path) != Some(&file.sha256())).collect();
        if changed.iter().any(|file| file.path.starts_with(SQL_DOOR)) && sql_door_is_taken(transaction).await? {
            tracing::warn!(
                "the schema pgmnemo is not Heirloom's, so the SQL door is left out; once it is dropped or renamed, \
                 `heirloom up` puts it there"
            );
            changed.retain(|file| !file.path.starts_with(SQL_DOOR));
        }
        for file in &changed {
            transaction.batch_execute(file.text).await?;
            transaction
                .execute(
                    &format!(
                        "insert into {}.object (path, sha256) values ($1, $2) \
                         on conflict (path) do update set sha256 = excluded.sha256, applied_at = now()",
                        self.schema
                    ),
                    &[&file.path, &file.sha256()],
                )
                .await?;
        }
        Ok(changed.len())
    }

    async fn bootstrap(&self, transaction: &Transaction<'_>) -> Result<()> {
        if self.exists(transaction, "schema_version").await? {
            return Ok(());
        }
        let schema = self.schema;
        transaction
            .batch_execute(&format!(
                "create schema if not exists {schema};
                 create table {schema}.schema_version (
                     ordinal    integer     primary key,
                     name       text        not null,
                     sha256     text        not null,
                     applied_at timestamptz not null default now()
                 );
                 create table {schema}.object (
                     path       text        primary key,
                     sha256     text        not null,
                     applied_at timestamptz not null default now()
                 );
                 comment on table {schema}.schema_version is 'Which migrations were applied.';
                 comment on table {schema}.object is 'Which text of each function, trigger, policy and grant was applied.';"
            ))
            .await?;
        Ok(())
    }

    /// A schema of our name with tables of somebody else's is left alone.
    async fn refuse_foreign(&self, client: &impl GenericClient) -> Result<()> {
        let row = client
            .query_one(
                "select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                 where n.nspname = $1",
                &[&self.schema],
            )
            .await?;
        match row.get::<_, i64>(0) {
            0 => Ok(()),
            relations => Err(StoreError::Conflict(format!(
                "The schema {} exists and is not Heirloom's: it holds {relations} relations and no schema_version; \
                 rename it or use another database",
                self.schema
            ))),
        }
    }

    async fn exists(&self, client: &impl GenericClient, table: &str) -> Result<bool> {
        let row = client
            .query_one(
                "select exists (select from pg_catalog.pg_class c \
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2)",
                &[&self.schema, &table],
            )
            .await?;
        Ok(row.get(0))
    }
}

/// Whether the name of the SQL door's schema belongs to somebody else, as to the extension memories are handed down
/// from: both may live in one database.
async fn sql_door_is_taken(client: &impl GenericClient) -> Result<bool> {
    let row = client
        .query_one(
            "select exists (select from pg_catalog.pg_namespace n where n.nspname = 'pgmnemo' \
             and coalesce(obj_description(n.oid, 'pg_namespace'), '') not like 'The SQL door of Heirloom%')",
            &[],
        )
        .await?;
    Ok(row.get(0))
}
