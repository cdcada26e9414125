//! `docs/guides/into-a-memory-plugin.md`, command by command, on a server; that every command is one is asked everywhere.

use heirloom_engine::testkit::TestDatabase;

use crate::door::Door;
use crate::guide::{shown, walk};
use crate::support::Home;

const PAGE: &str = include_str!("../../../../docs/guides/into-a-memory-plugin.md");

#[test]
fn every_command_of_the_guide_is_one() {
    assert!(shown(PAGE) >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_holds_from_its_first_command_to_its_last() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let (home, legacy) = (Home::new(), TestDatabase::fresh().await);
    let served = Door::start("plugin", &[("MEMORY_PLUGIN_LISTEN_ADDR", "127.0.0.1:0")]).await;
    let url = format!("plugin+{}", served.url());
    let given = [("LEGACY_URL", legacy.url().unwrap()), ("PLUGIN_URL", url.as_str())];
    let compared = walk(PAGE, &home, &legacy, &given, |_| None, |_, _| {}).await;
    assert_eq!(compared, 1);
    let counts = served.run("stats -n team:search --json").json();
    assert_eq!(counts["counts"][0]["memories"], 150);
    assert_eq!(served.log().matches("route=\"/v1/namespaces/{name}/memories\"").count(), 150, "each was sent once");
    let report = std::fs::read_to_string(home.path().join("heirloom-report/report.html")).unwrap();
    let said =
        "The target shows namespace, kind, source, content, pin, propagation, expires_at alone; nothing is said of";
    assert!(report.contains(said), "{report}");
    assert!(report.contains("The target shows a part of 1 namespace alone"), "{report}");
    // What is for stores alone says so.
    for line in ["verify notes.plan.json --target-only", "soak start notes.plan.json", "apply notes.plan.json --follow"]
    {
        let ran = home.run_with(line, &given);
        assert_ne!(ran.code, 0, "{line}");
        assert!(ran.stderr.contains("is for rows in a Heirloom store"), "{line}: {ran}");
    }
    assert_eq!(served.stop().await, Some(0));
    legacy.close().await;
}
