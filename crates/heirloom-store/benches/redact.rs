//! How long redaction takes by the size of a text: `cargo bench -p heirloom-store --bench redact`.
//!
//! Each line is one kind of text at 256 KiB, 1 MiB and 4 MiB; four times the text should take about four times as long,
//! also for texts made to be hard. Nothing here is a test: it prints.

#![allow(clippy::print_stdout, reason = "a program that prints a table")]

use std::time::{Duration, Instant};

use heirloom_store::redact::redact;

const KINDS: &[(&str, &str)] = &[
    ("clean prose", "The staging database is reset every Sunday; see the notes of the last review. "),
    ("secrets", "sk-abcdefghijklmnop1234 "),
    ("prefixes", "sk-"),
    ("one word of prefixes", "ghp_"),
    ("begins of keys", "-----BEGIN RSA PRIVATE KEY-----\n"),
    ("names", "a_token"),
    ("assignments in a row", "password="),
    ("assignments", "password: "),
    ("one long blob", "aB3"),
    ("one long digest", "deadbeef0123"),
    ("schemes", "a://b:"),
    ("heads of JWT", "eyJaaaaaaaaa."),
    ("bearers", "bearer "),
];

fn took(text: &str) -> Duration {
    (0..3)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(redact(std::hint::black_box(text)));
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn main() {
    redact("token: warms the rules up, sk-");
    println!("{:<22} {:>11} {:>11} {:>11} {:>7} {:>7}", "", "256 KiB", "1 MiB", "4 MiB", "x4", "x16");
    for (name, unit) in KINDS {
        let times: Vec<f64> =
            [18, 20, 22].map(|bits| took(&unit.repeat((1 << bits) / unit.len())).as_secs_f64() * 1e3).to_vec();
        println!(
            "{name:<22} {:>8.2} ms {:>8.2} ms {:>8.2} ms {:>7.1} {:>7.1}",
            times[0],
            times[1],
            times[2],
            times[1] / times[0],
            times[2] / times[0]
        );
    }
}
