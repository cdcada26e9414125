//! What a process says to its PostgreSQL server and what it hears, message by message: a relay that listens on loopback and
//! keeps count. Only where the server speaks without TLS, as the test servers do.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use heirloom_engine::testkit::TestDatabase;

use crate::served::Served;
use crate::support::Home;

/// `heirloom serve` on a store of its own, with a token that writes; on a server behind a relay, by one connection, so that each
/// statement is prepared once.
pub(crate) struct Wired {
    pub(crate) served: Served,
    pub(crate) token: String,
    /// Absent on the embedded engine.
    pub(crate) wire: Option<Wire>,
    pub(crate) database: Option<TestDatabase>,
}

impl Wired {
    pub(crate) async fn new(namespaces: &[&str]) -> Self {
        if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
            let served = Served::with(&[], &[("HEIRLOOM_RATE", "0")]).await;
            let token = served.token("ours", "write", namespaces);
            return Self { served, token, wire: None, database: None };
        }
        let (home, database) = (Arc::new(Home::new()), TestDatabase::fresh().await);
        let owner = database.url().unwrap();
        let run = |words: &str| {
            let ran = home.run_with(words, &[("DATABASE_URL", owner)]);
            assert_eq!(ran.code, 0, "`{words}`: {ran}");
            ran
        };
        run("up");
        let secret = |words: &str| {
            let made = run(&format!("token create {words} --json")).json();
            made["secret"].as_str().unwrap().to_owned()
        };
        let token = secret(&format!("ours --right write -n {}", namespaces.join(" -n ")));
        let admin = secret("admin --right admin");
        let wire = Wire::before(&database.login("heirloom_serve, heirloom_audit, heirloom_admin").await);
        let variables = [
            ("DATABASE_URL", wire.url.as_str()),
            // Upkeep goes its own way.
            ("HEIRLOOM_UPKEEP_URL", owner),
            ("HEIRLOOM_POOL", "1"),
            ("HEIRLOOM_RATE", "0"),
        ];
        let mut served = Served::spawn(home.clone(), &["serve", "--listen", "127.0.0.1:0"], &variables);
        served.admin = admin;
        Self { served, token, wire: Some(wire), database: Some(database) }
    }

    /// Asks until whoever listens was told of the last write, which was the last thing that was done; `said` is what was said
    /// since before it.
    pub(crate) async fn told(&self, mut said: Vec<String>) {
        let Some(wire) = &self.wire else { return };
        for _ in 0..5_000 {
            said.extend(wire.take());
            let last = |what: &str| said.iter().rposition(|line| line.starts_with("< C") && line.ends_with(what));
            if last(" NOTIFY") > last(" COMMIT") {
                return;
            }
            self.served.get("/healthz", "").await;
        }
        panic!("nobody was told: {said:?}");
    }

    pub(crate) async fn close(self) {
        assert_eq!(self.served.stop().await, Some(0));
        if let Some(database) = self.database {
            database.close().await;
        }
    }
}

/// The relay.
pub(crate) struct Wire {
    /// The database's URL by way of it.
    pub(crate) url: String,
    said: Arc<Mutex<Vec<String>>>,
}

/// A request for TLS, and one for encryption by GSSAPI.
const WITHOUT_A_TYPE: [u32; 2] = [80_877_103, 80_877_104];

impl Wire {
    /// Before the server of this URL.
    pub(crate) fn before(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (who, rest) = rest.split_once('@').unwrap();
        let (server, path) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{who}@{}/{path}", listener.local_addr().unwrap());
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, server) = (said.clone(), server.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                for socket in [&client, &server] {
                    socket.set_nodelay(true).unwrap();
                }
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (here, there) = (kept.clone(), kept.clone());
                std::thread::spawn(move || relay(from, to, &mut Spoken::new(here, true)));
                std::thread::spawn(move || relay(server, client, &mut Spoken::new(there, false)));
            }
        });
        Self { url, said }
    }

    /// What was said since the last time: of each message its direction, its kind, what it runs, and its length.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.said.lock().unwrap())
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, spoken: &mut Spoken) {
    let mut bytes = vec![0; 65_536];
    while let Ok(read) = from.read(&mut bytes) {
        // Before it goes on, so that whoever has an answer finds the question among what was said.
        spoken.hear(&bytes[..read]);
        if read == 0 || to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

/// One direction of one connection.
struct Spoken {
    said: Arc<Mutex<Vec<String>>>,
    is_client: bool,
    /// Whether messages have a type by now: the first of a client have none, and the first byte of a server may be an answer
    /// to one of those.
    is_typed: bool,
    rest: Vec<u8>,
    /// Texts of prepared statements by their names.
    prepared: HashMap<Vec<u8>, String>,
}

impl Spoken {
    fn new(said: Arc<Mutex<Vec<String>>>, is_client: bool) -> Self {
        Self { said, is_client, is_typed: false, rest: Vec::new(), prepared: HashMap::new() }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        while let Some(message) = self.next() {
            // Whoever listens is told of what others did whenever it comes to that: it answers nothing.
            if self.is_client || message[0] != b'A' {
                let line = self.line(&message);
                self.said.lock().unwrap().push(line);
            }
        }
    }

    /// The next whole message, its type in front.
    fn next(&mut self) -> Option<Vec<u8>> {
        if !self.is_client && !self.is_typed && self.rest.first().is_some_and(|byte| [b'N', b'S'].contains(byte)) {
            assert_eq!(self.rest[0], b'N', "the server speaks TLS: nothing is to be seen of it");
            self.rest.remove(0);
        }
        let typed = usize::from(!self.is_client || self.is_typed);
        let length = self.rest.get(typed..typed + 4)?;
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize + typed;
        if self.rest.len() < length {
            return None;
        }
        let mut message: Vec<u8> = self.rest.drain(..length).collect();
        if typed == 0 {
            let code = u32::from_be_bytes(message[4..8].try_into().unwrap());
            self.is_typed = !WITHOUT_A_TYPE.contains(&code);
            message.insert(0, b'0');
        } else {
            self.is_typed = true;
        }
        Some(message)
    }

    fn line(&mut self, message: &[u8]) -> String {
        let (kind, body) = (char::from(message[0]), &message[5..]);
        let mut parts = body.split(|byte| *byte == 0);
        let first = parts.next().unwrap_or_default();
        let what = match (self.is_client, kind) {
            (true, 'Q') => String::from_utf8_lossy(first).into_owned(),
            (true, 'P') => {
                let text = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
                self.prepared.insert(first.to_vec(), text.clone());
                text
            }
            (true, 'B') => self.prepared.get(parts.next().unwrap_or_default()).cloned().unwrap_or_default(),
            (false, 'C') => String::from_utf8_lossy(first).into_owned(),
            _ => String::new(),
        };
        let side = if self.is_client { '>' } else { '<' };
        format!("{side} {kind} {} {what}", message.len())
    }
}
