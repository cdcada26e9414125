//! The elements of a JSON array one by one as its bytes arrive, none larger than a bound.

/// What a body is made of so far.
#[derive(Debug, Default)]
pub(super) struct Split {
    element: Vec<u8>,
    /// How many brackets are open inside the element.
    depth: usize,
    in_string: bool,
    escaped: bool,
    state: State,
}

#[derive(Debug, Default, PartialEq, Clone, Copy)]
enum State {
    /// Before the bracket that opens the array.
    #[default]
    Before,
    /// After `[`: an element or `]`.
    First,
    /// After a comma: an element.
    Next,
    /// Within an element.
    Within,
    /// After `]`.
    After,
}

/// Why a body is no such array.
#[derive(Debug, PartialEq)]
pub(super) enum Bad {
    /// It is no array of values.
    Syntax,
    /// An element is larger than the bound.
    TooLarge,
}

impl Split {
    /// Takes bytes and gives the elements that ended in them.
    pub(super) fn push(&mut self, bytes: &[u8], most: usize) -> Result<Vec<Vec<u8>>, Bad> {
        let mut ended = Vec::new();
        for byte in bytes.iter().copied() {
            match self.state {
                State::Before if byte == b'[' => self.state = State::First,
                State::First if byte == b']' => self.state = State::After,
                State::Before | State::After | State::First | State::Next if byte.is_ascii_whitespace() => {}
                // The platform's decoder looks no further.
                State::After => {}
                State::Before => return Err(Bad::Syntax),
                State::First | State::Next if matches!(byte, b',' | b']' | b'}' | b':') => return Err(Bad::Syntax),
                State::First | State::Next => {
                    self.state = State::Within;
                    self.take(byte, most)?;
                }
                State::Within if self.depth == 0 && !self.in_string && matches!(byte, b',' | b']') => {
                    ended.push(std::mem::take(&mut self.element));
                    self.state = if byte == b',' { State::Next } else { State::After };
                }
                State::Within => self.take(byte, most)?,
            }
        }
        Ok(ended)
    }

    fn take(&mut self, byte: u8, most: usize) -> Result<(), Bad> {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.checked_sub(1).ok_or(Bad::Syntax)?,
                _ => {}
            }
        }
        if self.element.len() >= most {
            return Err(Bad::TooLarge);
        }
        self.element.push(byte);
        Ok(())
    }

    /// Whether the array came to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.state == State::After
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, step: usize) -> Result<Option<Vec<String>>, Bad> {
        let mut split = Split::default();
        let mut found = Vec::new();
        for part in text.as_bytes().chunks(step) {
            found.extend(split.push(part, 64)?);
        }
        let text = |bytes| String::from_utf8(bytes).expect("text").trim().to_owned();
        Ok(split.is_whole().then(|| found.into_iter().map(text).collect()))
    }

    #[test]
    fn elements_come_whole_however_the_bytes_come() {
        let text = r#" [ {"a":"]},[\"\\"} , [1,[2]],"x" ,3 ] and more"#;
        for step in 1..=text.len() {
            let found = split(text, step).expect("an array").expect("whole");
            assert_eq!(found, [r#"{"a":"]},[\"\\"}"#, "[1,[2]]", "\"x\"", "3"], "{step}");
        }
        assert_eq!(split("[]", 1), Ok(Some(Vec::new())));
    }

    #[test]
    fn what_is_no_array_is_refused() {
        for bad in ["{}", "1", "[,1]", "[1,]", "[:]", "[1}]"] {
            assert_eq!(split(bad, 3), Err(Bad::Syntax), "{bad}");
        }
        for open in ["", "[", "[1", "[\"]"] {
            assert_eq!(split(open, 3), Ok(None), "{open}");
        }
        assert_eq!(split(&format!("[\"{}\"]", "a".repeat(64)), 9), Err(Bad::TooLarge));
    }
}
