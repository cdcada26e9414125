//! Sixteen connections that ask one after the other: HTTP/1.1 by hand, because whatever the load costs is taken from the
//! two cores that are measured.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{IDS, NAMESPACE, WRITTEN, World, question};
use crate::{CONNECTIONS, Measured};

/// Path, body and the status that is due of the nth request.
pub(crate) type Request = fn(usize) -> (&'static str, String, u16);

pub(crate) fn recall(n: usize) -> (&'static str, String, u16) {
    ("/api/v1/recall", json!({ "query": question(n), "namespaces": [NAMESPACE] }).to_string(), 200)
}

pub(crate) fn search(n: usize) -> (&'static str, String, u16) {
    ("/v1/search", json!({ "query": question(n), "namespaces": [NAMESPACE], "limit": 10 }).to_string(), 200)
}

pub(crate) fn remember(n: usize) -> (&'static str, String, u16) {
    ("/api/v1/remember", json!({ "content": content(n), "namespace": NAMESPACE }).to_string(), 201)
}

pub(crate) fn commit(n: usize) -> (&'static str, String, u16) {
    let body = json!({ "content": content(n), "kind": "fact", "source": "agent" });
    ("/v1/namespaces/team%3Abench/memories", body.to_string(), 201)
}

/// Of another tenant's.
pub(crate) fn show_theirs(_: usize) -> (&'static str, String, u16) {
    ("/api/v1/show", json!({ "id": IDS[0] }).to_string(), 404)
}

/// Of what is not there.
pub(crate) fn show_nobodys(_: usize) -> (&'static str, String, u16) {
    ("/api/v1/show", json!({ "id": IDS[1] }).to_string(), 404)
}

fn content(n: usize) -> String {
    format!("{WRITTEN}: the {} service waits for release {n}", question(n))
}

/// Asks for so long.
pub(crate) async fn run(world: &World, turn: Duration, request: Request) -> Measured {
    let began = Instant::now();
    let times = join_all((0..CONNECTIONS).map(|me| async move {
        let mut connection = Connection::new(world).await;
        let (mut times, mut n) = (Vec::new(), me);
        while began.elapsed() < turn {
            let (path, body, status) = request(n);
            let start = Instant::now();
            let answered = connection.post(path, &body).await;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            assert_eq!(answered, status, "{path} {body}: {}", connection.last());
            n += CONNECTIONS;
        }
        times
    }))
    .await;
    Measured::of(times.into_iter().flatten().collect(), began.elapsed())
}

struct Connection {
    stream: TcpStream,
    head: String,
    sent: Vec<u8>,
    read: Vec<u8>,
}

impl Connection {
    async fn new(world: &World) -> Self {
        let stream = TcpStream::connect(&world.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
            world.address, world.token
        );
        Self { stream, head, sent: Vec::new(), read: Vec::new() }
    }

    /// The status of the answer.
    async fn post(&mut self, path: &str, body: &str) -> u16 {
        self.sent.clear();
        let head = format!("POST {path} {}Content-Length: {}\r\n\r\n", self.head, body.len());
        self.sent.extend_from_slice(head.as_bytes());
        self.sent.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.sent).await.unwrap();
        self.read.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.read).await.unwrap() > 0, "the server hung up: {}", self.last());
            let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.read[..end]).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.expect("an answer of known length").parse().unwrap();
            if self.read.len() >= end + 4 + length {
                return head[9..12].parse().unwrap();
            }
        }
    }

    fn last(&self) -> String {
        String::from_utf8_lossy(&self.read).into_owned()
    }
}
