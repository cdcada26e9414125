//! Where a text falls into pieces, whatever its language: between two of them the server's parser forgets what it read.
//!
//! What a piece means is not decided here. A *plain* one is a run of ASCII letters and digits, told in lower case as
//! `heirloom.searchable` would; a *raw* one is whatever else stands between two blanks, told as it stands with one before it, and the server does
//! with it what it does with a text. What `heirloom.searchable` puts at the end of a text (identifiers without their
//! separators) follows the words here as well.
//!
//! Deliberately absent: markup. A tag may hold blanks, so a text with a `<` is no sum of its pieces.

/// The longest piece, in bytes: the server leaves a longer word out.
const LONGEST: usize = 2_000;

/// What stands between two pieces.
const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\u{b}', '\u{c}'];

/// A part of a text, as [`split`] tells it; the numbers are those of `words.sql`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A run of ASCII letters and digits, in lower case.
    Plain = 0,
    /// Anything else between two blanks, with one before it unless the text begins with it.
    Raw = 1,
    /// The identifiers of a raw piece.
    Tail = 2,
}

/// Tells the pieces of a text in their order, identifiers last. False where the text is no sum of its pieces; what was told of
/// it so far is of no use then.
pub(super) fn split<'t>(text: &'t str, tell: &mut impl FnMut(Kind, &str)) -> bool {
    // The two others become a `<` when they are normalised.
    if text.contains(['<', '\u{fe64}', '\u{ff1c}']) {
        return false;
    }
    let mut last: Vec<Last<'t>> = Vec::new();
    let mut word = String::new();
    for piece in text.split(BLANKS).filter(|piece| !piece.is_empty()) {
        if piece.len() > LONGEST {
            return false;
        }
        if is_plain(piece.as_bytes()) {
            plain(piece, &mut word, &mut last, tell);
        } else {
            raw(text, piece, &mut word);
            tell(Kind::Raw, &word);
            last.push(Last::Raw(piece));
        }
    }
    for one in last {
        match one {
            Last::Raw(piece) => {
                raw(text, piece, &mut word);
                tell(Kind::Tail, &word);
            }
            Last::Plain(chain) => {
                word.clear();
                word.extend(chain.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()));
                tell(Kind::Plain, &word);
            }
        }
    }
    true
}

/// What follows at the end of a text.
enum Last<'t> {
    /// An identifier with its separators.
    Plain(&'t str),
    /// A raw piece, which may hold some.
    Raw(&'t str),
}

/// A piece of a text with the blank before it: the parser takes some marks for something else where a text begins.
fn raw(text: &str, piece: &str, word: &mut String) {
    word.clear();
    if !std::ptr::eq(piece.as_ptr(), text.as_ptr()) {
        word.push(' ');
    }
    word.push_str(piece);
}

/// What joins the parts of an identifier.
fn joins(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'/' | b'.' | b'@' | b'\\')
}

/// What ends a word and begins nothing.
fn parts(byte: u8) -> bool {
    matches!(
        byte,
        b',' | b';'
            | b':'
            | b'!'
            | b'?'
            | b'"'
            | b'\''
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'='
            | b'*'
            | b'%'
            | b'$'
            | b'#'
            | b'|'
            | b'^'
            | b'`'
    )
}

/// Whether a piece is made of identifiers and of marks between which the parser begins anew. What could be a sign, a path, an
/// address or an entity is not.
fn is_plain(piece: &[u8]) -> bool {
    let mut at = 0;
    let mut before = false;
    while at < piece.len() {
        let run = piece[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        at += run;
        before |= run > 0;
        let gap = &piece[at..at + piece[at..].iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count()];
        at += gap.len();
        let after = at < piece.len();
        if before && after && gap.iter().all(|byte| joins(*byte)) {
            continue;
        }
        // A lone point or hyphen at the end of a word, or between marks; `..` is the name of a folder.
        let lone = |pair: &[u8]| parts(pair[0]) || parts(pair[1]);
        if !gap.iter().all(|byte| parts(*byte) || matches!(byte, b'.' | b'-')) || !gap.windows(2).all(lone) {
            return false;
        }
        if after && gap.last().is_some_and(|byte| !parts(*byte)) {
            return false;
        }
    }
    true
}

/// Tells the words of a plain piece, and notes its identifiers.
fn plain<'t>(piece: &'t str, word: &mut String, last: &mut Vec<Last<'t>>, tell: &mut impl FnMut(Kind, &str)) {
    let bytes = piece.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        // An identifier reaches as far as separators alone stand between its parts.
        let start = at;
        let mut end = at;
        let mut is_identifier = false;
        loop {
            let run = end;
            while end < bytes.len() && bytes[end].is_ascii_alphanumeric() {
                end += 1;
            }
            is_identifier |= words(&piece[run..end], word, tell);
            let next = end + bytes[end..].iter().take_while(|byte| joins(**byte)).count();
            if next == end || next == bytes.len() || !bytes[next].is_ascii_alphanumeric() {
                break;
            }
            is_identifier = true;
            end = next;
        }
        if is_identifier {
            last.push(Last::Plain(&piece[start..end]));
        }
        at = end;
    }
}

/// Tells a run of letters and digits, `camelCase` in its parts; true where there were several.
fn words(run: &str, word: &mut String, tell: &mut impl FnMut(Kind, &str)) -> bool {
    word.clear();
    let mut several = false;
    let mut was_lower = false;
    for byte in run.bytes() {
        if was_lower && byte.is_ascii_uppercase() {
            tell(Kind::Plain, word);
            word.clear();
            several = true;
        }
        was_lower = byte.is_ascii_lowercase();
        word.push(char::from(byte.to_ascii_lowercase()));
    }
    tell(Kind::Plain, word);
    several
}

#[cfg(test)]
mod tests {
    use super::{Kind, split};

    /// The pieces of a text with one letter for their kind, or that it has none.
    fn told(text: &str) -> Option<Vec<String>> {
        let mut pieces = Vec::new();
        split(text, &mut |kind, piece| {
            let mark = match kind {
                Kind::Plain => "",
                Kind::Raw => "raw ",
                Kind::Tail => "tail ",
            };
            pieces.push(format!("{mark}{piece}"));
        })
        .then_some(pieces)
    }

    #[test]
    fn words_are_told_in_lower_case_and_identifiers_once_more_at_the_end() {
        assert_eq!(told("Deploy, then (wait).").unwrap(), ["deploy", "then", "wait"]);
        assert_eq!(
            told("set statement_cache_mode: parseHeader on 2026-11-22").unwrap(),
            "set statement cache mode parse header on 2026 11 22 statementcachemode parseheader 20261122"
                .split(' ')
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_may_be_a_sign_a_path_or_an_address_is_left_to_the_server() {
        for piece in ["-5", "+1", "/usr/bin", "a/", "~/x", "http://a.b/c", "@who", "a&b", "_x", "naïve", "x_", "(.5)"]
        {
            assert_eq!(told(piece).unwrap(), [format!("raw {piece}"), format!("tail {piece}")]);
        }
    }

    #[test]
    fn a_text_with_markup_or_without_blanks_is_no_sum_of_pieces() {
        assert_eq!(told("a <b c> d"), None);
        assert_eq!(told("a ＜b"), None);
        assert_eq!(told(&"x".repeat(2_001)), None);
        assert_eq!(told(" \t\n"), Some(Vec::new()));
        assert_eq!(told("- . x- ... =>").unwrap(), ["x", "raw  ...", "raw  =>", "tail  ...", "tail  =>"]);
    }
}
