//! The ground of the verify tests: a legacy table handed down whole, and a way to damage one row and put it back.

use heirloom_migrate::plan::Plan;
use heirloom_migrate::verify::{Class, Difference, Verification};

use crate::support::Ground;

const LEGACY: &str = "
    create schema legacy;
    create table legacy.note (
        id bigint primary key, author text, body text, mood text, extra jsonb, made timestamptz, emb vector(3), run text
    );
    insert into legacy.note
    select g, 'agent-' || g % 3, 'note ' || g || E'\\r\\n' || chr(20000 + g), 'active',
           case when g = 11 then 'null' when g = 12 then null else '{\"n\": 1.00, \"b\": [1, null], \"a\": -0}' end::jsonb,
           timestamptz '2026-01-01' + g * interval '1.000001 s', '[1,-0,0.1]'::vector, '99999999999999999999'
      from generate_series(1, 40) g;
    insert into legacy.note (id, author, body, mood) values (41, 'agent-1', E' \\t ', 'active');
";

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
metadata = "extra"
created_at = "made"
embedding = { from = "emb", model = "tiny" }
source_run_id = "run"

[reject]
budget = "1"
"#;

/// Forty rows handed down in chunks of eight, one set aside, verified.
pub(crate) async fn handed_down() -> (Ground, Plan) {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 8).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let verification = ground.verify(&plan).await.unwrap();
    assert!(verification.holds, "{:#?}", verification.differences);
    assert_eq!((verification.equal, verification.rejected), (40, 1));
    // Triggers are off in a damage, so that it changes what it says and nothing else.
    ground
        .sql(
            "create schema kept;
             create table kept.memory as select * from heirloom.memory;
             create table kept.origin as select * from heirloom.origin",
        )
        .await;
    (ground, plan)
}

impl Ground {
    /// Runs `damage` behind the store's back, with no trigger of ours to see it. `:id` is the memory of legacy note 10.
    pub(crate) async fn damage(&self, damage: &str) {
        let damage = damage.replace(":id", "(select id from kept.origin where source_key = '[\"10\"]')");
        self.sql(&format!("begin; set local session_replication_role = replica; {damage}; commit")).await;
    }

    /// Puts memory and origin back as they were handed down.
    pub(crate) async fn mend(&self) {
        let columns = self
            .one(
                "select string_agg(quote_ident(attname), ', ') from pg_attribute
                 where attrelid = 'heirloom.memory'::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
            )
            .await;
        self.damage(&format!(
            "delete from heirloom.memory; delete from heirloom.origin; delete from heirloom.tombstone;
             insert into heirloom.memory ({columns}) select {columns} from kept.memory;
             insert into heirloom.origin select * from kept.origin"
        ))
        .await;
    }
}

/// The one difference there is.
pub(crate) fn only(verification: &Verification, after: &str) -> Difference {
    assert!(!verification.holds, "not found: {after}");
    assert_eq!(verification.difference_count, 1, "{after}: {:#?}", verification.differences);
    verification.differences[0].clone()
}

/// Class, column and source key of the one difference there is.
pub(crate) fn place(verification: &Verification, after: &str) -> (Class, String, Vec<String>) {
    let difference = only(verification, after);
    (difference.class, difference.column.unwrap_or_default(), difference.key)
}
