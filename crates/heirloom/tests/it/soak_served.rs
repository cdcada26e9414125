//! A soak that `heirloom serve` sweeps by itself, seen over HTTP.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::served::Served;

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_recorded_where_the_settings_say_so_and_asked_by_the_next_sweep() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, record) = (dir.path().join("config.toml"), dir.path().join("questions.jsonl"));
    std::fs::write(&settings, format!("[soak]\nevery = \"1s\"\nrecord = {:?}\n", record.display().to_string()))
        .unwrap();
    let served = Served::with(&[], &[("HEIRLOOM_CONFIG", settings.to_str().unwrap())]).await;
    served.handed_down("(1, 'one'), (2, 'two')", "custom:all");
    let token = served.token("reader", "read", &["custom:all"]);
    let asked = json!({ "query": "two with sk-abcdefghijklmnop1234", "namespaces": ["custom:all"] });
    served.post("/api/v1/recall", &token, &asked).await.is(200);
    let elsewhere = json!({ "query": "not theirs to ask", "namespaces": ["custom:other"] });
    assert_ne!(served.post("/api/v1/recall", &token, &elsewhere).await.status, 200);
    let text = std::fs::read_to_string(&record).unwrap();
    assert!(text.ends_with("\"namespaces\":[\"custom:all\"],\"query\":\"two with [REDACTED:SK_TOKEN]\"}\n"), "{text}");
    assert!(!text.contains("not theirs") && text.lines().count() == 1, "{text}");
    assert_eq!(std::fs::metadata(&record).unwrap().permissions().mode() & 0o777, 0o600);
    let mut seen = None;
    for _ in 0..5_000 {
        let status = served.get("/api/v1/soak/status?name=notes", &served.admin).await.is(200);
        seen = status["soaks"][0]["last"]["shadow"]["queries"].as_u64();
        if seen == Some(1) {
            break;
        }
    }
    assert_eq!(seen, Some(1), "{}", served.log());
    // Neither the chain nor the log knows what was asked.
    let chain = served.get("/api/v1/audit/check", &served.admin).await.is(200).to_string();
    assert!(!chain.contains("two with") && !served.log().contains("two with"), "{chain}");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_sweeps_what_soaks_and_shows_it() {
    let settings = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(settings.path(), "[soak]\nevery = \"1s\"\n").unwrap();
    let served = Served::with(&[], &[("HEIRLOOM_CONFIG", settings.path().to_str().unwrap())]).await;
    let (legacy, _) = served.handed_down("(1, 'one'), (2, 'two')", "custom:all");
    let swept = async |least: u64| {
        for _ in 0..5_000 {
            let status = served.get("/api/v1/soak/status?name=notes", &served.admin).await.is(200);
            let one = &status["soaks"][0];
            if one["calendar"]["days"][0]["sweeps"].as_u64().unwrap_or(0) >= least {
                return one.clone();
            }
        }
        panic!("not swept: {}", served.log());
    };
    let one = swept(1).await;
    assert_eq!(
        (&one["state"], &one["last"]["clean"], &one["last"]["source_rows"]),
        (&"soaking".into(), &true.into(), &2.into())
    );
    assert_eq!(one["gates"][0]["id"], "verified");
    // A late writer is found by the server alone.
    legacy.execute_batch("insert into notes values (3, 'too late')").unwrap();
    let sweeps = one["calendar"]["days"][0]["sweeps"].as_u64().unwrap();
    let found = swept(sweeps + 2).await;
    assert_eq!(found["last"]["divergences"][0]["kind"], "leak");
    assert_eq!(found["chain_holds"], true);

    let chain = served.get("/api/v1/audit/check", &served.admin).await.is(200);
    assert_eq!((&chain["holds"], &chain["chains"][0]["anchored"]), (&true.into(), &false.into()));
    // What is another tenant's business is not shown, and no file of the server is read for a token.
    let reader = served.token("reader", "read", &["custom:all"]);
    assert_eq!(served.get("/api/v1/soak/status", &reader).await.status, 403);
    let plan = json!({ "plan": "notes.plan.json" });
    assert_eq!(served.post("/api/v1/audit/check", &served.admin, &plan).await.status, 403);
    assert_eq!(served.stop().await, Some(0));
}
