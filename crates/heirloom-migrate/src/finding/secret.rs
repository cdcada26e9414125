//! The shapes of credentials. One pass over a text: every value of a source goes through it.
//!
//! Only shapes that hardly anything else has: the well-known prefixes with as many characters as the issuer writes, and
//! assignments to names like `password` whose value is no word. A uuid, a git sha, a hex digest, an image in base64, a
//! path or a value to be filled in is none.

/// How a token begins, how many letters and digits follow at least, which other characters may, and what it is called.
const TOKENS: &[(&str, usize, &[u8], &str)] = &[
    ("github_pat_", 16, b"_", "GitHub token"),
    ("ghp_", 16, b"", "GitHub token"),
    ("gho_", 16, b"", "GitHub token"),
    ("ghu_", 16, b"", "GitHub token"),
    ("ghs_", 16, b"", "GitHub token"),
    ("ghr_", 16, b"", "GitHub token"),
    ("glpat-", 16, b"_-.", "GitLab token"),
    ("xoxa-", 10, b"-", "Slack token"),
    ("xoxb-", 10, b"-", "Slack token"),
    ("xoxp-", 10, b"-", "Slack token"),
    ("xoxr-", 10, b"-", "Slack token"),
    ("xoxs-", 10, b"-", "Slack token"),
    ("sk_live_", 16, b"", "Stripe key"),
    ("rk_live_", 16, b"", "Stripe key"),
    ("sk-ant-", 16, b"_-", "Anthropic key"),
    ("sk-proj-", 16, b"_-", "OpenAI key"),
    ("sk-svcacct-", 16, b"_-", "OpenAI key"),
    ("sk-", 16, b"", "sk- key"),
    ("npm_", 30, b"", "npm token"),
    ("pypi-", 50, b"_-", "PyPI token"),
    ("AKIA", 16, b"", "AWS key id"),
    ("ASIA", 16, b"", "AWS key id"),
    ("AIza", 30, b"_-", "Google key"),
];

/// How the names of values end that are credentials.
const NAMES: &[&str] =
    &["password", "passwd", "pwd", "passphrase", "secret", "apikey", "api_key", "secret_key", "access_key", "token"];

/// The first shape of a credential in a text.
pub(crate) fn shape(text: &str) -> Option<&'static str> {
    shapes(text).first().copied()
}

/// Every kind of credential in a text, each once.
pub(crate) fn shapes(text: &str) -> Vec<&'static str> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        let kind = match byte {
            b's' | b'g' | b'x' | b'A' | b'r' | b'n' if starts_a_word(bytes, at) => token(&bytes[at..]),
            b'e' if starts_a_word(bytes, at) => is_jwt(&bytes[at..]).then_some("JSON web token"),
            b'p' | b'P' if starts_a_word(bytes, at) => token(&bytes[at..]).or_else(|| said(bytes, at)),
            b'b' | b'B' if starts_a_word(bytes, at) => bearer(&bytes[at..]),
            b':' if bytes[at..].starts_with(b"://") => has_password(bytes, at).then_some("URL with password"),
            b':' | b'=' => assigned(bytes, at),
            b'-' if bytes[at..].starts_with(b"-----BEGIN ") => is_private_key(&bytes[at..]).then_some("private key"),
            _ => None,
        };
        if let Some(kind) = kind
            && !found.contains(&kind)
        {
            found.push(kind);
        }
    }
    found
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn starts_a_word(bytes: &[u8], at: usize) -> bool {
    at == 0 || !is_token(bytes[at - 1])
}

fn run(bytes: &[u8], accept: impl Fn(u8) -> bool) -> &[u8] {
    &bytes[..bytes.iter().position(|byte| !accept(*byte)).unwrap_or(bytes.len())]
}

fn token(rest: &[u8]) -> Option<&'static str> {
    let (prefix, least, others, name) = TOKENS.iter().find(|(prefix, ..)| rest.starts_with(prefix.as_bytes()))?;
    let follows = run(&rest[prefix.len()..], |byte| byte.is_ascii_alphanumeric() || others.contains(&byte));
    let fits = match *name {
        // Exactly so many, capitals and digits.
        "AWS key id" => follows.len() == *least && !follows.iter().any(u8::is_ascii_lowercase),
        // `npm_` begins names too.
        "npm token" => follows.len() >= *least && follows.iter().any(u8::is_ascii_digit),
        _ => follows.len() >= *least,
    };
    fits.then_some(*name)
}

