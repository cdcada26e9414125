//! A server by URL: an address that does not answer is an error, never a fallback.

use heirloom_engine::{Database, EngineError, Location, Options};

#[tokio::test]
async fn a_url_that_does_not_answer_is_an_error_without_the_password() {
    let location = Location::Server("postgres://someone:hunter2@127.0.0.1:1/nowhere".into());
    let error = Database::open(&location, &Options::default()).await.unwrap_err();
    assert!(matches!(error, EngineError::Unreachable { .. }), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_url_that_cannot_be_read_names_the_reason() {
    let location = Location::Server("postgres://h/d?no_such_option=1".into());
    let error = Database::open(&location, &Options::default()).await.unwrap_err();
    assert!(matches!(error, EngineError::Url { .. }), "{error}");
    assert!(error.to_string().contains("no_such_option"), "{error}");
}
