//! What is planted in a verified target, and what must be found of it: for the tests, and for the bench that counts them.

use std::collections::BTreeSet;

use heirloom_migrate::verify::{Class, Verification};

/// Name, as `docs/reference/verify.md` has it; the damage, with `:id` for the memory, `:2` for that of the next row; class
/// and column of what must be found.
pub(crate) const KINDS: [(&str, &str, Class, &str); 24] = [
    ("row lost", "delete from heirloom.memory where id = :id", Class::Missing, ""),
    (
        "row and its record lost",
        "delete from heirloom.origin where id = :id; delete from heirloom.memory where id = :id",
        Class::Missing,
        "",
    ),
    (
        "row twice, under another id",
        "insert into heirloom.memory (id, namespace, kind, content) select gen_random_uuid(), namespace, kind, content from heirloom.memory where id = :id; insert into heirloom.origin select m.id, o.namespace, o.run_id, o.source, o.source_key, o.source_row, o.source_digest, o.written_digest, o.handed_down_at from heirloom.origin o join heirloom.memory m on m.content = (select content from heirloom.memory where id = :id) and m.id <> :id where o.id = :id",
        Class::Unexpected,
        "",
    ),
    (
        "row shown to a second tenant",
        "insert into heirloom.memory (id, namespace, kind, content) select id, 'custom:thief', kind, content from heirloom.memory where id = :id",
        Class::Unexpected,
        "",
    ),
    (
        "row given to another tenant",
        "update heirloom.memory set namespace = 'custom:thief' where id = :id",
        Class::WrongTenant,
        "namespace",
    ),
    ("provenance removed", "delete from heirloom.origin where id = :id", Class::Foreign, ""),
    (
        "one character changed",
        "update heirloom.memory set content = overlay(content placing 'X' from 3) where id = :id",
        Class::Altered,
        "content",
    ),
    (
        "text cut at its end",
        "update heirloom.memory set content = left(content, -1) where id = :id",
        Class::Altered,
        "content",
    ),
    (
        "white space added",
        "update heirloom.memory set content = content || ' ' where id = :id",
        Class::Altered,
        "content",
    ),
    (
        "line ends changed",
        "update heirloom.memory set content = replace(content, E'\\r\\n', E'\\n') where id = :id",
        Class::Altered,
        "content",
    ),
    (
        "Unicode normalised",
        "update heirloom.memory set content = normalize(content, NFC) where id = :id",
        Class::Altered,
        "content",
    ),
    ("null made empty", "update heirloom.memory set role = '' where id = :id", Class::Altered, "role"),
    (
        "JSON null for nothing",
        "update heirloom.memory set propagation = 'null' where id = :id",
        Class::Altered,
        "propagation",
    ),
    (
        "number through a double",
        "update heirloom.memory set metadata = jsonb_set(metadata, '{big}', to_jsonb((metadata ->> 'big')::float8)) where id = :id",
        Class::Altered,
        "metadata",
    ),
    (
        "JSON key lost",
        "update heirloom.memory set metadata = metadata - 'tags' where id = :id",
        Class::Altered,
        "metadata",
    ),
    (
        "JSON array reordered",
        "update heirloom.memory set metadata = jsonb_set(metadata, '{tags}', '[2, 1]') where id = :id",
        Class::Altered,
        "metadata",
    ),
    (
        "microseconds lost",
        "update heirloom.memory set created_at = date_trunc('milliseconds', created_at) where id = :id",
        Class::Altered,
        "created_at",
    ),
    (
        "time in another zone",
        "update heirloom.memory set created_at = created_at + interval '1 hour' where id = :id",
        Class::Altered,
        "created_at",
    ),
    (
        "expiry counted from today",
        "update heirloom.memory set expires_at = now() + interval '1 day' where id = :id",
        Class::Altered,
        "expires_at",
    ),
    (
        "verification invented",
        "update heirloom.memory set verified_at = now() where id = :id",
        Class::Altered,
        "verified_at",
    ),
    ("state revived", "update heirloom.memory set state = 'canonical' where id = :id", Class::Altered, "state"),
    (
        "last bit of a vector",
        "update heirloom.memory set embedding = '[1,0,0.10000001,0]' where id = :id",
        Class::Altered,
        "embedding",
    ),
    (
        "vector in half precision",
        "update heirloom.memory set embedding = embedding::halfvec::vector where id = :id",
        Class::Altered,
        "embedding",
    ),
    (
        "vectors of two rows exchanged",
        "update heirloom.memory m set embedding = t.embedding from heirloom.memory t where m.id in (:id, :2) and t.id in (:id, :2) and t.id <> m.id",
        Class::Altered,
        "embedding",
    ),
];

