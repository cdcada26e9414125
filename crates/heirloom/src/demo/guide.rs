//! Case B, the second seed: `mem.mem_item` with the guide's fifteen fields, in all their awkward values.
//!
//! Statuses in mixed case with outer spaces, three kinds of TTL, verified with and without a commit, run ids that
//! overflow 64 bits, two embedding widths in one column. Times are fixed, and each TTL ends either before 2026-05-24 or
//! after 2035: which rows are expired does not depend on the day the demo runs.

use std::collections::HashSet;

use heirloom_engine::Client;
use tokio_postgres::Transaction;

use super::copy::{self, Lines};
use super::legacy::moment;
use super::notes::{Notes, Topic};
use super::rng::Rng;

/// The tenant's name in the report.
pub const NAME: &str = "agency-v2";
/// The schema the table lies in.
pub const SCHEMA: &str = "mem";
/// Rows of `mem.mem_item`.
pub const ROWS: usize = 400;
/// Rows whose TTL, of either of the three kinds, has run out.
pub const EXPIRED: usize = 24;
/// Rows with a TTL that runs on.
pub const LIVING: usize = 45;
/// Rows with a 1024-dimension embedding.
pub const EMBEDDED_1024: usize = 32;
/// Rows with a 1536-dimension embedding in the same column.
pub const EMBEDDED_1536: usize = 5;
/// Rows whose run id is a number that does not fit 64 bits.
pub const OVERFLOWING_RUNS: usize = 8;
/// Rows that say verified and name no commit.
pub const VERIFIED_WITHOUT_COMMIT: usize = 30;
/// Rows whose tags are JSON null.
pub const JSON_NULL_TAGS: usize = 10;

/// Every status of the guide's table, as it was typed over the years.
pub const STATUSES: [&str; 30] = [
    "pending",
    "New",
    " new ",
    "active",
    "ACTIVE",
    " Active",
    "approved",
    "Approved ",
    "confirmed",
    "Verified",
    "verified ",
    "master",
    "Golden",
    "outdated",
    " Stale ",
    "stale",
    "replaced",
    "Superseded",
    "archived",
    "Archived",
    "deleted",
    "Deleted",
    " DELETED ",
    "invalid",
    "Wrong",
    "conflict",
    "Conflict ",
    "active",
    "approved",
    "pending ",
];

const SEED: u64 = 42;
/// 2024-03-01T00:00:00Z in microseconds.
const FIRST: u64 = 1_709_251_200_000_000;
/// 2025-09-01T00:00:00Z in microseconds: the youngest row that may have expired before 2026-05-24.
const OLD: u64 = 1_756_684_800_000_000;
/// 2026-04-20T00:00:00Z in microseconds.
const LAST: u64 = 1_776_643_200_000_000;
const DAY: u64 = 86_400_000_000;