/// Three parts of base64url, the first of which begins like a JSON object.
fn is_jwt(rest: &[u8]) -> bool {
    let whole = run(rest, |byte| is_token(byte) || byte == b'.');
    let mut parts = whole.split(|byte| *byte == b'.');
    let (Some(head), Some(body), Some(mark)) = (parts.next(), parts.next(), parts.next()) else { return false };
    head.starts_with(b"eyJ") && body.starts_with(b"eyJ") && head.len() >= 10 && body.len() >= 10 && mark.len() >= 10
}

fn bearer(rest: &[u8]) -> Option<&'static str> {
    let (word, rest) = rest.split_at_checked(7)?;
    let value = run(rest, |byte| is_token(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'='));
    let other = token(value).is_some() || is_jwt(value);
    (word.eq_ignore_ascii_case(b"bearer ") && !other && value.len() >= 20 && is_random(value)).then_some("bearer token")
}

/// `-----BEGIN … PRIVATE KEY` up to the end of the line.
fn is_private_key(rest: &[u8]) -> bool {
    let line =
        run(&rest[11..], |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
    line.windows(11).any(|part| part == b"PRIVATE KEY") && line.ends_with(b"-----")
}

/// Whether the URL whose `://` stands at `at` carries `user:password@`. A password to be filled in is none.
fn has_password(bytes: &[u8], at: usize) -> bool {
    let authority =
        run(&bytes[at + 3..], |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'"' | b'\'' | b'<' | b'>'));
    let Some(host) = authority.iter().rposition(|byte| *byte == b'@') else { return false };
    let Some(colon) = authority[..host].iter().position(|byte| *byte == b':') else { return false };
    let has_scheme = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
    has_scheme && authority[colon + 1..host].first().is_some_and(|byte| !is_placeholder(*byte))
}

fn is_placeholder(first: u8) -> bool {
    matches!(first, b'$' | b'{' | b'*' | b'<' | b'%' | b'[')
}

/// `name = value`, `name: "value"`, where the sign stands at `at`.
fn assigned(bytes: &[u8], at: usize) -> Option<&'static str> {
    let before = bytes[..at].trim_ascii_end();
    let before = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(before);
    let length = before.iter().rev().take_while(|byte| is_token(**byte)).take(64).count();
    let name = std::str::from_utf8(&before[before.len() - length..]).ok()?.to_ascii_lowercase().replace('-', "_");
    let known = NAMES.iter().any(|known| name.ends_with(known));
    if !known {
        return None;
    }
    let value = value(&bytes[at + 1..]);
    if name.ends_with("secret_access_key") && value.len() >= 30 {
        return Some("AWS secret key");
    }
    is_credential(value).then_some("assigned password or key")
}

/// `password value` and `password is value`, as people write.
fn said(bytes: &[u8], at: usize) -> Option<&'static str> {
    let rest = &bytes[at..];
    let word = ["password", "passwd", "passphrase"].iter().find(|word| {
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
            && rest.get(word.len()) == Some(&b' ')
    })?;
    let rest = rest[word.len()..].trim_ascii_start();
    let rest = rest.strip_prefix(b"is ").unwrap_or(rest);
    is_credential(value(rest)).then_some("password in prose")
}

/// The value at the start of a text: without the quotes around it and the full stop behind it.
fn value(rest: &[u8]) -> &[u8] {
    let mut start = rest;
    while let Some((b'=' | b'>' | b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\', after)) = start.split_first() {
        start = after;
    }
    let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'\\');
    let mut whole = run(start, |byte| !ends(byte));
    while let Some((b'.' | b'!' | b'?' | b')' | b'}' | b']', before)) = whole.split_last() {
        whole = before;
    }
    whole
}

/// Whether a value that stands where a password stands is one: long and mixed, and nothing else that has a shape.
fn is_credential(value: &[u8]) -> bool {
    let first = value.first().copied().unwrap_or_default();
    let is_reference = is_placeholder(first)
        || matches!(first, b'/' | b'~' | b'.' | b'@' | b'#')
        || value.iter().any(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<' | b'$'))
        || value.windows(2).any(|pair| pair == b"::" || pair == b"//")
        || value.starts_with(b"env:")
        || value.starts_with(b"file:")
        || run(value, |byte| byte.is_ascii_lowercase()).len() < value.len()
            && value.get(run(value, |byte| byte.is_ascii_lowercase()).len()) == Some(&b'.');
    let other = token(value).is_some() || is_jwt(value);
    (8..=200).contains(&value.len()) && !is_reference && !other && is_random(value)
}

/// Letters and digits mixed, at least three bits a character, and neither hexadecimal nor a time.
fn is_random(value: &[u8]) -> bool {
    let digest = value.iter().position(|byte| matches!(byte, b':' | b'-')).map_or(value, |at| {
        if value.starts_with(b"sha") || value.starts_with(b"md5") { &value[at + 1..] } else { value }
    });
    let is_hex = digest.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let is_time = value.len() > 5 && value[..4].iter().all(u8::is_ascii_digit) && value[4] == b'-';
    let mixed = value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic);
    mixed && !is_hex && !is_time && value.is_ascii() && bits(value) >= 3.0
}

