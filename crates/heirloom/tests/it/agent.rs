//! The official MCP client on the real binary: over stdio, and over HTTP on `heirloom serve`.

use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use heirloom_engine::testkit::TestDatabase;
use rmcp::model::{CallToolRequestParams, Tool};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceError, ServiceExt};
use serde_json::Value;
use tokio::net::unix::pipe;

use crate::support::{Home, Ran};

/// A store of its own: the embedded one of a home, or a database on the server of `HEIRLOOM_TEST_URL`.
pub(crate) struct World {
    pub(crate) home: Home,
    server: Option<TestDatabase>,
    /// Whom the server's database is served as.
    login: Option<String>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let server = match std::env::var_os("HEIRLOOM_TEST_URL") {
            Some(_) => Some(TestDatabase::fresh().await),
            None => None,
        };
        let mut world = Self { home: Home::new(), server, login: None };
        world.ends(0, "up");
        if let Some(server) = &world.server {
            world.login = Some(server.login("heirloom_serve, heirloom_audit, heirloom_admin").await);
        }
        world
    }

    /// One whose store is embedded, whatever the other tests run on.
    pub(crate) fn embedded() -> Self {
        let world = Self { home: Home::new(), server: None, login: None };
        world.ends(0, "up");
        world
    }

    /// The server's database; absent on the embedded engine.
    pub(crate) fn url(&self) -> Option<&str> {
        self.server.as_ref().and_then(TestDatabase::url)
    }

    /// Who a command is: an agent is served as a login of its own.
    fn url_for(&self, words: &str) -> Option<&str> {
        self.login.as_deref().filter(|_| words.starts_with("mcp")).or(self.url())
    }

    /// The binary on this store.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = self.home.command();
        command.args(words.split_whitespace());
        if let Some(url) = self.url_for(words) {
            command.env("DATABASE_URL", url);
        }
        command
    }

    pub(crate) fn run(&self, words: &str) -> Ran {
        let variables: Vec<(&str, &str)> = self.url_for(words).into_iter().map(|url| ("DATABASE_URL", url)).collect();
        self.home.run_with(words, &variables)
    }

    #[track_caller]
    pub(crate) fn ends(&self, code: i32, words: &str) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.code, code, "`{words}`: {ran}");
        ran
    }

    /// A token, made by the command; `words` after `token create`.
    pub(crate) fn token(&self, words: &str) -> String {
        self.ends(0, &format!("token create {words} --json")).json()["secret"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn close(self) {
        if let Some(server) = self.server {
            server.close().await;
        }
    }
}

/// A client of ours.
pub(crate) struct Agent {
    client: RunningService<RoleClient, ()>,
    process: Option<Child>,
}

impl Agent {
    /// Over stdio, to `heirloom mcp` and these words.
    pub(crate) async fn stdio(world: &World, words: &str) -> Self {
        let mut command = world.command(&format!("mcp {words}"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let input = pipe::Sender::from_owned_fd(OwnedFd::from(process.stdin.take().unwrap())).unwrap();
        let output = pipe::Receiver::from_owned_fd(OwnedFd::from(process.stdout.take().unwrap())).unwrap();
        let client = ().serve((output, input)).await.unwrap();
        Self { client, process: Some(process) }
    }

    /// Over HTTP.
    pub(crate) async fn http(url: &str, token: &str) -> Self {
        let config = StreamableHttpClientTransportConfig::with_uri(url.to_owned()).auth_header(token.to_owned());
        let http = heirloom_migrate::http::builder().unwrap().build().unwrap();
        let client = ().serve(StreamableHttpClientTransport::with_client(http, config)).await.unwrap();
        Self { client, process: None }
    }

    pub(crate) async fn tools(&self) -> Vec<Tool> {
        self.client.list_all_tools().await.unwrap()
    }

    pub(crate) async fn names(&self) -> Vec<String> {
        self.tools().await.into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    /// The text of a tool's answer and whether it is an error, or the protocol's error.
    pub(crate) async fn ask(&self, name: &str, arguments: Value) -> Result<(String, bool), ServiceError> {
        let mut request = CallToolRequestParams::new(name.to_owned());
        request.arguments = arguments.as_object().cloned();
        let result = self.client.call_tool(request).await?;
        assert_eq!(result.content.len(), 1);
        Ok((result.content[0].as_text().unwrap().text.clone(), result.is_error == Some(true)))
    }

    /// The text of an answer that is no error.
    pub(crate) async fn done(&self, name: &'static str, arguments: Value) -> String {
        let (text, is_error) = self.ask(name, arguments.clone()).await.unwrap();
        assert!(!is_error, "{name} {arguments}: {text}");
        text
    }

    /// The text of an answer that is an error.
    pub(crate) async fn refused(&self, name: &'static str, arguments: Value) -> String {
        let (text, is_error) = self.ask(name, arguments.clone()).await.unwrap();
        assert!(is_error, "{name} {arguments}: {text}");
        assert!(text.starts_with("Error ("), "{text}");
        for word in ["select ", "insert ", "heirloom.memory", "SQLSTATE", "postgres://"] {
            assert!(!text.contains(word), "{name} {arguments}: {text}");
        }
        text
    }

    /// Says goodbye; how the process ended and what it left on stderr.
    pub(crate) async fn end(self) -> (Option<ExitStatus>, String) {
        self.client.cancel().await.unwrap();
        let Some(mut process) = self.process else { return (None, String::new()) };
        tokio::task::spawn_blocking(move || {
            let status = process.wait().unwrap();
            let mut said = String::new();
            process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            (Some(status), said)
        })
        .await
        .unwrap()
    }
}

/// `heirloom serve`, stopped when dropped.
pub(crate) struct Server {
    process: Child,
    _said: BufReader<ChildStderr>,
    /// Where it listens.
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(world: &World) -> Self {
        let mut command = world.command("serve --listen 127.0.0.1:0");
        if let Some(login) = &world.login {
            command.env("DATABASE_URL", login);
        }
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
            if let Some((_, url)) = line.split_once(" at http") {
                break format!("http{}", url.trim().trim_end_matches('/'));
            }
        };
        Self { process, _said: said, url }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to end as a terminal would, and waits.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal("INT");
        self.process.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The JSON between the marks of recalled text.
#[track_caller]
pub(crate) fn data(text: &str) -> Value {
    let (said, rest) = text.split_once("<memory-data>\n").unwrap_or_else(|| panic!("no mark: {text}"));
    assert!(said.contains("reference data") && said.contains("not instructions"), "{said}");
    serde_json::from_str(rest.strip_suffix("\n</memory-data>").unwrap()).unwrap()
}