/// A row of `mem.mem_item`; `None` is SQL NULL, times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the columns of the table by their own names; mem_item.sql is the description")]
pub struct MemItem {
    pub id: i64,
    pub memory_text: String,
    pub layer: Option<&'static str>,
    pub tags: Option<String>,
    pub properties: Option<String>,
    pub run_id: Option<String>,
    pub task_id: Option<String>,
    pub ttl_seconds: Option<i64>,
    pub retention: Option<&'static str>,
    /// Text, because `infinity` is a moment too.
    pub retain_until: Option<String>,
    pub verified: Option<bool>,
    pub verification_status: Option<&'static str>,
    pub verified_at: Option<i64>,
    pub status: &'static str,
    pub agent_role: &'static str,
    pub project_id: i32,
    pub priority: Option<i64>,
    pub git_sha: Option<String>,
    pub artifact_id: Option<String>,
    pub embedding: Option<Vec<f32>>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// The rows, by id.
pub fn rows() -> Vec<MemItem> {
    let mut rng = Rng::named(SEED, SCHEMA);
    let notes = Notes::load();
    let mut said = HashSet::new();
    let mut rows: Vec<MemItem> = (0..ROWS).map(|n| row(n, &mut rng, &notes, &mut said)).collect();
    set_times_to_live(&mut rows, &mut rng);
    set_verification(&mut rows, &mut rng);
    for n in 0..OVERFLOWING_RUNS {
        // 2⁶⁴ and above, one of them with a leading zero that a cast would lose.
        rows[n * 47 + 11].run_id =
            Some(format!("{}99999999999999999{:03}", if n == 3 { "0" } else { "" }, n * 7 + 100));
    }
    for n in 0..JSON_NULL_TAGS {
        rows[n * 39 + 5].tags = Some("null".to_owned());
    }
    for n in 0..EMBEDDED_1024 {
        rows[n * 12 + 3].embedding = Some(rng.unit_vector(1024));
    }
    for n in 0..EMBEDDED_1536 {
        rows[n * 72 + 8].embedding = Some(rng.unit_vector(1536));
    }
    rows
}

fn row(n: usize, rng: &mut Rng, notes: &Notes, said: &mut HashSet<String>) -> MemItem {
    let (agent_role, topic) = *rng.pick(&[
        ("developer", Topic::Coding),
        ("reviewer", Topic::Coding),
        ("sre", Topic::Ops),
        ("analyst", Topic::Research),
        ("support", Topic::Support),
        ("controller", Topic::Finance),
    ]);
    let memory_text = loop {
        let text = notes.write(rng, topic);
        if said.insert(text.clone()) {
            break text;
        }
    };
    let created = rng.between(FIRST, LAST);
    MemItem {
        id: n as i64 + 1,
        memory_text,
        layer: *rng.pick(&[Some("episodic"), Some("semantic"), Some("procedural"), Some("Working Memory"), None]),
        tags: rng.pick(&TAGS).map(str::to_owned),
        properties: properties(rng),
        run_id: identifier(rng, "run"),
        task_id: identifier(rng, "task"),
        ttl_seconds: None,
        retention: None,
        retain_until: None,
        verified: None,
        verification_status: None,
        verified_at: None,
        // Each spelling at least once, then as it comes.
        status: STATUSES.get(n).unwrap_or_else(|| rng.pick(&STATUSES)),
        agent_role,
        project_id: *rng.pick(&[7, 42, 42, 42, 1001]),
        priority: if rng.chance(90) { Some(rng.between(1, 10).cast_signed()) } else { None },
        git_sha: rng
            .chance(55)
            .then(|| format!("{:016x}{:016x}{:016x}", rng.next(), rng.next(), rng.next())[..40].to_owned()),
        artifact_id: rng
            .chance(15)
            .then(|| format!("sha256:{:016x}{:016x}{:016x}{:016x}", rng.next(), rng.next(), rng.next(), rng.next())),
        embedding: None,
        created_at: created.cast_signed(),
        updated_at: (created + if rng.chance(30) { rng.between(1, 20 * DAY) } else { 0 }).cast_signed(),
    }
}

const TAGS: [Option<&str>; 6] = [
    None,
    Some("[]"),
    Some(r#"["security", "jwt"]"#),
    Some(r#"["ops", "ops", "postgres 17"]"#),
    Some(r#"{"team": "core", "reviewed": true}"#),
    Some(r#""single""#),
];

fn properties(rng: &mut Rng) -> Option<String> {
    let n = rng.below(1000);
    match rng.below(10) {
        0..2 => None,
        2..4 => Some("{}".to_owned()),
        4 => Some("null".to_owned()),
        5 => Some(format!(r#"{{"score": 1.{n:03}0, "big": 12345678901234567890{n}, "note": null}}"#)),
        6 => Some(format!(r#"{{"nested": {{"list": [1, 2.50, "drei", {{"x": {n}}}]}}}}"#)),
        _ => Some(format!(r#"{{"origin": "agent", "attempt": {}}}"#, n % 5)),
    }
}

/// An id of a run or task: a number, a name, or nothing.
fn identifier(rng: &mut Rng, what: &str) -> Option<String> {
    match rng.below(10) {
        0..6 => Some(rng.between(1, 900_000).to_string()),
        6..8 => Some(format!("{what}-2025-{:02}-{:02}-{}", rng.between(1, 12), rng.between(1, 28), rng.below(9))),
        8 => Some(rng.uuid().to_string()),
        _ => None,
    }
}

/// Three kinds of TTL, each on rows of its own: expired ones on old rows, living ones for decades.
fn set_times_to_live(rows: &mut [MemItem], rng: &mut Rng) {
    for n in 0..EXPIRED {
        let row = &mut rows[n * 16 + 2];
        let created = rng.between(FIRST, OLD - 120 * DAY);
        row.created_at = created.cast_signed();
        row.updated_at = row.created_at;
        match n % 3 {
            0 => row.ttl_seconds = Some(*rng.pick(&[1, 3600, 86_400, 7_776_000])),
            1 => row.retention = Some(*rng.pick(&["30 days", "2 weeks", "6 months", "12:00:00"])),
            _ => {
                row.retain_until =
                    moment(Some((created + rng.between(1, 200) * DAY).cast_signed())).map(|at| at.to_string())
            }
        }
    }
    for n in 0..LIVING {
        let row = &mut rows[n * 8 + 6];
        match n % 3 {
            0 => row.ttl_seconds = Some(*rng.pick(&[630_720_000, 2_147_483_647])),
            1 => row.retention = Some(*rng.pick(&["20 years", "240 months", "12 years 6 months 3 days"])),
            _ if n == 2 => row.retain_until = Some("infinity".to_owned()),
            _ => {
                row.retain_until =
                    Some(format!("20{}-12-31T23:59:59.{:06}Z", rng.between(40, 90), rng.below(1_000_000)))
            }
        }
    }
}

/// Verified by flag or by word, with a time or without, with a commit or without.
fn set_verification(rows: &mut [MemItem], rng: &mut Rng) {
    let mut without_commit = 0;
    for (n, row) in rows.iter_mut().enumerate() {
        let later = row.created_at + rng.between(1, 40 * DAY).cast_signed();
        match n % 8 {
            0 | 1 => {
                row.verified = Some(true);
                row.verified_at = rng.chance(70).then_some(later);
            }
            2 => {
                row.verification_status = Some(if rng.chance(50) { "verified" } else { "Verified" });
                row.verified_at = rng.chance(50).then_some(later);
            }
            3 => row.verified = Some(false),
            4 => row.verification_status = Some("unverified"),
            _ => {}
        }
        let says_verified = row.verified == Some(true) || n % 8 == 2;
        if says_verified && row.git_sha.is_none() {
            // As many as promised keep their missing commit; the others get one.
            if without_commit < VERIFIED_WITHOUT_COMMIT {
                without_commit += 1;
                row.artifact_id = None;
            } else {
                row.git_sha = Some(format!("{:016x}", rng.next())[..7].to_owned());
            }
        }
    }
}

/// Creates schema `mem` with `mem_item` and fills it; returns the rows written.
///
/// # Errors
/// Whatever the server refuses, e.g. a schema of that name which is already there; nothing is left behind then.
pub async fn create_case_b(client: &mut Client) -> Result<u64, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    let filled = fill(&transaction).await;
    let written = copy::end(transaction, filled).await?;
    client.batch_execute(&format!("analyze {SCHEMA}.mem_item")).await?;
    Ok(written)
}

async fn fill(transaction: &Transaction<'_>) -> Result<u64, tokio_postgres::Error> {
    transaction.batch_execute("create extension if not exists vector").await?;
    transaction.batch_execute(&format!("create schema {SCHEMA}")).await?;
    transaction.batch_execute(&format!("set local search_path = {SCHEMA}, public")).await?;
    transaction.batch_execute(include_str!("sql/mem_item.sql")).await?;
    let columns = "id, memory_text, layer, tags, properties, run_id, task_id, ttl_seconds, retention, retain_until, \
                   verified, verification_status, verified_at, status, agent_role, project_id, priority, git_sha, \
                   artifact_id, embedding, created_at, updated_at";
    copy::send(transaction, "mem_item", columns, lines()).await
}

/// The rows in text COPY form, the columns in the order of the table.
pub fn lines() -> String {
    let mut lines = Lines::new();
    for row in rows() {
        lines.show(Some(row.id)).field(Some(&row.memory_text)).field(row.layer).field(row.tags.as_deref());
        lines.field(row.properties.as_deref()).field(row.run_id.as_deref()).field(row.task_id.as_deref());
        lines.show(row.ttl_seconds).field(row.retention).field(row.retain_until.as_deref());
        lines.show(row.verified).field(row.verification_status).show(moment(row.verified_at)).field(Some(row.status));
        lines.field(Some(row.agent_role)).show(Some(row.project_id)).show(row.priority);
        lines.field(row.git_sha.as_deref()).field(row.artifact_id.as_deref()).vector(row.embedding.as_deref());
        lines.show(moment(Some(row.created_at))).show(moment(Some(row.updated_at)));
        lines.end();
    }
    lines.into_text()
}

/// The migration file: the guide's preset and the table.
pub fn migration_file() -> String {
    format!(
        "# The memories of an agency, in a table as the migration guide describes it.\nname = \"{NAME}\"\n\n\
         [source]\nurl    = \"store\"   # the table lies in the database that holds the store\n\
         preset = \"pgmnemo-guide\"\ntable  = \"{SCHEMA}.mem_item\"\n\n[reject]\nbudget = \"0\"\n",
    )
}
