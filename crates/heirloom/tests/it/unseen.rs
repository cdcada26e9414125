//! What is another tenant's looks like what is not there: the same answer for the same work, so that the time it takes tells
//! nothing either. Work is what is said to the server, message by message and byte by byte of length; nobody's clock is asked.

use heirloom::cipher::Cipher;
use serde_json::{Value, json};

use crate::served::{Answer, answer};
use crate::wire::{Wire, Wired};

const NOBODY: &str = "01900000-0000-7000-8000-0000000000ff";

/// A request: method, path, body; `THIS` stands for what it is about.
type Request = (&'static str, String, String);

/// What a request met.
#[derive(Debug, PartialEq)]
struct Met {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    work: Vec<String>,
}

impl Wired {
    async fn ask(&self, (method, path, body): &Request, this: &str) -> Answer {
        let request = self.served.request(method.parse().unwrap(), &path.replace("THIS", this), &self.token);
        let request = request.header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream");
        answer(request.body(body.replace("THIS", this))).await
    }

    /// What a request about something meets, that thing's name taken out.
    async fn met(&self, request: &Request, this: &str) -> Met {
        loop {
            if let Some(wire) = &self.wire {
                wire.take();
            }
            let got = self.ask(request, this).await;
            let work = self.wire.as_ref().map(Wire::take).unwrap_or_default();
            // Whose token it is, is asked every two seconds, and is no part of the request's own work.
            if work.iter().any(|said| said.contains("heirloom.authenticate")) {
                continue;
            }
            let own = ["date", "x-request-id"];
            let headers = got.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
            let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
            let body = got.text.replace(this, "THIS");
            // A transaction that came to nothing ends, and what it prepared goes, when the answer is on its way.
            let tail = |said: &String| {
                ["> C ", "> S ", "< 3 ", "< Z "].iter().any(|kind| said.starts_with(kind))
                    || said.ends_with(" ROLLBACK")
            };
            let work = work.into_iter().filter(|said| !tail(said)).map(|said| said.replace(this, "THIS")).collect();
            return Met { status: got.status, headers, body, work };
        }
    }

    /// Asks about each of these: one must be as the other. Returns how many messages it took.
    async fn same(&self, request: &Request, these: &[&str]) -> (u16, usize) {
        // What is said for the first time is prepared, and no part of what is compared.
        for this in [these[0], these[0], these[1]] {
            self.ask(request, this).await;
        }
        let first = self.met(request, these[0]).await;
        for this in &these[1..] {
            assert_eq!(self.met(request, this).await, first, "{request:?}: {this} beside {}", these[0]);
        }
        (first.status, first.work.len())
    }
}

fn get(path: &str) -> Request {
    ("GET", path.to_owned(), String::new())
}

fn post(path: &str, body: &Value) -> Request {
    ("POST", path.to_owned(), body.to_string())
}

fn tool(query: &str, name: &str, arguments: &Value) -> Request {
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name, "arguments": arguments },
    });
    post(&format!("/mcp{query}"), &call)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_tenants_is_as_one_that_nobody_has() {
    let world = Wired::new(&["team:ours", "workspace:ours", "project:2"]).await;
    let theirs = async |text: &str| {
        let note = json!({ "content": text, "namespace": "team:theirs", "kind": "fact" });
        let made = world.served.post("/api/v1/remember", &world.served.admin, &note).await.is(201);
        made["id"].as_str().unwrap().to_owned()
    };
    let (theirs, gone) = (theirs("their secret").await, theirs("their former secret").await);
    world
        .served
        .post("/api/v1/forget", &world.served.admin, &json!({ "id": gone, "namespace": "team:theirs" }))
        .await
        .is(200);
    world.told(Vec::new()).await;
    let ids = [theirs.as_str(), NOBODY, gone.as_str()];
    let id = json!("THIS");
    let mut requests = Vec::new();
    for within in ["", "team:ours"] {
        for op in ["show", "history", "links", "origin"] {
            let namespace = if within.is_empty() { String::new() } else { format!("&namespace={within}") };
            requests.push(get(&format!("/api/v1/{op}?id=THIS{namespace}")));
        }
        for (op, more) in [
            ("revise", json!({ "content": "mine now" })),
            ("keep", json!({ "pin": true })),
            ("transition", json!({ "to": "candidate" })),
            ("forget", json!({})),
        ] {
            let mut body = more;
            body["id"] = id.clone();
            if !within.is_empty() {
                body["namespace"] = json!(within);
            }
            requests.push(post(&format!("/api/v1/{op}"), &body));
            if op != "keep" {
                requests.push(tool("", op, &body));
            }
        }
        let mut body = json!({ "id": id });
        if !within.is_empty() {
            body["namespace"] = json!(within);
        }
        requests.push(tool("", "show", &body));
    }
    let by = json!({ "requested_by_namespace": "team:ours" }).to_string();
    requests.push(("DELETE", "/v1/memories/THIS".to_owned(), by));
    requests.push(("DELETE", "/workspaces/ours/v2/memories/THIS".to_owned(), String::new()));
    requests.push(tool("?workspace=ours", "forget_memory", &json!({ "memory_id": id })));
    // What is there for the asker is answered otherwise, and takes other work: the comparison sees that.
    let note = json!({ "content": "ours", "namespace": "team:ours", "kind": "fact" });
    let ours =
        world.served.post("/api/v1/remember", &world.token, &note).await.is(201)["id"].as_str().unwrap().to_owned();
    world.told(Vec::new()).await;
    for request in &requests[..4] {
        world.same(request, &[&ours, &ours]).await;
        let (there, not) = (world.met(request, &ours).await, world.met(request, NOBODY).await);
        assert!(there != not && (world.wire.is_none() || there.work != not.work), "{request:?}: {there:?}");
    }
    for request in &requests {
        let (status, work) = world.same(request, &ids).await;
        assert!(status == 404 || (status, request.1.starts_with("/mcp")) == (200, true), "{request:?}: {status}");
        assert!(world.wire.is_none() || work > 4, "{request:?}: nothing was asked of the database");
    }
    // It is all as it was.
    let still = format!("/api/v1/show?id={theirs}&namespace=team:theirs");
    let still = world.served.get(&still, &world.served.admin).await.is(200);
    assert_eq!((&still["memory"]["content"], &still["memory"]["version"]), (&json!("their secret"), &json!(1)));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_or_a_workspace_of_another_tenants_is_as_one_that_nobody_has() {
    let world = Wired::new(&["team:ours", "workspace:ours", "project:2"]).await;
    let admin = &world.served.admin;
    let workspace = json!({ "id": "theirs", "name": "Theirs" });
    world.served.post("/api/v1/workspace/put", admin, &workspace).await.is(200);
    for namespace in ["team:theirs", "workspace:theirs"] {
        let note = json!({ "content": "their secret", "namespace": namespace, "kind": "fact" });
        world.served.post("/api/v1/remember", admin, &note).await.is(201);
    }
    world.told(Vec::new()).await;
    let write = json!({ "content": "mine", "kind": "fact", "source": "agent" });
    let body = |value: Value| value.to_string();
    let mut requests = vec![
        get("/api/v1/list?namespaces=team:THIS"),
        get("/api/v1/list?namespaces=team:ours&namespaces=team:THIS"),
        get("/api/v1/stats?namespaces=team:THIS"),
        get(&format!("/api/v1/show?id={NOBODY}&namespace=team:THIS")),
        get("/api/v1/recall?query=secret&namespaces=team:THIS"),
        get("/api/v1/events?namespaces=team:THIS"),
        post("/api/v1/remember", &json!({ "content": "mine", "namespace": "team:THIS" })),
        post("/api/v1/forget", &json!({ "id": NOBODY, "namespace": "team:THIS" })),
        ("PUT", "/v1/namespaces/team:THIS".to_owned(), body(json!({ "kind": "team" }))),
        ("PATCH", "/v1/namespaces/team:THIS".to_owned(), body(json!({ "metadata": {} }))),
        ("DELETE", "/v1/namespaces/team:THIS".to_owned(), String::new()),
        post("/v1/namespaces/team:THIS/memories", &write),
        post("/v1/search", &json!({ "namespaces": ["team:THIS"], "query": "secret" })),
        ("DELETE", format!("/v1/memories/{NOBODY}"), body(json!({ "requested_by_namespace": "team:THIS" }))),
        get("/workspaces/THIS/memories"),
        post("/workspaces/THIS/memories", &json!({ "content": "mine", "scope": "LOCAL" })),
        get("/workspaces/THIS/v2/namespaces"),
        get("/workspaces/THIS/v2/memories"),
        ("DELETE", format!("/workspaces/THIS/v2/memories/{NOBODY}"), String::new()),
        get("/workspaces/ours/v2/memories?namespace=team:THIS"),
        tool("?workspace=THIS", "list_readable_namespaces", &json!({})),
    ];
    for (name, arguments) in [
        ("list", json!({ "namespaces": ["team:THIS"] })),
        ("recall", json!({ "query": "secret", "namespaces": ["team:THIS"] })),
        ("remember", json!({ "content": "mine", "namespace": "team:THIS" })),
    ] {
        requests.push(tool("", name, &arguments));
    }
    for (name, arguments) in [
        ("commit_memory_v2", json!({ "content": "mine", "namespace": "team:THIS" })),
        ("search_memory", json!({ "query": "secret", "namespaces": ["team:THIS"] })),
        ("commit_summary", json!({ "content": "mine", "namespace": "team:THIS" })),
        ("forget_memory", json!({ "memory_id": NOBODY, "namespace": "team:THIS" })),
    ] {
        requests.push(tool("?workspace=ours", name, &arguments));
    }
    for request in &requests {
        let (status, _) = world.same(request, &["theirs", "nobody"]).await;
        let is_told = request.1.starts_with("/mcp") || request.1.starts_with("/workspaces/ours");
        assert!(status == 403 || is_told, "{request:?}: {status}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_of_another_projects_is_as_one_that_nobody_has() {
    let world = Wired::new(&["team:ours", "workspace:ours", "project:2"]).await;
    let lesson = json!({
        "content": "their lesson", "namespace": "project:1", "role": "dev", "topic": "migrations", "commit_sha": "abc1",
    });
    let made = world.served.post("/api/v1/remember", &world.served.admin, &lesson).await.is(201);
    world.told(Vec::new()).await;
    let about = world.served.get("/api/v1/whoami", &world.served.admin).await.is(200);
    let store = about["store"]["id"].as_str().unwrap().parse().unwrap();
    let theirs: i64 = match &world.database {
        Some(database) => {
            let client = database.database().client().await.unwrap();
            client.query_one("select max(lesson_id) from heirloom.memory", &[]).await.unwrap().get(0)
        }
        // The first that this store gave out.
        None => 1,
    };
    assert!(made["id"].is_string());
    let handles = Cipher::of_handles(store);
    let sealed = |number: i64| handles.seal(number.cast_unsigned()).to_string();
    // Numbers that nobody has yet, sealed to as many digits as theirs, so that both are as long.
    let theirs = sealed(theirs);
    let nobody: Vec<String> = (10_000..).map(sealed).filter(|handle| handle.len() == theirs.len()).take(2).collect();
    for (name, more) in [
        ("pgmnemo.reinforce", json!({ "outcome": "success" })),
        ("pgmnemo.patch", json!({ "lesson_text": "Run the migration three times in a row" })),
    ] {
        let mut arguments = more;
        arguments["project_id"] = json!(2);
        arguments["lesson_id"] = json!("THIS");
        let (method, path, body) = tool("?tools=pgmnemo", name, &arguments);
        let request = (method, path, body.replace("\"THIS\"", "THIS"));
        let (status, work) = world.same(&request, &[&theirs, &nobody[0], &nobody[1]]).await;
        assert_eq!(status, 200, "{request:?}");
        assert!(world.wire.is_none() || work > 4, "{request:?}: nothing was asked of the database");
    }
    world.close().await;
}
