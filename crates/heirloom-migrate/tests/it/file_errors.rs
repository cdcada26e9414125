//! What parsing and compiling refuse, in their exact words, each at its line and column.

use heirloom_migrate::source::Table;

use crate::mapping_support::{refusal, table};

fn notes() -> Table {
    table(
        "public.notes",
        &[
            ("id", "bigint"),
            ("workspace_id", "text"),
            ("content", "text"),
            ("tag", "text"),
            ("priority", "integer"),
            ("created_at", "timestamp with time zone"),
            ("local_at", "timestamp without time zone"),
            ("embedding", "vector(1536)"),
            ("raw", "bytea"),
            ("search", "tsvector"),
        ],
    )
}

#[test]
fn not_toml() {
    let file = r#"name = "notes"
[source
url = 1
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:2:8: this is not TOML: unclosed table, expected `]`; a migration file is TOML 1.0 (https://toml.io)",
    );
}

#[test]
fn name_missing() {
    let file = r#"[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:1:1: `name` is missing; write name = \"…\" at the top: it names the plan and the run",
    );
}

#[test]
fn name_with_a_slash() {
    let file = r#"name = "a/b"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:1:8: name `a/b`; letters, digits, `-`, `_` and `.` are accepted: it becomes part of file names",
    );
}

#[test]
fn url_missing() {
    let file = r#"name = "notes"
[source]
table = "notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:1:1: [source] url is missing; write url = \"env:NAME\", \"sqlite:FILE\" or \"store\"",
    );
}

#[test]
fn table_missing() {
    let file = r#"name = "notes"
[source]
url = "store"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:1:1: [source] table is missing; write table = \"schema.name\" or query = \"select …\"",
    );
}

#[test]
fn namespace_missing() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:1:1: [namespace] is missing; write template = \"workspace:{column}\", or from and values: it says who will see each row",
    );
}

#[test]
fn content_unmapped() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:1:1: [map] does not say where `content` comes from; write content = \"column\"",
    );
}

#[test]
fn unknown_section() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[mapp]
content = "content"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:2: unknown key `mapp` in the file (did you mean `map`?); accepted here: name, tenant, preset, source, target, namespace, map, keep, reject, id",
    );
}

#[test]
fn unknown_key() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
tabel = "x"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:5:1: unknown key `tabel` in [source] (did you mean `table`?); accepted here: url, preset, table, query, key, changed_at, mark, tree",
    );
}

#[test]
fn unknown_verb() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = { form = "tag" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:11: unknown key `form` in [map.topic] (did you mean `from`?); accepted here: from, expr, value, values, otherwise, scale, ttl, since, when_true, zone, epoch, model, unpad, merge",
    );
}

#[test]
fn unknown_field_with_a_suggestion() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
importence = "priority"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:1: no memory field `importence` (did you mean `importance`?); accepted: content, kind, source, role, topic, importance, state, state_changed_at, project_id, commit_sha, artifact_hash, verified_at, source_run_id, source_task_id, source_dag_id, pin, propagation, metadata, embedding, expires_at, valid_from, valid_to, created_at, updated_at, confidence, is_active, content_type, item_kind",
    );
}

#[test]
fn unknown_column_with_a_suggestion() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = "tagg"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:9: no column `tagg` in public.notes (did you mean `tag`?); accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn unknown_column_without_one() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = "zzzzzzzz"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:9: no column `zzzzzzzz` in public.notes; accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn unknown_column_of_since() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
expires_at = { from = "priority", ttl = "seconds", since = "creatd_at" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:60: no column `creatd_at` in public.notes (did you mean `created_at`?); accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn unknown_column_to_drop() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[keep.drop]
serach = "derived"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:11:1: no column `serach` in public.notes (did you mean `search`?); accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn wrong_type_of_value() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = 5
"#;
    assert_eq!(refusal(file, &notes()), "notes.toml:10:9: `map.topic` is an integer; write a string in quotes",);
}

#[test]
fn no_input() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = { otherwise = "general" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:1: this field has no input; write one of from, expr, value, merge",
    );
}

#[test]
fn two_inputs() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = { from = "tag", value = "general" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:1: this field has more than one input; write one of from, expr, value, merge",
    );
}

