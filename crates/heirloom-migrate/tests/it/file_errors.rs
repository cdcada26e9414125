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

const NAME: &str = "name = \"notes\"\n";
const SOURCE: &str = "[source]\nurl = \"store\"\ntable = \"public.notes\"\n";
const NAMESPACE: &str = "[namespace]\ntemplate = \"workspace:{workspace_id}\"\n";
const MAP: &str = "[map]\ncontent = \"content\"\nkind = { value = \"fact\" }\n";

/// A file that compiles, nine lines long, and what follows it.
fn with(lines: &str) -> String {
    [NAME, SOURCE, NAMESPACE, MAP, lines].concat()
}

fn refused(file: &str, expected: &str) {
    assert_eq!(refusal(file, &notes()), expected);
}

#[test]
fn not_toml() {
    refused(
        &[NAME, "[source\nurl = 1\n"].concat(),
        "notes.toml:2:8: this is not TOML: unclosed table, expected `]`; a migration file is TOML 1.0 (https://toml.io)",
    );
}

#[test]
fn name_missing() {
    refused(
        &[SOURCE, NAMESPACE, MAP].concat(),
        r#"notes.toml:1:1: `name` is missing; write name = "…" at the top: it names the plan and the run"#,
    );
}

#[test]
fn name_with_a_slash() {
    refused(
        &["name = \"a/b\"\n", SOURCE, NAMESPACE, MAP].concat(),
        "notes.toml:1:8: name `a/b`; letters, digits, `-`, `_` and `.` are accepted: it becomes part of file names",
    );
}

#[test]
fn url_missing() {
    refused(
        &[NAME, "[source]\ntable = \"notes\"\n", NAMESPACE, MAP].concat(),
        r#"notes.toml:1:1: [source] url is missing; write url = "env:NAME", "sqlite:FILE" or "store""#,
    );
}

#[test]
fn table_missing() {
    refused(
        &[NAME, "[source]\nurl = \"store\"\n", NAMESPACE, MAP].concat(),
        r#"notes.toml:1:1: [source] table is missing; write table = "schema.name" or query = "select …""#,
    );
}

#[test]
fn namespace_missing() {
    refused(
        &[NAME, SOURCE, MAP].concat(),
        r#"notes.toml:1:1: [namespace] is missing; write template = "workspace:{column}", or from and values: it says who will see each row"#,
    );
}

#[test]
fn content_unmapped() {
    refused(
        &[NAME, SOURCE, NAMESPACE, "[map]\nkind = { value = \"fact\" }\n"].concat(),
        r#"notes.toml:1:1: [map] does not say where `content` comes from; write content = "column""#,
    );
}

#[test]
fn a_soak_is_a_whole_number_of_days() {
    for (section, found) in [
        ("[soak]\ndays = 0", "0 days; write a whole number of days, 1 to 3650"),
        ("[soak]\ndays = 1.5", "1.5 days"),
        ("[soak]\ndays = 99999", "99999 days"),
        ("[soak]\ndays = \"30\"", "`soak.days` is a string; write a number"),
        ("[retire]\ngrace = -1", "-1 days; write a whole number of days, 0 to 3650"),
        ("[retire]\ngrase = 7", "unknown key `grase` in [retire] (did you mean `grace`?)"),
    ] {
        let text = format!(
            "name = \"n\"\n[source]\nurl = \"store\"\ntable = \"t\"\n[namespace]\ntemplate = \"custom:all\"\n[map]\ncontent = \"c\"\n{section}\n"
        );
        let said = heirloom_migrate::file::MigrationFile::parse("n.toml", &text).unwrap_err().to_string();
        assert!(said.contains(found), "{section}: {said}");
    }
}

#[test]
fn unknown_section() {
    refused(
        &with(
            r#"[mapp]
content = "content""#,
        ),
        "notes.toml:10:2: unknown key `mapp` in the file (did you mean `map`?); accepted here: name, tenant, preset, source, target, namespace, map, keep, reject, id, redact, soak, retire",
    );
}

#[test]
fn unknown_key() {
    refused(
        &[NAME, SOURCE, "tabel = \"x\"\n", NAMESPACE, MAP].concat(),
        "notes.toml:5:1: unknown key `tabel` in [source] (did you mean `table`?); accepted here: url, preset, table, query, key, changed_at, mark, outbox, tree",
    );
}

