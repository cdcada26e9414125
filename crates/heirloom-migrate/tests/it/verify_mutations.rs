//! Twenty-four kinds of damage, planted together in one large verified target: each found, and named to row and column.
//! Then the other direction: what changes only the representation raises no alarm, and an encoder with a bug is caught.

use heirloom_migrate::plan::Plan;

use crate::mutation_kinds::{FILE, KINDS, REPRESENTATIONS, legacy, named, planted};
use crate::support::Ground;

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
    let (statements, expected) = planted(rows, async |query| ground.one(&query).await).await;
    for statement in statements {
        ground.sql(&statement).await;
    }
    let found = ground.verify(&plan).await.unwrap();
    assert_eq!(named(&found), expected);
    assert_eq!(found.difference_count, expected.len() as u64, "each once, and nothing else");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_only_the_representation_is_no_difference() {
    let (ground, plan, _) = verified().await;
    for change in REPRESENTATIONS {
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