#[test]
fn type_that_cannot_be_cast() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
importance = "raw"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:14: column `raw` of type bytea cannot become `importance`; accepted: a whole number from 1 to 5",
    );
}

#[test]
fn vector_into_text() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = "embedding"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:9: column `embedding` of type vector(1536) cannot become `topic`; accepted: text",
    );
}

#[test]
fn interval_from_a_number() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
expires_at = { from = "priority", ttl = "interval", since = "created_at" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:23: column `priority` of type integer cannot become `expires_at`; accepted for this ttl: an interval, or text that is one",
    );
}

#[test]
fn number_without_epoch() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
created_at = "priority"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:14: column `priority` of type integer cannot become `created_at` as it stands; write epoch = \"s\", \"ms\", \"us\" or \"ns\"",
    );
}

#[test]
fn wall_clock_without_zone() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
created_at = "local_at"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:14: column `local_at` of type timestamp without time zone cannot become `created_at` as it stands; write zone = \"…\": a wall clock without its zone is no moment",
    );
}

#[test]
fn unknown_zone() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
created_at = { from = "local_at", zone = "Europe/Zurch" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:42: no time zone `Europe/Zurch`; accepted: IANA names such as Europe/Zurich, or UTC",
    );
}

#[test]
fn unknown_epoch() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
created_at = { from = "priority", epoch = "sec" }
"#;
    assert_eq!(refusal(file, &notes()), "notes.toml:10:43: unknown word `sec`; accepted: s, ms, us, ns",);
}

#[test]
fn unknown_ttl() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
expires_at = { from = "priority", ttl = "second", since = "created_at" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:41: unknown word `second` (did you mean `seconds`?); accepted: seconds, interval, absolute",
    );
}

#[test]
fn ttl_without_since() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
expires_at = { from = "priority", ttl = "seconds" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:41: field `expires_at` has a relative time to live and no `since`; write since = \"created_at\": counting from the day of the migration would be wrong",
    );
}

#[test]
fn since_without_ttl() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
expires_at = { from = "created_at", since = "created_at" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:45: `since` without `ttl`; write ttl = \"seconds\" or \"interval\"",
    );
}

#[test]
fn ttl_on_text() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = { from = "tag", ttl = "absolute" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:31: `ttl` does not fit field `topic`; it is for moments such as expires_at",
    );
}

#[test]
fn scale_on_text() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = { from = "tag", scale = [1, 10] }
"#;
    assert_eq!(refusal(file, &notes()), "notes.toml:10:33: `scale` does not fit field `topic`; it is for importance",);
}

#[test]
fn scale_upside_down() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
importance = { from = "priority", scale = [10, 1] }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:43: `scale` does not have two ends, the lower first; write the source's own range, e.g. scale = [1, 10]",
    );
}

#[test]
fn merge_on_text() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = { merge = ["tag"] }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:20: `merge` does not fit field `topic`; it is for metadata and propagation",
    );
}

#[test]
fn unpad_of_zero() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
embedding = { from = "embedding", unpad = 0 }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:43: `map.embedding.unpad` is an integer; write a whole number above 0",
    );
}

#[test]
fn value_outside_its_field() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
importance = { value = 9 }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:24: `importance` cannot be 9; accepted: a whole number from 1 to 5",
    );
}

#[test]
fn value_map_to_an_unknown_state() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
state = { from = "tag", values = { open = "drafty" } }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:43: `state` cannot be `drafty`; accepted: one of draft, candidate, validated, canonical, deprecated, superseded, archived, rejected, conflicted",
    );
}

#[test]
fn otherwise_an_unknown_state() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
state = { from = "tag", values = { open = "draft" }, otherwise = "maybe" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:10:66: `state` cannot be `maybe`; accepted: one of draft, candidate, validated, canonical, deprecated, superseded, archived, rejected, conflicted",
    );
}

#[test]
fn template_with_an_unknown_field() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:6:12: template field {workspace} is no column of public.notes (did you mean `workspace_id`?); accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn template_with_an_unbalanced_brace() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:6:12: template `workspace:{workspace_id` has a brace without its other half; write {column} with both braces",
    );
}

