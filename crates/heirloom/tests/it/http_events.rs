//! Activity as it happens: over Server-Sent Events and WebSocket, of the caller's own namespaces, resumed without loss.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::served::Served;

/// Events as they come.
struct Listener {
    response: reqwest::Response,
    pending: String,
}

impl Listener {
    async fn new(served: &Served, token: &str, after: Option<&str>) -> Self {
        let mut request = served.request(Method::GET, "/api/v1/events", token);
        if let Some(id) = after {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, pending: String::new() }
    }

    async fn next(&mut self) -> Value {
        let waited = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                if let Some((event, rest)) = self.pending.split_once("\n\n") {
                    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                    self.pending = rest.to_owned();
                    if let Some(data) = data {
                        return serde_json::from_str(&data).unwrap();
                    }
                    continue;
                }
                let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
                self.pending.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        });
        waited.await.expect("an event comes")
    }
}

async fn remember(served: &Served, token: &str, namespace: &str, content: &str) -> Value {
    let note = json!({ "content": content, "namespace": namespace });
    served.post("/api/v1/remember", token, &note).await.is(201)["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hears_its_own_and_resumes_where_it_was() {
    let served = Served::new().await;
    let (a, b) = (served.token("a", "write", &["workspace:a"]), served.token("b", "write", &["team:b"]));
    let mut heard = Listener::new(&served, &a, None).await;
    remember(&served, &b, "team:b", "a secret of b").await;
    let first = remember(&served, &a, "workspace:a", "a secret of a").await;
    let event = heard.next().await;
    assert_eq!(event["event"], "ACTIVITY_LOGGED");
    assert_eq!(event["workspace_id"], "a");
    assert_eq!(event["payload"]["activity_type"], "memory_write");
    assert_eq!(event["payload"]["target_id"], first);
    assert_eq!(event["payload"]["method"], "workspace:a");
    assert!(!event.to_string().contains("secret"), "{event}");
    let id = event["id"].as_str().unwrap().to_owned();
    drop(heard);

    // Gone away, it misses two of its own and one of another's; back, it hears the two, once each, in order.
    let missed = remember(&served, &a, "workspace:a", "two").await;
    remember(&served, &b, "team:b", "three").await;
    let forget = json!({ "id": missed, "namespace": "workspace:a" });
    served.post("/api/v1/forget", &a, &forget).await.is(200);
    let mut heard = Listener::new(&served, &a, Some(&id)).await;
    let (one, two) = (heard.next().await, heard.next().await);
    assert_eq!((&one["payload"]["activity_type"], &one["payload"]["target_id"]), (&json!("memory_write"), &missed));
    assert_eq!((&two["payload"]["activity_type"], &two["payload"]["target_id"]), (&json!("memory_delete"), &missed));
    // So is what becomes of a memory between its first day and its last.
    let kept = remember(&served, &a, "workspace:a", "three").await;
    assert_eq!(heard.next().await["payload"]["target_id"], kept);
    let revised = json!({ "id": kept, "namespace": "workspace:a", "content": "a secret, said better" });
    served.post("/api/v1/revise", &a, &revised).await.is(200);
    let moved = json!({ "id": kept, "namespace": "workspace:a", "to": "candidate" });
    served.post("/api/v1/transition", &a, &moved).await.is(200);
    for kind in ["memory_edit", "memory_transition"] {
        let event = heard.next().await;
        assert_eq!((&event["payload"]["activity_type"], &event["payload"]["target_id"]), (&json!(kind), &kept));
        assert!(!event.to_string().contains("secret"), "{event}");
    }
    // A command of another process is heard, too.
    let ran = served.run("remember --namespace workspace:a by_command");
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(heard.next().await["payload"]["activity_type"], "memory_write");

    let foreign = served.get("/api/v1/events?namespaces=team:b", &a).await;
    assert_eq!(foreign.status, 403);
    let made_up = served.get("/api/v1/events?after=0123456789abcdef", &a).await;
    assert_eq!(made_up.is(400)["field"], "after");
    drop(heard);
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_a_migration_is_heard_by_whom_it_concerns() {
    let served = Served::new().await;
    let (a, b) = (served.token("a", "read", &["workspace:a"]), served.token("b", "write", &["team:b"]));
    let (mut heard, mut elsewhere) = (Listener::new(&served, &a, None).await, Listener::new(&served, &b, None).await);
    let (_, plan) = served.handed_down("(1, 'a secret')", "workspace:a");
    for step in ["planned", "applying", "applied", "verified", "soaking"] {
        let event = heard.next().await;
        assert_eq!(event["payload"]["activity_type"], "memory_migration");
        assert_eq!(event["payload"]["summary"], format!("migration {step} in workspace:a"));
        assert_eq!((&event["workspace_id"], &event["payload"]["target_id"]), (&json!("a"), &plan["run_id"]));
        assert!(!event.to_string().contains("secret"), "{event}");
    }
    // Another tenant has heard nothing of it.
    let note = remember(&served, &b, "team:b", "mine").await;
    assert_eq!(elsewhere.next().await["payload"]["target_id"], note);
    drop((heard, elsewhere));
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_hears_the_same() {
    let served = Served::new().await;
    let token = served.token("a", "write", &["team:a"]);
    let url = format!("{}/api/v1/events/ws", served.url.replace("http", "ws"));
    let mut request = url.clone().into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert!(tokio_tungstenite::connect_async(url).await.is_err(), "not without a token");
    let id = remember(&served, &token, "team:a", "one").await;
    let message = tokio::time::timeout(Duration::from_secs(60), socket.next()).await.unwrap().unwrap().unwrap();
    let event: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    assert_eq!(event["payload"]["target_id"], id);
    drop(socket);

    // It resumes where it was: what came meanwhile, and nothing twice.
    let missed = remember(&served, &token, "team:a", "two").await;
    let url = format!("{}/api/v1/events/ws?after={}", served.url.replace("http", "ws"), event["id"].as_str().unwrap());
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let message = tokio::time::timeout(Duration::from_secs(60), socket.next()).await.unwrap().unwrap().unwrap();
    let event: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    assert_eq!(event["payload"]["target_id"], missed);
    drop(socket);
    assert_eq!(served.stop().await, Some(0));
}

/// However much happens, a revoked token hears nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_right_to_listen_is_sent_away() {
    let served = Served::new().await;
    let (one, other) = (served.token("one", "read", &["team:a"]), served.token("other", "write", &["team:a"]));
    let mut heard = Listener::new(&served, &one, None).await;
    let first = remember(&served, &other, "team:a", "heard").await;
    assert_eq!(heard.next().await["payload"]["target_id"], first);
    served.post("/api/v1/token/revoke", &served.admin, &json!({ "token": "one" })).await.is(200);
    remember(&served, &other, "team:a", "not heard").await;
    let rest = tokio::time::timeout(Duration::from_secs(60), async {
        let mut rest = String::new();
        while let Ok(Some(chunk)) = heard.response.chunk().await {
            rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        rest
    });
    let rest = rest.await.expect("the stream ends");
    assert!(!rest.contains("ACTIVITY_LOGGED"), "{rest}");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_in_a_shared_namespace_is_the_workspace_that_wrote() {
    let served = Served::new().await;
    for words in ["root --name Acme", "child --name Child --parent root"] {
        assert_eq!(served.run(&format!("workspace put {words}")).code, 0);
    }
    let child = served.token("child", "write", &["workspace:child"]);
    let peer = served.token("peer", "read", &["team:root"]);
    let mut heard = Listener::new(&served, &peer, None).await;
    // Who acts for a workspace hears what the tree lets it read, and nothing of others.
    let sibling = served.token("sibling", "read", &["workspace:sibling"]);
    assert_eq!(served.run("workspace put sibling --name Sibling --parent root").code, 0);
    assert_eq!(served.run("workspace put stranger --name Stranger").code, 0);
    let stranger = served.token("stranger", "read", &["workspace:stranger"]);
    let mut by_tree = Listener::new(&served, &sibling, None).await;
    let mut by_another = Listener::new(&served, &stranger, None).await;
    let call = async |tool: &str, arguments: Value| {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } });
        let answer = served.post("/workspaces/child/mcp", &child, &call).await.is(200);
        serde_json::from_str::<Value>(answer["result"]["content"][0]["text"].as_str().unwrap()).unwrap()
    };
    let summary = call("commit_summary", json!({ "content": "a secret summary", "namespace": "team:root" })).await;
    let fact = call("commit_memory", json!({ "content": "a secret fact", "scope": "TEAM" })).await;
    let note = json!({ "content": "a secret note", "scope": "TEAM" });
    let note = served.post("/workspaces/child/memories", &child, &note).await.is(201);
    call("forget_memory", json!({ "memory_id": fact["id"], "namespace": "team:root" })).await;
    let forgot = format!("forget_memory {} from team:root", fact["id"].as_str().unwrap());
    for (kind, words, target) in [
        ("memory_summary_write", "commit_summary to team:root", &summary["id"]),
        ("memory_write", "commit_memory to team:root", &fact["id"]),
        ("memory_write", "commit_memory to team:root", &note["id"]),
        ("memory_delete", forgot.as_str(), &fact["id"]),
    ] {
        let event = heard.next().await;
        let payload = &event["payload"];
        assert_eq!((&payload["activity_type"], &payload["summary"]), (&json!(kind), &json!(words)), "{event}");
        assert_eq!((&payload["target_id"], &payload["method"]), (target, &json!("team:root")), "{event}");
        assert_eq!((&event["workspace_id"], &payload["source_id"]), (&json!("child"), &json!("child")), "{event}");
        assert!(payload["status"] == "ok" && !event.to_string().contains("secret"), "{event}");
        assert_eq!(by_tree.next().await["payload"], *payload);
    }
    let own = json!({ "content": "its own", "scope": "LOCAL" });
    let writes = served.token("writes", "write", &["workspace:stranger"]);
    served.post("/workspaces/stranger/memories", &writes, &own).await.is(201);
    assert_eq!(by_another.next().await["workspace_id"], "stranger", "the first it hears of is its own");
    drop((heard, by_tree, by_another));
    assert_eq!(served.stop().await, Some(0));
}
