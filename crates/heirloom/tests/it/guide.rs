//! What stands between the fences of a guide, in its order, for the tests that do what guides say.

/// The blocks of a page: what stands after each fence, and what it holds.
pub(crate) fn blocks(page: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = page.split("```").collect();
    parts.iter().skip(1).step_by(2).map(|block| block.split_once('\n').expect("a fence and what it holds")).collect()
}

/// The commands of a block, one a line, without the program's name; a variable stands for what `given` says.
pub(crate) fn commands(block: &str, given: &[(&str, &str)]) -> Vec<String> {
    let value = |word: &str| match word.strip_prefix('$') {
        Some(name) => given.iter().find(|(known, _)| *known == name).map_or(word, |(_, value)| value).to_owned(),
        None => word.to_owned(),
    };
    let lines = block.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split_whitespace().skip(1).map(value).collect::<Vec<_>>().join(" ")).collect()
}
