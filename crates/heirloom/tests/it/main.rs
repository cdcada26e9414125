//! One integration binary a crate; the test below fails when a file is not listed.
#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on should say where")]

mod acceptance;
mod acceptance_guide;
mod agent;
mod architecture;
mod attach;
mod backup;
mod bad_input;
mod certificate;
mod compat_plugin;
mod compat_plugin_process;
mod compat_workspace;
mod compat_workspace_admin;
mod curl;
mod demo_data;
mod detect;
mod docs;
mod door;
mod embeddings;
mod endpoint;
mod evidence;
mod fleet;
mod fleet_guide;
mod fleet_identity;
mod fleet_isolation;
mod fleet_manners;
mod fleet_soak;
mod fuzz;
mod fuzz_contract;
mod fuzz_input;
mod guide;
mod http_api;
mod http_events;
mod inspector;
mod into_pgmnemo_guide;
mod into_plugin;
mod into_plugin_guide;
mod json;
mod kill;
mod legacy;
mod mcp;
mod mcp_install;
mod mcp_pgmnemo;
mod mcp_platform;
mod memory_backfill;
mod migrate;
mod migrate_guide;
mod ops;
mod outage;
mod own_server;
mod owner;
mod pages;
mod reembed;
mod refusals;
mod rejects;
mod served;
mod slow_clients;
mod soak;
mod soak_served;
mod support;
mod tls;
mod trips;
mod unseen;
mod upkept;
mod visibility;
mod wire;
mod words;

#[test]
fn every_file_is_listed() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(dir).expect("tests/it is there") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let module = name.trim_end_matches(".rs");
        assert!(
            !name.ends_with(".rs") || module == "main" || listed.contains(&format!("mod {module};")),
            "tests/it/{name} is not listed"
        );
    }
}
