//! The commands with which anybody who may read both sides can check the evidence again.

/// In the order in which one would run them.
pub(super) fn commands(plan_path: &str) -> Vec<String> {
    vec![format!("heirloom verify {}", quoted(plan_path)), "heirloom status".to_owned(), "heirloom rejects".to_owned()]
}

/// As one word of a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    let word = if word.starts_with('-') { format!("./{word}") } else { word.to_owned() };
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_stays_one_word() {
        assert_eq!(quoted("agents.plan.json"), "agents.plan.json");
        assert_eq!(quoted("my plan.json"), "'my plan.json'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("-x"), "'./-x'");
    }
}
