//! Manners of a fleet: pause files, limits and rates, of all tenants and of one, on whichever engine the suite runs. Who waits
//! of his own will says why and is not taken for one whose database hangs.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fleet::{ground, line};
use crate::legacy::Legacy;

/// A fleet's apply under way, and what it says as it comes.
struct Running {
    child: Child,
    said: Receiver<String>,
}

impl Running {
    fn new(legacy: &Legacy, words: &str) -> Self {
        let mut command = legacy.home.command();
        command.envs(legacy.variables()).args(words.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (tell, said) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, said }
    }

    /// The next line that says this.
    #[track_caller]
    fn says(&self, what: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.said.recv_timeout(Duration::from_secs(60)) {
                Ok(line) if line.contains(what) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("it never said {what} ({error}): {before:?}"),
            }
        }
    }

    #[track_caller]
    fn holds(mut self) {
        let mut told = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{told}");
    }
}

impl Drop for Running {
    /// A test that fails leaves nobody behind who waits for ever.
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn change(legacy: &Legacy, from: &str, to: &str) {
    let file = legacy.home.path().join("tenants.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_says_why_and_is_never_given_up_for_it() {
    let legacy = ground().await;
    legacy.ends(0, "fleet plan tenants.toml");
    // What stops all stops all.
    legacy.write("halt", "");
    let running = Running::new(&legacy, "fleet apply tenants.toml --parallel 1 --pause-file halt");
    // Each of them, though one place is all there is, and none of them begins: nothing is made, no session is held.
    for _ in 0..4 {
        let said = running.says("waits: ");
        assert!(said.ends_with("waits: the file halt is there"), "{said}");
    }
    if legacy.variables().iter().any(|(name, _)| *name == "DATABASE_URL") {
        assert_eq!(legacy.one("select to_regclass('heirloom_migrate.run') is null").await, "true");
    }
    std::fs::remove_file(legacy.home.path().join("halt")).unwrap();
    running.holds();
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "65");

    // One has a pause of its own, and waits for longer than a silence is borne.
    legacy.sql("update hongming.note set body = body || '!'; update chloe_dong.note set body = body || '!'").await;
    change(&legacy, "[defaults]\n", "[defaults]\npatience = 3\npause_file = \"pause/{tenant}\"\n");
    std::fs::create_dir(legacy.home.path().join("pause")).unwrap();
    legacy.write("pause/hongming", "");
    let running = Running::new(&legacy, "fleet apply tenants.toml --parallel 1");
    let said = running.says("waits: ");
    assert!(said.starts_with("hongming") && said.ends_with("pause/hongming is there"), "{said}");
    let waits = Instant::now();
    while waits.elapsed() < Duration::from_millis(3_500) {
        let ended = running.said.try_recv().is_ok_and(|line| line.starts_with("hongming"));
        assert!(!ended, "it came to its end while it should wait");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    std::fs::remove_file(legacy.home.path().join("pause/hongming")).unwrap();
    running.holds();
    assert_eq!(legacy.one("select count(*) from heirloom.memory where content like '%!'").await, "15");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_holds_for_all_together_and_for_one() {
    let legacy = ground().await;
    change(&legacy, "table = \"agents_team.note\"", "table = \"agents_team.note\"\nrate = 20");
    legacy.ends(0, "fleet plan tenants.toml");
    let refused = legacy.ends(2, "fleet apply tenants.toml --parallel 4 --rate 3");
    assert!(refused.stderr.contains("4 or more is accepted, or a smaller --parallel"), "{refused}");
    let seconds = |told: &Value, tenant: &str| line(told, tenant)["seconds"].as_f64().unwrap();
    // 41 rows at 20 a second, half a second of which may be made good.
    let told = legacy.ends(0, "fleet apply tenants.toml --only agents-team,hongming --json").json();
    assert!(seconds(&told, "agents-team") > 1.2, "{told}");
    // 66 rows of all together at 25 a second: the one that was blank is none any more.
    legacy.sql("update agents_team.note set body = body || '!'; update hongming.note set body = body || '!'").await;
    legacy.sql("update reno_stars.note set body = body || '!'").await;
    let began = Instant::now();
    let told = legacy.ends(0, "fleet apply tenants.toml --parallel 2 --rate 25 --json").json();
    assert_eq!(told["totals"]["written"], 41 + 14 + 1 + 10, "{told}");
    assert!(began.elapsed() > Duration::from_millis(1_900), "66 rows in {:?}", began.elapsed());
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_server_holds_every_tenant_that_goes_there() {
    let legacy = ground().await;
    legacy.ends(0, "fleet plan tenants.toml");
    // The embedded engine has one session, which waits for nobody.
    let Some(url) = legacy.variables().iter().find(|(name, _)| *name == "DATABASE_URL").map(|(_, url)| url.to_string())
    else {
        legacy.ends(0, "fleet apply tenants.toml --max-lock-waits 0");
        return legacy.close().await;
    };
    legacy.sql("create table held ()").await;
    let mut tasks = Vec::new();
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tasks.push(tokio::spawn(connection));
        sessions.push(client);
    }
    let (waiter, holder) = (sessions.pop().unwrap(), sessions.pop().unwrap());
    holder.batch_execute("begin; lock table held").await.unwrap();
    let waiting = tokio::spawn(async move { waiter.batch_execute("begin; lock table held; commit").await });
    let waits = "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())";
    while legacy.one(waits).await == "0" {}
    change(&legacy, "[defaults]\n", "[defaults]\nmax_lock_waits = 0\n");
    let running = Running::new(&legacy, "fleet apply tenants.toml");
    let said = running.says("waits: ");
    assert!(said.ends_with("sessions wait for a lock"), "{said}");
    holder.batch_execute("commit").await.unwrap();
    waiting.await.unwrap().unwrap();
    running.holds();
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "65");
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    legacy.close().await;
}
