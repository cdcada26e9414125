//! The traps that single values hold, each by its name.

use heirloom_migrate::plan::Severity;
use heirloom_migrate::value::Value;
use heirloom_store::Moment;

use crate::fake::{case, text};

/// A wall-clock time.
fn wall(at: &str) -> Value {
    Value::LocalTime(Moment::from_timestamp(format!("{at}Z").parse().unwrap()))
}

#[tokio::test]
async fn duplicate_content() {
    let contents = vec![text("same"), text("same"), text("other"), text("same")];
    let twice = case(4).column("content", "text", contents);
    assert_eq!(twice.finds("duplicate-content").await.rows, Some(2));
    assert_eq!(twice.plan().await.counts.accepted, 4, "nothing is merged");
    case(2).silent("duplicate-content").await;
}

#[tokio::test]
async fn duplicate_key() {
    let keys = vec![text("001"), text("001"), text("002")];
    let finding = case(3).column("id", "text", keys).section("[reject]\nbudget = \"1\"").finds("duplicate-key").await;
    assert_eq!((finding.severity, finding.rows), (Severity::Danger, Some(1)));
    case(2).silent("duplicate-key").await;
}

#[tokio::test]
async fn naive_timestamp() {
    let naive = |zone: &str| {
        case(1)
            .column("created_at", "timestamp", vec![wall("2026-05-01T10:00:00")])
            .map("created_at", &format!("{{ from = \"created_at\"{zone} }}"))
    };
    // Without a zone the file is refused or warned of; it is never read in silence.
    match naive("").try_plan(heirloom_migrate::plan::Limits::default()).await {
        Ok(plan) => assert!(plan.findings.iter().any(|finding| finding.id == "naive-timestamp")),
        Err(error) => assert!(error.to_string().contains("zone"), "{error}"),
    }
    naive(", zone = \"Europe/Berlin\"").silent("naive-timestamp").await;
}

#[tokio::test]
async fn ambiguous_local_time() {
    let times = vec![wall("2025-11-02T01:30:00"), wall("2025-03-09T02:30:00"), wall("2025-06-01T12:00:00")];
    let odd = case(3)
        .column("created_at", "timestamp", times)
        .map("created_at", "{ from = \"created_at\", zone = \"America/Los_Angeles\" }");
    assert_eq!(odd.finds("ambiguous-local-time").await.rows, Some(2));
    case(1).silent("ambiguous-local-time").await;
}

#[tokio::test]
async fn sub_microsecond() {
    let nanos = |at: i64| {
        case(1).column("ts", "bigint", vec![Value::Int(at)]).map("created_at", "{ from = \"ts\", epoch = \"ns\" }")
    };
    assert_eq!(nanos(1_700_000_000_000_000_123).finds("sub-microsecond").await.rows, Some(1));
    nanos(1_700_000_000_000_000_000).silent("sub-microsecond").await;
}

#[tokio::test]
async fn infinite_time() {
    let never = case(1)
        .column("retain_until", "timestamptz", vec![Value::Moment(Moment::Infinity)])
        .map("expires_at", "{ from = \"retain_until\", ttl = \"absolute\" }");
    assert_eq!(never.finds("infinite-time").await.rows, Some(1));
    assert_eq!(never.plan().await.counts.expired, 0);
    case(1).silent("infinite-time").await;
}

#[tokio::test]
async fn large_value() {
    let finding = case(1).column("content", "text", vec![text(&"word ".repeat(300_000))]).finds("large-value").await;
    assert!(finding.what.contains("1500000 bytes"), "{}", finding.what);
    case(1).silent("large-value").await;
}

#[tokio::test]
async fn nul_in_text() {
    let nul = case(2).column("content", "text", vec![text("a\0b"), text("ok")]).section("[reject]\nbudget = \"1\"");
    assert_eq!(nul.finds("nul-in-text").await.rows, Some(1));
    case(1).silent("nul-in-text").await;
}

