//! The traps of a target that is no store, each by its name.

use heirloom_migrate::plan::{Finding, Plan, Severity};

use crate::pgmnemo_ground::{Beside, LEGACY, file};

fn finding<'a>(plan: &'a Plan, id: &str) -> Option<&'a Finding> {
    plan.findings.iter().find(|finding| finding.id == id)
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_by_target() {
    let beside = Beside::new(LEGACY).await;
    assert_eq!(finding(&beside.plan(&file(""), 50).await.unwrap(), "closed-by-target"), None);
    beside.ground.sql("update lesson set author = 'dev', sha = 'v' where id in (1, 3, 5)").await;
    let plan = beside.plan(&file("collisions = \"spread\""), 50).await.unwrap();
    let found = finding(&plan, "closed-by-target").unwrap();
    assert_eq!((found.severity, found.rows), (Severity::Danger, Some(3)));
    assert!(found.what.ends_with("one of each kind stays open, and 2 rows will be closed"), "{}", found.what);
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entity_name_taken() {
    let beside = Beside::new(LEGACY).await;
    let toml = file("").replace(
        "[reject]",
        "content_type = { expr = \"case when id < 20 then 'entity' end\" }\nvalid_to = \"over\"\n[reject]",
    );
    beside.ground.sql("alter table lesson add over timestamptz").await;
    beside.ground.sql("update lesson set extra = jsonb_build_object('canonical_name', 'Entity ' || id)").await;
    assert_eq!(finding(&beside.plan(&toml, 50).await.unwrap(), "entity-name-taken"), None);
    // Of project 2: two of one name in other capitals, and one of theirs. A number is a name, an end and another project part.
    beside
        .ground
        .sql(
            "update lesson set extra = '{\"canonical_name\": \"Unit A\"}' where id in (3, 4, 20);
             update lesson set extra = '{\"canonical_name\": \"uNIT a\"}' where id = 5;
             update lesson set extra = '{\"canonical_name\": 1.50}' where id in (7, 9);
             update lesson set extra = '{\"canonical_name\": \"over\"}', over = '2026-05-01' where id in (11, 13);
             update lesson set extra = '{\"canonical_name\": null}' where id in (15, 17)",
        )
        .await;
    beside
        .sql(
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id, content_type, metadata)
             select 'ops', 'x', 'theirs', 'theirs' || p, p, 'entity', '{\"canonical_name\": \"entity 1\"}' from generate_series(1, 3) p",
        )
        .await;
    let plan = beside.plan(&toml, 50).await.unwrap();
    let found = finding(&plan, "entity-name-taken").unwrap();
    assert_eq!((found.severity, found.rows), (Severity::Danger, Some(6)));
    assert!(found.what.ends_with("1 of them there already (keys 1, 3, 5, 7 and 9)"), "{}", found.what);
    assert!(
        plan.refusals[0].starts_with("6 rows are open entities with the canonical_name of another"),
        "{:?}",
        plan.refusals
    );
    assert!(beside.apply(&plan).await.is_err());
    assert_eq!(beside.one("select count(*) from pgmnemo.agent_lesson").await, "3");
    // Mended as it says, each goes in.
    beside
        .ground
        .sql("update lesson set extra = jsonb_build_object('canonical_name', 'own ' || id) where id in (1, 5, 9)")
        .await;
    let plan = beside.handed_down(&toml, 7).await;
    assert_eq!((finding(&plan, "entity-name-taken"), plan.counts.rejected), (None, 1));
    assert_eq!(beside.one("select count(*) from pgmnemo.agent_lesson where doc_ref is not null").await, "40");
    // One that came into being since is set aside, as the database refuses it.
    let plan = beside.plan(&toml.replace("budget = \"1\"", "budget = \"2\""), 50).await.unwrap();
    beside.ground.sql("update lesson set extra = '{\"canonical_name\": \"ENTITY 2\"}' where id = 6").await;
    let applied = beside.apply(&plan).await.unwrap();
    assert_eq!((applied.updated, applied.rejected), (0, 2));
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_carried() {
    let beside = Beside::new(LEGACY).await;
    let fact = file("").replace("kind = { value = \"lesson\" }", "kind = { value = \"fact\" }\npin = { value = true }");
    let plan = beside.plan(&fact, 50).await.unwrap();
    let found = finding(&plan, "not-carried").unwrap();
    assert_eq!((found.severity, found.rows), (Severity::Danger, Some(40)));
    assert_eq!(
        found.what,
        "the target has no place for kind of 40 rows, pin of 40 rows and embedding_model of 30 rows"
    );
    let bare = file("").replace("embedding = { from = \"emb\", model = \"tiny\" }", "embedding = \"emb\"");
    assert_eq!(finding(&beside.plan(&bare, 50).await.unwrap(), "not-carried"), None);
    beside.close().await;
}
