//! What the numbers were measured on and of, printed above them.

use std::process::Command;

/// One line: processor, cores, memory, kernel, compiler, and the commit of this checkout with a mark where it is not clean.
pub(crate) fn line() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: String, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
        line.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let ask = |program: &str, arguments: &[&str]| {
        let said = Command::new(program).current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output();
        said.map(|done| String::from_utf8_lossy(&done.stdout).trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let gib =
        value(read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024 / 1024;
    format!(
        "{}, {cores} cores, {gib} GiB, Linux {}, {}, commit {}{}",
        value(read("/proc/cpuinfo"), "model name"),
        read("/proc/sys/kernel/osrelease").trim(),
        ask("rustc", &["--version"]),
        ask("git", &["rev-parse", "--short=12", "HEAD"]),
        if ask("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() { "" } else { " with changes" },
    )
}
