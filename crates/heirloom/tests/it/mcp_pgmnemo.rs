//! pgmnemo's tools by the official client.

use serde_json::{Value, json};

use crate::agent::{Agent, Server, World, data};

const TEXT: &str = "Always run the migration twice before shipping it to production";

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_goes_in_is_found_changed_and_reinforced() {
    let world = World::new().await;
    let agent = Agent::stdio(&world, "-n project:1 -n project:2 --pgmnemo").await;
    let tools: Vec<_> = agent.tools().await.into_iter().filter(|tool| tool.name.starts_with("pgmnemo.")).collect();
    insta::assert_json_snapshot!("pgmnemo_tools", tools);

    let lesson = json!({
        "text": TEXT, "role": "dev", "topic": "migrations", "importance": 4, "commit_sha": "abc1234", "item_kind": "script",
        "source_dag_id": "nightly", "metadata": { "by": "hand" },
    });
    let told: Value = serde_json::from_str(&agent.done("pgmnemo.ingest", lesson).await).unwrap();
    let id = told["lesson_id"].as_i64().unwrap();
    let found = data(
        &agent.done("pgmnemo.recall", json!({ "query": "run the migration", "top_k": 1_000, "deep": true })).await,
    );
    assert_eq!((&found[0]["lesson_id"], &found[0]["lesson_text"]), (&json!(id), &json!(TEXT)));
    assert_eq!(found[0]["metadata"], json!({ "by": "hand" }), "what has a column is not kept in the metadata");
    for (dag, hits) in [("nightly", 0), ("weekly", 1)] {
        let asked = json!({ "query": "run the migration", "exclude_dag_id": dag });
        let found = data(&agent.done("pgmnemo.recall", asked).await);
        assert_eq!(found.as_array().unwrap().len(), hits, "{dag}");
    }
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
        (
            "pgmnemo.ingest",
            lesson(TEXT, json!({ "item_kind": "poem" })),
            "item_kind is 'poem': it takes note, skill_md",
        ),
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

#[tokio::test(flavor = "multi_thread")]
async fn the_handles_of_a_token_s_holder_count_nothing_and_work() {
    let world = World::new().await;
    let (one, two) = (world.token("one -n project:1 --right write"), world.token("two -n project:2 --right write"));
    let server = Server::start(&world);
    let url = format!("{}/mcp?tools=pgmnemo", server.url);
    let (agent, other) = (Agent::http(&url, &one).await, Agent::http(&url, &two).await);
    let of = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let mut handles = Vec::new();
    for n in 0..3 {
        let text = format!("{TEXT}, lesson number {n} of them all");
        let lesson = json!({ "text": text, "role": "dev", "topic": "migrations", "commit_sha": format!("abc{n}") });
        handles.push(of(agent.done("pgmnemo.ingest", lesson).await)["lesson_id"].as_i64().unwrap());
    }
    let fact =
        json!({ "role": "dev", "entity_key": "person:ada", "property": "editor", "value": "uses vim every day" });
    handles.push(of(agent.done("pgmnemo.remember_fact", fact).await)["id"].as_i64().unwrap());
    let event =
        json!({ "role": "dev", "entity_key": "person:ada", "event_label": "joined", "event_body": "joined the team" });
    handles.push(of(agent.done("pgmnemo.remember_event", event).await)["id"].as_i64().unwrap());
    let relation =
        json!({ "role": "dev", "from_key": "person:ada", "to_key": "org:acme", "relation_type": "works_at" });
    handles.push(of(agent.done("pgmnemo.remember_relation", relation).await)["id"].as_i64().unwrap());
    assert!(handles.iter().all(|handle| (1_000..1 << 52).contains(handle)), "{handles:?}");
    assert!(handles.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > 1_000), "{handles:?}");

    let found = data(&agent.done("pgmnemo.recall", json!({ "query": "lesson number 1" })).await);
    let hit = found.as_array().unwrap().iter().find(|hit| hit["lesson_text"].as_str().unwrap().contains("number 1"));
    assert_eq!(hit.unwrap()["lesson_id"], json!(handles[1]));
    let changed = json!({ "lesson_id": handles[1], "lesson_text": "Run the migration three times in a row" });
    assert_eq!(of(agent.done("pgmnemo.patch", changed.clone()).await)["lesson_id"], json!(handles[1]));
    let did = json!({ "lesson_id": handles[2], "outcome": "success" });
    assert_eq!(of(agent.done("pgmnemo.reinforce", did.clone()).await)["lesson_id"], json!(handles[2]));

    // Somebody else's, the real one and one that nobody has look the same.
    for (tool, arguments) in [("pgmnemo.patch", changed), ("pgmnemo.reinforce", did)] {
        for handle in [arguments["lesson_id"].as_i64().unwrap(), 1, 2, 999_999, -1, i64::MAX] {
            let mut arguments = arguments.clone();
            arguments["lesson_id"] = json!(handle);
            arguments["project_id"] = json!(2);
            let text = other.refused(tool, arguments).await;
            assert!(text.contains(&format!("No lesson {handle}")), "{text}");
        }
    }
    // Nor is anybody told what the handles are enciphered with.
    let me = heirloom_migrate::http::builder().unwrap().build().unwrap();
    let me = me.get(format!("{}/api/v1/whoami", server.url)).bearer_auth(&two).send().await.unwrap();
    let me: Value = serde_json::from_str(&me.text().await.unwrap()).unwrap();
    assert!(me["store"]["dimension"].is_number() && me["store"].get("id").is_none(), "{me}");
    agent.end().await;
    other.end().await;
    assert!(server.stop().success());
    world.close().await;
}
