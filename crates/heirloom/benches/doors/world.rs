//! A store on a server with memories in one namespace, and `heirloom serve` on it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use heirloom_engine::testkit::TestDatabase;
use heirloom_store::{Store, UpOptions};

/// The namespace of all memories.
pub(crate) const NAMESPACE: &str = "team:bench";

/// A memory of another tenant's, and an id that nobody has.
pub(crate) const IDS: [&str; 2] = ["01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"];

/// What a memory that a load writes begins with.
pub(crate) const WRITTEN: &str = "Written under load";

/// The words of a memory: who, what, of what, where.
const WORDS: [&[&str]; 4] = [
    &["billing", "search", "staging", "checkout", "identity", "catalogue", "shipping", "ledger", "mailing", "archive"],
    &[
        "deploys",
        "restarts",
        "migrates",
        "rejects",
        "retries",
        "caches",
        "truncates",
        "encrypts",
        "replays",
        "throttles",
    ],
    &[
        "invoices",
        "sessions",
        "snapshots",
        "tokens",
        "orders",
        "images",
        "webhooks",
        "counters",
        "certificates",
        "drafts",
    ],
    &["Lisbon", "Osaka", "Nairobi", "Quito", "Oslo", "Austin", "Pune", "Leeds", "Turin", "Hobart"],
];

/// The store and its server.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) memories: u64,
    /// The login that serves.
    pub(crate) login: String,
    /// `HOST:PORT` of the server, and a token that reads and writes the namespace.
    pub(crate) address: String,
    pub(crate) token: String,
    served: Child,
    _home: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new(memories: u64) -> Self {
        let database = TestDatabase::fresh().await;
        let store = Store::up(database.database(), &UpOptions::default()).await.unwrap();
        let array = |words: &[&str]| format!("(array['{}'])", words.join("','"));
        let [who, what, of, place] = WORDS.map(array);
        let fill = format!(
            "insert into heirloom.memory (namespace, kind, content, created_at)
             select '{NAMESPACE}', 'fact',
                 'The ' || {who}[1 + n % 10] || ' service ' || {what}[1 + n / 10 % 10] || ' its ' || {of}[1 + n / 100 % 10]
                     || ' in ' || {place}[1 + n / 1000 % 10] || ' before release ' || n || ', says owner' || n % 997,
                 timestamptz '2026-01-01Z' + n * interval '1 minute'
             from generate_series(1, {memories}) n"
        );
        let theirs = format!(
            "insert into heirloom.memory (id, namespace, kind, content) values ('{}', 'team:theirs', 'fact', 'a secret')",
            IDS[0]
        );
        database.database().client().await.unwrap().batch_execute(&format!("{fill}; {theirs}")).await.unwrap();
        store.upkeep(None).await.unwrap();
        let login = database.login("heirloom_serve, heirloom_audit").await;
        let home = tempfile::tempdir().unwrap();
        let command = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_heirloom"));
            command.env_clear().env("HOME", home.path()).current_dir(home.path());
            command
        };
        let made = command()
            .args(["token", "create", "bench", "--right", "write", "-n", NAMESPACE, "--json"])
            .env("DATABASE_URL", database.url().unwrap())
            .output()
            .unwrap();
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).expect("a token is made");
        let mut serve = command();
        serve.args(["serve", "--listen", "127.0.0.1:0"]).env("DATABASE_URL", &login).env("HEIRLOOM_RATE", "0");
        if let Ok(pool) = std::env::var("HEIRLOOM_BENCH_POOL") {
            serve.env("HEIRLOOM_POOL", pool);
        }
        let mut served = serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(served.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
            if let Some((_, address)) = line.split_once(" at http://") {
                break address.trim().trim_end_matches('/').to_owned();
            }
        };
        // A log that nobody reads would stop it.
        std::thread::spawn(move || said.lines().for_each(drop));
        let token = made["secret"].as_str().unwrap().to_owned();
        let world = Self { database, memories, login, address, token, served, _home: home };
        world.sql("vacuum (analyze) heirloom.memory").await;
        world
    }

    /// Takes away what a load wrote.
    pub(crate) async fn as_before(&self) {
        self.sql(&format!("delete from heirloom.memory where content like '{WRITTEN}%'")).await;
        self.sql("vacuum (analyze) heirloom.memory").await;
    }

    async fn sql(&self, sql: &str) {
        self.database.database().client().await.unwrap().batch_execute(sql).await.unwrap();
    }

    pub(crate) async fn close(mut self) {
        self.served.kill().unwrap();
        self.served.wait().unwrap();
        self.database.close().await;
    }
}

/// A question: two words that a tenth of the memories hold each, and one of ten memories; the same for the same number.
pub(crate) fn question(n: usize) -> String {
    let word = |group: usize, at: usize| WORDS[group][at % 10];
    format!("{} {} owner{}", word(0, n), word(2, n / 10), n * 7 % 997)
}
