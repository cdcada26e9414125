//! A door of the binary in a process of its own, on a free port, and a client of it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use heirloom_engine::testkit::TestDatabase;
use heirloom_engine::{Database, Location, Options};
use serde_json::Value;

use crate::support::{Home, Ran};

/// A process that serves, on the embedded engine or on a database of the server of `HEIRLOOM_TEST_URL`.
pub(crate) struct Served {
    pub(crate) url: String,
    child: Child,
    home: Home,
    database: Option<TestDatabase>,
    client: reqwest::Client,
    log: Arc<Mutex<String>>,
}

/// What a request got.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Got {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the status and gives the JSON.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Served {
    /// `heirloom serve` that asks for no token.
    pub(crate) async fn open() -> Self {
        Self::start("serve --listen 127.0.0.1:0 --no-auth", &[]).await
    }

    /// Starts words of the command line, with variables, and waits for the address.
    pub(crate) async fn start(words: &str, variables: &[(&str, &str)]) -> Self {
        let database = match std::env::var_os("HEIRLOOM_TEST_URL") {
            Some(_) => Some(TestDatabase::fresh().await),
            None => None,
        };
        let home = Home::new();
        if words.starts_with("serve")
            && let Some(url) = database.as_ref().and_then(TestDatabase::url)
        {
            let ran = home.run_with("up", &[("DATABASE_URL", url)]);
            assert_eq!(ran.code, 0, "{ran}");
        }
        Self::start_on(home, database, words, variables)
    }

    fn start_on(home: Home, database: Option<TestDatabase>, words: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = home.command();
        command.args(words.split_whitespace()).stderr(Stdio::piped()).stdout(Stdio::null());
        match database.as_ref().and_then(TestDatabase::url) {
            Some(url) if words.starts_with("plugin") => command.env("MEMORY_PLUGIN_DATABASE_URL", url),
            Some(url) => command.env("DATABASE_URL", url),
            None => command.env("HEIRLOOM_DATA", "store"),
        };
        if let Some(size) = std::env::var_os("HEIRLOOM_TEST_POOL") {
            command.env("HEIRLOOM_POOL", size);
        }
        let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let url = loop {
            let before = log.len();
            assert!(stderr.read_line(&mut log).unwrap() > 0, "it ended: {log}");
            if let Some((_, url)) = log[before..].split_once(" at http") {
                break format!("http{}", url.trim().trim_end_matches('/'));
            }
        };
        let log = Arc::new(Mutex::new(log));
        let heard = log.clone();
        std::thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|read| read > 0) {
                heard.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let client = heirloom::client::builder().unwrap().build().unwrap();
        Self { url, child, home, database, client, log }
    }

    /// The same request as everybody else on this machine.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Got {
        self.ask_as(None, method, path, body.to_owned()).await
    }

    /// A request with a token.
    pub(crate) async fn ask_as(&self, token: Option<&str>, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Got {
        let mut request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Self::sent(request.body(body.into())).await
    }

    /// A request that says it was meant for another host.
    pub(crate) async fn ask_with(&self, method: &str, path: &str, header: (&str, &str)) -> Got {
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        Self::sent(request.header(header.0, header.1)).await
    }

    async fn sent(request: reqwest::RequestBuilder) -> Got {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, text: response.text().await.unwrap() }
    }

    /// Another command on the same store.
    pub(crate) fn run(&self, words: &str) -> Ran {
        match self.database.as_ref().and_then(TestDatabase::url) {
            Some(url) => self.home.run_with(words, &[("DATABASE_URL", url)]),
            None => self.home.run_with(words, &[("HEIRLOOM_DATA", "store")]),
        }
    }

    /// The secret of a new token.
    pub(crate) fn token(&self, words: &str) -> String {
        let ran = self.run(&format!("token create {words} --json"));
        assert_eq!(ran.code, 0, "{ran}");
        ran.json()["secret"].as_str().unwrap().to_owned()
    }

    /// Lets nobody into its database any more, or lets everybody in again. False on the embedded engine, which cannot.
    pub(crate) async fn database_answers(&self, answers: bool) -> bool {
        let Some(database) = self.database.as_ref().and_then(TestDatabase::url) else { return false };
        let name = database.split('?').next().unwrap().rsplit('/').next().unwrap();
        let server = Location::Server(std::env::var("HEIRLOOM_TEST_URL").unwrap());
        let admin = Database::open(&server, &Options { pool_size: 1, ..Options::default() }).await.unwrap();
        let sql = format!(
            "alter database {name} with allow_connections {answers}; \
             select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}' and not {answers}"
        );
        // Each by itself: what follows must see what went before.
        for statement in sql.split(';') {
            admin.client().await.unwrap().batch_execute(statement).await.unwrap();
        }
        admin.close().await.unwrap();
        true
    }

    /// What it wrote to stderr until now.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Asks it to end as a supervisor does, and gives the exit code.
    pub(crate) async fn stop(mut self) -> i32 {
        let killed = std::process::Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let code = self.child.wait().unwrap().code().unwrap();
        if let Some(database) = self.database.take() {
            database.close().await;
        }
        code
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Nothing of a failed test goes on running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Times are not the same twice.
pub(crate) fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_at\":\"") {
        let (_, following) = after.split_once('"').unwrap();
        out.push_str(&format!("{before}_at\":\"[TIME]\""));
        rest = following;
    }
    out + rest
}
