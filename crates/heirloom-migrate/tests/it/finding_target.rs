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
