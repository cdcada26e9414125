//! What holds of every text: redacting twice changes nothing, no secret of a known shape survives, prose and digests do.

use heirloom_store::redact::redact;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;

fn matching(pattern: &str) -> BoxedStrategy<String> {
    string_regex(pattern).unwrap().boxed()
}

/// A secret of each shape, as what stands before it and itself.
pub(crate) fn secret() -> BoxedStrategy<(String, String)> {
    let shapes: Vec<BoxedStrategy<(String, String)>> = [
        ("MY_API_KEY=", "[A-Za-z0-9+/]{10,40}x"),
        ("deploy_token = ", "[A-Za-z0-9_-]{10,40}x"),
        ("CLIENT_SECRET=", "[A-Za-z0-9][A-Za-z0-9~!]{10,40}x"),
        ("Authorization: Bearer ", "[A-Za-z0-9._-]{8,60}"),
        ("bearer ", "[A-Za-z0-9]{8,30}[0-9][A-Za-z0-9]{8}"),
        ("postgres://app:", "[A-Za-z0-9!%]{6,20}x(?:@db:5432/app)"),
        ("rediss://:", "[A-Za-z0-9!%]{6,20}x(?:@cache/0)"),
        ("https://jo:", "[A-Za-z0-9!%]{6,20}x(?:@git.example.org/r)"),
        ("", "gh[posur]_[A-Za-z0-9]{16,40}"),
        ("", "github_pat_[A-Za-z0-9_]{16,80}"),
        ("", "vc_[A-Za-z0-9]{16,24}[0-9]"),
        ("", "A[KS]IA[A-Z0-9]{16}"),
        ("", "pplx-[A-Za-z0-9]{20,50}"),
        ("", "sk-[A-Za-z0-9]{16,50}"),
        ("", "sk-(?:ant|proj)-[A-Za-z0-9_-]{16,90}"),
        ("", "ctx7_[A-Za-z0-9]{6,20}[0-9]"),
        ("", "xox[bp]-[0-9]{10,12}-[A-Za-z0-9]{20,24}"),
        ("", "AIza[A-Za-z0-9_-]{35}"),
        ("", "eyJ[A-Za-z0-9_-]{10,40}\\.eyJ[A-Za-z0-9_-]{10,80}\\.[A-Za-z0-9_-]{20,50}"),
        ("", "glpat-[A-Za-z0-9_-]{20}"),
        ("", "sk_live_[A-Za-z0-9]{24}"),
        ("", "npm_[A-Za-z0-9]{35}[0-9]"),
        ("AWS_SECRET_ACCESS_KEY=", "[A-Za-z0-9][A-Za-z0-9/+]{39}"),
        ("password=", "Q[A-Za-z]{2,6}[0-9!]{2}[A-Za-z0-9]{2,12}Q"),
        ("DB_PASSWORD: \"", "Q[a-z]{2,6}[0-9!]{2}[A-Za-z0-9]{2,12}Q"),
        ("the passphrase is ", "Q[a-z]{3,6}[0-9]{2}[A-Z]{2}[A-Za-z0-9]{2,12}Q"),
        ("access_key = '", "Q[A-Za-z0-9]{4}[g-z][0-9][A-Za-z0-9]{8}Q"),
        ("-----BEGIN PRIVATE KEY-----\n", "[A-Za-z0-9+/]{64}(?:\n[A-Za-z0-9+/]{20,64}==)"),
    ]
    .into_iter()
    .map(|(before, shape)| matching(shape).prop_map(move |secret| (before.to_owned(), secret)).boxed())
    .collect();
    proptest::strategy::Union::new(shapes).boxed()
}

/// Pieces that rules are made of, in any order: what breaks a rule's edges.
pub(crate) fn pieces() -> BoxedStrategy<String> {
    let piece = prop_oneof![
        6 => select(vec![
            "sk-", "ghp_", "AKIA", "xoxb-", "eyJ", ".eyJ", ".", "Bearer ", "bearer ", "authorization: ", "password",
            "passwd", "pwd", "passphrase is ", "_TOKEN", "_api_key", "_SECRET", "MY", "token", "secret", "=", ":", " ",
            "  ", "\t", "\n", "\r\n", "\"", "'", "`", "\\", "://", "postgres://", "http://", "u:p@", "@", "/", "[", "]",
            "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "-----", "base64,", ";base64,", "==",
            "=>", ":=", "secret_access_key", "hooks.slack.com/services/", "[REDACTED:TOKEN]", "é", "日本", "\u{212a}",
            "ſ", "İ", "\u{a0}", "\u{2028}", "hunter2", "0x", "vc_", "npm_", "is ", "env:", "os.", "${", "<", "(", "true",
        ]).prop_map(str::to_owned),
        3 => matching("[A-Za-z0-9]{1,40}"),
        1 => matching("[A-Za-z0-9+/_-]{30,70}"),
        1 => matching("[0-9a-f]{8,64}"),
        1 => any::<char>().prop_filter("PostgreSQL has no NUL", |c| *c != '\0').prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat()).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn twice_is_once_and_nothing_grows_without_bound(text in pieces()) {
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once), once.as_str());
        // The shortest match there is has 6 bytes, the longest label 24.
        prop_assert!(once.len() <= text.len() * 8);
    }

    #[test]
    fn any_text_is_borne(text in any::<String>()) {
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once), once.as_str());
    }

    #[test]
    fn no_secret_of_a_known_shape_survives(
        (before, secret) in secret(),
        lead in select(vec!["", "see ", "用", "(", "line\n", "key: ", "\""]),
        tail in select(vec!["", " and so on", "\n", ", then", "。", "\")"]),
    ) {
        let text = format!("{lead}{before}{secret}{tail}");
        let after = redact(&text);
        prop_assert!(!after.contains(&secret), "{} survives in {}", secret, after);
        prop_assert!(after.contains("[REDACTED:"), "{}", after);
    }

    #[test]
    fn prose_digests_ids_and_paths_stay(
        words in proptest::collection::vec("[a-z]{1,12}", 1..30),
        sha in "[0-9a-f]{40}",
        sha256 in "[0-9a-f]{64}|[0-9A-F]{64}",
        uuid in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
        path in "(?:/[a-z]{2,12}){2,12}(?:/[A-Z][a-z]{3,10}[A-Z][a-z]{3,10})",
        slug in "(?:task|risk|disk|desk)-[a-z]{16,30}",
        host in "https?://[a-z]{3,12}\\.example\\.org:[0-9]{2,4}(?:/[a-z0-9]{1,9}){0,3}\\?q=[a-z]{1,9}",
    ) {
        let text = format!(
            "{} commit {sha} sha256:{sha256} id {uuid} in {path} of {slug}; {host} fn {}() {{ {}: {} }}",
            words.join(" "), words[0], words[0], words.len(),
        );
        prop_assert_eq!(redact(&text), text.as_str());
    }
}
