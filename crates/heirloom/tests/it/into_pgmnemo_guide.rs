//! `docs/guides/into-pgmnemo.md`, command by command, on a server; that every command is one is asked everywhere.

use heirloom_engine::testkit::TestDatabase;

use crate::guide::{shown, walk};
use crate::support::Home;

const PAGE: &str = include_str!("../../../../docs/guides/into-pgmnemo.md");

/// pgmnemo's table of lessons with its triggers.
const PGMNEMO: &str = include_str!("../../../heirloom-migrate/tests/it/pgmnemo.sql");

#[test]
fn every_command_of_the_guide_is_one() {
    assert!(shown(PAGE) >= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_holds_from_its_first_command_to_its_last() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let (home, legacy, there) = (Home::new(), TestDatabase::fresh().await, TestDatabase::fresh().await);
    let over_there = async |sql: &str| -> String {
        there.database().client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
    };
    there.database().client().await.unwrap().batch_execute(PGMNEMO).await.unwrap();
    let url = format!("pgmnemo+{}", there.url().unwrap());
    let given = [("LEGACY_URL", legacy.url().unwrap()), ("PGMNEMO_URL", url.as_str())];
    let compared = walk(
        PAGE,
        &home,
        &legacy,
        &given,
        |_| None,
        |fence, ran| {
            if fence != "sh" {
                assert!(ran.stdout.contains("3 rows share role, topic and commit"), "{ran}");
            }
        },
    )
    .await;
    assert_eq!(compared, 1);
    let counts = "select count(*) || ' ' || count(*) filter (where t_valid_to = 'infinity') || ' ' ||
                         count(*) filter (where t_valid_from = created_at) from pgmnemo.agent_lesson";
    assert_eq!(over_there(counts).await, "200 198 200");
    let open = "select lesson_text from pgmnemo.agent_lesson where topic = 'deploy' and t_valid_to = 'infinity'";
    assert_eq!(over_there(open).await, "Deploys are frozen on Thursdays and Fridays.");
    let report = std::fs::read_to_string(home.path().join("heirloom-report/report.html")).unwrap();
    assert!(report.contains("The target does not show kind, pin, propagation, embedding_model"), "{report}");
    assert!(report.contains("pgmnemo.agent_lesson"));
    // What is for stores alone says so.
    for line in
        ["verify lessons.plan.json --target-only", "soak start lessons.plan.json", "apply lessons.plan.json --follow"]
    {
        let ran = home.run_with(line, &given);
        assert_ne!(ran.code, 0, "{line}");
        assert!(ran.stderr.contains("is for rows in a Heirloom store"), "{line}: {ran}");
    }
    legacy.close().await;
    there.close().await;
}
