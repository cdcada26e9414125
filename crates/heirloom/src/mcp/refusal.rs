//! An error as an agent gets it: what is wrong, in a sentence, and what to do. Never SQL, never a host or a role.

use crate::error::Error;
use crate::explain;

/// The text of an error.
pub fn text(error: &Error) -> String {
    let case = explain::case(error);
    // The words of a server's own trouble name hosts, roles and tables, and no agent can mend them.
    if explain::status(&case) >= 500 || case.code.starts_with("database-") {
        tracing::warn!(code = case.code, error = %error, "a tool failed");
        return sentences(case.code, case.when, &[case.hint.to_owned()]);
    }
    let explained = explain::explain_field(error);
    sentences(case.code, &explained.message, &explained.hints)
}

/// A refusal that has no case of its own.
pub fn sentences(code: &str, message: &str, hints: &[String]) -> String {
    let mut text = format!("Error ({code}): {}", message.trim_end_matches('.'));
    text.push('.');
    for hint in hints.iter().filter(|hint| !hint.is_empty()) {
        text.push_str(&format!("\nWhat to do: {hint}"));
    }
    text
}

/// The code that such a text tells; `None` when it is none.
pub fn code(text: &str) -> Option<&str> {
    Some(text.strip_prefix("Error (")?.split_once("): ")?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_operator_can_mend_is_told_without_its_words() {
        let error = Error::Bug("select secret from heirloom.memory".to_owned());
        let text = text(&error);
        assert!(text.starts_with("Error (bug): Something happened that cannot happen."), "{text}");
        assert_eq!((code(&text), code("Error: no code")), (Some("bug"), None));
        assert!(!text.contains("select"), "{text}");
    }

    #[test]
    fn what_the_agent_can_mend_names_the_field() {
        let error =
            Error::Field { field: "kinds[1]".into(), what: "it is odd".into(), accepted: "fact is accepted".into() };
        assert_eq!(text(&error), "Error (field): kinds[1]: it is odd; fact is accepted.");
    }
}