#[tokio::test]
async fn invalid_utf8() {
    let bytes = Value::InvalidText(vec![0x66, 0xff, 0x6f]);
    let invalid = case(2).column("content", "text", vec![bytes, text("ok")]).section("[reject]\nbudget = \"1\"");
    assert_eq!(invalid.finds("invalid-utf8").await.rows, Some(1));
    case(1).silent("invalid-utf8").await;
}

#[tokio::test]
async fn json_unstorable() {
    let metadata = |json: &str| {
        case(1)
            .column("meta", "json", vec![Value::Json(json.into())])
            .map("metadata", "{ merge = [\"meta\"] }")
            .section("[reject]\nbudget = \"1\"")
    };
    assert_eq!(metadata(r#"{"a":"\ud800"}"#).finds("json-unstorable").await.rows, Some(1));
    assert_eq!(metadata(r#"{"a":"\u0000"}"#).finds("json-unstorable").await.rows, Some(1));
    // A backslash before it makes it six harmless characters.
    metadata(r#"{"a":"\\u0000"}"#).silent("json-unstorable").await;
}

#[tokio::test]
async fn json_duplicate_key() {
    let metadata = |json: &str| {
        case(1).column("meta", "json", vec![Value::Json(json.into())]).map("metadata", "{ merge = [\"meta\"] }")
    };
    assert_eq!(metadata(r#"{"a":1,"a":2}"#).finds("json-duplicate-key").await.rows, Some(1));
    metadata(r#"{"a":1,"b":2}"#).silent("json-duplicate-key").await;
}

#[tokio::test]
async fn vector_not_finite() {
    let vector = |first: f32| {
        case(1)
            .column("embedding", "vector", vec![Value::Vector(vec![first, 0.5, 0.5, 0.5])])
            .map("embedding", "{ from = \"embedding\", model = \"m\" }")
            .section("[reject]\nbudget = \"1\"")
    };
    assert_eq!(vector(f32::NAN).finds("vector-not-finite").await.rows, Some(1));
    assert_eq!(vector(f32::INFINITY).finds("vector-not-finite").await.rows, Some(1));
    vector(-0.0).silent("vector-not-finite").await;
}

#[tokio::test]
async fn half_precision_vector() {
    let vector = |declared: &str| {
        case(1)
            .column("embedding", declared, vec![Value::Vector(vec![0.099_975_586; 4])])
            .map("embedding", "{ from = \"embedding\", model = \"m\" }")
    };
    assert_eq!(vector("halfvec(4)").finds("half-precision-vector").await.rows, Some(1));
    vector("vector(4)").silent("half-precision-vector").await;
}

#[tokio::test]
async fn float_as_text() {
    let float = case(1).column("run", "double precision", vec![Value::Float64(0.1)]).map("source_run_id", "\"run\"");
    // A float is no text field's type: refused by name, or carried with a word about it.
    match float.try_plan(heirloom_migrate::plan::Limits::default()).await {
        Ok(plan) => assert!(plan.findings.iter().any(|finding| finding.id == "float-as-text"), "{:?}", plan.rejects),
        Err(error) => assert!(error.to_string().contains("run"), "{error}"),
    }
    case(1).silent("float-as-text").await;
}

#[tokio::test]
async fn deletes_unseen() {
    assert!(case(1).source("changed_at = \"updated_at\"").finds("deletes-unseen").await.what.contains("updated_at"));
    case(1).silent("deletes-unseen").await;
}

#[tokio::test]
async fn many_values() {
    let rows = heirloom_migrate::plan::MOST_VALUES + 5;
    let status = |values: Vec<Value>| {
        case(values.len()).column("status", "text", values).map("state", "{ from = \"status\", otherwise = \"draft\" }")
    };
    let many = status((0..rows).map(|n| text(&format!("status {n:06}"))).collect());
    assert_eq!(many.finds("many-values").await.rows, Some(5));
    status(vec![text("a"), text("b")]).silent("many-values").await;
}
