//! By which words a memory is searched for: how it begins, then single words of its own, the most particular first.

/// Bytes of a memory's beginning that are asked for.
const BEGINNING: usize = 200;

/// Single words that are asked for.
const SINGLE: usize = 6;

/// English words that searches pass over, as far as they are long enough to be asked for at all.
const STOPS: &str = "about above after again against because been before being below between both does doing down during \
    each from further have having here hers herself himself into itself just more most myself once only \
    other ours ourselves over same should some such than that their theirs them themselves then there \
    these they this those through under until very were what when where which while whom will with your \
    yours yourself yourselves";

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question<'a> {
    /// What is asked.
    pub(super) text: &'a str,
    /// Whether every search in words must find a memory that holds it.
    pub(super) is_plain: bool,
}

/// The questions by which a memory that says this is searched for.
pub(super) fn questions(content: &str) -> Vec<Question<'_>> {
    // What looks like a mark swallows words on its way into an index.
    let is_text = !content.contains(['<', '&']);
    let start = beginning(content.trim_start());
    let mut questions = vec![Question { text: start, is_plain: is_text && start.split_whitespace().any(is_plain) }];
    let mut single: Vec<&str> = content.split_whitespace().take(2_000).filter(|word| is_plain(word)).collect();
    single.sort_by_key(|word| (!word.bytes().any(|byte| byte.is_ascii_digit()), std::cmp::Reverse(word.len()), *word));
    single.dedup();
    single.retain(|word| *word != start);
    questions.extend(single.into_iter().take(SINGLE).map(|text| Question { text, is_plain: is_text }));
    questions
}

/// The first bytes, cut between words where there are any.
fn beginning(content: &str) -> &str {
    let end = content.floor_char_boundary(BEGINNING);
    let Some(head) = content.get(..end).filter(|_| end < content.len()) else { return content };
    match head.rfind(char::is_whitespace) {
        Some(at) if at > 0 => head[..at].trim_end(),
        _ => head,
    }
}

/// A word of letters that means something, or a number of few digits.
fn is_plain(word: &str) -> bool {
    let is_word = (4..=40).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_number = (2..=9).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    is_number || (is_word && !STOPS.split(' ').any(|stop| stop.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_as_the_memory_and_ends_in_single_words() {
        let asked = questions("The index of shard 137 is rebuilt on Sundays, nightly");
        assert_eq!(
            asked[0],
            Question { text: "The index of shard 137 is rebuilt on Sundays, nightly", is_plain: true }
        );
        let single: Vec<&str> = asked[1..].iter().map(|question| question.text).collect();
        assert_eq!(single, ["137", "nightly", "rebuilt", "index", "shard"]);
    }

    #[test]
    fn a_long_memory_is_cut_between_words_and_characters() {
        let long = "word ".repeat(100);
        assert_eq!(questions(&long)[0].text.len(), 199);
        let whole = "界".repeat(200);
        assert_eq!(questions(&whole)[0].text.chars().count(), 66);
        assert!(!questions(&whole)[0].is_plain);
    }

    #[test]
    fn only_plain_words_prove_anything() {
        for content in
            ["the", "🙂", "", "this that", "a/b/c x.example", "it's", "制表符", "<b rebuilt nightly>", "x & rebuilt"]
        {
            assert!(questions(content).iter().all(|question| !question.is_plain), "{content}");
        }
        assert!(questions("rebuilt").iter().any(|question| question.is_plain));
    }
}
