//! `heirloom serve` as a process of its own, on the embedded engine or on a database of `HEIRLOOM_TEST_URL`, and
//! requests to it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use heirloom_engine::testkit::TestDatabase;
use reqwest::Method;
use serde_json::Value;

use crate::support::{Home, Ran};

/// A server that runs, with a token for everything.
pub(crate) struct Served {
    pub(crate) home: Arc<Home>,
    pub(crate) url: String,
    pub(crate) admin: String,
    child: Child,
    log: Arc<Mutex<String>>,
    client: reqwest::Client,
    db: Option<TestDatabase>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON of an answer with this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Served {
    /// A server on a store of its own.
    pub(crate) async fn new() -> Self {
        Self::with(&[], &[]).await
    }

    /// The same, with more words and variables.
    pub(crate) async fn with(words: &[&str], variables: &[(&str, &str)]) -> Self {
        let words = [&["serve", "--listen", "127.0.0.1:0"], words].concat();
        let mut served = Self::start(&words, "DATABASE_URL", variables).await;
        served.admin = served.token("admin", "admin", &[]);
        served
    }

    /// Any command that serves, told of a server's database by this variable; without a token. `serve` finds a store.
    pub(crate) async fn start(words: &[&str], database: &str, variables: &[(&str, &str)]) -> Self {
        let home = Home::new();
        let db = if std::env::var_os("HEIRLOOM_TEST_URL").is_some() { Some(TestDatabase::fresh().await) } else { None };
        let mut place = vec![("HEIRLOOM_LOG", "warn,heirloom=info,heirloom::access=info")];
        let login;
        if let Some(db) = db.as_ref().filter(|db| db.url().is_some()) {
            if words[0] == "serve" {
                let ran = home.run_with("up", &[(database, db.url().unwrap())]);
                assert_eq!(ran.code, 0, "{ran}");
                login = db.login("heirloom_serve, heirloom_audit, heirloom_admin").await;
                place.push((database, &login));
            } else {
                place.push((database, db.url().unwrap()));
            }
        }
        place.extend_from_slice(variables);
        let mut served = Self::spawn(home, words, &place);
        served.db = db;
        served
    }

    /// Any command that serves, in this home and with these variables, and no database that it knows of.
    pub(crate) fn spawn(home: impl Into<Arc<Home>>, words: &[&str], variables: &[(&str, &str)]) -> Self {
        let home = home.into();
        let mut command = home.command();
        command.args(words).envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut line, log) = (String::new(), Arc::new(Mutex::new(String::new())));
        let url = loop {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended: {}", log.lock().unwrap());
            log.lock().unwrap().push_str(&line);
            if let Some((_, rest)) = line.split_once(" at http") {
                break format!("http{}", rest.trim().trim_end_matches('/'));
            }
        };
        let kept = log.clone();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let client = heirloom_migrate::http::builder().unwrap().build().unwrap();
        Self { home, url, admin: String::new(), child, log, client, db: None }
    }

    /// Another command on the same store: attached on the embedded engine, on its own on a server.
    pub(crate) fn run(&self, words: &str) -> Ran {
        match self.db.as_ref().and_then(TestDatabase::url) {
            Some(url) => self.home.run_with(words, &[("DATABASE_URL", url)]),
            None => self.home.run(words),
        }
    }

    /// A table of notes (`insert into notes values (id, body), …`) handed down to a namespace and soaking; its file, and
    /// what the plan says.
    pub(crate) fn handed_down(&self, values: &str, namespace: &str) -> (rusqlite::Connection, Value) {
        let legacy = rusqlite::Connection::open(self.home.path().join("legacy.db")).unwrap();
        let table = "create table notes (id integer primary key, body text)";
        legacy.execute_batch(&format!("{table}; insert into notes values {values}")).unwrap();
        let file = format!(
            "name = \"notes\"\n[source]\nurl = \"sqlite:legacy.db\"\ntable = \"notes\"\n[namespace]\n\
             template = \"{namespace}\"\n[map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n"
        );
        std::fs::write(self.home.path().join("notes.toml"), file).unwrap();
        let [plan, apply] = ["plan notes.toml", "apply notes.plan.json"];
        for words in [plan, apply, "verify notes.plan.json --record", "soak start notes.plan.json"] {
            let ran = self.run(words);
            assert_eq!(ran.code, 0, "`{words}`: {ran}");
        }
        let plan = std::fs::read_to_string(self.home.path().join("notes.plan.json")).unwrap();
        (legacy, serde_json::from_str(&plan).unwrap())
    }

    /// The database's URL, where it is one on a server.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.db.as_ref().and_then(TestDatabase::url)
    }

    /// A token's secret.
    pub(crate) fn token(&self, name: &str, right: &str, namespaces: &[&str]) -> String {
        let namespaces: String = namespaces.iter().map(|namespace| format!(" --namespace {namespace}")).collect();
        let ran = self.run(&format!("token create {name} --right {right}{namespaces} --json"));
        assert_eq!(ran.code, 0, "{ran}");
        ran.json()["secret"].as_str().unwrap().to_owned()
    }

    /// A request, for what the shorter ones below leave out.
    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        answer(self.request(Method::GET, path, token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path, token).body(body.to_string())).await
    }

    /// The same server, asked by another client.
    pub(crate) fn asked_by(&mut self, client: reqwest::Client) {
        self.client = client;
    }

    /// What was logged until now.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it between two instructions.
    pub(crate) fn kill(&self) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    }

    /// Asks it to stop as a service manager does, and waits; its exit code.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        if let Some(db) = self.db.take() {
            db.close().await;
        }
        code
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a request.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}
