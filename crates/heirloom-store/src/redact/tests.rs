//! The engine itself; what each rule takes is tested in `tests/it/redact.rs`.

use super::{engine, findings, redact};

#[test]
fn every_rule_is_a_regular_expression() {
    assert!(engine::compiles());
}

#[test]
fn a_clean_text_is_borrowed() {
    assert!(matches!(redact("nothing to see here"), std::borrow::Cow::Borrowed(_)));
    assert!(findings("nothing to see here").is_empty());
}
