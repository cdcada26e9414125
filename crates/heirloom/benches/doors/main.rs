//! The doors measured beside bare statements: `cargo bench --locked --bench doors`.
//!
//! `heirloom serve` with tokens on, as the serving role, with its defaults but for the rate limit, on a server in
//! HEIRLOOM_TEST_URL (as superuser); HEIRLOOM_BENCH_MEMORIES memories (10,000) in one namespace; sixteen connections on
//! loopback. In turns of HEIRLOOM_BENCH_SECONDS (10), HEIRLOOM_BENCH_ROUNDS times (3): pgbench calling
//! `heirloom.recall`, recall by `/api/v1` and search by the memory plugin's door; then pgbench inserting into the table,
//! remember by `/api/v1` and commit by the plugin's door, each into the same 10,000; at last what is not there, beside what is
//! another tenant's. What is printed of each is the median
//! of its rounds. Where there is no pgbench the same statements are sent by sixteen connections of this process.
//! HEIRLOOM_BENCH_POOL sets `database.pool`. Nothing here is a test: it prints, and says where a bar is missed.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a program that prints a table")]

mod bare;
mod load;
mod world;

use std::time::Duration;

use crate::bare::Bare;
use crate::world::World;

/// Connections of each load.
const CONNECTIONS: usize = 16;

/// Least rates, of pgbench's: of a commit, of a search. Most of p99, of p50.
const BARS: (f64, f64, f64) = (0.5, 0.7, 6.0);

/// What the platform's own plugin does on two cores: commits and searches a second, and p99 in ms.
const PLATFORM: (f64, f64, f64) = (2_000.0, 1_500.0, 150.0);

/// What a load met, or the median of some rounds of it.
#[derive(Debug, Clone, Copy)]
struct Measured {
    rate: f64,
    p50: f64,
    p99: f64,
}

impl Measured {
    /// From the milliseconds of each request and the time that all of them took.
    fn of(mut times: Vec<f64>, took: Duration) -> Self {
        assert!(!times.is_empty(), "nothing was answered in {took:?}");
        times.sort_by(f64::total_cmp);
        Self {
            rate: times.len() as f64 / took.as_secs_f64(),
            p50: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
        }
    }

    fn median(rounds: &[Self]) -> Self {
        let middle = |of: fn(&Self) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Self { rate: middle(|one| one.rate), p50: middle(|one| one.p50), p99: middle(|one| one.p99) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    BareRecall,
    Recall,
    Search,
    BareInsert,
    Remember,
    Commit,
}

impl Way {
    const ALL: [Self; 6] =
        [Self::BareRecall, Self::Recall, Self::Search, Self::BareInsert, Self::Remember, Self::Commit];

    fn name(self, bare: &Bare) -> String {
        match self {
            Self::BareRecall => format!("{}: select from heirloom.recall", bare.name()),
            Self::Recall => "POST /api/v1/recall".to_owned(),
            Self::Search => "POST /v1/search".to_owned(),
            Self::BareInsert => format!("{}: insert into heirloom.memory", bare.name()),
            Self::Remember => "POST /api/v1/remember".to_owned(),
            Self::Commit => "POST /v1/namespaces/{name}/memories".to_owned(),
        }
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if std::env::var("HEIRLOOM_TEST_URL").is_err() {
            println!("HEIRLOOM_TEST_URL is not set: pgbench needs a server");
            return;
        }
        let world = World::new(number("HEIRLOOM_BENCH_MEMORIES", 10_000)).await;
        let bare = Bare::find(&world).await;
        let turn = Duration::from_secs(number("HEIRLOOM_BENCH_SECONDS", 10));
        let rounds = number("HEIRLOOM_BENCH_ROUNDS", 3);
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        println!(
            "{} memories, {CONNECTIONS} connections, {cores} cores for server, PostgreSQL and load, {rounds} rounds of {} s",
            world.memories,
            turn.as_secs()
        );
        let mut all: Vec<Vec<Measured>> = vec![Vec::new(); Way::ALL.len()];
        // The first turn of each prepares statements and warms caches.
        for round in 0..=rounds {
            for (way, measured) in Way::ALL.into_iter().zip(&mut all) {
                let one = run(&world, &bare, way, if round == 0 { Duration::from_secs(1) } else { turn }).await;
                if round > 0 {
                    measured.push(one);
                }
            }
        }
        let all: Vec<Measured> = all.iter().map(|rounds| Measured::median(rounds)).collect();
        print(&bare, &all);
        unseen(&world, turn, rounds).await;
        world.close().await;
    });
}

async fn run(world: &World, bare: &Bare, way: Way, turn: Duration) -> Measured {
    match way {
        Way::BareRecall => bare.recall(world, turn).await,
        Way::Recall => load::run(world, turn, load::recall).await,
        Way::Search => load::run(world, turn, load::search).await,
        Way::BareInsert | Way::Remember | Way::Commit => {
            let measured = match way {
                Way::BareInsert => bare.insert(world, turn).await,
                Way::Remember => load::run(world, turn, load::remember).await,
                _ => load::run(world, turn, load::commit).await,
            };
            world.as_before().await;
            measured
        }
    }
}

fn print(bare: &Bare, all: &[Measured]) {
    println!("\n{:<46} {:>8} {:>8} {:>8} {:>9} {:>8}", "", "a second", "p50 ms", "p99 ms", "p99 / p50", "of bare");
    for (at, (way, one)) in Way::ALL.into_iter().zip(all).enumerate() {
        let base = all[at / 3 * 3];
        println!(
            "{:<46} {:>8.0} {:>8.2} {:>8.2} {:>9.1} {:>8.2}",
            way.name(bare),
            one.rate,
            one.p50,
            one.p99,
            one.p99 / one.p50,
            one.rate / base.rate
        );
    }
    println!();
    for (at, way) in Way::ALL.into_iter().enumerate().filter(|(at, _)| at % 3 != 0) {
        let (one, base) = (all[at], all[at / 3 * 3]);
        let (least, platform) = if at < 3 { (BARS.1, PLATFORM.1) } else { (BARS.0, PLATFORM.0) };
        println!(
            "{:<36} at least {least} of the bare rate: {}; p99 at most {} × p50: {}; ahead of the platform's {platform} a second and {} ms: {}",
            way.name(bare),
            verdict(one.rate >= least * base.rate),
            BARS.2,
            verdict(one.p99 <= BARS.2 * one.p50),
            PLATFORM.2,
            verdict(one.rate > platform && one.p99 < PLATFORM.2),
        );
    }
}

/// How long it takes to be told that there is no such memory: of another tenant's, and of an id that nobody has.
async fn unseen(world: &World, turn: Duration, rounds: u64) {
    let (mut theirs, mut nobodys) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        theirs.push(load::run(world, turn, load::show_theirs).await);
        nobodys.push(load::run(world, turn, load::show_nobodys).await);
    }
    println!();
    for (name, one) in [("of another tenant's", Measured::median(&theirs)), ("of nobody's", Measured::median(&nobodys))]
    {
        println!("{:<46} {:>8.0} {:>8.2} {:>8.2}", format!("404 {name}"), one.rate, one.p50, one.p99);
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
