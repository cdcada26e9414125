//! Case A, the first seed: `agent_memories` and `workspaces` of four tenants, 2,052 rows, as a team would have them.
//!
//! [`rows`] is a pure function of the tenant; [`create_case_a`] writes what it gives. The rows end before the day the
//! platform froze the table (2026-05-24), and no two rows say the same unless they are counted as duplicates.

use std::collections::HashSet;

use heirloom_engine::Client;
use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::copy::{self, Lines};
use super::dirt::{self, DIRT, Dirt, KNOWN};
use super::notes::{Notes, Topic};
use super::rng::Rng;
use super::tenants::Tenant;

const SEED: u64 = 1791;
const TABLES: &str = include_str!("sql/agent_memories.sql");

/// 2025-09-01T06:00:00Z in microseconds.
const FIRST: u64 = 1_756_706_400_000_000;
/// 2026-05-24T08:05:00Z, when the platform stopped writing to the table.
const FROZEN: u64 = 1_779_609_900_000_000;

/// A row of `workspaces`.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: &'static str,
    /// The workspace it reports to; `None` is the root of an org.
    pub parent: Option<Uuid>,
    /// One of the platform's statuses, `removed` among them.
    pub status: &'static str,
    topic: Topic,
}

/// A row of `agent_memories`; `None` is SQL NULL.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacyRow {
    /// Its id, a random uuid.
    pub id: Uuid,
    /// Whose memory it is.
    pub workspace: Option<Uuid>,
    /// The text.
    pub content: String,
    /// `LOCAL`, `TEAM` or `GLOBAL`.
    pub scope: &'static str,
    /// Microseconds since 1970.
    pub created_at: Option<i64>,
    /// Microseconds since 1970.
    pub updated_at: Option<i64>,
    /// A tag, a raw workspace uuid or `workspace:<uuid>`: four writers used the column differently.
    pub namespace: String,
    /// 1536 floats.
    pub embedding: Option<Vec<f32>>,
    /// JSON text; only the largest tenant has the column.
    pub metadata: Option<String>,
    /// What is unusual about it.
    pub dirt: Option<Dirt>,
}

/// The workspaces of a tenant.
pub fn workspaces(tenant: &Tenant) -> Vec<Workspace> {
    let mut rng = Rng::named(SEED, &format!("{}/workspaces", tenant.schema));
    let ids: Vec<Uuid> = tenant.workspaces.iter().map(|_| rng.uuid()).collect();
    let row = |(desk, &id): (&super::tenants::Desk, &Uuid)| Workspace {
        id,
        name: desk.name,
        parent: desk.parent.map(|index| ids[index]),
        status: desk.status,
        topic: desk.topic,
    };
    tenant.workspaces.iter().zip(&ids).map(row).collect()
}

/// The memories of a tenant, oldest first.
pub fn rows(tenant: &Tenant) -> Vec<LegacyRow> {
    let mut rng = Rng::named(SEED, tenant.schema);
    let notes = Notes::load();
    let desks = workspaces(tenant);
    let mut times: Vec<u64> = (0..tenant.rows).map(|_| rng.between(FIRST, FROZEN - 1)).collect();
    times.sort_unstable();
    let dirt = scatter(tenant, &mut rng);
    let mut said = HashSet::new();
    let mut rows: Vec<LegacyRow> = Vec::with_capacity(tenant.rows);
    for (n, time) in times.into_iter().enumerate() {
        let mut row = tidy(&mut rng, &notes, &desks, time, &mut said);
        match dirt[n] {
            Place::Tidy => {}
            Place::Known(known) => {
                // Where a reader looks for it: in the workspace that wrote it, and with a time.
                row.content = KNOWN[known].1.to_owned();
                row.scope = "LOCAL";
            }
            Place::Dirty(kind, nth) => soil(&mut row, kind, nth, &mut rng, &notes, &rows),
        }
        if tenant.dirty && row.dirt != Some(Dirt::JsonNull) {
            row.metadata = metadata(&mut rng);
        }
        rows.push(row);
    }
    for n in 0..tenant.embedded {
        let at = (n * rows.len() + rows.len() / 2) / tenant.embedded;
        rows[at].embedding = Some(rng.unit_vector(1536));
    }
    rows
}

