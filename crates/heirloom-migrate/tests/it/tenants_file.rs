//! `docs/reference/tenants-file.md` says what the file takes; what it shows must be taken, and nothing may be missing.

use heirloom_migrate::fleet::{Allow, ONCE, SHARED, TenantsFile};

const PAGE: &str = include_str!("../../../../docs/reference/tenants-file.md");

#[test]
fn what_the_page_shows_is_read() {
    let blocks: Vec<&str> =
        PAGE.split("\n```toml\n").skip(1).map(|rest| rest.split("\n```").next().expect("a block closes")).collect();
    assert_eq!(blocks.len(), 1);
    let file = TenantsFile::parse("tenants.toml", blocks[0]).unwrap();
    assert_eq!(file.tenants[0].source.as_ref().unwrap().value, "file:/run/secrets/agents-team");
    assert_eq!(file.tenants[1].namespace.as_ref().unwrap().value, "org:hongming");
}

#[test]
fn every_key_and_every_word_is_on_the_page_and_no_other() {
    let listed: Vec<&str> =
        PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)).collect();
    let words = Allow::ALL.map(|(_, word)| word);
    let known: Vec<&str> = SHARED.iter().chain(ONCE).copied().chain(words).collect();
    assert_eq!(listed, known);
}
