//! A memory plugin as the platform's own behaves, in this process and over real HTTP, that fails in the order it is told to;
//! and the ground of the tests that hand rows down to it. That Heirloom's own plugin is a target, too, is tested with the binary.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Response;
use futures_util::stream;
use heirloom_migrate::Result;
use heirloom_migrate::apply::{Applied, Options};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::target::Plugin;
use heirloom_migrate::target::plugin::{Client, Patience};
use heirloom_migrate::verify::Verification;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::pgmnemo_ground::{apply_into, plan_into, verify_against};
use crate::support::Ground;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This status, and nothing is done.
    Status(u16),
    /// 429, and how many seconds to wait.
    After(u64),
    /// It is done, and the answer ends half-way.
    Cut,
    /// It is done, and never answered.
    Silent,
    /// It is done, and the answer is no JSON.
    Garbage,
    /// Done as it should be.
    None,
}

/// What the plugin holds and does.
#[derive(Default)]
pub(crate) struct There {
    /// By id: when it came, and what it is.
    pub(crate) memories: BTreeMap<String, (u64, Value)>,
    pub(crate) namespaces: HashSet<String>,
    /// What happens to the next writes of memories, in their order.
    pub(crate) script: VecDeque<Fault>,
    /// What happens to every write once the script is over.
    pub(crate) always: Option<Fault>,
    /// A memory that says this is failed at each time.
    pub(crate) poison: Option<(String, u16)>,
    /// Answers health with this, if at all.
    pub(crate) health: Option<(u16, String)>,
    /// Gives ids of its own.
    pub(crate) names_itself: bool,
    /// Requests by method and first words of the path.
    pub(crate) asked: HashMap<String, usize>,
    /// Writes under way, and the most there were.
    pub(crate) at_once: usize,
    pub(crate) most_at_once: usize,
    /// The first writes wait here for each other.
    pub(crate) gathers: Option<Arc<Barrier>>,
    /// When the last 429 was said, and how long it took until anything was asked.
    pub(crate) sent_away: Option<Instant>,
    pub(crate) stayed_away: Option<Duration>,
    /// The authorization of the last request.
    pub(crate) authorization: String,
    clock: u64,
}

/// The plugin, listening.
#[derive(Clone)]
pub(crate) struct Fake {
    there: Arc<Mutex<There>>,
    pub(crate) url: String,
}

impl Fake {
    pub(crate) async fn new() -> Self {
        let there = Arc::new(Mutex::new(There::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&there));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { there, url }
    }

    pub(crate) fn there(&self) -> MutexGuard<'_, There> {
        self.there.lock().unwrap()
    }

    /// How often something was asked.
    pub(crate) fn asked(&self, what: &str) -> usize {
        self.there().asked.get(what).copied().unwrap_or_default()
    }

    /// As a target: so many rows at a time, and little patience.
    pub(crate) fn target(&self, lanes: usize) -> Plugin {
        self.target_with(lanes, 9)
    }

    pub(crate) fn target_with(&self, lanes: usize, attempts: u32) -> Plugin {
        let patience = Patience {
            timeout: Duration::from_millis(1_500),
            first: Duration::from_millis(1),
            longest: Duration::from_millis(5),
            attempts,
        };
        Plugin::of(Client::new(&self.url, Some("the-token".into()), lanes, patience).unwrap(), lanes, 4)
    }
}

fn reply(status: u16, body: impl Into<Body>) -> Response {
    Response::builder().status(status).header("content-type", "application/json").body(body.into()).unwrap()
}

