//! Twenty-four kinds of damage, planted together in one large verified target: each found, and named to row and column.
//! Then the other direction: what changes only the representation raises no alarm, and an encoder with a bug is caught.

use std::collections::BTreeSet;

use heirloom_migrate::plan::Plan;
use heirloom_migrate::verify::Class;

use crate::support::Ground;

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

const FILE: &str = r#"
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

fn legacy(rows: u32) -> String {
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

async fn verified() -> (Ground, Plan, u32) {
    // The embedded engine is ten times slower; its target is large enough to have many chunks.
    let rows = if std::env::var("HEIRLOOM_TEST_URL").is_ok() { 10_000 } else { 2_000 };
    let ground = Ground::new(&legacy(rows)).await;
    let plan = ground.plan(FILE, u64::from(rows / 20)).await.unwrap();
    ground.apply(&plan).await.unwrap();
    (ground, plan, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_found_among_thousands_and_named_to_row_and_column() {
    let (ground, plan, rows) = verified().await;
    assert!(ground.verify(&plan).await.unwrap().holds);
    let step = rows / 25;
    let mut expected = BTreeSet::new();
    ground.sql("insert into heirloom.namespace (name) values ('custom:thief')").await;
    for (at, (_, damage, class, column)) in KINDS.iter().enumerate() {
        // Rows with different vectors, and far enough apart to lie in different chunks.
        let row = (at as u32 + 1) * step + 1;
        let id = |row: u32| format!("(select id from heirloom.origin where source_key = '[\"{row}\"]' limit 1)");
        let ids = [ground.one(&id(row)).await, ground.one(&id(row + 1)).await].map(|id| format!("'{id}'::uuid"));
        let damage = damage.replace(":id", &ids[0]).replace(":2", &ids[1]);
        ground.sql(&format!("begin; set local session_replication_role = replica; {damage}; commit")).await;
        expected.insert((row.to_string(), format!("{class:?}"), (*column).to_owned()));
        if damage.contains("in ('") {
            expected.insert(((row + 1).to_string(), format!("{class:?}"), (*column).to_owned()));
        }
    }
    let found = ground.verify(&plan).await.unwrap();
    let named: BTreeSet<_> = found
        .differences
        .iter()
        .map(|one| (one.key[0].clone(), format!("{:?}", one.class), one.column.clone().unwrap_or_default()))
        .collect();
    assert_eq!(named, expected);
    assert_eq!(found.difference_count, expected.len() as u64, "each once, and nothing else");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_only_the_representation_is_no_difference() {
    let (ground, plan, _) = verified().await;
    for change in [
        "begin; set local session_replication_role = replica; update heirloom.memory set metadata = jsonb_set(metadata, '{n}', '1.5'); commit",
        "begin; set local session_replication_role = replica; update heirloom.memory set embedding = replace(embedding::text, ',0,', ',-0,')::vector; commit",
        "begin; set local session_replication_role = replica; update heirloom.memory set content = content, created_at = created_at at time zone 'Asia/Kolkata' at time zone 'Asia/Kolkata'; commit",
        "alter table heirloom.memory alter column content set storage external",
        "analyze heirloom.memory",
        "do $$ begin execute format('alter database %I set timezone = ''Asia/Kathmandu''', current_database()); execute format('alter database %I set datestyle = ''German''', current_database()); execute format('alter database %I set extra_float_digits = 0', current_database()); end $$",
    ] {
        ground.sql(change).await;
        let found = ground.verify(&plan).await.unwrap();
        assert!(found.holds, "{change}: {:#?}", found.differences.first());
    }
    ground.close().await;
}

/// The bug sits where the encoder would have it, between what was mapped and what is stored; every digest of the writing
/// side is right.
#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_with_a_bug_is_caught() {
    for (bug, column) in [
        ("new.created_at = date_trunc('milliseconds', new.created_at)", "created_at"),
        ("new.embedding = new.embedding::halfvec::vector", "embedding"),
        ("new.metadata = jsonb_set(new.metadata, '{big}', to_jsonb((new.metadata ->> 'big')::float8))", "metadata"),
        ("new.content = normalize(new.content, NFC)", "content"),
        ("new.embedding_model = null", "embedding_model"),
    ] {
        let ground = Ground::new(&legacy(100)).await;
        ground
            .sql(&format!(
                "create function bug() returns trigger language plpgsql as $$ begin {bug}; return new; end $$;
                 create trigger a_bug before insert on heirloom.memory for each row execute function bug()"
            ))
            .await;
        let plan = ground.plan(FILE, 40).await.unwrap();
        assert_eq!(ground.apply(&plan).await.unwrap().inserted, 100);
        let found = ground.verify(&plan).await.unwrap();
        assert_eq!(found.difference_count, 100, "{bug}");
        assert!(found.differences.iter().all(|one| one.column.as_deref() == Some(column)), "{bug}");
        ground.close().await;
    }
}

/// The page that describes the kinds names these and no others.
#[test]
fn the_reference_lists_the_kinds() {
    let page = include_str!("../../../../docs/reference/verify.md");
    let listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter(|(number, _)| number.parse::<u32>().is_ok())
        .filter_map(|(_, rest)| rest.split(" | ").next())
        .collect();
    let kinds: Vec<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed, kinds);
}
