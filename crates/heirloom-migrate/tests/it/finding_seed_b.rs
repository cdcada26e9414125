//! The traps of the second seed, each by its name.

use heirloom_migrate::plan::{Plan, Severity};
use heirloom_migrate::value::Value;

use crate::fake::{Case, case, moment, text};

/// A table with a status, mapped as the guide says.
fn statuses(values: &[&str]) -> Case {
    case(values.len())
        .column("status", "text", values.iter().map(|value| text(value)).collect())
        .map(
            "state",
            "{ from = \"status\", values = { pending = \"draft\", active = \"candidate\", approved = \"validated\", superseded = \"superseded\", deleted = \"archived\" }, otherwise = \"candidate\" }",
        )
}

/// What a status becomes.
fn becomes<'a>(plan: &'a Plan, value: &str) -> &'a str {
    let state = plan.enumerations.iter().find(|e| e.field == "state").unwrap();
    &state.values.iter().find(|v| v.value.as_deref() == Some(value)).unwrap().becomes
}

#[tokio::test]
async fn ambiguous_state() {
    let finding = statuses(&["active", "approved", "active", "pending"]).finds("ambiguous-state").await;
    assert_eq!(finding.rows, Some(3));
    assert!(finding.what.contains("active becomes candidate"), "{}", finding.what);
    statuses(&["pending"]).silent("ambiguous-state").await;
}

#[tokio::test]
async fn superseded_state() {
    let finding = statuses(&["superseded", "pending"]).finds("superseded-state").await;
    assert_eq!(finding.rows, Some(1));
    assert!(finding.what.contains("superseded becomes superseded"), "{}", finding.what);
    statuses(&["pending"]).silent("superseded-state").await;
}

#[tokio::test]
async fn state_case() {
    let mixed = statuses(&["Active", "active", " ACTIVE ", "pending"]);
    let finding = mixed.finds("state-case").await;
    assert_eq!(finding.rows, Some(2));
    let plan = mixed.plan().await;
    for value in ["Active", "active", " ACTIVE "] {
        assert_eq!(becomes(&plan, value), "candidate");
    }
    statuses(&["active", "pending"]).silent("state-case").await;
}

#[tokio::test]
async fn state_revived() {
    // `Deleted` is listed (case does not count); `removed` is not, and falls to `otherwise`.
    let revived = statuses(&["Deleted", "removed", "pending"]);
    let finding = revived.finds("state-revived").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Danger, Some(1)));
    assert_eq!(becomes(&revived.plan().await, "Deleted"), "archived");

    let flag = case(2).column("deleted_at", "timestamptz", vec![moment("2026-06-01T00:00:00Z"), Value::Null]);
    assert_eq!(flag.finds("state-revived").await.rows, Some(1));
    // Camel case is a name like another, and a row that two columns call gone is one row.
    let twice = case(2).column("deletedAt", "timestamptz", vec![moment("2026-06-01T00:00:00Z"), Value::Null]).column(
        "is_archived",
        "boolean",
        vec![Value::Bool(true), Value::Bool(false)],
    );
    assert_eq!(twice.finds("state-revived").await.rows, Some(1));
    // What ends with its deletion is not recalled again.
    let ended = case(2)
        .column("deleted_at", "timestamptz", vec![moment("2026-06-01T00:00:00Z"), Value::Null])
        .map("valid_to", "\"deleted_at\"");
    ended.silent("state-revived").await;
    let unread = case(2).column("status", "text", vec![text("archived"), text("active")]);
    assert_eq!(unread.finds("state-revived").await.rows, Some(1));
    statuses(&["Deleted", "pending"]).silent("state-revived").await;
}

#[tokio::test]
async fn verified_without_commit() {
    let verified = |commits: Vec<Value>| {
        case(2)
            .column("verified", "boolean", vec![Value::Bool(true), Value::Bool(false)])
            .column("git_sha", "text", commits)
            .map("verified_at", "{ from = \"verified\", when_true = [\"created_at\"] }")
            .map("commit_sha", "\"git_sha\"")
    };
    assert_eq!(verified(vec![Value::Null, Value::Null]).finds("verified-without-commit").await.rows, Some(1));
    verified(vec![text("a3f9b12"), Value::Null]).silent("verified-without-commit").await;
}

#[tokio::test]
async fn ttl_from_now() {
    let ttl = || case(2).column("ttl_seconds", "bigint", vec![Value::Int(60), Value::Null]);
    let since = "{ from = \"ttl_seconds\", ttl = \"seconds\", since = \"created_at\" }";
    let finding = ttl().map("expires_at", since).finds("ttl-from-now").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Note, Some(1)));
    let unmapped = ttl().finds("ttl-from-now").await;
    assert_eq!((unmapped.severity, unmapped.rows), (Severity::Warning, Some(1)));
    let no_start = ttl().column("created_at", "timestamptz", vec![Value::Null; 2]).map("expires_at", since);
    assert_eq!(no_start.finds("ttl-from-now").await.severity, Severity::Warning);
    case(2).silent("ttl-from-now").await;
}

#[tokio::test]
async fn already_expired() {
    let expiring = |at: &str| {
        case(2)
            .column("retain_until", "timestamptz", vec![moment(at), Value::Null])
            .map("expires_at", "{ from = \"retain_until\", ttl = \"absolute\" }")
    };
    let past = expiring("2026-01-01T00:00:00Z");
    assert_eq!(past.finds("already-expired").await.rows, Some(1));
    assert_eq!(past.plan().await.counts.accepted, 2, "an expired row is handed down all the same");
    expiring("2027-01-01T00:00:00Z").silent("already-expired").await;
    // Expired from that very instant on.
    expiring("2026-11-22T12:00:00Z").finds("already-expired").await;
}

