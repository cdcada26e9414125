//! What stands between the fences of a guide, in its order, for the tests that do what guides say.

use heirloom::command;
use heirloom_engine::testkit::TestDatabase;

use crate::support::{Home, Ran};

/// The blocks of a page, each with what stands after its fence; and what passes between them, as `<!-- a day later -->`.
pub(crate) fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    for (at, part) in page.split("```").enumerate() {
        if at % 2 == 1 {
            blocks.push(part.split_once('\n').expect("a fence and what it holds"));
        } else {
            let passing = part.lines().filter_map(|line| line.strip_prefix("<!-- ")?.strip_suffix(" -->"));
            blocks.extend(passing.map(|what| ("passes", what)));
        }
    }
    blocks
}

/// The commands of a block, one a line, without the program's name; `value` is what a variable stands for.
pub(crate) fn commands<'v>(block: &str, value: impl Fn(&str) -> Option<&'v str>) -> Vec<String> {
    let spelt = |word: &str| word.strip_prefix('$').and_then(&value).unwrap_or(word).to_owned();
    let lines = block.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split_whitespace().skip(1).map(spelt).collect::<Vec<_>>().join(" ")).collect()
}

/// How many commands a page shows, each of which has to be one.
#[track_caller]
pub(crate) fn shown(page: &str) -> usize {
    let blocks = blocks(page);
    let shells = blocks.iter().filter(|(fence, _)| fence.starts_with("sh"));
    let lines: Vec<String> = shells.flat_map(|(_, block)| commands(block, |_| None)).collect();
    for line in &lines {
        let words = std::iter::once("heirloom").chain(line.split_whitespace());
        command::tree().try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    lines.len()
}

/// Does a page from its first block to its last, in `home` and with the variables `given`: runs its commands, makes its
/// files and the table of its reader, and compares what it shows with what was said. `met` sees each command's end.
/// Returns how often something was compared.
pub(crate) async fn walk<'v>(
    page: &str,
    home: &Home,
    legacy: &TestDatabase,
    given: &[(&str, &str)],
    value: impl Fn(&str) -> Option<&'v str>,
    mut met: impl FnMut(&str, &Ran),
) -> usize {
    let (mut last, mut compared) = (String::new(), 0);
    for (fence, block) in blocks(page) {
        match fence {
            "sh" | "sh exits 3" => {
                for line in commands(block, &value) {
                    let ran = home.run_with(&line, given);
                    assert_eq!(ran.code, if fence == "sh" { 0 } else { 3 }, "{line}: {ran}");
                    met(fence, &ran);
                    last = ran.stdout;
                }
            }
            "text shown" => {
                assert_eq!(last, block, "what the guide shows is not what is said");
                compared += 1;
            }
            "sql legacy" => legacy.database().client().await.unwrap().batch_execute(block).await.unwrap(),
            "text" => {}
            other => {
                let file = other.strip_prefix("toml ").unwrap_or_else(|| panic!("a block of `{other}`"));
                std::fs::write(home.path().join(file), block).unwrap();
            }
        }
    }
    compared
}
