//! An embedded store whose `apply` is killed, or told to stop, at any moment goes on to the result of an undisturbed one.
//!
//! Results are compared by plain SQL, row by row; nothing here shares code with what wrote them.
#![cfg(unix)]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use heirloom_engine::{Database, Location, Options};
use tokio::sync::OnceCell;

use crate::support::{Home, Ran};

/// Rows of the legacy tables; the plan makes chunks of three.
const ROWS: u64 = 120;

/// Everything a migration leaves that does not tell the time, a line a row.
const RESULT: &str = "select coalesce(string_agg(t.line, E'\\n' order by t.line), '') from (
    select json_build_array(o.source_key, o.source_row::text, m.namespace, m.content, m.kind, m.source, m.state, m.metadata,
               m.created_at, m.updated_at, m.importance, m.expires_at, m.verified_at, m.is_active)::text as line
      from heirloom.memory m left join heirloom.origin o on o.id = m.id and o.namespace = m.namespace
    union all
    select json_build_array(source_key, code, field, source_row::text, state)::text from heirloom_migrate.reject
    union all
    select json_build_array(ordinal, state, rows)::text from heirloom_migrate.chunk) t";

/// A home whose store is embedded, whatever the other tests run on.
struct Place {
    home: Home,
}

impl Place {
    /// With a file that reads `url`.
    fn new(url: &str) -> Self {
        let home = Home::new();
        let file = format!(
            "name = \"notes\"\n[source]\nurl = \"{url}\"\ntable = \"notes\"\nkey = [\"id\"]\n[namespace]\n\
             template = \"custom:{{author}}\"\n[map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n\
             state = {{ from = \"mood\", values = {{ new = \"draft\", active = \"candidate\" }}, otherwise = \"reject\" }}\n\
             metadata = {{ merge = [\"extra\"] }}\n[reject]\nbudget = \"10%\"\n"
        );
        std::fs::write(home.path().join("notes.toml"), file).unwrap();
        Self { home }
    }

    fn run(&self, words: &str) -> Ran {
        self.home.run(&format!("{words} --data store"))
    }

    #[track_caller]
    fn ends(&self, code: i32, words: &str) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.code, code, "`{words}`: {ran}");
        ran
    }

    /// One value, while no command runs.
    async fn one(&self, sql: &str) -> String {
        let database =
            Database::open(&Location::Embedded(self.home.path().join("store")), &Options::default()).await.unwrap();
        let found = database.client().await.unwrap().simple_query(sql).await.unwrap();
        database.close().await.unwrap();
        let row = found.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        row.unwrap_or_default().to_owned()
    }

    /// A running apply.
    fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// A running apply with more words.
    fn start_with(&self, words: &[&str]) -> Running {
        let mut command = self.home.command();
        Running::new(command.args(["apply", "notes.plan.json", "--data", "store"]).args(words))
    }

    /// Goes on to the end; everything it left.
    async fn finish(&self) -> String {
        let done = self.ends(0, "apply notes.plan.json --json").json();
        assert_eq!(done["state"], "applied");
        assert!(!self.home.path().join("store/heirloom.owner.json").exists());
        self.one(RESULT).await
    }

    /// Looks with Heirloom's own eyes whether all is there.
    fn holds(&self) {
        let again = self.ends(0, "apply notes.plan.json --json").json();
        assert_eq!((&again["written"], &again["present"]), (&0.into(), &(ROWS - 2).into()), "nothing is written twice");
        self.ends(0, "verify notes.plan.json");
    }
}

/// A running command and what it tells.
struct Running {
    child: Child,
    told: Receiver<String>,
}

