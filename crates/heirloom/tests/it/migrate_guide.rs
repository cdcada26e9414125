//! `docs/guides/migrate-your-table.md`, command by command, on a server; that every command is one is asked everywhere.

use heirloom_engine::testkit::TestDatabase;

use crate::guide::{shown, walk};
use crate::support::Home;

const PAGE: &str = include_str!("../../../../docs/guides/migrate-your-table.md");

#[test]
fn every_command_of_the_guide_is_one() {
    assert!(shown(PAGE) >= 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_holds_from_its_first_command_to_its_last() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let (home, legacy, target) = (Home::new(), TestDatabase::fresh().await, TestDatabase::fresh().await);
    let given = [("LEGACY_URL", legacy.url().unwrap()), ("DATABASE_URL", target.url().unwrap())];
    let value = |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let compared = walk(PAGE, &home, &legacy, &given, value, |_, _| {}).await;
    assert_eq!(compared, 2);
    // The findings that the guide speaks of are those that the plans have.
    let plan = |name: &str| std::fs::read_to_string(home.path().join(name)).unwrap();
    let (detected, mended) = (plan("detected.plan.json"), plan("notes.plan.json"));
    for finding in ["workspace-missing", "created-at-missing", "secret-in-clear", "ambiguous-state", "late-writer"] {
        assert!(detected.contains(&format!("\"{finding}\"")), "{finding}");
    }
    for finding in ["workspace-missing", "created-at-missing"] {
        assert!(!mended.contains(&format!("\"{finding}\"")), "{finding}");
    }
    let sql = "select string_agg(namespace || ' ' || n, ', ' order by namespace) from
                 (select namespace, count(*) as n from heirloom.memory group by 1) t";
    let row = target.database().client().await.unwrap().query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "custom:unassigned 1, team:billing 201, team:search 201");
    legacy.close().await;
    target.close().await;
}