/// Maps [`legacy`].
pub(crate) const FILE: &str = r#"
name = "notes"
[source]
url = "store"
table = "legacy.note"
[namespace]
template = "custom:{author}"
[map]
content = "body"
kind = { value = "fact" }
state = { from = "mood", values = { active = "candidate" }, otherwise = "reject" }
metadata = { merge = ["extra"] }
created_at = "made"
embedding = { from = "emb", model = "tiny" }
"#;

/// A table of so many rows whose values show what a careless copy loses.
pub(crate) fn legacy(rows: u32) -> String {
    format!(
        "create schema legacy;
         create table legacy.note (id bigint primary key, author text, body text, mood text, extra jsonb, made timestamptz, emb vector(3));
         insert into legacy.note
         select g, 'agent-' || g % 7, 'note ' || g || E'\\r\\n cafe\\u0301', 'active',
                jsonb_build_object('big', 9007199254740993, 'tags', '[1, 2]'::jsonb, 'n', 1.50),
                timestamptz '2026-01-01' + g * interval '1.000001 s', ('[1,' || g % 5 || ',0.1]')::vector
           from generate_series(1, {rows}) g;"
    )
}

/// What says the same in another form.
pub(crate) const REPRESENTATIONS: [&str; 6] = [
    "begin; set local session_replication_role = replica; update heirloom.memory set metadata = jsonb_set(metadata, '{n}', '1.5'); commit",
    "begin; set local session_replication_role = replica; update heirloom.memory set embedding = replace(embedding::text, ',0,', ',-0,')::vector; commit",
    "begin; set local session_replication_role = replica; update heirloom.memory set content = content, created_at = created_at at time zone 'Asia/Kolkata' at time zone 'Asia/Kolkata'; commit",
    "alter table heirloom.memory alter column content set storage external",
    "analyze heirloom.memory",
    "do $$ begin execute format('alter database %I set timezone = ''Asia/Kathmandu''', current_database()); execute format('alter database %I set datestyle = ''German''', current_database()); execute format('alter database %I set extra_float_digits = 0', current_database()); end $$",
];

/// Source key, class and column of a difference.
pub(crate) type Named = BTreeSet<(String, String, String)>;

/// The statements that plant each of [`KINDS`] in a target of `rows` rows, far enough apart to lie in different chunks, and
/// what must be found then. `one` answers a query with one text.
pub(crate) async fn planted(rows: u32, one: impl AsyncFn(String) -> String) -> (Vec<String>, Named) {
    let step = rows / 25;
    let mut statements = vec!["insert into heirloom.namespace (name) values ('custom:thief')".to_owned()];
    let mut expected = Named::new();
    for (at, (_, damage, class, column)) in KINDS.iter().enumerate() {
        let row = (at as u32 + 1) * step + 1;
        let id = |row: u32| format!("select id from heirloom.origin where source_key = '[\"{row}\"]' limit 1");
        let ids = [one(id(row)).await, one(id(row + 1)).await].map(|id| format!("'{id}'::uuid"));
        let damage = damage.replace(":id", &ids[0]).replace(":2", &ids[1]);
        statements.push(format!("begin; set local session_replication_role = replica; {damage}; commit"));
        expected.insert((row.to_string(), format!("{class:?}"), (*column).to_owned()));
        if damage.contains("in ('") {
            expected.insert(((row + 1).to_string(), format!("{class:?}"), (*column).to_owned()));
        }
    }
    (statements, expected)
}

/// What was found, in the form of what is expected.
pub(crate) fn named(found: &Verification) -> Named {
    let differences = found.differences.iter();
    differences
        .map(|one| (one.key[0].clone(), format!("{:?}", one.class), one.column.clone().unwrap_or_default()))
        .collect()
}