impl Running {
    fn new(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, told) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, told }
    }

    /// Waits until rows have been written; false when it ended before.
    fn has_written(&self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Ok(line) = self.told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if line.starts_with("notes: ") && !line.starts_with("notes: 0 of") {
                return true;
            }
        }
        false
    }

    /// Waits for a line that holds these words; false when it ended before.
    fn has_told(&self, words: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Ok(line) = self.told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if line.contains(words) {
                return true;
            }
        }
        false
    }

    /// Listens for so long, or until it ends.
    fn listen(&self, time: Duration) {
        let deadline = Instant::now() + time;
        loop {
            match self.told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// True when the kill met it running.
    fn kill(mut self) -> bool {
        self.child.kill().unwrap();
        self.child.wait().unwrap().signal() == Some(9)
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Its end, which must come by itself.
    fn end(mut self) -> ExitStatus {
        self.listen(Duration::from_secs(60));
        if self.child.try_wait().unwrap().is_none()
            && self.told.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Timeout)
        {
            self.child.kill().unwrap();
            panic!("it goes on after the signal");
        }
        self.child.wait().unwrap()
    }
}

/// Up to so many milliseconds.
fn some_time(limit: u64) -> Duration {
    Duration::from_millis(RandomState::new().build_hasher().finish() % limit)
}

/// Kills apply once whenever it may be and some times while it writes; answers the moments, for the message.
fn kill_some_times(place: &Place, times: usize) -> Vec<Duration> {
    let mut moments = vec![some_time(200)];
    let first = place.start();
    first.listen(moments[0]);
    assert!(first.kill(), "it takes longer to start");
    for _ in 0..times {
        let running = place.start();
        assert!(running.has_written(), "there is something left to kill; so far {moments:?}");
        let moment = some_time(120);
        moments.push(moment);
        running.listen(moment);
        assert!(running.kill(), "the kill met a running apply: {moments:?}");
    }
    moments
}

/// A file with what such files hold: two rows that cannot be handed down, and bytes that are no text.
fn sqlite(dir: &Path) -> String {
    let path = dir.join("legacy.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(&format!(
        "create table notes (id integer primary key, author text, body text, mood text, extra);
         with recursive g(n) as (select 1 union all select n + 1 from g where n < {ROWS})
         insert into notes select n, 'agent-' || (n % 7), 'note ' || n || char(13, 10, 128512), iif(n % 2, 'new', ' Active'),
             case n % 4 when 0 then null when 1 then n * 0.1 when 2 then cast(x'ff00' as text) else x'00ff' end from g;
         update notes set body = '  ' where id = 50; update notes set body = 'nul' || char(0) where id = 7;
         update notes set extra = 'text' where id % 4 = 2;"
    ))
    .unwrap();
    format!("sqlite:{}", path.display())
}