#[tokio::test]
async fn run_id_overflow() {
    let run = |id: &str| case(1).column("run_id", "text", vec![text(id)]).map("source_run_id", "\"run_id\"");
    let long = run("99999999999999999999");
    assert_eq!(long.finds("run-id-overflow").await.rows, Some(1));
    assert_eq!(long.plan().await.counts.rejected, 0);
    run("42").silent("run-id-overflow").await;
    run("run-99999999999999999999").silent("run-id-overflow").await;
}

#[tokio::test]
async fn priority_rounded() {
    let priorities = (1..=10).map(Value::Int).collect();
    let scaled = case(10)
        .column("priority", "integer", priorities)
        .map("importance", "{ from = \"priority\", scale = [1, 10] }");
    let finding = scaled.finds("priority-rounded").await;
    assert!(finding.rows.is_some_and(|rows| rows > 0 && rows < 10), "{:?}", finding.rows);
    case(1)
        .column("priority", "integer", vec![Value::Int(3)])
        .map("importance", "\"priority\"")
        .silent("priority-rounded")
        .await;
}

#[tokio::test]
async fn idempotency_guard() {
    assert!(case(1).finds("idempotency-guard").await.what.contains("key (id)"));
    case(0).silent("idempotency-guard").await;
}

#[tokio::test]
async fn updated_at_from_created() {
    let finding = case(2).map("updated_at", "\"created_at\"").finds("updated-at-from-created").await;
    assert_eq!(finding.rows, Some(2));
    assert!(finding.what.contains("read from created_at"), "{}", finding.what);
    case(2).unmap("updated_at").finds("updated-at-from-created").await;
    case(2).silent("updated-at-from-created").await;
}

#[tokio::test]
async fn tenant_bypass() {
    let mut superuser = case(1);
    superuser.target.identity.superuser = true;
    superuser.identity.bypass_rls = true;
    let finding = superuser.finds("tenant-bypass").await;
    assert!(finding.what.starts_with("Role reader reads the source and bypasses"), "{}", finding.what);
    assert!(finding.what.contains("role writer writes the store and is a superuser"), "{}", finding.what);
    case(1).silent("tenant-bypass").await;
}

#[tokio::test]
async fn rows_hidden() {
    let mut filtered = case(1);
    filtered.identity.filtered = true;
    let finding = filtered.finds("rows-hidden").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Warning, None));
    case(1).silent("rows-hidden").await;
}

/// Lessons with a role, a topic and the given commits.
fn lessons(commits: Vec<Value>) -> Case {
    let rows = commits.len();
    case(rows)
        .column("agent", "text", vec![text("developer"); rows])
        .column("layer", "text", vec![text("security"); rows])
        .column("git_sha", "text", commits)
        .map("kind", "{ value = \"lesson\" }")
        .map("role", "\"agent\"")
        .map("topic", "\"layer\"")
        .map("commit_sha", "\"git_sha\"")
}

#[tokio::test]
async fn invisible_without_provenance() {
    let ghosts = lessons(vec![Value::Null, text("a3f9b12"), Value::Null]);
    let count = ghosts.plan().await.counts.ghosts;
    assert!(count >= 2);
    assert_eq!(ghosts.finds("invisible-without-provenance").await.rows, Some(count));
    case(2).silent("invisible-without-provenance").await;
}

#[tokio::test]
async fn dimension_mismatch() {
    let vectors = |width| {
        case(2)
            .column("embedding", "vector", vec![Value::Vector(vec![0.5; width]), Value::Vector(vec![0.5; 4])])
            .map("embedding", "{ from = \"embedding\", model = \"m\", otherwise = \"keep\" }")
    };
    let wide = vectors(6);
    let finding = wide.finds("dimension-mismatch").await;
    assert_eq!(finding.rows, Some(1));
    assert!(finding.what.contains("6 dimensions: 1 row"), "{}", finding.what);
    assert_eq!(wide.plan().await.counts.accepted, 2);
    vectors(4).silent("dimension-mismatch").await;
}

#[tokio::test]
async fn model_widths() {
    let vectors = |widths: [usize; 3], how: &str| {
        let vector = |width| Value::Vector(vec![0.5; width]);
        case(3)
            .column("embedding", "vector", widths.map(vector).to_vec())
            .map("embedding", &format!("{{ from = \"embedding\", {how} }}"))
    };
    let finding = vectors([3, 4, 3], "model = \"m\"").finds("model-widths").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Danger, Some(1)));
    assert!(finding.what.contains("m in ") && finding.what.contains("(3 and 4)"), "{}", finding.what);
    vectors([3, 3, 3], "model = \"m\"").silent("model-widths").await;
    // Vectors that name no model are of no model that could have one width.
    vectors([3, 4, 3], "").silent("model-widths").await;
    vectors([3, 4, 3], "model = \"m\", unpad = 3, otherwise = \"keep\"").silent("model-widths").await;
}

#[tokio::test]
async fn content_hash_collision() {
    let same = lessons(vec![text("a3f9b12"), text("a3f9b12"), text("other"), Value::Null, Value::Null]);
    assert_eq!(same.finds("content-hash-collision").await.rows, Some(2));
    assert_eq!(same.plan().await.counts.accepted, 5, "each of them lives here");
    lessons(vec![text("a"), text("b")]).silent("content-hash-collision").await;
}
