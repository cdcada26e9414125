//! What memory does while many narrow rows move.

use crate::Line;
use crate::ground::Ground;

/// The bar of one worker.
const BAR: u64 = (64 + 24) * 1024 * 1024;

/// Resident bytes of this process over `rows` narrow rows: the highest, and how much the second half added.
pub(crate) async fn line(rows: u64) -> Line {
    let ground = Ground::narrow(rows).await;
    let plan = ground.plan().await;
    let mut seen: Vec<u64> = Vec::new();
    ground.apply_watched(&plan, 1, &mut |_| seen.push(resident())).await;
    ground.close().await;
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    let (first, second) = seen.split_at(seen.len() / 2);
    let (peak, grown) = (most(&seen), most(second).saturating_sub(most(first)));
    let mib = |bytes: u64| bytes / 1024 / 1024;
    Line {
        what: "memory while narrow rows move, one worker",
        found: format!("{} MiB at most, second half + {} MiB, {rows} rows", mib(peak), mib(grown)),
        bar: "<= 88 MiB, no slope",
        holds: peak <= BAR && grown <= 8 * 1024 * 1024,
    }
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}