async fn answer(
    State(there): State<Arc<Mutex<There>>>,
    method: Method,
    uri: Uri,
    headers: axum::http::HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let is_write = method == Method::POST && path.ends_with("/memories");
    let what = format!("{method} {}", if is_write { "memories" } else { path.split('/').nth(2).unwrap_or_default() });
    let (fault, gathers) = {
        let mut there = there.lock().unwrap();
        *there.asked.entry(what).or_default() += 1;
        let sent = headers.get("authorization").and_then(|value| value.to_str().ok());
        there.authorization = sent.unwrap_or_default().to_owned();
        if let Some(away) = there.sent_away.take() {
            there.stayed_away = Some(away.elapsed());
        }
        if path == "/v1/health" {
            let well =
                r#"{"status":"ok","version":"1.0.0","capabilities":["fts","embedding","ttl","pin","propagation"]}"#;
            let (status, body) = there.health.clone().unwrap_or((200, well.to_owned()));
            let location = ("location", "http://127.0.0.1:1/v1/health");
            let mut answer = reply(status, body);
            if (300..400).contains(&status) {
                answer.headers_mut().insert(location.0, location.1.parse().unwrap());
            }
            return answer;
        }
        let fault = match is_write {
            true => {
                there.at_once += 1;
                there.most_at_once = there.most_at_once.max(there.at_once);
                let next = there.script.pop_front();
                next.or(there.always).unwrap_or(Fault::None)
            }
            false => Fault::None,
        };
        if let Fault::After(_) = fault {
            there.sent_away = Some(Instant::now());
        }
        (fault, there.gathers.clone().filter(|_| is_write))
    };
    if let Some(gathers) = gathers {
        gathers.wait().await;
    }
    let done = match fault {
        Fault::Status(status) => reply(status, r#"{"code":"unavailable","message":"later"}"#),
        Fault::After(seconds) => {
            let mut away = reply(429, r#"{"error":"rate limit exceeded"}"#);
            away.headers_mut().insert("retry-after", seconds.into());
            away
        }
        _ => there.lock().unwrap().act(&method, &path, &body),
    };
    if is_write {
        there.lock().unwrap().at_once -= 1;
    }
    match fault {
        Fault::Cut => {
            let half = stream::iter([Ok(Bytes::from_static(b"{\"id\"")), Err(std::io::Error::other("cut"))]);
            let mut cut = reply(201, Body::from_stream(half));
            cut.headers_mut().insert("content-length", 500.into());
            cut
        }
        Fault::Silent => std::future::pending().await,
        Fault::Garbage => reply(201, "<html>it works</html>"),
        _ => done,
    }
}

impl There {
    fn act(&mut self, method: &Method, path: &str, body: &[u8]) -> Response {
        let body: Value = serde_json::from_slice(body).unwrap();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (method.as_str(), parts.as_slice()) {
            ("PUT", ["v1", "namespaces", name]) => {
                assert!(["workspace", "team", "org", "custom"].contains(&body["kind"].as_str().unwrap()));
                self.namespaces.insert((*name).to_owned());
                reply(200, json!({ "name": name, "kind": body["kind"] }).to_string())
            }
            ("POST", ["v1", "namespaces", name, "memories"]) => self.commit(name, &body),
            ("POST", ["v1", "search"]) => self.search(&body),
            _ => reply(404, r#"{"code":"not_found","message":"no route"}"#),
        }
    }

    fn commit(&mut self, name: &str, body: &Value) -> Response {
        let content = body["content"].as_str().unwrap();
        if let Some((poison, status)) = &self.poison
            && content.contains(poison.as_str())
        {
            let said = json!({
                "code": "bad_request", "message": format!("cannot: {content}"), "details": { "field": "content" },
            });
            return reply(*status, said.to_string());
        }
        if !self.namespaces.contains(name) {
            return reply(500, r#"{"code":"internal","message":"violates foreign key constraint"}"#);
        }
        let id = match self.names_itself {
            true => "0d000000-0000-4000-8000-000000000001".to_owned(),
            false => body["id"].as_str().unwrap().to_owned(),
        };
        self.clock += 1;
        let came = self.memories.get(&id).map_or(self.clock, |(came, _)| *came);
        let mut kept = body.clone();
        kept["namespace"] = json!(name);
        kept["id"] = json!(id);
        self.memories.insert(id.clone(), (came, kept));
        reply(201, json!({ "id": id, "namespace": name }).to_string())
    }

    /// All words must be there; without words the pinned ones and then the newest; null for nothing.
    fn search(&self, body: &Value) -> Response {
        let names: Vec<&str> = body["namespaces"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let limit = usize::try_from(body["limit"].as_u64().unwrap()).unwrap();
        assert!((1..=100).contains(&limit));
        let words = body["query"].as_str().map(lexemes);
        let mut found: Vec<&(u64, Value)> = self
            .memories
            .values()
            .filter(|(_, memory)| names.contains(&memory["namespace"].as_str().unwrap()))
            .filter(|(_, memory)| {
                words.as_ref().is_none_or(|words| {
                    !words.is_empty() && words.is_subset(&lexemes(memory["content"].as_str().unwrap()))
                })
            })
            .collect();
        found.sort_by_key(|(came, memory)| (memory["pin"] != json!(true), std::cmp::Reverse(*came)));
        let rows: Vec<Value> = found
            .into_iter()
            .take(limit)
            .map(|(_, memory)| {
                let mut shown = memory.clone();
                let shown_fields = shown.as_object_mut().unwrap();
                for hidden in ["embedding", "updated_at"] {
                    shown_fields.remove(hidden);
                }
                shown_fields.insert("created_at".into(), json!("2026-11-28T08:00:00.000001+08:00"));
                shown
            })
            .collect();
        let memories = if rows.is_empty() { Value::Null } else { Value::Array(rows) };
        reply(200, json!({ "memories": memories }).to_string())
    }
}

/// Letters and digits of the beginning, without the words that mean nothing.
fn lexemes(text: &str) -> HashSet<String> {
    let end = text.floor_char_boundary(2_000);
    text[..end]
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && !["the", "a", "of", "is", "on"].contains(word))
        .map(str::to_lowercase)
        .collect()
}

/// Thirty rows of two namespaces.
pub(crate) const LEGACY: &str = "
    create table note (id uuid primary key, team text, body text, pinned boolean, tags jsonb, emb text, ends timestamptz);
    insert into note
    select md5(g::text)::uuid, 'team-' || g % 2, 'note ' || g || ' of shard ' || 100 + g || E'\\r\\n' || chr(20000 + g),
           g % 5 = 0, case when g % 3 = 0 then '{\"n\": 1.00, \"b\": [1, null], \"a\": -0}'::jsonb when g % 3 = 1 then 'null' end,
           case when g % 4 = 0 then '[1,-0,0.1]' end,
           case when g = 7 then timestamptz 'infinity' when g = 8 then timestamptz '2099-03-01 00:00:00.000001' end
      from generate_series(1, 30) g;
";

/// The file.
pub(crate) fn file() -> String {
    r#"
name = "notes"

[source]
url = "store"
table = "note"

[target]
url = "env:PLUGIN"

[id]
from = "key"

[namespace]
template = "team:{team}"

[map]
content = "body"
kind = { value = "fact" }
source = { value = "user" }
pin = "pinned"
propagation = "tags"
embedding = "emb"
expires_at = "ends"

[reject]
budget = "1"
"#
    .to_owned()
}

/// Both sides.
pub(crate) struct Beside {
    pub(crate) ground: Ground,
    pub(crate) fake: Fake,
}

impl Beside {
    pub(crate) async fn new(legacy: &str) -> Self {
        Self { ground: Ground::new(legacy).await, fake: Fake::new().await }
    }

    pub(crate) async fn plan(&self, chunk_rows: u64) -> Result<Plan> {
        plan_into(&self.ground, &self.fake.target(4), &file(), chunk_rows).await
    }

    pub(crate) async fn apply(&self, plan: &Plan, lanes: usize) -> Result<Applied> {
        apply_into(&self.ground, &self.fake.target(lanes), plan, Options::default()).await
    }

    pub(crate) async fn verify(&self, plan: &Plan) -> Result<Verification> {
        verify_against(&self.ground, &self.fake.target(4), plan).await
    }

    /// A memory over there, to be changed behind everybody's back.
    pub(crate) async fn change(&self, row: &str, change: impl FnOnce(&mut Value)) {
        let id = self.ground.one(&format!("md5('{row}')::uuid")).await;
        change(&mut self.fake.there().memories.get_mut(&id).unwrap().1);
    }

    pub(crate) async fn forget(&self, row: &str) {
        let id = self.ground.one(&format!("md5('{row}')::uuid")).await;
        self.fake.there().memories.remove(&id).unwrap();
    }
}
