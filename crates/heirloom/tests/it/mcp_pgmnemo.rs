//! pgmnemo's tools by the official client.

use serde_json::{Value, json};

use crate::agent::{Agent, World, data};

const TEXT: &str = "Always run the migration twice before shipping it to production";

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_goes_in_is_found_changed_and_reinforced() {
    let world = World::new().await;
    let agent = Agent::stdio(&world, "-n project:1 -n project:2 --pgmnemo").await;
    let tools: Vec<_> = agent.tools().await.into_iter().filter(|tool| tool.name.starts_with("pgmnemo.")).collect();
    insta::assert_json_snapshot!("pgmnemo_tools", tools);

    let lesson = json!({
        "text": TEXT, "role": "dev", "topic": "migrations", "importance": 4, "commit_sha": "abc1234", "item_kind": "note",
    });
    let told: Value = serde_json::from_str(&agent.done("pgmnemo.ingest", lesson).await).unwrap();
    let id = told["lesson_id"].as_i64().unwrap();
    let found = data(
        &agent.done("pgmnemo.recall", json!({ "query": "run the migration", "top_k": 1_000, "deep": true })).await,
    );
    assert_eq!((&found[0]["lesson_id"], &found[0]["lesson_text"]), (&json!(id), &json!(TEXT)));
    assert_eq!(found[0]["metadata"]["item_kind"], "note");
    let none = data(&agent.done("pgmnemo.recall", json!({ "query": "migration", "project_id_filter": 2 })).await);
    assert_eq!(none, json!([]));
    let none = data(&agent.done("pgmnemo.recall", json!({ "query": "migration", "role_filter": "ops" })).await);
    assert_eq!(none, json!([]));

    let told =
        agent.done("pgmnemo.patch", json!({ "lesson_id": id, "lesson_text": "Run the migration three times" })).await;
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["changed"], true);
    let found = data(&agent.done("pgmnemo.recall", json!({ "query": "migration" })).await);
    assert_eq!(found[0]["lesson_text"], "Run the migration three times");
    let told = agent.done("pgmnemo.reinforce", json!({ "lesson_id": id, "outcome": "success", "used": true })).await;
    assert!(serde_json::from_str::<Value>(&told).unwrap()["confidence"].is_number(), "{told}");

    let fact =
        json!({ "role": "dev", "entity_key": "person:ada", "property": "editor", "value": "uses vim every day" });
    agent.done("pgmnemo.remember_fact", fact).await;
    let event = json!({
        "role": "dev", "entity_key": "person:ada", "event_label": "joined", "event_body": "joined the team",
        "occurred_at": "2026-01-02T03:04:05Z",
    });
    agent.done("pgmnemo.remember_event", event).await;
    let relation =
        json!({ "role": "dev", "from_key": "person:ada", "to_key": "org:acme", "relation_type": "works_at" });
    agent.done("pgmnemo.remember_relation", relation).await;
    let params: Value = serde_json::from_str(&agent.done("pgmnemo.get_params", json!({})).await).unwrap();
    assert!(params["lesson_count"].as_i64().unwrap() >= 1, "{params}");
    agent.end().await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_why() {
    let world = World::new().await;
    let agent = Agent::stdio(&world, "-n project:1 --pgmnemo").await;
    let lesson = |text: &str, more: Value| {
        let mut lesson = json!({ "text": text, "role": "dev", "topic": "t", "commit_sha": "abc1234" });
        lesson.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        lesson
    };
    let cases = [
        ("pgmnemo.ingest", json!({ "role": "dev", "topic": "t" }), "text: it is missing"),
        ("pgmnemo.ingest", lesson("short", json!({})), "too short"),
        ("pgmnemo.ingest", lesson(TEXT, json!({ "commit_sha": null })), "pgmnemo provenance gate"),
        ("pgmnemo.ingest", lesson(TEXT, json!({ "importance": 9 })), "importance"),
        ("pgmnemo.ingest", lesson(TEXT, json!({ "importance": "high" })), "importance: "),
        ("pgmnemo.ingest", lesson("a\0b", json!({})), "text: "),
        ("pgmnemo.ingest", lesson(TEXT, json!({ "project_id": 2 })), "it is for project:1"),
        ("pgmnemo.recall", json!({ "query": "x", "project_id_filter": -1 }), "project_id: "),
        ("pgmnemo.recall", json!({ "query": "x", "color": "red" }), "color: there is no such argument"),
        ("pgmnemo.patch", json!({ "lesson_id": 999_999, "lesson_text": "x" }), "No lesson 999999"),
        (
            "pgmnemo.remember_event",
            json!({ "role": "r", "entity_key": "person:a", "event_label": "l", "event_body": "b", "occurred_at": "noon" }),
            "occurred_at: ",
        ),
    ];
    for (tool, arguments, expected) in cases {
        let text = agent.refused(tool, arguments.clone()).await;
        assert!(text.contains(expected), "{tool} {arguments}: {text}");
    }
    agent.end().await;
    world.close().await;
}
