//! The first seed's preset on `agent_memories`, in both of the shapes the platform left it in.

use heirloom_migrate::file::IdRule;
use heirloom_migrate::mapping::{Mapped, Note, Program, Reject, RejectCode};
use heirloom_migrate::source::{Table, TreeRows};
use heirloom_migrate::value::Value;

use crate::mapping_support::{at, compile, row, table, text};

const FILE: &str = "name = \"agents-team\"\n[source]\nurl = \"store\"\npreset = \"molecule-v1\"\n";
const ID: &str = "0b7c2f10-0000-4000-8000-000000000001";
const CREATED: &str = "2026-02-03T04:05:06.789012Z";
const UPDATED: &str = "2026-03-04T05:06:07.890123Z";

/// root ← team ← leaf, a root of its own, and two that are each other's parent.
fn tree() -> TreeRows {
    [
        ("root", None),
        ("team", Some("root")),
        ("leaf", Some("team")),
        ("lone", None),
        ("egg", Some("hen")),
        ("hen", Some("egg")),
    ]
    .into_iter()
    .map(|(id, parent)| (id.to_owned(), parent.map(str::to_owned)))
    .collect()
}

/// As migrations 001, 008, 017 and 031 of the platform left it.
fn whole() -> Table {
    table(
        "public.agent_memories",
        &[
            ("id", "uuid"),
            ("workspace_id", "text"),
            ("content", "text"),
            ("scope", "character varying(10)"),
            ("created_at", "timestamp with time zone"),
            ("updated_at", "timestamp with time zone"),
            ("namespace", "character varying(50)"),
            ("content_tsv", "tsvector"),
            ("embedding", "vector(1536)"),
            ("metadata", "jsonb"),
        ],
    )
}

fn map(program: &Program, workspace: Value, scope: &str) -> Result<Mapped, Reject> {
    let moment = |time| Value::Moment(at(time));
    program.map(&row(
        ID,
        vec![
            Value::Uuid(ID.parse().expect("a uuid")),
            workspace,
            text("The staging deploy needs the old flag."),
            text(scope),
            moment(CREATED),
            moment(UPDATED),
            text("deploys"),
            Value::Other("'deploy':2".into()),
            Value::Vector(vec![0.1; 1536]),
            Value::Json("{\"pr\": 1794}".into()),
        ],
    ))
}

fn scoped(workspace: &str, scope: &str) -> Result<String, RejectCode> {
    let program = compile(FILE, &whole(), Some(tree()));
    map(&program, text(workspace), scope).map(|mapped| mapped.memory.namespace).map_err(|reject| reject.code)
}

#[test]
fn scope_local_is_the_workspace() {
    for workspace in ["root", "team", "leaf", "lone"] {
        assert_eq!(scoped(workspace, "LOCAL").unwrap(), format!("workspace:{workspace}"));
    }
}

#[test]
fn scope_team_is_the_parent_and_a_root_is_its_own_team() {
    for (workspace, team) in
        [("leaf", "team:team"), ("team", "team:root"), ("root", "team:root"), ("lone", "team:lone")]
    {
        assert_eq!(scoped(workspace, "TEAM").unwrap(), team, "{workspace}");
    }
}

#[test]
fn scope_global_is_the_root_of_the_tree_however_deep() {
    for (workspace, org) in [("leaf", "org:root"), ("team", "org:root"), ("root", "org:root"), ("lone", "org:lone")] {
        assert_eq!(scoped(workspace, "GLOBAL").unwrap(), org, "{workspace}");
    }
}

#[test]
fn a_cycle_of_parents_has_no_root() {
    assert_eq!(scoped("egg", "GLOBAL"), Err(RejectCode::NamespaceInvalid));
    assert_eq!(scoped("egg", "LOCAL").unwrap(), "workspace:egg");
    assert_eq!(scoped("egg", "TEAM").unwrap(), "team:hen");
}

#[test]
fn a_workspace_that_the_tree_does_not_have_belongs_to_no_team() {
    for scope in ["TEAM", "GLOBAL"] {
        assert_eq!(scoped("gone", scope), Err(RejectCode::NamespaceInvalid), "{scope}");
    }
}

#[test]
fn a_missing_workspace_is_set_aside_under_every_scope() {
    let program = compile(FILE, &whole(), Some(tree()));
    for scope in ["LOCAL", "TEAM", "GLOBAL"] {
        for workspace in [Value::Null, text("")] {
            let reject = map(&program, workspace, scope).unwrap_err();
            assert_eq!(
                (reject.code, reject.column.as_deref()),
                (RejectCode::NamespaceMissing, Some("workspace_id")),
                "{scope}"
            );
        }
    }
}

#[test]
fn a_scope_that_nobody_listed_is_set_aside() {
    assert_eq!(scoped("leaf", "PUBLIC"), Err(RejectCode::UnmappedValue));
    assert_eq!(scoped("leaf", " local ").unwrap(), "workspace:leaf");
}