#[test]
fn template_that_makes_no_namespace() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:6:12: template `{workspace_id}` makes no namespace; write a lower-case kind, a colon, then letters, digits, `_`, `:`, `.`, `-`; e.g. workspace:{workspace_id}",
    );
}

#[test]
fn template_with_a_root_and_no_tree() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "org:{org_root}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:6:12: {org_root} needs a tree of parents; add [source.tree] with table, id, parent and of",
    );
}

#[test]
fn template_and_values() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "org:a"
from = "tag"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:5:2: [namespace] is neither a template nor a value map; write template = \"workspace:{column}\" alone, or from = \"column\" with values = { VALUE = \"template\" }",
    );
}

#[test]
fn tree_without_its_parent() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[source.tree]
table = "workspaces"
id = "id"
of = "workspace_id"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:5:9: [source.tree] parent is missing; write table, id, parent, and of (the column that names the node)",
    );
}

#[test]
fn table_and_query() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "notes"
query = "select 1"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(refusal(file, &notes()), "notes.toml:2:2: [source] has both `table` and `query`; write one of them",);
}

#[test]
fn password_in_the_url() {
    let file = r#"name = "notes"
[source]
url = "postgres://me:hunter2@db/legacy"
table = "notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:3:7: this URL has a password in it, and a migration file is meant to be shared; write env:NAME, and put the URL into that variable",
    );
}

#[test]
fn password_in_the_target() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[target]
url = "postgres://me:hunter2@db/store"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:11:7: this URL has a password in it, and a migration file is meant to be shared; write env:NAME, and put the URL into that variable",
    );
}

#[test]
fn unknown_kind_of_url() {
    let file = r#"name = "notes"
[source]
url = "mysql://db/legacy"
table = "notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:3:7: `mysql:` is not a URL that can be opened here; accepted: env:NAME, file:PATH, postgres://USER@HOST/DATABASE, sqlite:FILE, or `store` for a table in the target's own database",
    );
}

#[test]
fn unknown_preset() {
    let file = r#"name = "notes"
[source]
url = "store"
preset = "molecule-v2"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:4:10: no preset `molecule-v2` (did you mean `molecule-v1`?); accepted: molecule-v1, pgmnemo-guide",
    );
}

#[test]
fn drop_without_a_reason() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[keep]
drop = { search = " " }
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:11:19: column `search` is dropped without a reason; write why it may be left behind",
    );
}

#[test]
fn mapped_and_dropped() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
topic = "tag"
[keep]
drop = { tag = "unused" }
"#;
    assert_eq!(refusal(file, &notes()), "notes.toml:12:10: column `tag` is both mapped and dropped; do one of the two",);
}

#[test]
fn unknown_rest() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[keep]
rest = "meta"
"#;
    assert_eq!(refusal(file, &notes()), "notes.toml:11:8: unknown word `meta`; accepted: origin, metadata, nowhere",);
}

#[test]
fn budget_nonsense() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[reject]
budget = "a few"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:11:10: budget `a few`; write a number of rows (\"12\") or a share of them (\"0.5%\")",
    );
}

#[test]
fn budget_above_a_hundred_per_cent() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[reject]
budget = "101%"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:11:10: budget `101%`; write a number of rows (\"12\") or a share of them (\"0.5%\")",
    );
}

#[test]
fn budget_below_nothing() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[reject]
budget = -1
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:11:10: budget `-1`; write a number of rows (\"12\") or a share of them (\"0.5%\")",
    );
}

#[test]
fn unknown_id_rule() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[id]
from = "keys"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:11:8: unknown word `keys` (did you mean `key`?); accepted: derived, key",
    );
}

#[test]
fn id_from_a_key_that_is_no_uuid() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
kind = { value = "fact" }
[id]
from = "key"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "Source public.notes: [id] from = \"key\" with the key (id); a key of one uuid column is accepted; or write [id] from = \"derived\"",
    );
}

#[test]
fn lesson_without_a_role() {
    let file = r#"name = "notes"
[source]
url = "store"
table = "public.notes"
[namespace]
template = "workspace:{workspace_id}"
[map]
content = "content"
topic = "tag"
"#;
    assert_eq!(
        refusal(file, &notes()),
        "notes.toml:1:1: every row would be a lesson, and nothing maps its `role`; map role and topic, or write kind = { value = \"fact\" }",
    );
}
