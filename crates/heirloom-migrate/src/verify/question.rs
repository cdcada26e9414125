//! A question that a row should answer: its own first distinctive words.

/// Most words of a question. More of them add little to telling rows apart, and cost.
const MOST_WORDS: usize = 16;

/// Shorter words seldom tell one row from another; they ask only when longer ones are too few.
const DISTINCTIVE: usize = 5;

/// The first distinct distinctive words of a text as they stand, filled up with its other words; `None` when it has none.
///
/// Words end at white space only: what is joined by other signs (a path, an address) is one word to the store too.
pub(super) fn of(text: &str) -> Option<String> {
    let mut words: Vec<&str> = Vec::new();
    for least in [DISTINCTIVE, 1] {
        for word in text.split_whitespace() {
            let says = word.chars().filter(|c| c.is_alphanumeric()).count();
            if words.len() < MOST_WORDS && says >= least && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn long_words_first_each_once() {
        assert_eq!(of("the cache the cache is a/cold/one").as_deref(), Some("cache a/cold/one the is"));
        assert_eq!(of("木曜日の会議").as_deref(), Some("木曜日の会議"));
        assert_eq!(of("… — 🙂"), None);
        assert_eq!(of(&"word1 word2 ".repeat(20)).as_deref(), Some("word1 word2"));
        assert_eq!(of(&(0..99).map(|n| format!("word{n} ")).collect::<String>()).unwrap().split(' ').count(), 16);
    }
}
