//! `rights.txt`: what the ledger's objects give to roles, in the catalog and in the list that `heirloom up` and `doctor` look for.

use heirloom_migrate::ledger;

use crate::leases::{FILE, LEGACY};
use crate::support::Ground;

const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rights.txt");

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_what_is_granted_and_what_is_taken_away_is_missed_and_put_back() {
    let ground = Ground::new(LEGACY).await;
    assert_eq!(ledger::missing_rights(ground.db.database()).await.unwrap(), [""; 0], "there is no ledger");
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let client = ground.db.database().client().await.unwrap();
    let query = include_str!("../../../heirloom-store/sql/queries/schema/rights.sql");
    let rows = client.query(query, &[&["heirloom_migrate"].as_slice()]).await.unwrap();
    drop(client);
    let mut shown = String::from("# What the roles may do in the ledger. Generated (HEIRLOOM_BLESS=1).\n");
    for row in rows {
        shown.push_str(row.get::<_, &str>(0));
        shown.push('\n');
    }
    if std::env::var_os("HEIRLOOM_BLESS").is_some() {
        std::fs::write(LIST, &shown).unwrap();
    }
    assert_eq!(std::fs::read_to_string(LIST).unwrap(), shown, "HEIRLOOM_BLESS=1 rewrites rights.txt");

    ground.sql("revoke select on heirloom_migrate.run from heirloom_admin").await;
    let missing = ledger::missing_rights(ground.db.database()).await.unwrap();
    assert_eq!(missing, ["heirloom_migrate: grant select on run to heirloom_admin"]);
    ledger::up(ground.db.database()).await.unwrap();
    assert_eq!(ledger::missing_rights(ground.db.database()).await.unwrap(), [""; 0]);
    ground.close().await;
}

/// What `apply` asks for before it begins: quick where there is nothing to do, whole where there is, and no way past a
/// ledger that is newer.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_lacks_something_is_made_whole_before_it_is_used() {
    let ground = Ground::new(LEGACY).await;
    let database = ground.db.database();
    ledger::ensure(database).await.unwrap();
    let applied = "select string_agg(xmin::text || path || sha256, ',' order by path) from heirloom_migrate.object";
    let before = ground.one(applied).await;
    ledger::ensure(database).await.unwrap();
    assert_eq!(ground.one(applied).await, before, "nothing is written where nothing is to be done");

    ground.sql("drop function heirloom_migrate.run_step() cascade; delete from heirloom_migrate.object where path like '%/run_step.sql'").await;
    ledger::ensure(database).await.unwrap();
    assert_eq!(ground.one("select count(*) from pg_trigger where tgname = 'run_step'").await, "1");
    ground.sql("update heirloom_migrate.object set sha256 = repeat('0', 64) where path like '%/audit_hash.sql'").await;
    ledger::ensure(database).await.unwrap();
    assert_eq!(ground.one("select count(*) from heirloom_migrate.object where sha256 = repeat('0', 64)").await, "0");

    let next = format!("insert into heirloom_migrate.schema_version values ({}, 'later.sql', '')", ledger::VERSION + 1);
    ground.sql(&next).await;
    let refused = ledger::ensure(database).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("this binary knows {}", ledger::VERSION)), "{refused}");
    ground.close().await;
}
