//! Every route and every tool, asked what its contract allows and what it does not: each answer has a documented status
//! and form, none is an error of the server's, none tells SQL or somebody else's memories, and the log holds no content.
//!
//! `HEIRLOOM_FUZZ_REQUESTS` says how many requests a route gets (`just fuzz` sends 10,000), `HEIRLOOM_FUZZ_SEED` which.
//! schemathesis goes through the same description in CI; it follows links, and is ten times slower.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use heirloom::demo::rng::Rng;
use serde_json::Value;

use crate::fuzz_contract::{Route, routes};
use crate::fuzz_input::{CONTENT, Caller, Input, Request};
use crate::served::{Answer, Served};

/// Requests of one route that are under way at once.
const AT_ONCE: usize = 8;

/// What an answer never says: how the store asks, or what went wrong inside.
const INSIDE: [&str; 9] = [
    "insert into",
    "heirloom.memory",
    "syntax error at or near",
    "violates",
    "sqlstate",
    "panicked",
    "pg_catalog",
    "plpgsql",
    "row-level security",
];

/// Who asks, and what is known so far.
struct Fuzz {
    served: Served,
    stranger: String,
    definitions: Value,
    seed: u64,
    known: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_in_the_contract() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let requests = number("HEIRLOOM_FUZZ_REQUESTS").unwrap_or(24);
    let served = Served::with(&[], &[("HEIRLOOM_RATE", "0")]).await;
    let stranger = served.token("stranger", "read", &["team:elsewhere"]);
    for words in ["fuzz --name fuzz", "child --name child --parent fuzz"] {
        let ran = served.run(&format!("workspace put {words}"));
        assert_eq!(ran.code, 0, "{ran}");
    }
    served.handed_down(&format!("(1, '{CONTENT}'), (2, '{CONTENT} twice')"), "team:fuzz");
    let (routes, definitions) = routes(&served).await;
    assert!(routes.len() > 90, "{}", routes.len());
    let mut fuzz =
        Fuzz { served, stranger, definitions, seed: number("HEIRLOOM_FUZZ_SEED").unwrap_or(1), known: Vec::new() };
    for route in &routes {
        let statuses = fuzz.ask(route, requests).await;
        println!("{route}: {statuses:?}");
    }
    fuzz.end().await;
}

impl Fuzz {
    /// Sends one route its requests; how many got which status.
    async fn ask(&mut self, route: &Route, requests: u64) -> BTreeMap<u16, u64> {
        // The token that asks is not to be revoked by its own id.
        let known = if route.path.ends_with("/token/revoke") { &[][..] } else { &self.known[..] };
        let (mut statuses, mut found) = (BTreeMap::new(), Vec::new());
        let fuzz = &*self;
        let mut answers = stream::iter(0..requests)
            .map(async |n| {
                let rng = Rng::named(fuzz.seed, &format!("{route} {n}"));
                let request = Input { rng, definitions: &fuzz.definitions, known }.request(route);
                fuzz.answer(route, &request, n).await
            })
            .buffer_unordered(AT_ONCE);
        while let Some((status, ids)) = answers.next().await {
            *statuses.entry(status).or_default() += 1;
            found.extend(ids);
        }
        drop(answers);
        self.known.extend(found);
        let old = self.known.len().saturating_sub(200);
        self.known.drain(..old);
        statuses
    }

    /// Sends one request and looks at what comes back; the status, and the ids that it tells.
    async fn answer(&self, route: &Route, request: &Request, n: u64) -> (u16, Vec<String>) {
        let token = match request.caller {
            Caller::Admin => &self.served.admin,
            Caller::Stranger => &self.stranger,
            Caller::Nobody => "",
        };
        let mut asking = self.served.request(request.method.clone(), &request.path, token).body(request.body.clone());
        for (name, value) in &request.headers {
            // What no header can hold is not sent.
            if let Ok(value) = reqwest::header::HeaderValue::from_bytes(value) {
                asking = asking.header(name, value);
            }
        }
        let said = |what: &str| {
            let body: String = String::from_utf8_lossy(&request.body).chars().take(2_000).collect();
            let (seed, caller, path) = (self.seed, request.caller, &request.path);
            format!("{route}, request {n} of seed {seed}, as {caller:?}: {what}\n{path}\n{:?}\n{body}", request.headers)
        };
        let response = asking.send().await.unwrap_or_else(|error| panic!("{}", said(&format!("no answer: {error:?}"))));
        let status = response.status().as_u16();
        assert!(status < 500 && route.statuses.contains(&status), "{}", said(&format!("status {status}")));
        if route.streamed && status == 200 {
            return (status, Vec::new());
        }
        let headers = response.headers().clone();
        let answer = Answer { status, headers, text: response.text().await.unwrap() };
        let text = &answer.text;
        let lower = text.to_lowercase();
        // What is recalled may hold any word; a refusal may not.
        let refused = status >= 400 || text.contains("\"isError\":true") || text.contains("\"error\":{");
        let inside = INSIDE.iter().find(|word| refused && lower.contains(*word));
        assert!(inside.is_none(), "{}", said(&format!("it tells {inside:?}: {text}")));
        if request.caller != Caller::Admin {
            assert!(!text.contains(CONTENT), "{}", said(&format!("it tells what is not theirs: {text}")));
        }
        if status >= 400 && route.path.starts_with("/api/v1/") {
            let problem: Value = serde_json::from_str(text).unwrap_or_default();
            let whole = ["type", "title", "code", "detail"].iter().all(|name| problem[*name].is_string());
            let typed = answer.header("content-type") == Some("application/problem+json");
            let form = whole && problem["status"] == status && typed;
            assert!(form, "{}", said(&format!("no problem: {answer:?}")));
        }
        (status, ids(text))
    }

    /// The server is as it was, and its log is clean.
    async fn end(self) {
        let served = self.served;
        served.get("/api/v1/whoami", &served.admin).await.is(200);
        let log = served.log();
        for word in ["status=5", "panicked", CONTENT, "insert into", "select "] {
            let line = log.lines().find(|line| line.contains(word));
            assert_eq!(line, None, "{word} is in the log");
        }
        assert_eq!(served.stop().await, Some(0));
    }
}

/// The ids that stand in an answer, a few of them.
fn ids(text: &str) -> Vec<String> {
    let after = text.match_indices("\"id\":\"").filter_map(|(at, mark)| text.get(at + mark.len()..)?.get(..36));
    after.filter(|id| id.parse::<uuid::Uuid>().is_ok()).take(3).map(str::to_owned).collect()
}