/// What stands in a row's place.
#[derive(Debug, Clone, Copy)]
enum Place {
    Tidy,
    Known(usize),
    Dirty(Dirt, usize),
}

/// Spreads dirt and known notes over the rows, never two in one place and never among the first fifty (a duplicate
/// needs something to repeat).
fn scatter(tenant: &Tenant, rng: &mut Rng) -> Vec<Place> {
    let mut places = vec![Place::Tidy; tenant.rows];
    if !tenant.dirty {
        return places;
    }
    let known = (0..KNOWN.len()).map(Place::Known);
    let dirty = DIRT.iter().flat_map(|&(kind, count)| (0..count).map(move |nth| Place::Dirty(kind, nth)));
    for place in known.chain(dirty) {
        loop {
            let at = rng.between(50, tenant.rows as u64 - 1) as usize;
            if matches!(places[at], Place::Tidy) {
                places[at] = place;
                break;
            }
        }
    }
    places
}

/// A row without dirt.
fn tidy(rng: &mut Rng, notes: &Notes, desks: &[Workspace], time: u64, said: &mut HashSet<String>) -> LegacyRow {
    let scope = match rng.below(100) {
        0..70 => "LOCAL",
        70..92 => "TEAM",
        _ => "GLOBAL",
    };
    // The platform let only workspaces without a parent write for everybody.
    let allowed: Vec<&Workspace> = desks.iter().filter(|desk| scope != "GLOBAL" || desk.parent.is_none()).collect();
    let desk = *rng.pick(&allowed);
    let content = loop {
        let text = notes.write(rng, desk.topic);
        if said.insert(text.clone()) {
            break text;
        }
    };
    let namespace = match rng.below(100) {
        0..45 => "general".to_owned(),
        45..57 => "facts".to_owned(),
        57..69 => "procedures".to_owned(),
        69..75 => "blockers".to_owned(),
        75..83 => "reference".to_owned(),
        83..93 => desk.id.to_string(),
        _ => format!("workspace:{}", desk.id),
    };
    let updated = if rng.chance(18) { time + rng.between(30_000_000, 20 * 86_400_000_000) } else { time };
    LegacyRow {
        id: rng.uuid(),
        workspace: Some(desk.id),
        content,
        scope,
        created_at: Some(time.cast_signed()),
        updated_at: Some(updated.min(FROZEN).cast_signed()),
        namespace,
        embedding: None,
        metadata: None,
        dirt: None,
    }
}

/// Makes a tidy row dirty.
fn soil(row: &mut LegacyRow, kind: Dirt, nth: usize, rng: &mut Rng, notes: &Notes, before: &[LegacyRow]) {
    row.dirt = Some(kind);
    if let Some(content) = dirt::content(kind, nth, rng, notes, Topic::Ops) {
        row.content = content;
    }
    match kind {
        Dirt::MissingWorkspace => {
            row.workspace = None;
            row.namespace = "general".to_owned();
        }
        Dirt::MissingCreatedAt => {
            row.created_at = None;
            if nth.is_multiple_of(2) {
                row.updated_at = None;
            }
        }
        Dirt::Duplicate => {
            let tidy: Vec<&LegacyRow> = before.iter().filter(|row| row.dirt.is_none()).collect();
            let twin = *rng.pick(&tidy);
            row.content.clone_from(&twin.content);
            row.workspace = twin.workspace;
            row.scope = twin.scope;
            row.namespace.clone_from(&twin.namespace);
        }
        Dirt::JsonNull => row.metadata = Some("null".to_owned()),
        _ => {}
    }
}