/// What the seed's issue asks for, literally.
#[test]
fn workspace_only_is_one_line() {
    let file = format!("{FILE}[namespace]\ntemplate = \"workspace:{{workspace_id}}\"\n");
    let program = compile(&file, &whole(), Some(tree()));
    for scope in ["LOCAL", "TEAM", "GLOBAL"] {
        assert_eq!(map(&program, text("leaf"), scope).unwrap().memory.namespace, "workspace:leaf");
    }
}

#[test]
fn a_file_may_name_another_table_for_the_tree_and_nothing_else() {
    let file = format!("{FILE}[source.tree]\ntable = \"legacy.workspaces\"\n");
    let parsed = heirloom_migrate::file::MigrationFile::parse("notes.toml", &file).unwrap();
    let tree = parsed.source.tree.unwrap();
    let words = [&tree.table, &tree.id, &tree.parent, &tree.of].map(|word| word.value.as_str());
    assert_eq!(words, ["legacy.workspaces", "id", "parent_id", "workspace_id"]);
    assert_eq!(parsed.id, IdRule::Key);
}

#[test]
fn every_field_of_the_issue() {
    let memory = map(&compile(FILE, &whole(), Some(tree())), text("leaf"), "LOCAL").unwrap().memory;
    assert_eq!(memory.content, "The staging deploy needs the old flag.");
    assert_eq!((memory.kind.as_str(), memory.source.as_str()), ("fact", "agent"));
    assert_eq!(memory.metadata, Some(serde_json::json!({ "pr": 1794 })));
}

#[test]
fn the_id_is_kept() {
    let program = compile(FILE, &whole(), Some(tree()));
    assert_eq!(map(&program, text("leaf"), "LOCAL").unwrap().memory.id.to_string(), ID);
    assert_eq!(program.id(&[ID.to_owned()]).to_string(), ID);
}

#[test]
fn created_at_and_updated_at_keep_their_microseconds() {
    let memory = map(&compile(FILE, &whole(), Some(tree())), text("leaf"), "LOCAL").unwrap().memory;
    assert_eq!((memory.created_at, memory.updated_at), (Some(at(CREATED)), Some(at(UPDATED))));
}

#[test]
fn an_embedding_of_1536_stays_verbatim_in_the_origin_and_is_counted() {
    let mapped = map(&compile(FILE, &whole(), Some(tree())), text("leaf"), "LOCAL").unwrap();
    assert_eq!(mapped.memory.embedding, None);
    assert_eq!(mapped.notes, [Note::NeedsEmbedding]);
    let origin: serde_json::Value = serde_json::from_str(&mapped.origin).unwrap();
    let elements: Vec<f32> = serde_json::from_str(origin["embedding"].as_str().unwrap()).unwrap();
    assert_eq!(elements, vec![0.1_f32; 1536]);
}

#[test]
fn the_tag_called_namespace_becomes_the_topic() {
    let memory = map(&compile(FILE, &whole(), Some(tree())), text("leaf"), "LOCAL").unwrap().memory;
    assert_eq!(memory.topic.as_deref(), Some("deploys"));
}

#[test]
fn the_first_shape_of_the_table_lacks_what_came_later() {
    let first = table(
        "public.agent_memories",
        &[
            ("id", "uuid"),
            ("workspace_id", "uuid"),
            ("content", "text"),
            ("scope", "text"),
            ("created_at", "timestamp with time zone"),
        ],
    );
    let program = compile(FILE, &first, Some(vec![(ID.to_owned(), None)]));
    let uuid = Value::Uuid(ID.parse().unwrap());
    let mapped = program.map(&row(ID, vec![uuid.clone(), uuid, text("x"), text("TEAM"), Value::Null])).unwrap();
    let memory = mapped.memory;
    assert_eq!(memory.namespace, format!("team:{ID}"));
    assert_eq!((memory.topic, memory.metadata, memory.embedding), (None, None, None));
    assert_eq!((memory.created_at, memory.updated_at), (None, None));
    assert_eq!(mapped.notes, [Note::CreatedAtMissing]);
}

#[test]
fn metadata_of_json_null_is_no_metadata() {
    let program = compile(FILE, &whole(), Some(tree()));
    let mut values = vec![Value::Null; 10];
    values[1] = text("leaf");
    values[2] = text("x");
    values[3] = text("LOCAL");
    values[9] = Value::Json("null".into());
    let mapped = program.map(&row(ID, values)).unwrap();
    assert_eq!(mapped.memory.metadata, None);
    assert!(mapped.notes.contains(&Note::JsonNull));
}

#[test]
fn a_memory_of_white_space_is_set_aside() {
    let program = compile(FILE, &whole(), Some(tree()));
    let mut values = vec![Value::Null; 10];
    values[1] = text("leaf");
    values[3] = text("LOCAL");
    for content in [Value::Null, text(""), text(" \t\r\n\u{a0}")] {
        values[2] = content;
        assert_eq!(program.map(&row(ID, values.clone())).unwrap_err().code, RejectCode::EmptyContent);
    }
}
