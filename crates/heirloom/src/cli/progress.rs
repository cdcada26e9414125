//! Progress: one bar a tenant on a terminal, plain lines (at most one a second) elsewhere, nothing when quiet.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::print;
use crate::context::{Progress, Stage, TenantLine, Watch};
use crate::text;

const EVERY: Duration = Duration::from_secs(1);

/// A watcher that shows what it sees on stderr.
pub(super) struct Terminal {
    quiet: bool,
    bars: Option<MultiProgress>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bars: HashMap<String, ProgressBar>,
    told: HashMap<String, Instant>,
    headed: bool,
    tenants: usize,
}

/// Lines of a fleet's table that stay on the screen; of a larger one, those at work do.
const LINES: usize = 20;

impl Terminal {
    /// Looks at stderr once.
    pub(super) fn new(quiet: bool) -> Self {
        let bars = (!quiet && std::io::stderr().is_terminal()).then(MultiProgress::new);
        Self { quiet, bars, state: Mutex::default() }
    }

    /// Takes the bars away, so that what follows stands alone.
    pub(super) fn finish(&self) {
        if let Ok(mut state) = self.state.lock() {
            for (_, bar) in state.bars.drain() {
                bar.finish_and_clear();
            }
        }
    }
}

impl Watch for Terminal {
    fn progress(&self, progress: &Progress) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        if let Some(bars) = &self.bars {
            let bar = state.bars.entry(progress.label.clone()).or_insert_with(|| bars.add(bar(progress)));
            bar.set_position(progress.done);
            bar.set_message(rejected(progress));
        } else if !self.quiet {
            let complete = progress.total > 0 && progress.done >= progress.total;
            let told = state.told.get(&progress.label);
            if !complete && told.is_some_and(|at| at.elapsed() < EVERY) {
                return;
            }
            state.told.insert(progress.label.clone(), Instant::now());
            print::line(&plain(progress));
        }
    }

    fn tenant(&self, line: &TenantLine) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let Some(bars) = &self.bars else {
            // One line a tenant, when it is done, and one when it begins to wait: what happens in between is for eyes.
            if line.stage != Stage::AtWork && !self.quiet {
                if !std::mem::replace(&mut state.headed, true) {
                    print::line(&line.heading);
                }
                print::line(&line.text);
            }
            return;
        };
        let plain = ProgressStyle::with_template("  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        if !std::mem::replace(&mut state.headed, true) {
            let head = bars.add(ProgressBar::no_length().with_style(plain.clone()));
            head.set_message(line.heading.clone());
            state.bars.insert(String::new(), head);
        }
        let bar = state
            .bars
            .entry(line.label.clone())
            .or_insert_with(|| bars.add(ProgressBar::no_length().with_style(plain)));
        bar.set_message(line.text.clone());
        if line.stage == Stage::Settled {
            state.tenants += 1;
            if state.tenants > LINES
                && let Some(bar) = state.bars.remove(&line.label)
            {
                bar.finish_and_clear();
            }
        }
    }

    fn note(&self, sentence: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| print::line(sentence)),
            None if self.quiet => {}
            None => print::line(sentence),
        }
    }

    fn warn(&self, sentence: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| print::line(sentence)),
            None => print::line(sentence),
        }
    }
}

fn bar(progress: &Progress) -> ProgressBar {
    const TEMPLATE: &str = "  {prefix:<20!} {bar:20} {human_pos:>9}/{human_len} {per_sec:>10} {eta:>4} {msg}";
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = if progress.total > 0 { ProgressBar::new(progress.total) } else { ProgressBar::no_length() };
    bar.with_style(style.progress_chars("━╸─")).with_prefix(progress.label.clone())
}

fn rejected(progress: &Progress) -> String {
    if progress.rejected == 0 { String::new() } else { format!("{} set aside", text::count(progress.rejected)) }
}

fn plain(progress: &Progress) -> String {
    let aside = match rejected(progress) {
        text if text.is_empty() => text,
        text => format!(", {text}"),
    };
    // A source that was never analysed does not say how many rows there are.
    let rows = match progress.total {
        0 => text::counted(progress.done, "row"),
        total => format!("{} of {}", text::count(progress.done), text::counted(total, "row")),
    };
    format!("{}: {rows}{aside}", progress.label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_says_where_it_is() {
        let progress = Progress { label: "agents-team".into(), done: 500, total: 1805, rejected: 3 };
        assert_eq!(plain(&progress), "agents-team: 500 of 1,805 rows, 3 set aside");
        let progress = Progress { total: 0, rejected: 0, ..progress };
        assert_eq!(plain(&progress), "agents-team: 500 rows");
    }
}
