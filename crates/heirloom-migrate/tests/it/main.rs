//! The migrator's integration tests, one binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod activity;
mod change_table;
mod comparing;
mod detect;
mod expressions;
mod failpoints;
mod failpoints_retire;
mod fake;
mod file_errors;
mod file_reference;
mod finding_ids;
mod finding_seed_a;
mod finding_seed_b;
mod finding_target;
mod finding_values;
mod fleet_probe;
mod follow;
mod guide_fields;
mod guide_states;
mod guide_tenants;
mod guide_ttl;
mod guide_verification;
mod handed_down;
mod handed_down_sqlite;
mod handed_values;
mod handover;
mod leases;
mod ledger_rights;
mod manners;
mod mapping_property;
mod mapping_support;
mod mapping_verbs;
mod molecule;
mod mutation_kinds;
mod nothing_written;
mod outbox;
mod pgmnemo_collisions;
mod pgmnemo_ground;
mod pgmnemo_rejects;
mod pgmnemo_target;
mod plan_draft;
mod plan_seeds;
mod plan_target;
mod plugin_faults;
mod plugin_ground;
mod plugin_sight;
mod predicted_rejects;
mod recall_proof;
mod redaction;
mod report;
mod retire;
mod retire_files;
mod retire_hidden;
mod retire_stopped;
mod seeds;
mod soak;
mod soak_ground;
mod soak_long;
mod soak_refusals;
mod source_contract;
mod source_postgres;
mod sqlite;
mod support;
mod tenants_file;
mod traces;
mod upgrades;
mod verify_beside_follower;
mod verify_damage;
mod verify_explained;
mod verify_ground;
mod verify_mutations;
mod verify_recorded;
mod verify_roundtrip;

/// A file that is not listed above would never run.
#[test]
fn every_file_is_listed() {
    let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(room).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        let is_module = name.ends_with(".rs") || entry.path().join("mod.rs").exists();
        assert!(!is_module || module == "main" || listed.contains(&format!("mod {module};")), "{name} is not listed");
    }
}