fn metadata(rng: &mut Rng) -> Option<String> {
    let run = rng.below(100_000);
    match rng.below(100) {
        0..70 => None,
        70..82 => Some("{}".to_owned()),
        82..92 => Some(format!(r#"{{"tool": "commit_memory", "run": {run}}}"#)),
        _ => Some(format!(r#"{{"tool": "import", "tags": ["seed", "v{}"], "weight": 0.{}0}}"#, run % 4, run % 9 + 1)),
    }
}

/// Creates the tenant's schema with `workspaces` and `agent_memories` and fills them; returns the rows written.
///
/// # Errors
/// Whatever the server refuses, e.g. a schema of that name which is already there; nothing is left behind then.
pub async fn create_case_a(client: &mut Client, tenant: &Tenant) -> Result<u64, tokio_postgres::Error> {
    let tables = if has_english(client).await? { TABLES.to_owned() } else { TABLES.replace("'english'", "'simple'") };
    let transaction = client.transaction().await?;
    let filled = fill(&transaction, tenant, &tables).await;
    let written = copy::end(transaction, filled).await?;
    client.batch_execute(&format!("analyze {0}.workspaces; analyze {0}.agent_memories", tenant.schema)).await?;
    Ok(written)
}

async fn fill(transaction: &Transaction<'_>, tenant: &Tenant, tables: &str) -> Result<u64, tokio_postgres::Error> {
    transaction.batch_execute("create extension if not exists vector").await?;
    transaction.batch_execute(&format!("create schema {}", tenant.schema)).await?;
    transaction.batch_execute(&format!("set local search_path = {}, public", tenant.schema)).await?;
    transaction.batch_execute(tables).await?;
    if tenant.dirty {
        transaction.batch_execute("alter table agent_memories add column metadata jsonb").await?;
    }
    let desks = "id, name, parent_id, status, tier, role, kind, created_at, updated_at, last_activity_at";
    copy::send(transaction, "workspaces", desks, desk_lines(tenant)).await?;
    let mut columns = "id, workspace_id, content, scope, created_at, updated_at, namespace, embedding".to_owned();
    if tenant.dirty {
        columns.push_str(", metadata");
    }
    copy::send(transaction, "agent_memories", &columns, lines(tenant)).await
}

/// Whether the server can index English text as the platform did. The embedded engine lacks the file of stop words.
///
/// Asked from here: an exception handler in PL/pgSQL does not catch on the embedded engine and leaves its only session
/// aborted for good.
async fn has_english(client: &Client) -> Result<bool, tokio_postgres::Error> {
    match client.batch_execute("select to_tsvector('english', 'the')").await {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(&SqlState::CONFIG_FILE_ERROR) => Ok(false),
        Err(error) => Err(error),
    }
}

fn desk_lines(tenant: &Tenant) -> String {
    let mut lines = Lines::new();
    for desk in workspaces(tenant) {
        let depth = if desk.parent.is_none() { 1 } else { 2 };
        lines.show(Some(desk.id)).field(Some(desk.name)).show(desk.parent).field(Some(desk.status)).show(Some(depth));
        lines.field(None).field(Some("workspace"));
        lines.show(moment(Some(FIRST.cast_signed() - 86_400_000_000)));
        lines.show(moment(Some(FIRST.cast_signed()))).field(None);
        lines.end();
    }
    lines.into_text()
}

/// The rows in text COPY form, the columns in the order of the table, generated ones left out.
pub fn lines(tenant: &Tenant) -> String {
    let mut lines = Lines::new();
    for row in rows(tenant) {
        lines.show(Some(row.id)).show(row.workspace).field(Some(&row.content)).field(Some(row.scope));
        lines.show(moment(row.created_at)).show(moment(row.updated_at)).field(Some(&row.namespace));
        lines.vector(row.embedding.as_deref());
        if tenant.dirty {
            lines.field(row.metadata.as_deref());
        }
        lines.end();
    }
    lines.into_text()
}

/// Microseconds as PostgreSQL reads them; a number out of range cannot come from this module.
pub(super) fn moment(micros: Option<i64>) -> Option<Timestamp> {
    micros.and_then(|micros| Timestamp::from_microsecond(micros).ok())
}

/// The migration file of a tenant: the preset, its table, and how many rows may be set aside.
pub fn migration_file(tenant: &Tenant) -> String {
    let budget = if tenant.dirty { dirt::REJECTS } else { 0 };
    format!(
        "# The memories of {name}, as the platform kept them until 2026-05-24.\nname = \"{name}\"\n\n\
         [source]\nurl    = \"store\"   # the table lies in the database that holds the store\npreset = \"molecule-v1\"\n\
         table  = \"{schema}.agent_memories\"\n\n\
         [source.tree]\ntable = \"{schema}.workspaces\"\n\n\
         [reject]\nbudget = \"{budget}\"   # rows without a workspace or without a word\n",
        name = tenant.name,
        schema = tenant.schema,
    )
}
