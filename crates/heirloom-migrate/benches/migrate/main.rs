//! The table "Numbers to reach", measured in one run: `cargo bench -p heirloom-migrate --bench migrate`.
//!
//! Needs a server: HEIRLOOM_TEST_URL, and `psql` (or its path in HEIRLOOM_BENCH_PSQL). HEIRLOOM_BENCH_ROWS rows of 700
//! bytes of text and 1,024 dimensions (10,000 by default) lie in one database; beside the migrator, on the same rows, run
//! the pipe, the shape of pgmnemo's guide, and the shape that writes row by row. HEIRLOOM_BENCH_NARROW narrow rows
//! (300,000) show what memory does, HEIRLOOM_BENCH_FOLLOWED rows (50,000) how far --follow lags; without HEIRLOOM_BENCH_ROWS (0) these alone.
//! HEIRLOOM_BENCH_BINARY names an optimised `heirloom` that is killed HEIRLOOM_BENCH_KILLS times (200), and at each
//! failpoint. Nothing here is a test: it prints, and says where a bar is missed.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a program that prints a table")]

mod follow;
mod ground;
mod kills;
mod machine;
mod memory;
#[path = "../../tests/it/mutation_kinds.rs"]
mod mutation_kinds;
mod mutations;
mod others;

use std::time::Instant;

use ground::Ground;

/// One line: what, what was measured, the bar, and whether it holds.
struct Line {
    what: &'static str,
    found: String,
    bar: &'static str,
    holds: bool,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

async fn run() {
    if std::env::var("HEIRLOOM_TEST_URL").is_err() {
        println!("HEIRLOOM_TEST_URL is not set: the pipe needs a server, so there is nothing to compare with");
        return;
    }
    println!("{}", machine::line());
    // First of all, while this process has held nothing else.
    let mut lines = vec![memory::line(number("HEIRLOOM_BENCH_NARROW", 300_000)).await];
    for outbox in [false, true] {
        lines.push(follow::line(number("HEIRLOOM_BENCH_FOLLOWED", 50_000), outbox).await);
    }
    let rows = number("HEIRLOOM_BENCH_ROWS", 10_000);
    if rows == 0 {
        return print(&lines);
    }
    let ground = Ground::new(rows).await;
    println!("{}", ground.one("select version()").await);
    let per_row = |seconds: f64| format!("{:.1} s, {:.0} rows/s", seconds, rows as f64 / seconds);

    let pipe = others::pipe(&ground, "bench.bare").await;
    println!("pipe into the same table, bare:                {}", per_row(pipe));
    let ranked = others::pipe_into_memory(&ground).await;
    println!("pipe into a store's own table:                 {}", per_row(ranked));
    let inside = others::inside_the_server(&ground).await;
    println!("INSERT ... SELECT into a store's own table:    {}", per_row(inside));
    let guide = others::guide(&ground).await;
    println!("INSERT ... SELECT as pgmnemo's guide has it:   {}", per_row(guide));
    println!("row by row, one commit each:                   {:.0} rows/s", others::row_by_row(&ground).await);
    println!(
        "row by row over HTTP, one commit each:         {:.0} rows/s",
        others::row_by_row_over_http(&ground).await
    );

    let plan = ground.plan().await;
    let one = ground.apply(&plan, 1).await;
    println!("apply, one stream:                             {}", per_row(one));
    let again = ground.apply(&plan, 1).await;
    println!("apply again, nothing to do:                    {}", per_row(again));
    let read = others::read_both(&ground).await;
    let started = Instant::now();
    let verification = ground.verify(&plan).await;
    let verify = started.elapsed().as_secs_f64();
    assert!(verification.holds, "{:#?}", verification.differences.first());
    println!("read both sides:                               {}", per_row(read));
    println!("verify:                                        {}", per_row(verify));
    let second = Ground::new(rows).await;
    let plan = second.plan().await;
    let several = second.apply(&plan, 2).await;
    println!("apply, two workers:                            {}", per_row(several));
    second.close().await;
    // A namespace of this size has indexes of its own, which apply builds; those of twenty are read whole and need none.
    let whole = Ground::of_one_namespace(rows).await;
    let plan = whole.plan().await;
    let searchable = whole.apply(&plan, 1).await;
    let same = others::same_indexes(&whole).await;
    println!("apply, one namespace, with its indexes:        {}", per_row(searchable));
    println!("CREATE INDEX of the same indexes, bare:        {same:.1} s");
    whole.close().await;
    ground.close().await;

    let line = |what, ratio: f64, unit: &str, bar, holds| Line { what, found: format!("{ratio:.2}{unit}"), bar, holds };
    lines.push(line(
        "apply, one stream, of the bare pipe",
        pipe / one,
        "",
        ">= 0.50 staged under RLS",
        pipe / one >= 0.5,
    ));
    lines.push(line(
        "apply, one stream, of the pipe into a store's table",
        ranked / one,
        "",
        ">= 0.50",
        ranked / one >= 0.5,
    ));
    lines.push(line(
        "apply, one stream, of INSERT ... SELECT that never leaves the server, same database",
        inside / one,
        " x as fast",
        ">= 1.00 x",
        inside / one >= 1.0,
    ));
    let to_searchable = searchable / (pipe + same);
    lines.push(line(
        "apply of one namespace to searchable, of pipe + CREATE INDEX of the same indexes",
        to_searchable,
        " x",
        "<= 1.10 x",
        to_searchable <= 1.1,
    ));
    lines.push(line("against pgmnemo's guide, same rows", guide / one, " x faster", ">= 10 x", guide / one >= 10.0));
    let backfill = rows as f64 / one / 330.0;
    lines.push(line("against memory-backfill (330 rows/s)", backfill, " x faster", ">= 50 x", backfill >= 50.0));
    lines.push(line("re-run, of the first run", again / one * 100.0, " %", "<= 2 %", again / one <= 0.02));
    lines.push(line("verify, of reading both sides", verify / read, " x", "<= 1.25 x", verify / read <= 1.25));

    lines.push(mutations::line(10_000).await);
    match kills::line(number("HEIRLOOM_BENCH_KILLS", 200)) {
        Some(line) => lines.push(line),
        None => println!("HEIRLOOM_BENCH_BINARY is not set: nothing is killed"),
    }
    print(&lines);
}

fn print(lines: &[Line]) {
    println!("\n| what | measured | bar | |\n| --- | --- | --- | --- |");
    for Line { what, found, bar, holds } in lines {
        println!("| {what} | {found} | {bar} | {} |", if *holds { "reached" } else { "missed" });
    }
}
