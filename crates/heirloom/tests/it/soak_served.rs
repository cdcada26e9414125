//! A soak that `heirloom serve` sweeps by itself, seen over HTTP.

use serde_json::json;

use crate::served::Served;

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