/// What an undisturbed apply makes of [`sqlite`], once for all tests: it takes three commands.
async fn undisturbed() -> &'static str {
    static RESULT: OnceCell<String> = OnceCell::const_new();
    RESULT
        .get_or_init(async || {
            let dir = tempfile::tempdir().unwrap();
            let calm = Place::new(&sqlite(dir.path()));
            calm.ends(0, "plan notes.toml --chunk-rows 3");
            let result = calm.finish().await;
            assert_eq!(result.lines().count() as u64, ROWS + ROWS / 3, "every row once, and every chunk");
            result
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_killed_goes_on_to_the_result_of_an_undisturbed_one() {
    let dir = tempfile::tempdir().unwrap();
    let killed = Place::new(&sqlite(dir.path()));
    killed.ends(0, "plan notes.toml --chunk-rows 3");
    assert!(!killed.home.path().join("store").exists(), "a plan makes no store");
    let moments = kill_some_times(&killed, 2);
    assert_eq!(killed.finish().await, undisturbed().await, "{moments:?}");
    killed.holds();
}

#[test]
fn a_store_whose_making_is_killed_is_whole_or_not_there() {
    for _ in 0..5 {
        let home = Home::new();
        let up = Running::new(home.command().args(["up", "--data", "store"]));
        let moment = some_time(400);
        up.listen(moment);
        up.kill();
        let listed = home.run("list --namespace team:a --data store --json");
        let none = listed.code == 1 && listed.stderr.contains("\"no-store\"");
        assert!(listed.code == 0 || none, "killed after {moment:?}: {listed}");
        let told = home.run("remember told --namespace team:a --data store");
        let again = home.run("up --data store");
        assert_eq!((again.code, told.code), (0, listed.code), "killed after {moment:?}: {told} {again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_whose_source_lies_in_the_store_itself() {
    let legacy = format!(
        "create table notes (id bigint primary key, author text, body text, mood text, extra jsonb);
         insert into notes select g, 'agent-' || g % 7, 'note ' || g || E'\\r\\n' || chr(20000 + g),
             case when g % 2 = 0 then ' Active' else 'new' end, jsonb_build_object('n', g, 'of', null)
           from generate_series(1, {ROWS}) g;
         update notes set body = '  ' where id = 50; update notes set mood = 'unheard of' where id = 7;"
    );
    let (calm, killed) = (Place::new("store"), Place::new("store"));
    for place in [&calm, &killed] {
        place.one(&legacy).await;
        place.ends(0, "plan notes.toml --chunk-rows 3");
    }
    let moments = kill_some_times(&killed, 2);
    assert_eq!(killed.finish().await, calm.finish().await, "{moments:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_and_the_next_command_is_not_kept_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let told = Place::new(&sqlite(dir.path()));
    told.ends(0, "plan notes.toml --chunk-rows 3");
    // Once to finish the chunk, twice to undo it.
    for (signals, codes) in [(&["-TERM"][..], &[3][..]), (&["-INT"], &[3]), (&["-TERM", "-INT"], &[4, 3])] {
        let running = told.start();
        assert!(running.has_written(), "{signals:?}");
        for signal in signals {
            running.signal(signal);
        }
        let status = running.end();
        // The second signal may find that the chunk is finished already.
        assert!(status.code().is_some_and(|code| codes.contains(&code)), "{signals:?}: {status}");
        let orderly = status.code() == Some(3);
        assert!(!orderly || !told.home.path().join("store/heirloom.owner.json").exists(), "{signals:?}");
        assert_eq!(told.ends(0, "status --json").json()["runs"][0]["state"], "applying", "{signals:?}");
    }
    assert_eq!(told.finish().await, undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_follows_goes_on_until_it_is_told_to_stop() {
    let dir = tempfile::tempdir().unwrap();
    let url = sqlite(dir.path());
    let place = Place::new(&url);
    place.ends(0, "plan notes.toml");
    for (words, says) in [
        ("--every 5", "--follow"),
        ("--follow --every 0", "1 or more is accepted"),
        ("--follow --check-only", "--check-only"),
        ("--propagate-deletes=some", "`some` is no budget"),
    ] {
        let ran = place.ends(2, &format!("apply notes.plan.json {words}"));
        assert!(ran.stderr.contains(says), "{words}: {ran}");
    }
    let running = place.start_with(&["--follow", "--propagate-deletes"]);
    assert!(running.has_told("Following; the first SIGINT ends it"));
    let file = rusqlite::Connection::open(url.trim_start_matches("sqlite:")).unwrap();
    file.execute_batch(
        "update notes set body = 'changed while it follows' where id = 3;
         insert into notes select 1000, author, 'new while it follows', mood, extra from notes where id = 3;
         delete from notes where id = 4",
    )
    .unwrap();
    assert!(running.has_told("1 new, 1 updated, 1 forgotten as at the source"));
    running.signal("-INT");
    let status = running.end();
    assert_eq!(status.code(), Some(0), "{status}");
    let text =
        "select string_agg(content, ', ' order by content) from heirloom.memory where content like '%while it follows'";
    assert_eq!(place.one(text).await, "changed while it follows, new while it follows");
    place.ends(0, "verify notes.plan.json");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_is_announced_made_by_following_and_removed_when_it_is_told_to() {
    let place = Place::new("store");
    let toml = place.home.path().join("notes.toml");
    let text = std::fs::read_to_string(&toml).unwrap().replace("key = [\"id\"]", "key = [\"id\"]\noutbox = true");
    std::fs::write(&toml, text).unwrap();
    place.ends(0, "up");
    let table = "create table notes (id bigint primary key, author text, body text, mood text, extra text)";
    place
        .one(&format!(
            "{table}; insert into notes select n, 'ann', 'note ' || n, 'new', '' from generate_series(1, 9) n"
        ))
        .await;
    let planned = place.ends(0, "plan notes.toml");
    assert!(planned.stdout.contains("outbox-writes-source"), "{planned}");
    let told = "At the source public.heirloom_outbox_";
    let would = place.ends(0, "apply notes.plan.json --check-only");
    assert!(would.stdout.contains(told) && would.stdout.contains("would note, made by --follow"), "{would}");

    let running = place.start_with(&["--follow"]);
    assert!(running.has_told("Following; the first SIGINT ends it"));
    running.signal("-INT");
    assert_eq!(running.end().code(), Some(0));
    // It stays when following ends, and what is written in between comes when it goes on.
    place.one("update notes set body = 'in between' where id = 3").await;
    assert_eq!(place.one("select count(*) from pg_trigger where tgname like 'heirloom_outbox%'").await, "4");
    let notes = place.ends(0, "apply notes.plan.json --check-only");
    assert!(notes.stdout.contains(told) && !notes.stdout.contains("would"), "{notes}");
    let refused = place.ends(2, "apply notes.plan.json --remove-outbox --follow");
    assert!(refused.stderr.contains("--remove-outbox"), "{refused}");

    let removed = place.ends(0, "apply notes.plan.json --remove-outbox");
    assert!(removed.stdout.contains("Removed from the source: public.heirloom_outbox_"), "{removed}");
    let left = "select count(*) from pg_class where relname like 'heirloom_outbox%'";
    assert_eq!(place.one(left).await, "0");
    assert_eq!(
        place.ends(0, "apply notes.plan.json --remove-outbox --json").json()["removed"],
        serde_json::Value::Null
    );
    assert_eq!(place.ends(0, "apply notes.plan.json --json").json()["updated"], 1);
}
