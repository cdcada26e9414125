//! Kills: the program that torments an apply from outside and shares no code with us, run on the binary that is named.

use std::process::Command;

use crate::Line;

/// Abort at every failpoint, and so many random kills; None where no binary is named in HEIRLOOM_BENCH_BINARY.
pub(crate) fn line(rounds: u64) -> Option<Line> {
    let binary = std::env::var("HEIRLOOM_BENCH_BINARY").ok()?;
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let done = Command::new("python3")
        .arg(format!("{root}/.ci/kill_and_resume.py"))
        .args(["--binary", &binary, "--rounds", &rounds.to_string(), "--only", "kills,failpoints"])
        .args(["--url", &std::env::var("HEIRLOOM_TEST_URL").ok()?])
        .output()
        .expect("python3 is there");
    let said = String::from_utf8_lossy(&done.stdout);
    print!("{said}{}", String::from_utf8_lossy(&done.stderr));
    let last = said.lines().last().unwrap_or("it said nothing");
    Some(Line {
        what: "kill -9 at every failpoint and at random moments, checked from outside",
        found: format!("{rounds} kills; checks: {last}"),
        bar: "0 lost, 0 twice, 0 wrong",
        holds: done.status.success(),
    })
}
