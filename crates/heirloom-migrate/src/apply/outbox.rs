//! The outbox: a small table beside a source's, where triggers note the key of every row that is written there, when the file
//! asks for it with `outbox = true`.
//!
//! It is a queue and its own watermark. A follower reads what stands in it, deals with these rows as they are by then, and
//! removes exactly what it read once the store has committed. So a transaction that commits late, with a number lower than
//! others had before it, is not passed over; who is killed in between deals with the same rows once more, which writes nothing;
//! and two followers at once do no harm. Each store has an outbox of its own.
//!
//! The triggers never make a team's statement fail for our sake: where the outbox is gone they note nothing, and a follower
//! that finds it so makes it again and compares everything. With the marker these are the only writes to a source before
//! `retire`. Deliberately absent: values of the rows, which are read where they stand.

use deadpool_postgres::{GenericClient, Transaction};
use heirloom_engine::Database;
use uuid::Uuid;

use crate::error::{MigrateError, Result};
use crate::failpoint::{Failpoints, Point};
use crate::file::MigrationFile;
use crate::plan::Plan;
use crate::source::{Relation, Source, identifier, literal};

const LOOK: &str = include_str!("../../sql/queries/source_outbox.sql");

/// Entries that are read at a time.
const BATCH: i64 = 5_000;

/// The statements that write rows: last letter of the trigger, the event, and the rows it sees.
const EVENTS: [(&str, &str, &str); 4] = [
    ("i", "insert", "referencing new table as new_rows"),
    ("u", "update", "referencing old table as old_rows new table as new_rows"),
    ("d", "delete", "referencing old table as old_rows"),
    ("t", "truncate", ""),
];

/// The outbox of a source for one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outbox {
    /// The table whose changes are noted, as the plan names it.
    table: String,
    /// Its name, which function and triggers carry too.
    name: String,
    key: Vec<String>,
}

/// What is there, and what may be made.
struct Found {
    schema: String,
    outbox: String,
    is_whole: bool,
    is_any: bool,
    obstacles: Vec<&'static str>,
}

/// What was noted, oldest first.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Where it stands.
    pub(super) outbox: String,
    /// Each key with the number of its entry; no key stands for all rows.
    pub(super) entries: Vec<(i64, Option<Vec<String>>)>,
    /// Keys that were deleted, or changed to others.
    pub(super) deleted: Vec<Vec<String>>,
    /// Everything has to be compared: the table was emptied, or what happened was not noted.
    pub(super) whole: bool,
    /// More is waiting.
    pub(super) full: bool,
}

impl Batch {
    /// The numbers of all its entries.
    pub(super) fn all(&self) -> Vec<i64> {
        self.entries.iter().map(|(number, _)| *number).collect()
    }
}

/// Removes entries of the outbox of this name that were dealt with. One that is gone took them with it.
pub(super) async fn trim(source: &dyn Source, outbox: &str, entries: &[i64], failpoints: &Failpoints) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    failpoints.pass(Point::BeforeTrim).await?;
    {
        let client = writable(source)?.client().await?;
        match client.execute(&format!("delete from {outbox} where seq = any ($1)"), &[&entries]).await {
            Err(error) if !is_gone(&error) => return Err(error.into()),
            _ => {}
        }
    }
    failpoints.pass(Point::AfterTrim).await
}

fn is_gone(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&tokio_postgres::error::SqlState::UNDEFINED_TABLE)
}

/// What `apply --follow` makes, or has made, at a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxSeen {
    /// The table, with its schema.
    pub outbox: String,
    /// The table whose changes it notes.
    pub table: String,
    /// Whether it is there with its triggers.
    pub is_there: bool,
}