#[test]
fn unknown_verb() {
    refused(
        &with(r#"topic = { form = "tag" }"#),
        "notes.toml:10:11: unknown key `form` in [map.topic] (did you mean `from`?); accepted here: from, expr, value, values, otherwise, scale, ttl, since, when_true, zone, epoch, model, unpad, merge",
    );
}

#[test]
fn unknown_field_with_a_suggestion() {
    refused(
        &with(r#"importence = "priority""#),
        "notes.toml:10:1: no memory field `importence` (did you mean `importance`?); accepted: content, kind, source, role, topic, importance, state, state_changed_at, project_id, commit_sha, artifact_hash, verified_at, source_run_id, source_task_id, source_dag_id, pin, propagation, metadata, embedding, expires_at, valid_from, valid_to, created_at, updated_at, confidence, is_active, content_type, item_kind",
    );
}

#[test]
fn unknown_column_with_a_suggestion() {
    refused(
        &with(r#"topic = "tagg""#),
        "notes.toml:10:9: no column `tagg` in public.notes (did you mean `tag`?); accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn unknown_column_without_one() {
    refused(
        &with(r#"topic = "zzzzzzzz""#),
        "notes.toml:10:9: no column `zzzzzzzz` in public.notes; accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn unknown_column_of_since() {
    refused(
        &with(r#"expires_at = { from = "priority", ttl = "seconds", since = "creatd_at" }"#),
        "notes.toml:10:60: no column `creatd_at` in public.notes (did you mean `created_at`?); accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn unknown_column_to_drop() {
    refused(
        &with(
            r#"[keep.drop]
serach = "derived""#,
        ),
        "notes.toml:11:1: no column `serach` in public.notes (did you mean `search`?); accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn wrong_type_of_value() {
    refused(&with("topic = 5"), "notes.toml:10:9: `map.topic` is an integer; write a string in quotes");
}

#[test]
fn no_input() {
    refused(
        &with(r#"topic = { otherwise = "general" }"#),
        "notes.toml:10:1: this field has no input; write one of from, expr, value, merge",
    );
}

#[test]
fn two_inputs() {
    refused(
        &with(r#"topic = { from = "tag", value = "general" }"#),
        "notes.toml:10:1: this field has more than one input; write one of from, expr, value, merge",
    );
}

#[test]
fn type_that_cannot_be_cast() {
    refused(
        &with(r#"importance = "raw""#),
        "notes.toml:10:14: column `raw` of type bytea cannot become `importance`; accepted: a whole number from 1 to 5",
    );
}

#[test]
fn vector_into_text() {
    refused(
        &with(r#"topic = "embedding""#),
        "notes.toml:10:9: column `embedding` of type vector(1536) cannot become `topic`; accepted: text",
    );
}

#[test]
fn interval_from_a_number() {
    refused(
        &with(r#"expires_at = { from = "priority", ttl = "interval", since = "created_at" }"#),
        "notes.toml:10:23: column `priority` of type integer cannot become `expires_at`; accepted for this ttl: an interval, or text that is one",
    );
}

#[test]
fn number_without_epoch() {
    refused(
        &with(r#"created_at = "priority""#),
        r#"notes.toml:10:14: column `priority` of type integer cannot become `created_at` as it stands; write epoch = "s", "ms", "us" or "ns""#,
    );
}

#[test]
fn wall_clock_without_zone() {
    refused(
        &with(r#"created_at = "local_at""#),
        r#"notes.toml:10:14: column `local_at` of type timestamp without time zone cannot become `created_at` as it stands; write zone = "…": a wall clock without its zone is no moment"#,
    );
}

#[test]
fn unknown_zone() {
    refused(
        &with(r#"created_at = { from = "local_at", zone = "Europe/Zurch" }"#),
        "notes.toml:10:42: no time zone `Europe/Zurch`; accepted: IANA names such as Europe/Zurich, or UTC",
    );
}

#[test]
fn unknown_epoch() {
    refused(
        &with(r#"created_at = { from = "priority", epoch = "sec" }"#),
        "notes.toml:10:43: unknown word `sec`; accepted: s, ms, us, ns",
    );
}

#[test]
fn unknown_ttl() {
    refused(
        &with(r#"expires_at = { from = "priority", ttl = "second", since = "created_at" }"#),
        "notes.toml:10:41: unknown word `second` (did you mean `seconds`?); accepted: seconds, interval, absolute",
    );
}

#[test]
fn ttl_without_since() {
    refused(
        &with(r#"expires_at = { from = "priority", ttl = "seconds" }"#),
        r#"notes.toml:10:41: field `expires_at` has a relative time to live and no `since`; write since = "created_at": counting from the day of the migration would be wrong"#,
    );
}

#[test]
fn since_without_ttl() {
    refused(
        &with(r#"expires_at = { from = "created_at", since = "created_at" }"#),
        r#"notes.toml:10:45: `since` without `ttl`; write ttl = "seconds" or "interval""#,
    );
}

#[test]
fn ttl_on_text() {
    refused(
        &with(r#"topic = { from = "tag", ttl = "absolute" }"#),
        "notes.toml:10:31: `ttl` does not fit field `topic`; it is for moments such as expires_at",
    );
}

#[test]
fn scale_on_text() {
    refused(
        &with(r#"topic = { from = "tag", scale = [1, 10] }"#),
        "notes.toml:10:33: `scale` does not fit field `topic`; it is for importance",
    );
}

#[test]
fn scale_upside_down() {
    refused(
        &with(r#"importance = { from = "priority", scale = [10, 1] }"#),
        "notes.toml:10:43: `scale` does not have two ends, the lower first; write the source's own range, e.g. scale = [1, 10]",
    );
}

#[test]
fn merge_on_text() {
    refused(
        &with(r#"topic = { merge = ["tag"] }"#),
        "notes.toml:10:20: `merge` does not fit field `topic`; it is for metadata and propagation",
    );
}

#[test]
fn unpad_of_zero() {
    refused(
        &with(r#"embedding = { from = "embedding", unpad = 0 }"#),
        "notes.toml:10:43: `map.embedding.unpad` is an integer; write a whole number above 0",
    );
}

#[test]
fn value_outside_its_field() {
    refused(
        &with("importance = { value = 9 }"),
        "notes.toml:10:24: `importance` cannot be 9; accepted: a whole number from 1 to 5",
    );
}

#[test]
fn value_map_to_an_unknown_state() {
    refused(
        &with(r#"state = { from = "tag", values = { open = "drafty" } }"#),
        "notes.toml:10:43: `state` cannot be `drafty`; accepted: one of draft, candidate, validated, canonical, deprecated, superseded, archived, rejected, conflicted",
    );
}

#[test]
fn otherwise_an_unknown_state() {
    refused(
        &with(r#"state = { from = "tag", values = { open = "draft" }, otherwise = "maybe" }"#),
        "notes.toml:10:66: `state` cannot be `maybe`; accepted: one of draft, candidate, validated, canonical, deprecated, superseded, archived, rejected, conflicted",
    );
}

#[test]
fn template_with_an_unknown_field() {
    refused(
        &[NAME, SOURCE, "[namespace]\ntemplate = \"workspace:{workspace}\"\n", MAP].concat(),
        "notes.toml:6:12: template field {workspace} is no column of public.notes (did you mean `workspace_id`?); accepted: id, workspace_id, content, tag, priority, created_at, local_at, embedding, raw, search",
    );
}

#[test]
fn template_with_an_unbalanced_brace() {
    refused(
        &[NAME, SOURCE, "[namespace]\ntemplate = \"workspace:{workspace_id\"\n", MAP].concat(),
        "notes.toml:6:12: template `workspace:{workspace_id` has a brace without its other half; write {column} with both braces",
    );
}

#[test]
fn template_that_makes_no_namespace() {
    refused(
        &[NAME, SOURCE, "[namespace]\ntemplate = \"{workspace_id}\"\n", MAP].concat(),
        "notes.toml:6:12: template `{workspace_id}` makes no namespace; write a lower-case kind, a colon, then letters, digits, `_`, `:`, `.`, `-`; e.g. workspace:{workspace_id}",
    );
}

#[test]
fn template_with_a_root_and_no_tree() {
    refused(
        &[NAME, SOURCE, "[namespace]\ntemplate = \"org:{org_root}\"\n", MAP].concat(),
        "notes.toml:6:12: {org_root} needs a tree of parents; add [source.tree] with table, id, parent and of",
    );
}

#[test]
fn template_and_values() {
    refused(
        &[NAME, SOURCE, "[namespace]\ntemplate = \"org:a\"\nfrom = \"tag\"\n", MAP].concat(),
        r#"notes.toml:5:2: [namespace] is neither a template nor a value map; write template = "workspace:{column}" alone, or from = "column" with values = { VALUE = "template" }"#,
    );
}

#[test]
fn tree_without_its_parent() {
    refused(
        &[NAME, SOURCE, "[source.tree]\ntable = \"workspaces\"\nid = \"id\"\nof = \"workspace_id\"\n", NAMESPACE, MAP]
            .concat(),
        "notes.toml:5:9: [source.tree] parent is missing; write table, id, parent, and of (the column that names the node)",
    );
}

#[test]
fn table_and_query() {
    refused(
        &[NAME, "[source]\nurl = \"store\"\ntable = \"notes\"\nquery = \"select 1\"\n", NAMESPACE, MAP].concat(),
        "notes.toml:2:2: [source] has both `table` and `query`; write one of them",
    );
}

#[test]
fn password_in_the_url() {
    refused(
        &[NAME, "[source]\nurl = \"postgres://me:hunter2@db/legacy\"\ntable = \"notes\"\n", NAMESPACE, MAP].concat(),
        "notes.toml:3:7: this URL has a password in it, and a migration file is meant to be shared; write env:NAME, and put the URL into that variable",
    );
}

#[test]
fn password_in_the_target() {
    refused(
        &with(
            r#"[target]
url = "postgres://me:hunter2@db/store""#,
        ),
        "notes.toml:11:7: this URL has a password in it, and a migration file is meant to be shared; write env:NAME, and put the URL into that variable",
    );
}

#[test]
fn unknown_kind_of_url() {
    refused(
        &[NAME, "[source]\nurl = \"mysql://db/legacy\"\ntable = \"notes\"\n", NAMESPACE, MAP].concat(),
        "notes.toml:3:7: `mysql:` is not a URL that can be opened here; accepted: env:NAME, file:PATH, postgres://USER@HOST/DATABASE, sqlite:FILE, or `store` for a table in the target's own database",
    );
}

#[test]
fn unknown_preset() {
    refused(
        &[NAME, "[source]\nurl = \"store\"\npreset = \"molecule-v2\"\n"].concat(),
        "notes.toml:4:10: no preset `molecule-v2` (did you mean `molecule-v1`?); accepted: molecule-v1, pgmnemo-guide",
    );
}

#[test]
fn drop_without_a_reason() {
    refused(
        &with(
            r#"[keep]
drop = { search = " " }"#,
        ),
        "notes.toml:11:19: column `search` is dropped without a reason; write why it may be left behind",
    );
}

#[test]
fn mapped_and_dropped() {
    refused(
        &with(
            r#"topic = "tag"
[keep]
drop = { tag = "unused" }"#,
        ),
        "notes.toml:12:10: column `tag` is both mapped and dropped; do one of the two",
    );
}

#[test]
fn unknown_rest() {
    refused(
        &with(
            r#"[keep]
rest = "meta""#,
        ),
        "notes.toml:11:8: unknown word `meta`; accepted: origin, metadata, nowhere",
    );
}

#[test]
fn budget_nonsense() {
    refused(
        &with(
            r#"[reject]
budget = "a few""#,
        ),
        r#"notes.toml:11:10: budget `a few`; write a number of rows ("12") or a share of them ("0.5%")"#,
    );
}

#[test]
fn budget_above_a_hundred_per_cent() {
    refused(
        &with(
            r#"[reject]
budget = "101%""#,
        ),
        r#"notes.toml:11:10: budget `101%`; write a number of rows ("12") or a share of them ("0.5%")"#,
    );
}

#[test]
fn budget_below_nothing() {
    refused(
        &with("[reject]\nbudget = -1"),
        r#"notes.toml:11:10: budget `-1`; write a number of rows ("12") or a share of them ("0.5%")"#,
    );
}

#[test]
fn unknown_id_rule() {
    refused(
        &with(
            r#"[id]
from = "keys""#,
        ),
        "notes.toml:11:8: unknown word `keys` (did you mean `key`?); accepted: derived, key",
    );
}

#[test]
fn id_from_a_key_that_is_no_uuid() {
    refused(
        &with(
            r#"[id]
from = "key""#,
        ),
        r#"Source public.notes: [id] from = "key" with the key (id); a key of one uuid column is accepted; or write [id] from = "derived""#,
    );
}

#[test]
fn lesson_without_a_role() {
    refused(
        &[NAME, SOURCE, NAMESPACE, "[map]\ncontent = \"content\"\ntopic = \"tag\"\n"].concat(),
        r#"notes.toml:1:1: every row would be a lesson, and nothing maps its `role`; map role and topic, or write kind = { value = "fact" }"#,
    );
}

#[test]
fn otherwise_beside_when_true() {
    refused(
        &with(r#"verified_at = { from = "made", when_true = ["made"], otherwise = "keep" }"#),
        "notes.toml:10:66: field `verified_at` has `otherwise` beside `when_true`; leave it out: where the flag does not say \
         yes, or none of the columns has a time, the field stays null",
    );
}
