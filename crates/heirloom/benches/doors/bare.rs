//! The statements alone, as the serving role under row-level security, each a transaction of its own in one round trip:
//! sent by pgbench, or by connections of ours where there is none.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::world::{WRITTEN, World, question};
use crate::{CONNECTIONS, Measured};

/// Settings of a session that stand for what a request's transaction sets.
const SESSION: &str = "-c role=heirloom_serve -c heirloom.namespaces=team:bench";

/// The namespace; pgbench would take what follows a colon for a variable of its own.
const NAMED: &str = r"E'team\x3abench'";

/// How many questions there are; each is a script of pgbench's.
const QUESTIONS: usize = 50;

pub(crate) struct Bare {
    program: Option<PathBuf>,
}

impl Bare {
    /// pgbench of the search path, or of the server's own folder.
    pub(crate) async fn find(world: &World) -> Self {
        let asked = "select setting from pg_config where name = 'BINDIR'";
        let folder = world.database.database().client().await.unwrap().query_one(asked, &[]).await.unwrap();
        let own = Path::new(folder.get::<_, &str>(0)).join("pgbench");
        let candidates = [own, PathBuf::from("pgbench")];
        let runs =
            |program: &PathBuf| Command::new(program).arg("--version").output().is_ok_and(|ran| ran.status.success());
        Self { program: candidates.into_iter().find(runs) }
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.program.is_some() { "pgbench" } else { "no pgbench, our own load" }
    }

    pub(crate) async fn recall(&self, world: &World, turn: Duration) -> Measured {
        let of = |n: usize| format!("select * from heirloom.recall('{}', null, array[{NAMED}], 10)", question(n));
        self.run(world, turn, (0..QUESTIONS).map(of).collect()).await
    }

    pub(crate) async fn insert(&self, world: &World, turn: Duration) -> Measured {
        let of = |n: usize| {
            format!(
                "insert into heirloom.memory (id, namespace, kind, content) values (gen_random_uuid(), {NAMED}, 'fact', \
                 '{WRITTEN}: the {} service waits for release ' || (random() * 1000000)::integer)",
                question(n)
            )
        };
        self.run(world, turn, (0..QUESTIONS).map(of).collect()).await
    }

    async fn run(&self, world: &World, turn: Duration, statements: Vec<String>) -> Measured {
        match &self.program {
            Some(program) => pgbench(program, world, turn, &statements),
            None => ours(world, turn, &statements).await,
        }
    }
}

fn pgbench(program: &Path, world: &World, turn: Duration, statements: &[String]) -> Measured {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["-n", "-M", "prepared", "-j", "1", "-c", &CONNECTIONS.to_string()]);
    command.args(["-T", &turn.as_secs().to_string(), "-l", "--log-prefix=log"]).current_dir(dir.path());
    for (at, statement) in statements.iter().enumerate() {
        let script = dir.path().join(format!("{at}.sql"));
        std::fs::write(&script, format!("{statement};\n")).unwrap();
        command.arg("-f").arg(script);
    }
    command.arg(&world.login).env("PGOPTIONS", SESSION);
    let began = Instant::now();
    let ran = command.output().unwrap();
    let took = began.elapsed().min(turn);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mut files = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let log = files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("log.")).expect("a log");
    // The third field is the time of a transaction in microseconds.
    let times = std::fs::read_to_string(log).unwrap();
    let times = times.lines().map(|line| line.split(' ').nth(2).unwrap().parse::<f64>().unwrap() / 1e3);
    Measured::of(times.collect(), took)
}

async fn ours(world: &World, turn: Duration, statements: &[String]) -> Measured {
    let mut config: tokio_postgres::Config = world.login.parse().unwrap();
    config.options(SESSION);
    let config = &config;
    let began = Instant::now();
    let times = join_all((0..CONNECTIONS).map(|me| async move {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        let driving = tokio::spawn(connection);
        let mut prepared = Vec::new();
        for statement in statements {
            prepared.push(client.prepare(statement).await.unwrap());
        }
        let (mut times, mut n) = (Vec::new(), me);
        while began.elapsed() < turn {
            let start = Instant::now();
            client.query(&prepared[n % prepared.len()], &[]).await.unwrap();
            times.push(start.elapsed().as_secs_f64() * 1e3);
            n += CONNECTIONS;
        }
        driving.abort();
        times
    }))
    .await;
    Measured::of(times.into_iter().flatten().collect(), began.elapsed())
}