impl Outbox {
    /// The outbox the file asks for, if it does.
    pub(crate) fn of(file: &MigrationFile, plan: &Plan, store_id: Uuid) -> Option<Self> {
        file.source.outbox.then(|| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(store_id.as_bytes()).update(plan.origin_source().as_bytes());
            let hash = hasher.finalize().to_hex();
            Self {
                table: plan.source.table.name.clone(),
                name: format!("heirloom_outbox_{}", &hash.as_str()[..12]),
                key: plan.source.key.clone(),
            }
        })
    }

    async fn look(&self, client: &impl GenericClient) -> Result<Found> {
        look(client, &self.table, &self.name).await
    }

    /// Makes what is missing before anything is read: who wrote before this has committed, who writes later is noted.
    ///
    /// # Errors
    /// [`MigrateError::Source`] when it cannot be kept there, [`MigrateError::Refused`] when the table is in use for too long.
    pub(super) async fn begin(&self, source: &dyn Source, failpoints: &Failpoints) -> Result<()> {
        match self.ensure(source, failpoints).await {
            Ok(_) => Ok(()),
            Err(MigrateError::Target(error)) => Err(busy(&self.table, error)),
            Err(error) => Err(error),
        }
    }

    /// Makes what is missing; where it lies, and whether anything was missing. Of several at once one makes it.
    async fn ensure(&self, source: &dyn Source, failpoints: &Failpoints) -> Result<(String, bool)> {
        let database = writable(source)?;
        let mut client = database.client().await?;
        let found = self.look(&client).await?;
        if found.is_whole {
            return Ok((found.outbox, false));
        }
        let tx = client.transaction().await?;
        self.take_turn(&tx).await?;
        let found = self.look(&tx).await?;
        if found.is_whole {
            return Ok((found.outbox, false));
        }
        if let Some(obstacle) = found.obstacles.first() {
            return Err(cannot(&source.display(), &self.table, obstacle));
        }
        for statement in self.statements(&found) {
            tx.batch_execute(&statement).await?;
        }
        failpoints.pass(Point::BeforeOutbox).await?;
        tx.commit().await?;
        drop(client);
        failpoints.pass(Point::AfterOutbox).await?;
        Ok((found.outbox, true))
    }

    /// The statements that make it. A trigger's lock waits for who is writing, and holds up who comes after: not for long.
    fn statements(&self, found: &Found) -> Vec<String> {
        let Found { schema, outbox, .. } = found;
        let function = format!("{schema}.{}", identifier(&self.name));
        let mut made = vec![
            format!(
                "create table if not exists {outbox} (seq bigint generated always as identity primary key, key text[], op text not null)"
            ),
            format!(
                "comment on table {outbox} is {}",
                literal(&format!(
                    "Heirloom notes here which rows of {} are written, for `heirloom apply --follow`, which empties it. \
                     `heirloom apply PLAN --remove-outbox` removes it with its function and triggers.",
                    self.table
                ))
            ),
            // Text as a reader of the source has it, whatever the writer's settings are.
            format!(
                "create or replace function {function}() returns trigger language plpgsql security definer \
                 set search_path = pg_catalog, pg_temp set datestyle = 'ISO' set timezone = 'UTC' set intervalstyle = 'postgres' \
                 set extra_float_digits = '1' set bytea_output = 'hex' as {}",
                literal(&self.body(outbox))
            ),
            format!("revoke all on function {function}() from public"),
        ];
        for (letter, event, sees) in EVENTS {
            let trigger = identifier(&format!("{}_{letter}", self.name));
            made.push(format!("drop trigger if exists {trigger} on {}", self.table));
            made.push(format!(
                "create trigger {trigger} after {event} on {} {sees} for each statement execute function {function}()",
                self.table
            ));
        }
        made
    }

    fn body(&self, outbox: &str) -> String {
        let key = |row: &str| {
            let parts: Vec<String> =
                self.key.iter().map(|name| format!("({row}.{})::text", identifier(name))).collect();
            format!("array[{}]", parts.join(", "))
        };
        let (old, new, name) = (key("o"), key("n"), literal(outbox));
        format!(
            "begin
                 -- Asked first, because the embedded engine does not hand every error to a function's handler.
                 if to_regclass({name}) is null then
                     return null;
                 end if;
                 if tg_op = 'INSERT' then
                     insert into {outbox} (key, op) select {new}, 'w' from new_rows as n;
                 elsif tg_op = 'UPDATE' then
                     insert into {outbox} (key, op) select {new}, 'w' from new_rows as n;
                     insert into {outbox} (key, op)
                     select k.key, 'd' from (select {old} as key from old_rows as o except select {new} from new_rows as n) as k;
                 elsif tg_op = 'DELETE' then
                     insert into {outbox} (key, op) select {old}, 'd' from old_rows as o;
                 else
                     insert into {outbox} (key, op) values (null, 't');
                 end if;
                 return null;
             exception
                 -- The outbox is gone, or is another. Who writes here does not suffer for it; who follows makes it again.
                 when undefined_table or undefined_column or insufficient_privilege or wrong_object_type then return null;
             end"
        )
    }

    /// What stands in it. One that is not whole, because somebody dropped or disabled a part of it, is made again, and then
    /// everything has to be compared.
    pub(super) async fn read(&self, source: &dyn Source, failpoints: &Failpoints) -> Result<Batch> {
        let (mut outbox, mut anew) = self.ensure(source, failpoints).await?;
        let mut read = Self::entries(source, &outbox).await?;
        if read.is_none() {
            // Dropped since it was looked at: made again now and not in the next pass, or everything would be compared twice.
            outbox = self.ensure(source, failpoints).await?.0;
            anew = true;
            read = Self::entries(source, &outbox).await?;
        }
        let Some(rows) = read else { return Ok(Batch { outbox, whole: true, ..Batch::default() }) };
        let full = i64::try_from(rows.len()).is_ok_and(|rows| rows == BATCH);
        let mut batch = Batch { outbox, whole: anew, full, ..Batch::default() };
        for row in rows {
            let (seq, key, op): (i64, Option<Vec<Option<String>>>, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            // A key that is null is told by the look at the row itself.
            let key = key.and_then(|parts| parts.into_iter().collect::<Option<Vec<String>>>());
            match &key {
                None => batch.whole = true,
                Some(key) if op == "d" => batch.deleted.push(key.clone()),
                Some(_) => {}
            }
            batch.entries.push((seq, key));
        }
        Ok(batch)
    }

    /// The first of what stands in it; `None` when the table is gone.
    async fn entries(source: &dyn Source, outbox: &str) -> Result<Option<Vec<tokio_postgres::Row>>> {
        let client = writable(source)?.client().await?;
        match client.query(&format!("select seq, key, op from {outbox} order by seq limit {BATCH}"), &[]).await {
            Ok(rows) => Ok(Some(rows)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes it with its function and triggers; its name with the schema when anything was there.
    ///
    /// # Errors
    /// [`MigrateError::Target`] when this role may not, or the table is in use for longer than five seconds.
    pub(crate) async fn remove(&self, database: &Database, failpoints: &Failpoints) -> Result<Option<String>> {
        let mut client = database.client().await?;
        let tx = client.transaction().await?;
        self.take_turn(&tx).await?;
        let found = self.look(&tx).await?;
        if !found.is_any {
            return Ok(None);
        }
        for (letter, ..) in EVENTS {
            let trigger = identifier(&format!("{}_{letter}", self.name));
            let statement = format!("drop trigger if exists {trigger} on {}", self.table);
            tx.batch_execute(&statement).await.map_err(|error| busy(&self.table, error))?;
        }
        let function = format!("{}.{}", found.schema, identifier(&self.name));
        tx.batch_execute(&format!("drop function if exists {function}()")).await?;
        tx.batch_execute(&format!("drop table if exists {}", found.outbox)).await?;
        failpoints.pass(Point::BeforeOutboxGoes).await?;
        tx.commit().await?;
        drop(client);
        failpoints.pass(Point::AfterOutboxWent).await?;
        Ok(Some(found.outbox))
    }

    async fn take_turn(&self, tx: &Transaction<'_>) -> Result<()> {
        tx.batch_execute("set local lock_timeout = '5s'; set local standard_conforming_strings = on").await?;
        tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", &[&self.name]).await?;
        Ok(())
    }
}

/// Why no outbox can be kept beside the source of a file that asks for one; nothing when it can, or when none is asked for.
///
/// # Errors
/// As reading the source.
pub(crate) async fn obstacles(file: &MigrationFile, source: &dyn Source, table: &str) -> Result<Vec<String>> {
    if !file.source.outbox {
        return Ok(Vec::new());
    }
    let (Relation::Table(_), Some(database)) = (&file.source.relation.value, source.marker()) else {
        return Ok(vec![
            "outbox = true needs a table in PostgreSQL: what is read here has no triggers that could note its changes. \
             Remove it from [source]; `apply --follow` compares instead"
                .to_owned(),
        ]);
    };
    let client = database.client().await?;
    let found = look(&client, table, "heirloom_outbox").await?;
    let told = |obstacle: &&str| cannot(&source.display(), table, obstacle).to_string();
    Ok(found.obstacles.iter().map(told).collect())
}

/// What `apply --follow` makes at the source of a plan, or has made already; `None` when its file asks for no outbox.
///
/// # Errors
/// [`MigrateError::Source`] when none can be kept there.
pub async fn outbox_seen(plan: &Plan, source: &dyn Source, store_id: Uuid) -> Result<Option<OutboxSeen>> {
    let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
    let Some(outbox) = Outbox::of(&file, plan, store_id) else { return Ok(None) };
    let client = writable(source)?.client().await?;
    let found = outbox.look(&client).await?;
    if let (false, Some(obstacle)) = (found.is_whole, found.obstacles.first()) {
        return Err(cannot(&source.display(), &outbox.table, obstacle));
    }
    Ok(Some(OutboxSeen { outbox: found.outbox, table: outbox.table, is_there: found.is_whole }))
}

/// Removes the outbox of a plan from its source; its name when one was there.
///
/// # Errors
/// As [`outbox_seen`], and when the table is in use.
pub async fn remove_outbox(
    plan: &Plan,
    source: &dyn Source,
    store_id: Uuid,
    failpoints: &Failpoints,
) -> Result<Option<String>> {
    let file = MigrationFile::parse(&plan.file.path, &plan.file.text)?;
    match Outbox::of(&file, plan, store_id) {
        Some(outbox) => outbox.remove(writable(source)?, failpoints).await,
        None => Ok(None),
    }
}

async fn look(client: &impl GenericClient, table: &str, name: &str) -> Result<Found> {
    let Some(row) = client.query_opt(LOOK, &[&table, &name]).await? else {
        return Err(MigrateError::Source {
            source_name: table.to_owned(),
            what: "the table is gone".into(),
            accepted: "make a new plan".into(),
        });
    };
    let is = |column: &str| row.try_get::<_, bool>(column);
    let parts = [is("has_outbox")?, is("has_triggers")?, is("has_function")?];
    let obstacles = [
        (!is("is_table")?, "it is no table that takes such triggers"),
        (is("is_standby")?, "the server is a standby and takes no writes"),
        (!is("is_owner")?, "triggers are made and removed by the table's owner, and this role is not"),
        (!is("may_create")?, "this role may create nothing in the table's schema"),
        (!is("may_read")?, "the outbox that is there belongs to another role"),
    ];
    Ok(Found {
        schema: row.try_get("schema")?,
        outbox: row.try_get("outbox")?,
        is_whole: parts.iter().all(|part| *part),
        is_any: parts.iter().any(|part| *part) || is("has_any_trigger")?,
        obstacles: obstacles.into_iter().filter(|(stands, _)| *stands).map(|(_, what)| what).collect(),
    })
}

fn writable(source: &dyn Source) -> Result<&Database> {
    source.marker().ok_or_else(|| MigrateError::Source {
        source_name: source.display(),
        what: "it cannot be written to, so its changes cannot be noted there".into(),
        accepted: "remove `outbox` from [source], or move from a PostgreSQL table".into(),
    })
}

fn cannot(source_name: &str, table: &str, obstacle: &str) -> MigrateError {
    MigrateError::Source {
        source_name: source_name.to_owned(),
        what: format!("no outbox can be kept beside {table}: {obstacle}"),
        accepted:
            "read the source as the owner of the table with `create` on its schema, or remove `outbox` from [source]: \
                   `apply --follow` then goes by changed_at and by comparing"
                .into(),
    }
}

/// A lock that was not had in time, told as what it is.
fn busy(table: &str, error: tokio_postgres::Error) -> MigrateError {
    if error.code() != Some(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE) {
        return error.into();
    }
    MigrateError::Refused {
        what: format!("{table} was in use for longer than five seconds, and its triggers need it for a moment"),
        cure: "end the long transaction that holds it, or try again".into(),
    }
}
