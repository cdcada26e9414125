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
