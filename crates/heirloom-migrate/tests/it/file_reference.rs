//! `docs/reference/migration-file.md` says what the file takes; what it shows must be taken.

use heirloom_migrate::file::PRESETS;
use heirloom_migrate::mapping::FIELDS;

use crate::mapping_support::{compile, table};

const PAGE: &str = include_str!("../../../../docs/reference/migration-file.md");

/// The blocks that open with this fence.
fn blocks(fence: &str) -> Vec<&'static str> {
    let opening = format!("\n```{fence}\n");
    PAGE.split(&opening).skip(1).map(|rest| rest.split("\n```").next().expect("a block closes")).collect()
}

#[test]
fn every_complete_file_of_the_page_compiles() {
    let moment = "timestamp with time zone";
    let shown = table(
        "t",
        &[
            ("id", "uuid"),
            ("workspace_id", "uuid"),
            ("project_id", "integer"),
            ("content", "text"),
            ("scope", "text"),
            ("tag", "text"),
            ("agent_role", "text"),
            ("layer", "text"),
            ("search_vector", "tsvector"),
            ("created_at", moment),
        ],
    );
    let files = blocks("toml complete");
    assert_eq!(files.len(), 6);
    for file in files {
        compile(file, &shown, Some(vec![]));
    }
}

/// Single entries of `[map]`, each put into a file of its own.
#[test]
fn every_line_of_the_page_compiles() {
    let shown = table(
        "t",
        &[
            ("id", "bigint"),
            ("content", "text"),
            ("memory_text", "text"),
            ("importance", "integer"),
            ("priority", "integer"),
            ("ttl", "integer"),
            ("ttl_seconds", "integer"),
            ("retention", "interval"),
            ("verified", "boolean"),
            ("review", "text"),
            ("reviewed_at", "timestamp with time zone"),
            ("verified_at", "timestamp with time zone"),
            ("ok", "boolean"),
            ("ok_at", "timestamp with time zone"),
            ("created_at", "timestamp with time zone"),
            ("created", "timestamp without time zone"),
            ("made", "dynamic"),
            ("updated_ms", "bigint"),
            ("embedding", "vector(1536)"),
            ("padded", "vector"),
            ("vec", "vector"),
            ("tags", "jsonb"),
            ("properties", "jsonb"),
            ("tag", "text"),
            ("status", "text"),
        ],
    );
    let of_blocks = blocks("toml").into_iter().filter(|block| !block.starts_with('[')).flat_map(str::lines);
    // The verbs' table: the example is the last code span of its row that says what becomes what.
    let verbs = PAGE.lines().skip_while(|line| !line.starts_with("| verb ")).take_while(|line| line.starts_with('|'));
    let of_table = verbs.filter_map(|line| line.split('`').find(|code| code.contains(" = ")));
    let lines: Vec<&str> = of_blocks.chain(of_table).collect();
    assert!(lines.len() > 20, "{lines:?}");
    for line in lines {
        let content = if line.starts_with("content ") { "" } else { "content = \"content\"\n" };
        let kind = if line.starts_with("kind ") { "" } else { "kind = { value = \"fact\" }\n" };
        let file = format!(
            "name = \"n\"\n[source]\nurl = \"store\"\ntable = \"t\"\n[namespace]\ntemplate = \"custom:all\"\n[map]\n{content}{kind}{line}\n"
        );
        compile(&file, &shown, None);
    }
}

#[test]
fn every_field_and_every_preset_is_on_the_page() {
    for name in FIELDS.iter().map(|(field, _)| field).chain(PRESETS.iter().map(|(preset, _)| preset)) {
        assert!(PAGE.contains(&format!("`{name}`")), "{name} is not on the page");
    }
}
