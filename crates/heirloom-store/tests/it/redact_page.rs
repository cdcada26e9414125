//! The table of labels in `docs/concepts/redaction.md` is made from the rules. `HEIRLOOM_BLESS=1` rewrites it.

use heirloom_store::redact::{Origin, list};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/concepts/redaction.md");
const BEGIN: &str = "<!-- generated: HEIRLOOM_BLESS=1 cargo test -p heirloom-store redact -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_table_of_labels_is_that_of_the_rules() {
    let mut table = "\n| label | from | what it takes |\n| --- | --- | --- |\n".to_owned();
    for rule in list() {
        let from = match rule.origin {
            Origin::Platform(number) => format!("platform {number}"),
            Origin::Extension => "extension".to_owned(),
        };
        table.push_str(&format!("| `{}` | {from} | {} |\n", rule.label, rule.takes));
    }
    table.push('\n');
    let page = std::fs::read_to_string(PATH).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    if std::env::var_os("HEIRLOOM_BLESS").is_some() {
        std::fs::write(PATH, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(shown, table, "HEIRLOOM_BLESS=1 rewrites it");
}
