//! The store's integration tests, one binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bulk;
mod bulk_together;
mod bulk_words;
mod catalog;
mod commit;
mod door;
mod events;
mod files;
mod forget;
mod history;
mod idempotency;
mod install;
mod keep;
mod list;
mod matrix;
mod memory_plugin;
mod namespace;
mod pgmnemo_gate;
mod pgmnemo_guide;
mod pgmnemo_history;
mod pgmnemo_ingest;
mod pgmnemo_learn;
mod pgmnemo_life;
mod pgmnemo_recall;
mod pgmnemo_tenants;
mod pgmnemo_versions;
mod pgmnemo_view;
mod pgmnemo_walls;
mod policies;
mod recall;
mod recall_best;
mod recall_visibility;
mod redact;
mod redact_door;
mod redact_page;
mod redact_property;
mod redact_vectors;
mod reembed;
mod remember;
mod restore;
mod revise;
mod serving;
mod tenants;
mod token;
mod transition;
mod upkeep;
mod upkeep_expired;
mod upkeep_room;
mod visibility;
mod width;
mod workspace;
mod world;

use heirloom_engine::testkit::TestDatabase;
use heirloom_store::{Store, UpOptions};

/// Every test opens its own database through this, so that a leak of one never meets another.
pub(crate) async fn installed() -> (TestDatabase, Store) {
    let test = TestDatabase::prepared("store", async |database| {
        Store::up(database, &UpOptions::default()).await.unwrap();
    })
    .await;
    let store = Store::open(test.database()).await.unwrap();
    (test, store)
}

/// The plan by which the server ran a statement, a line each.
pub(crate) async fn plan(client: &impl deadpool_postgres::GenericClient, statement: &str) -> Vec<String> {
    let rows = client.query(&format!("explain (analyze, timing off, costs off) {statement}"), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn every_file_of_this_folder_is_listed() {
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else { continue };
        assert!(listed.contains(&format!("mod {module};")), "tests/it/{name} is not listed in main.rs");
    }
}
