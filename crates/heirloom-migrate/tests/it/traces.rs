//! Evidence that nobody wrote to a database: taken before and after, it must be the same.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use heirloom_engine::{Client, Database};

/// Not of `pg_class`: what belongs to all databases, and where a server writes on its own when it analyses tables.
const OURS: &str = "not relisshared and oid not in (
    select unnest(array[oid, reltoastrelid]) from pg_class where oid = 'pg_statistic'::regclass)";

/// What any write would change.
pub(crate) struct Traces {
    /// For each table of the database, catalogs and toast included, the place and the transactions of every row.
    rows: BTreeSet<(String, String)>,
    /// Where the sequences stand.
    sequences: String,
    /// Rows that anybody inserted, updated or deleted since the database was made, whether it was committed or not.
    written: String,
    /// The next transaction id and the end of the log, when the traces were begun and when they were taken: where no other
    /// database shares them, that is on the embedded engine.
    log: Option<[String; 2]>,
}

impl Traces {
    /// What was written since `before`, in words; nothing when nothing was.
    pub(crate) fn since(&self, before: &Self) -> Vec<String> {
        let mut found: Vec<String> =
            self.rows.symmetric_difference(&before.rows).map(|(name, _)| format!("rows of {name}")).collect();
        for (what, before, after) in [
            ("sequences", Some(&before.sequences), Some(&self.sequences)),
            ("rows written", Some(&before.written), Some(&self.written)),
            ("transaction and log", before.log.as_ref().map(|log| &log[1]), self.log.as_ref().map(|log| &log[0])),
        ] {
            if before != after {
                found.push(format!("{what}: {before:?}, then {after:?}"));
            }
        }
        found
    }
}

/// Takes the traces. Whoever first looks at a page removes from it what earlier statements left dead, and the log says so,
/// reader or not; this looks at every page there is before it asks where the log ends, so that every byte after is somebody
/// else's.
pub(crate) async fn traces(database: &Database) -> Traces {
    let mut clients = Vec::new();
    for _ in 0..database.pool_size() {
        clients.push(database.client().await.unwrap());
    }
    // Each session counts for itself until it is told to hand its counts in.
    for client in &clients {
        client.batch_execute("select pg_stat_force_next_flush()").await.unwrap();
    }
    let client = &clients[0];
    let one = async |sql: &str| -> String {
        client.query_one(&format!("select coalesce(({sql})::text, '')"), &[]).await.unwrap().get(0)
    };
    let end = "concat(pg_snapshot_xmax(pg_current_snapshot()), ' ', pg_current_wal_insert_lsn())";
    let begun = one(end).await;
    alone(client, clients.len()).await;
    if database.is_embedded() {
        // What earlier statements left dead, in the catalog too, is gone before anybody reads past it.
        client.batch_execute("vacuum").await.unwrap();
    }
    let tables = client
        .query(
            &format!("select oid::regclass::text from pg_class where relkind in ('r', 'm', 't') and relpersistence <> 't' and {OURS}"),
            &[],
        )
        .await
        .unwrap();
    let each: Vec<String> = tables
        .iter()
        .map(|table| table.get::<_, String>(0))
        .map(|table| {
            format!(
                "select '{}', md5(coalesce(string_agg(concat(ctid, ' ', xmin, ' ', xmax), ',' order by ctid), '')) from {table}",
                table.replace('\'', "''")
            )
        })
        .collect();
    let rows = client.query(&each.join(" union all "), &[]).await.unwrap();
    Traces {
        rows: rows.iter().map(|row| (row.get(0), row.get(1))).collect(),
        sequences: one("select string_agg(s::text, ',' order by schemaname, sequencename) from pg_sequences s").await,
        written: one(&format!(
            "select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_all_tables where relid in (select oid from pg_class where {OURS})"
        ))
        .await,
        log: if database.is_embedded() {
            Some([begun, one(end).await])
        } else {
            None
        },
    }
}

/// Waits until no session but these is left: one that ends hands its counts in.
async fn alone(client: &Client, own: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let others =
        "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend'";
    while client.query_one(others, &[]).await.unwrap().get::<_, i64>(0) > i64::try_from(own).unwrap() {
        assert!(Instant::now() < deadline, "a session does not end");
    }
}
