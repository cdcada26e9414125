//! `/api/v1` over a real connection: what a token may, what a refusal says, what is done once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::legacy::Legacy;
use crate::served::{Answer, Served, answer};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_its_namespaces_and_nothing_else() {
    let served = Served::new().await;
    let (read, write) = (served.token("r", "read", &["team:a"]), served.token("w", "write", &["team:a", "team:lab.*"]));
    for token in ["", "hl_wrong", "hl_0123456789012345678901234567890123456789012"] {
        let refused = served.get("/api/v1/list?namespaces=team:a", token).await;
        assert_eq!(refused.is(401)["code"], "unauthorised");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    }
    let note = json!({ "content": "the staging database is reset every Sunday", "namespace": "team:a" });
    assert_eq!(served.post("/api/v1/remember", &read, &note).await.is(403)["code"], "forbidden");
    let made = served.post("/api/v1/remember", &write, &note).await.is(201);
    assert!(made.get("lesson_id").is_none(), "a handle that counts all tenants' memories: {made}");
    let lab = json!({ "content": "a note of the lab", "namespace": "team:lab.one" });
    served.post("/api/v1/remember", &write, &lab).await.is(201);

    let question = json!({ "query": "staging reset", "namespaces": ["team:a"] });
    let found = served.post("/api/v1/recall", &read, &question).await.is(200);
    assert_eq!(found["hits"][0]["id"], made["id"]);
    assert!(found["hits"][0].get("lesson_id").is_none());
    let asked = served.get("/api/v1/recall?query=staging%20reset&namespaces=team:a", &read).await.is(200);
    assert_eq!(asked["hits"][0]["id"], made["id"]);

    // A namespace of somebody else's and one that nobody has look the same.
    let there = served.get("/api/v1/list?namespaces=team:lab.one", &read).await;
    let nowhere = served.get("/api/v1/list?namespaces=team:nil.one", &read).await;
    assert_eq!((there.status, nowhere.status), (403, 403));
    assert_eq!(there.text.replace("lab", "nil"), nowhere.text);
    // So do an id of somebody else's and one that nobody has.
    let id = made["id"].as_str().unwrap();
    let other = served.token("o", "read", &["team:b"]);
    let hidden = served.get(&format!("/api/v1/show?id={id}&namespace=team:b"), &other).await;
    let none = "00000000-0000-4000-8000-000000000000";
    let nothing = served.get(&format!("/api/v1/show?id={none}&namespace=team:b"), &other).await;
    assert_eq!((hidden.status, nothing.status), (404, 404));
    assert_eq!(hidden.text.replace(id, none), nothing.text);

    assert_eq!(served.get("/api/v1/token/list", &write).await.status, 403);
    let tokens = served.get("/api/v1/token/list", &served.admin).await;
    assert!(!tokens.text.contains("hl_"), "no secret is told twice");
    tokens.is(200);
    // Revoked here, it is refused from the next request on.
    served.post("/api/v1/token/revoke", &served.admin, &json!({ "token": "w" })).await.is(200);
    assert_eq!(served.post("/api/v1/remember", &write, &note).await.status, 401);
    for made_up in ["M1", "M2"] {
        let method = reqwest::Method::from_bytes(made_up.as_bytes()).unwrap();
        drop(served.request(method, "/api/v1/whoami", &served.admin).send().await.unwrap());
    }
    let (log, metrics) = (served.log(), served.get("/metrics", "").await.text);
    assert!(
        !metrics.contains("\"M1\"") && metrics.contains("method=\"other\""),
        "a series for each made-up method: {metrics}"
    );
    assert!(metrics.contains("route=\"/api/v1/remember\",status=\"201\"} 2"), "{metrics}");
    for word in ["staging", "hl_", "team:a", id] {
        assert!(!log.contains(word), "{word} is in the log: {log}");
        assert!(!metrics.contains(word), "{word} is in the metrics: {metrics}");
    }
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let served = Served::new().await;
    let token = served.token("w", "write", &["team:a"]);
    for (body, field) in [
        (json!({ "content": 7 }), "content"),
        (json!({}), "content"),
        (json!({ "content": "   " }), "content"),
        (json!({ "content": "a\u{0}b" }), "content"),
        (json!({ "content": "a", "colour": "red" }), "colour"),
        (json!({ "content": "a", "importance": 6 }), "importance"),
        (json!({ "content": "a", "kind": "lesson" }), "role"),
        (json!({ "content": "a", "state": "Draft" }), "state"),
        (json!({ "content": "a", "embedding": [0, 0] }), "embedding"),
        (json!({ "content": "a", "embedding": [1, "x"] }), "embedding[1]"),
        (json!({ "content": "a", "expires_at": "tomorrow" }), "expires_at"),
        (json!({ "content": "a", "namespace": "Team A" }), "namespace"),
        (json!([1]), "body"),
    ] {
        let refused = served.post("/api/v1/remember", &token, &body).await;
        assert_eq!(refused.is(400)["field"], field, "{body}: {refused:?}");
    }
    let secret_value = json!({ "content": "a", "importance": "a very private word" });
    let refused = served.post("/api/v1/remember", &token, &secret_value).await;
    assert!(refused.status == 400 && !refused.text.contains("private"), "{refused:?}");
    // In any text of any operation, not only where something is written.
    let nul = json!({ "name": "a\u{0}b", "all": true });
    assert_eq!(served.post("/api/v1/rejects/list", &served.admin, &nul).await.is(400)["field"], "name");
    let nowhere = served.post("/api/v1/recall", &served.admin, &json!({ "query": "a" })).await.is(400);
    assert!(nowhere["field"] == "namespaces" && !nowhere.to_string().contains("--"), "{nowhere}");
    let broken = answer(served.request(Method::POST, "/api/v1/remember", &token).body("{\"content\": ")).await;
    assert_eq!(broken.is(400)["field"], "body");
    let invalid = answer(served.request(Method::POST, "/api/v1/remember", &token).body(vec![b'"', 0xff, b'"'])).await;
    assert_eq!(invalid.is(400)["field"], "body");
    let huge = served.request(Method::POST, "/api/v1/remember", &token).body("x".repeat(2 << 20));
    assert_eq!(answer(huge).await.is(413)["code"], "too-large");
    for (path, status) in
        [("/api/v1/list?limit=x", 400), ("/api/v1/list?limt=1", 400), ("/api/v1/nothing", 404), ("/nothing", 404)]
    {
        assert_eq!(served.get(path, &token).await.is(status)["status"], status);
    }
    assert_eq!(served.get("/api/v1/remember", &token).await.is(405)["code"], "method-not-allowed");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_somebody_else_made_first_is_seen() {
    let served = Served::new().await;
    let token = served.token("w", "write", &["team:a"]);
    let made = served.post("/api/v1/remember", &token, &json!({ "content": "one" })).await.is(201);
    let id = made["id"].as_str().unwrap();
    let shown = served.get(&format!("/api/v1/show?id={id}"), &token).await;
    let tag = shown.header("etag").unwrap().to_owned();
    assert_eq!(shown.is(200)["memory"]["content"], "one");
    let revise = |tag: &str, content: &str| {
        let body = json!({ "id": id, "content": content }).to_string();
        served.request(Method::POST, "/api/v1/revise", &token).header("if-match", tag).body(body)
    };
    let done = answer(revise(&tag, "two")).await;
    done.is(200);
    assert_ne!(done.header("etag"), Some(tag.as_str()));
    assert_eq!(answer(revise(&tag, "three")).await.is(412)["code"], "stale");
    assert_eq!(answer(revise("\"x\"", "three")).await.status, 412);
    let done = answer(revise("*", "three")).await;
    done.is(200);
    // A pin is a change like another.
    let keep = |tag: &str| {
        let body = json!({ "id": id, "pin": true }).to_string();
        answer(served.request(Method::POST, "/api/v1/keep", &token).header("if-match", tag.to_owned()).body(body))
    };
    assert_eq!(keep(&tag).await.is(412)["code"], "stale");
    assert_eq!(keep(done.header("etag").unwrap()).await.is(200)["pin"], true);
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_under_a_key_happens_once() {
    let served = Served::new().await;
    let (token, other) = (served.token("w", "write", &["team:a"]), served.token("v", "write", &["team:a"]));
    let send = |token: &str, key: &str, content: &str| {
        let body = json!({ "content": content, "namespace": "team:a" }).to_string();
        answer(served.request(Method::POST, "/api/v1/remember", token).header("idempotency-key", key).body(body))
    };
    let first = send(&token, "k1", "once").await.is(201);
    let again = send(&token, "k1", "once").await;
    assert_eq!(again.header("idempotent-replay"), Some("true"));
    assert_eq!(again.is(201)["id"], first["id"]);
    assert_eq!(send(&token, "k1", "something else").await.is(422)["field"], "Idempotency-Key");
    assert_ne!(send(&other, "k1", "once").await.is(201)["id"], first["id"], "a key is its caller's own");
    // A refusal is not kept: mended, the same key works.
    assert_eq!(send(&token, "k2", " ").await.status, 400);
    send(&token, "k2", "mended").await.is(201);
    let listed = served.get("/api/v1/list?namespaces=team:a", &token).await.is(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_its_own_limit() {
    let served = Served::new().await;
    let ran = served.run("token create slow --namespace team:a --rate 2 --json");
    let slow = ran.json()["secret"].as_str().unwrap().to_owned();
    let fast = served.token("fast", "read", &["team:a"]);
    for left in ["1", "0"] {
        let within = served.get("/api/v1/list", &slow).await;
        assert_eq!((within.status, within.header("x-ratelimit-remaining")), (200, Some(left)));
    }
    let refused = served.get("/api/v1/list", &slow).await;
    assert_eq!(refused.is(429)["code"], "rate-limit");
    assert!(refused.header("retry-after").is_some() && refused.header("x-ratelimit-limit") == Some("2"));
    served.get("/api/v1/list", &fast).await.is(200);
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_only_this_machine_comes_in() {
    let served = Served::with(&["--no-auth"], &[]).await;
    served.get("/api/v1/list?namespaces=team:a", "").await.is(200);
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example"), ("origin", "null")] {
        let sent = served.request(Method::GET, "/api/v1/list?namespaces=team:a", "").header(name, value);
        assert_eq!(answer(sent).await.is(403)["code"], "forbidden", "{name}: {value}");
    }
    assert_eq!(served.stop().await, Some(0));
    let home = crate::support::Home::new();
    let ran = home.run("serve --no-auth --listen 0.0.0.0:0");
    assert!(ran.code == 2 && ran.stderr.contains("can be reached from other machines"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_served_and_whole() {
    let served = Served::new().await;
    let contract = served.get("/api/v1/openapi.json", "").await.is(200);
    let paths = contract["paths"].as_object().unwrap();
    for op in heirloom::ops::ALL.iter().filter(|op| op.doors.http) {
        let path = &paths[&heirloom::http::api::path(op)];
        assert!(path.get("post").is_some(), "{}", op.name);
        assert_eq!(path.get("get").is_some(), op.read_only, "{}", op.name);
    }
    let text = contract.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(contract["components"]["schemas"].get(name).is_some(), "{name} is not there");
    }
    assert_eq!(served.get("/healthz", "").await.text, "ok\n");
    assert_eq!(served.get("/readyz", "").await.text, "ready\n");
    assert!(served.get("/metrics", "").await.text.contains("route=\"/api/v1/openapi.json\""));
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_dropped_is_no_database_that_is_away() {
    // On the embedded engine nobody but the server has a connection to drop it on.
    let Ok(_) = std::env::var("HEIRLOOM_TEST_URL") else { return };
    let served = Served::new().await;
    let url = served.database_url().unwrap().to_owned();
    let location = heirloom_engine::Location::Server(url);
    let owner = heirloom_engine::Database::open(&location, &heirloom_engine::Options::default()).await.unwrap();
    owner.client().await.unwrap().batch_execute("drop schema heirloom cascade").await.unwrap();
    let told = served.get("/readyz", "").await;
    assert_eq!((told.status, &told.json()["code"]), (503, &json!("no-store")), "{}", told.text);
    owner.close().await.unwrap();
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_serves_as_the_owner_of_a_server() {
    let Ok(url) = std::env::var("HEIRLOOM_TEST_URL") else { return };
    let db = heirloom_engine::testkit::TestDatabase::fresh().await;
    let home = crate::support::Home::new();
    let as_owner = [("DATABASE_URL", db.url().unwrap())];
    assert_eq!(home.run_with("up", &as_owner).code, 0);
    let ran = home.run_with("serve --listen 127.0.0.1:0", &as_owner);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran}");
    assert!(ran.stderr.contains("may not serve tenants") && ran.stderr.contains("heirloom_app"), "{ran}");
    assert!(!ran.stderr.contains(&url), "{ran}");
    // What a login may not do it is told, with what to do.
    let login = db.login("heirloom_serve, heirloom_audit").await;
    let ran = home.run_with("token create me --right admin", &[("DATABASE_URL", &login)]);
    assert!(ran.code != 0 && ran.stderr.contains("grant heirloom_admin"), "{ran}");
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_the_form_of_its_door() {
    let served = Served::new().await;
    let token = served.token("w", "write", &["team:a", "workspace:w"]);
    let problem = |got: &Answer, status: u16| {
        assert_eq!(got.header("content-type"), Some("application/problem+json"), "{got:?}");
        assert_eq!(got.is(status)["status"], status, "{got:?}");
    };
    // A path that is no text, and a method that is not there.
    for path in [
        "/workspaces/%ff/memories",
        "/workspaces/%ff/v2/memories",
        "/workspaces/w/v2/memories/%ff",
        "/workspaces/%ff/mcp/stream",
    ] {
        let method = if path.ends_with("/%ff") { Method::DELETE } else { Method::GET };
        let got = answer(served.request(method, path, &token)).await;
        assert!(got.is(400)["error"].as_str().unwrap().contains("percent-encoded"), "{path}: {got:?}");
    }
    problem(&served.get("/inspector/%ff/start.js", "").await, 400);
    for path in
        ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "/api/v1/events", "/api/v1/events/ws", "/mcp"]
    {
        let got = answer(served.request(Method::PUT, path, &token)).await;
        problem(&got, 405);
        assert!(got.header("allow").is_some(), "{path}: {got:?}");
    }
    let got = answer(served.request(Method::PUT, "/workspaces/w/mcp", &token)).await;
    assert_eq!(got.is(405)["error"], "method not allowed");
    problem(&served.get("/api/v1/events/ws", &token).await, 400);

    // What is no message of JSON-RPC is told so in JSON-RPC.
    let mcp = |kind: &'static str, body: String| {
        let request = served.request(Method::POST, "/mcp", &token).header("content-type", kind);
        answer(request.header("accept", "application/json, text/event-stream").body(body))
    };
    let deep = "[".repeat(200);
    for (body, code, words) in [
        ("{\"jsonrpc\":", -32700, "not JSON"),
        ("", -32700, "not JSON"),
        (&deep, -32700, "too deeply"),
        ("{}", -32600, "no message"),
    ] {
        let got = mcp("application/json", body.to_owned()).await;
        let told = got.is(400);
        assert_eq!(
            (&told["jsonrpc"], &told["id"], &told["error"]["code"]),
            (&json!("2.0"), &Value::Null, &json!(code)),
            "{body}"
        );
        assert!(told["error"]["message"].as_str().unwrap().contains(words), "{told}");
    }
    problem(&mcp("text/plain", "{}".to_owned()).await, 415);
    problem(
        &answer(served.request(Method::POST, "/mcp", &token).header("content-type", "application/json").body("{}"))
            .await,
        406,
    );

    // Nested too deeply is no syntax error.
    let deep = format!("{{\"content\":{}", "[".repeat(200));
    let got = answer(served.request(Method::POST, "/api/v1/remember", &token).body(deep.clone())).await;
    assert!(got.is(400)["detail"].as_str().unwrap().contains("nested too deeply"), "{got:?}");
    let got = answer(served.request(Method::POST, "/v1/namespaces/team:a/memories", &token).body(deep)).await;
    assert!(got.is(400)["message"].as_str().unwrap().contains("nested too deeply"), "{got:?}");

    // A field that is named is one of the request's.
    for (path, body, field) in [
        ("/api/v1/token/create", json!({ "name": "x", "rate": 0, "namespaces": ["team:a"] }), Some("rate")),
        ("/api/v1/token/create", json!({ "name": "x", "right": "all", "namespaces": ["team:a"] }), Some("right")),
        ("/api/v1/list", json!({ "namespaces": ["Team A"] }), Some("namespaces")),
        ("/api/v1/keep", json!({ "id": "00000000-0000-4000-8000-000000000000", "namespace": "team:a" }), Some("pin")),
        ("/api/v1/recall", json!({ "namespaces": ["team:a"], "query": "x", "kinds": ["odd"] }), Some("kinds")),
    ] {
        let refused = served.post(path, &served.admin, &body).await.is(400);
        assert_eq!(refused.get("field").and_then(Value::as_str), field, "{path} {body}: {refused}");
        let detail = refused["detail"].as_str().unwrap();
        assert!(field.is_none_or(|field| detail.starts_with(field) || !detail.contains(": ")), "{detail}");
    }

    // Who is not let in is told where they stand, as everybody is.
    let refused = served.get("/api/v1/list", "hl_wrong").await;
    refused.is(401);
    for header in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        assert!(refused.header(header).is_some(), "{header}: {refused:?}");
    }
    let contract = served.get("/api/v1/openapi.json", "").await.is(200);
    for path in ["/api/v1/events", "/api/v1/events/ws"] {
        assert!(contract["paths"][path]["get"]["responses"].get("400").is_some(), "{path}");
    }
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_of_another_width_than_its_models_is_refused_by_its_field() {
    let served = Served::new().await;
    let token = served.token("w", "write", &["team:a", "team:b"]);
    let note = |namespace: &str, embedding: Value| json!({ "content": "a note", "namespace": namespace, "embedding": embedding, "embedding_model": "m" });
    let id = served.post("/api/v1/remember", &token, &note("team:a", json!([1, 2, 3]))).await.is(201)["id"].clone();
    let wide = json!([1, 2, 3, 4]);
    let revised = json!({ "id": id, "namespace": "team:a", "embedding": wide, "embedding_model": "m" });
    let asked = json!({ "embedding": wide, "embedding_model": "m", "namespaces": ["team:a", "team:b"] });
    for (operation, body) in [("remember", note("team:a", wide.clone())), ("revise", revised), ("recall", asked)] {
        let problem = served.post(&format!("/api/v1/{operation}"), &token, &body).await.is(400);
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!("invalid-value"), &json!("embedding")),
            "{operation}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("embedding: 4 dimensions; the 3 that vectors of its model have"), "{detail}");
    }
    served.post("/api/v1/remember", &token, &note("team:b", wide)).await.is(201);
    assert_eq!(served.stop().await, Some(0));
}

/// As on a standby, which .ci/standby starts. The embedded engine has no such setting.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_answers_and_says_of_a_write_what_it_is() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let legacy = Legacy::new("select 1").await;
    legacy.ends(0, "up");
    let id = legacy.ends(0, "remember -n team:a staging --json").json()["id"].clone();
    let made = legacy.ends(0, "token create w -n team:a --right write --json");
    let token = made.json()["secret"].as_str().unwrap().to_owned();
    let only_reads = "alter database %I set default_transaction_read_only = on";
    legacy.sql(&format!("do $$ begin execute format('{only_reads}', current_database()); end $$")).await;
    let login = legacy.login().await;
    let mut variables = legacy.variables();
    if let Some(login) = &login {
        variables.push(("DATABASE_URL", login));
    }
    let served = Served::spawn(legacy.home.clone(), &["serve", "--listen", "127.0.0.1:0"], &variables);
    let found = served.get("/api/v1/recall?query=staging&namespaces=team:a", &token).await.is(200);
    assert_eq!(found["hits"][0]["id"], id);
    assert_eq!(served.get("/readyz", "").await.status, 200);
    let note = json!({ "content": "a note", "namespace": "team:a" });
    for (operation, body) in [
        ("remember", note.clone()),
        ("revise", json!({ "id": id, "content": "another" })),
        ("keep", json!({ "id": id, "pin": true })),
        ("transition", json!({ "id": id, "to": "candidate" })),
        ("forget", json!({ "id": id })),
    ] {
        let refused = served.post(&format!("/api/v1/{operation}"), &token, &body).await;
        assert_eq!(refused.header("retry-after"), Some("30"), "{operation}: {refused:?}");
        let problem = refused.is(503);
        assert_eq!(problem["code"], "database-read-only", "{operation}");
        assert!(problem["detail"].as_str().unwrap().contains("a read-only standby"), "{problem}");
        assert!(problem["hints"][0].as_str().unwrap().contains("primary"), "{problem}");
    }
    let keyed = served.request(Method::POST, "/api/v1/remember", &token).header("idempotency-key", "k");
    let keyed = answer(keyed.body(note.to_string())).await;
    assert_eq!(keyed.is(503)["code"], "database-read-only");
    let note = json!({ "content": "a note", "kind": "fact", "source": "agent" });
    let refused = served.post("/v1/namespaces/team:a/memories", &token, &note).await.is(503);
    assert_eq!(refused["code"], "unavailable");
    assert!(refused["message"].as_str().unwrap().contains("a read-only standby"), "{refused}");
    assert_eq!(served.post("/v1/search", &token, &json!({ "namespaces": ["team:a"] })).await.status, 200);
    assert!(!served.log().contains("did not end well"), "upkeep is not ours: {}", served.log());
    assert_eq!(served.stop().await, Some(0));
    legacy.close().await;
}