/// Shannon's entropy of the characters, in bits a character.
fn bits(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 128];
    for byte in value {
        counts[usize::from(*byte & 127)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a value of at most a few hundred characters")]
    let total = value.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_found_by_its_kind() {
        let forty = "a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8i9J0";
        for (text, kind) in [
            ("the key is sk-abcdefghijklmnop1234".to_owned(), "sk- key"),
            ("密钥sk-abcdefghijklmnop1234".to_owned(), "sk- key"),
            (format!("sk-proj-{forty}"), "OpenAI key"),
            (format!("use sk-ant-api03-{forty}"), "Anthropic key"),
            (format!("sk_live_{forty}"), "Stripe key"),
            ("token=ghp_abcdefghijklmnopqrstuvwxyz0123456789".to_owned(), "GitHub token"),
            (format!("gho_{forty}"), "GitHub token"),
            (format!("ghs_{forty}"), "GitHub token"),
            (format!("github_pat_11ABC_{forty}"), "GitHub token"),
            ("glpat-abcdefghij0123456789".to_owned(), "GitLab token"),
            ("xoxb-0000-FAKE-FAKE-FAKE-0000,".to_owned(), "Slack token"),
            (format!("AIza{}", &forty[..35]), "Google key"),
            (format!("npm_{}", &forty[..36]), "npm token"),
            (format!("pypi-AgEIcHlwaS5vcmc{forty}"), "PyPI token"),
            ("AKIAIOSFODNN7EXAMPLE".to_owned(), "AWS key id"),
            (
                "export AWS_SECRET_ACCESS_KEY=EXAMPLEdoNotUse/EXAMPLEdoNotUse/EXAMPLEKEY was there".to_owned(),
                "AWS secret key",
            ),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII".to_owned(), "private key"),
            ("-----BEGIN PRIVATE KEY-----\\nMII".to_owned(), "private key"),
            (format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{forty}"), "JSON web token"),
            ("use postgres://app:hunter2@db:5432/x".to_owned(), "URL with password"),
            ("PASSWORD=\"Tr0ub4dor&3x\"".to_owned(), "assigned password or key"),
            ("{\"api_key\": \"9fKq27xLmZpW\"}".to_owned(), "assigned password or key"),
            ("client-secret: 'q8~Zp2.Lw9_xK'".to_owned(), "assigned password or key"),
            (format!("Authorization: Bearer {forty}"), "bearer token"),
            ("user importer, password hunter2-not-a-real-password. Move it!".to_owned(), "password in prose"),
        ] {
            assert_eq!(shapes(&text), [kind], "{text}");
        }
    }

    #[test]
    fn what_only_looks_random_is_no_credential() {
        for text in [
            "use postgres://app:${PASSWORD}@db/x",
            "see https://example.org/a:b@c",
            "task-abcdefghijklmnopqrstuvwxyz is done",
            "disk-abcdefghijklmnopqrstuvwxyz",
            "sk-short, sk-learn-pipeline-version-2025",
            "npm_config_registry_timeout_milliseconds_2",
            "token: 550e8400-e29b-41d4-a716-446655440000",
            "secret=da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "token: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "commit 3f2a9c1d7e8b4a5f6c0d1e2f3a4b5c6d7e8f9a0b fixes it",
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            "password: required, at least 12 characters",
            "the password policy changed in 2025, password rotation every 90 days",
            "password=$(pass show db/prod1) and token=${GITHUB_TOKEN_2}",
            "token = os.environ[\"API_TOKEN_1\"], api_key=settings.OPENAI_KEY_2",
            "secret: env:LEGACY_DATABASE_URL_1, pwd=/home/user1/project2",
            "token: 2026-01-05T10:00:00Z",
            "Bearer token authentication is described in RFC 6750",
            "-----BEGIN PUBLIC KEY-----\nMII",
            "metrics: token F1 = 0.83, exact match = 0.71",
            "AKIA is a prefix; AKIAabcdefghijklmnop is none",
            "eyJhbGciOiJIUzI1NiJ9 is the header alone",
        ] {
            assert_eq!(shape(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_with_two_kinds_has_both_and_each_once() {
        let text = "AKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLF aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_eq!(shapes(text), ["AWS key id", "AWS secret key"]);
    }
}
