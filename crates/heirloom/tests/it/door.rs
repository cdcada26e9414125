//! A door that speaks another's contract, in a process of its own, and requests to it as the contract's tests write them.

use heirloom_engine::{Database, Location, Options};
use serde_json::Value;

use crate::served::{Answer, Served, answer};
use crate::support::Ran;

/// The process.
pub(crate) struct Door(Served);

impl Door {
    /// `heirloom serve` that asks for no token.
    pub(crate) async fn open() -> Self {
        Self::start("serve --listen 127.0.0.1:0 --no-auth", &[]).await
    }

    /// Any command that serves, with variables.
    pub(crate) async fn start(words: &str, variables: &[(&str, &str)]) -> Self {
        let database = if words.starts_with("plugin") { "MEMORY_PLUGIN_DATABASE_URL" } else { "DATABASE_URL" };
        let pool = std::env::var("HEIRLOOM_TEST_POOL").unwrap_or_default();
        let mut all = vec![("HEIRLOOM_POOL", pool.as_str())];
        all.extend_from_slice(variables);
        Self(Served::start(&words.split_whitespace().collect::<Vec<_>>(), database, &all).await)
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// A request as everybody on this machine may send it.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_as("", method, path, body).await
    }

    /// A request with a token.
    pub(crate) async fn ask_as(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        answer(self.0.request(method.parse().unwrap(), path, token).body(body.to_owned())).await
    }

    /// A request with a header, and no body.
    pub(crate) async fn ask_with(&self, method: &str, path: &str, header: (&str, &str)) -> Answer {
        answer(self.0.request(method.parse().unwrap(), path, "").header(header.0, header.1)).await
    }

    /// Another command on the same store.
    pub(crate) fn run(&self, words: &str) -> Ran {
        self.0.run(words)
    }

    /// The secret of a new token, from the words of `heirloom token create`.
    pub(crate) fn token(&self, words: &str) -> String {
        let ran = self.run(&format!("token create {words} --json"));
        assert_eq!(ran.code, 0, "{ran}");
        ran.json()["secret"].as_str().unwrap().to_owned()
    }

    /// Lets nobody into its database any more, or lets everybody in again. False on the embedded engine, which cannot.
    pub(crate) async fn database_answers(&self, answers: bool) -> bool {
        let Some(url) = self.0.database_url() else { return false };
        let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
        let server = Location::Server(std::env::var("HEIRLOOM_TEST_URL").unwrap());
        let admin = Database::open(&server, &Options { pool_size: 1, ..Options::default() }).await.unwrap();
        // Each by itself: who is sent away must not come back in.
        for statement in [
            format!("alter database {name} with allow_connections {answers}"),
            format!(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}' and not {answers}"
            ),
        ] {
            admin.client().await.unwrap().batch_execute(&statement).await.unwrap();
        }
        admin.close().await.unwrap();
        true
    }

    /// What it logged until now.
    pub(crate) fn log(&self) -> String {
        self.0.log()
    }

    /// Waits until it has logged these words: what it wrote before it answered may still be on its way here.
    pub(crate) async fn has_said(&self, words: &str) {
        for _ in 0..5_000 {
            if self.log().contains(words) {
                return;
            }
            self.ask("GET", "/v1/health", "").await;
        }
        panic!("`{words}` is not in its log: {}", self.log());
    }

    /// Asks it to end as a supervisor does.
    pub(crate) async fn stop(self) -> Option<i32> {
        self.0.stop().await
    }
}

/// An error as the platform's server writes it.
pub(crate) fn error(words: &str) -> Value {
    serde_json::json!({ "error": words })
}

/// Times are not the same twice.
pub(crate) fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("created_at\":\"") {
        let (_, following) = after.split_once('"').unwrap();
        out.push_str(&format!("{before}created_at\":\"[TIME]\""));
        rest = following;
    }
    out + rest
}
