//! The traps of the first seed, each by its name.

use heirloom_migrate::plan::Severity;
use heirloom_migrate::value::Value;

use crate::fake::{case, moment, text};

#[tokio::test]
async fn scope_flattened() {
    let scopes = vec![text("LOCAL"), text("TEAM"), text("GLOBAL"), text("LOCAL")];
    let flat = case(4).column("scope", "varchar(10)", scopes.clone());
    let finding = flat.finds("scope-flattened").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Danger, Some(4)));
    assert!(finding.what.contains("LOCAL (2)"), "{}", finding.what);
    assert!(finding.write.contains("from = \"scope\""), "{}", finding.write);

    let heeded =
        "from = \"scope\"\nvalues = { LOCAL = \"workspace:{ws}\", TEAM = \"team:{ws}\", GLOBAL = \"org:all\" }";
    case(4).column("scope", "text", scopes).namespace(heeded).silent("scope-flattened").await;
    case(4).column("scope", "text", vec![text("LOCAL"); 4]).silent("scope-flattened").await;
}

#[tokio::test]
async fn workspace_missing() {
    let nulls =
        case(3).column("ws", "text", vec![Value::Null, text("w1"), Value::Null]).section("[reject]\nbudget = \"2\"");
    let finding = nulls.finds("workspace-missing").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Danger, Some(2)));
    let plan = nulls.plan().await;
    assert!(plan.namespaces.iter().all(|count| count.namespace != "workspace:"), "{:?}", plan.namespaces);
    case(3).silent("workspace-missing").await;
}

#[tokio::test]
async fn created_at_unmapped() {
    let finding = case(2).unmap("created_at").finds("created-at-unmapped").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Danger, Some(2)));
    assert_eq!(finding.write, "[map] created_at = \"created_at\"");
    case(2).silent("created-at-unmapped").await;
}

#[tokio::test]
async fn created_at_missing() {
    let times = vec![moment("2026-01-01T00:00:00Z"), Value::Null, Value::Null];
    let finding = case(3).column("created_at", "timestamptz", times).finds("created-at-missing").await;
    assert_eq!(finding.rows, Some(2));
    case(3).silent("created-at-missing").await;
}

#[tokio::test]
async fn embedding_unmentioned() {
    let vectors = vec![Value::Vector(vec![0.5; 4]), Value::Null];
    let finding = case(2).column("embedding", "vector(4)", vectors.clone()).finds("embedding-unmentioned").await;
    assert_eq!(finding.rows, Some(1));
    let mapped = case(2)
        .column("embedding", "vector(4)", vectors.clone())
        .map("embedding", "{ from = \"embedding\", model = \"m\" }");
    mapped.silent("embedding-unmentioned").await;
    let dropped =
        case(2).column("embedding", "vector(4)", vectors).section("[keep]\ndrop = { embedding = \"another model\" }");
    dropped.silent("embedding-unmentioned").await;
}

#[tokio::test]
async fn count_proof() {
    let mut live = case(2);
    live.target.live_rows = Some(1805);
    assert!(live.finds("count-proof").await.what.contains("1805"));
    case(2).finds("count-proof").await;
    case(0).silent("count-proof").await;
}

#[tokio::test]
async fn spot_check() {
    let finding = case(100).finds("spot-check").await;
    assert!(finding.what.contains("3.00 per cent of 100"), "{}", finding.what);
    case(3).silent("spot-check").await;
}

#[tokio::test]
async fn json_null() {
    let metadata = vec![Value::Json("null".into()), Value::Json("{\"a\":1}".into()), Value::Null];
    let finding =
        case(3).column("meta", "jsonb", metadata).map("metadata", "{ merge = [\"meta\"] }").finds("json-null").await;
    assert_eq!(finding.rows, Some(1));
    case(1).column("meta", "jsonb", vec![Value::Null]).silent("json-null").await;
}

#[tokio::test]
async fn shared_identity() {
    let mut same = case(1);
    same.target.identity.role = "reader".into();
    assert!(same.finds("shared-identity").await.what.contains("Role reader"));
    case(1).silent("shared-identity").await;
}

#[tokio::test]
async fn marker_writes_source() {
    let finding = case(2).source("mark = \"migrated_at\"").finds("marker-writes-source").await;
    assert_eq!(finding.rows, Some(2));
    case(2).silent("marker-writes-source").await;
}

#[tokio::test]
async fn mocked_database() {
    assert_eq!(case(2).finds("mocked-database").await.rows, Some(2));
    case(0).silent("mocked-database").await;
}

#[tokio::test]
async fn secret_in_clear() {
    let contents = vec![text("the key is sk-abcdefghijklmnop1234"), text("all quiet")];
    let leaky = case(2).column("content", "text", contents);
    let finding = leaky.finds("secret-in-clear").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Danger, Some(1)));
    assert!(finding.what.contains("SK_TOKEN (1) (key "), "{}", finding.what);
    let plan = leaky.plan().await;
    let json = serde_json::to_string(&plan).unwrap();
    assert!(!json.contains("abcdefghijklmnop1234"), "the plan shows the credential");
    case(2).silent("secret-in-clear").await;
}

#[tokio::test]
async fn outbox_writes_source() {
    let finding = case(2).source("outbox = true").finds("outbox-writes-source").await;
    assert!(finding.what.contains("four triggers"), "{finding:?}");
    case(2).silent("outbox-writes-source").await;
}

#[tokio::test]
async fn source_not_frozen() {
    let mut writable = case(1);
    writable.identity.can_write = true;
    writable.finds("source-not-frozen").await;
    case(1).silent("source-not-frozen").await;
}

#[tokio::test]
async fn late_writer() {
    let times = vec![moment("2026-11-22T11:00:00Z"), moment("2026-05-01T00:00:00Z")];
    assert_eq!(case(2).column("updated_at", "timestamptz", times).finds("late-writer").await.rows, Some(1));
    case(2).silent("late-writer").await;
}

#[tokio::test]
async fn team_middle_node() {
    let nodes = [("root", None), ("middle", Some("root")), ("leaf", Some("middle"))];
    let team = case(2)
        .column("ws", "text", vec![text("middle"), text("leaf")])
        .namespace("template = \"team:{team_root}\"")
        .tree(&nodes);
    assert_eq!(team.finds("team-middle-node").await.rows, Some(1));
    case(2).tree(&[("w1", None)]).silent("team-middle-node").await;
}

#[tokio::test]
async fn global_narrowed() {
    let global = |nodes| case(2).namespace("template = \"org:{org_root}\"").tree(nodes);
    assert_eq!(global(&[("w1", None), ("other", None)]).finds("global-narrowed").await.rows, Some(2));
    global(&[("w1", None), ("child", Some("w1"))]).silent("global-narrowed").await;
}
