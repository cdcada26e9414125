//! References to secrets, and the refusal of secrets written out.
//!
//! `env:NAME` is answered by the caller, `file:PATH` is read here. Nothing here is ever part of a plan.

use super::{At, Secrets};
use crate::error::{MigrateError, Result};

/// What `[source] url` takes.
const SOURCE_FORMS: &str = "accepted: env:NAME, file:PATH, postgres://USER@HOST/DATABASE, sqlite:FILE, or `store` for a table in the target's own database";
/// What `[target] url` takes.
const TARGET_FORMS: &str = "accepted: env:NAME, file:PATH, postgres://USER@HOST/DATABASE, pgmnemo+postgres://USER@HOST/DATABASE, plugin+http://HOST:PORT, or no url at all for the configured store";

/// The URL a word of the file stands for.
///
/// `env:NAME` is looked up in `secrets`; `file:PATH` is read, without its trailing line break; anything else is the URL
/// itself.
///
/// # Errors
///
/// [`MigrateError::File`] at the word when the name is not set or the file cannot be read. The error never quotes what
/// the reference stands for.
pub fn resolve_url(word: &At<String>, secrets: &Secrets<'_>) -> Result<String> {
    resolve(word, secrets, "the database's URL")
}

/// The token a word of the file stands for, as [`resolve_url`].
///
/// # Errors
///
/// As [`resolve_url`]; and when the token cannot be one, because it has a space or a control character in it.
pub fn resolve_token(word: &At<String>, secrets: &Secrets<'_>) -> Result<String> {
    let token = resolve(word, secrets, "the token")?;
    match token.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(token),
        false => Err(MigrateError::File {
            place: word.place.clone(),
            what: format!("{} has something in it that no token has", word.value),
            accepted: "set it to the token and nothing else".to_owned(),
        }),
    }
}

fn resolve(word: &At<String>, secrets: &Secrets<'_>, whole: &str) -> Result<String> {
    let fail = |what: String, accepted: String| MigrateError::File { place: word.place.clone(), what, accepted };
    let alone = || format!("a file that holds {whole} and nothing else");
    if let Some(name) = word.value.strip_prefix("env:") {
        return match secrets(name) {
            Some(secret) if !secret.is_empty() => Ok(secret),
            Some(_) => Err(fail(format!("env:{name} is empty"), format!("set it to {whole}"))),
            None => {
                Err(fail(format!("env:{name} is not set"), format!("set it to {whole}, or write another reference")))
            }
        };
    }
    if let Some(path) = word.value.strip_prefix("file:") {
        let text = std::fs::read_to_string(path)
            .map_err(|error| fail(format!("file:{path} cannot be read: {error}"), alone()))?;
        let secret = text.trim_end_matches(['\n', '\r']);
        if secret.is_empty() {
            return Err(fail(format!("file:{path} is empty"), alone()));
        }
        return Ok(secret.to_owned());
    }
    Ok(word.value.clone())
}

/// Refuses a token that is written out.
pub(crate) fn check_token(word: At<String>) -> Result<At<String>> {
    match prefixed(&word.value, &["env:", "file:"]) {
        true => Ok(word),
        false => Err(MigrateError::File {
            place: word.place,
            what: "this is no reference, and a migration file is meant to be shared".to_owned(),
            accepted: "write env:NAME or file:PATH, and put the token there".to_owned(),
        }),
    }
}

/// Refuses a source URL that no source opens or that has a password in it.
pub(crate) fn check_source(word: At<String>) -> Result<At<String>> {
    let known =
        word.value == "store" || prefixed(&word.value, &["env:", "file:", "sqlite:", "postgres://", "postgresql://"]);
    check(word, known, SOURCE_FORMS)
}

/// Refuses a target URL that no target opens or that has a password in it.
pub(crate) fn check_target(word: At<String>) -> Result<At<String>> {
    let known = prefixed(&word.value, &["env:", "file:", "postgres://", "postgresql://"])
        || prefixed(&word.value, &crate::target::SCHEMES);
    check(word, known, TARGET_FORMS)
}

/// Whether something follows one of the prefixes.
fn prefixed(url: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| url.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()))
}

fn check(word: At<String>, known: bool, forms: &str) -> Result<At<String>> {
    if has_password(&word.value) {
        return Err(MigrateError::File {
            place: word.place,
            what: "this URL has a password in it, and a migration file is meant to be shared".to_owned(),
            accepted: "write env:NAME, and put the URL into that variable".to_owned(),
        });
    }
    if known {
        return Ok(word);
    }
    // Only the scheme is quoted: what follows might be a secret in a form we do not know.
    let scheme = word.value.split(':').next().unwrap_or_default();
    let what = if word.value.contains(':') {
        format!("`{scheme}:` is not a URL that can be opened here")
    } else {
        "this is not a URL".to_owned()
    };
    Err(MigrateError::File { place: word.place, what, accepted: forms.to_owned() })
}

/// `scheme://user:password@…`, `?password=…`, or `password=` of a key-value connection string.
pub(crate) fn has_password(url: &str) -> bool {
    if url.starts_with("env:") || url.starts_with("file:") {
        return false;
    }
    let lower = url.to_lowercase();
    if ["password=", "passwd="].iter().any(|word| lower.contains(word)) {
        return true;
    }
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password with an unescaped `/` in it still shows as `user:…@` further on.
    let user = authority.rsplit_once('@').or_else(|| rest.rsplit_once('@')).map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;

    fn word(value: &str) -> At<String> {
        At { value: value.to_owned(), place: Place { file: "notes.toml".to_owned(), line: 2, column: 7 } }
    }

    #[test]
    fn passwords_are_seen_in_every_place_they_hide() {
        for url in [
            "postgres://me:hunter2@host/db",
            "postgres://me:hun/ter2@host/db",
            "postgres://host/db?user=me&password=hunter2",
            "host=h password=hunter2",
        ] {
            let error = check_source(word(url)).unwrap_err().to_string();
            assert!(error.contains("write env:NAME"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for url in ["postgres://me@host:5432/db", "postgres:///db", "env:URL", "sqlite:./a.db", "store"] {
            assert!(!has_password(url), "{url}");
        }
    }

    #[test]
    fn env_and_file_are_resolved_and_named_when_they_fail() {
        let secrets = |name: &str| (name == "LEGACY").then(|| "postgres://me:pw@host/db".to_owned());
        assert_eq!(resolve_url(&word("env:LEGACY"), &secrets).unwrap(), "postgres://me:pw@host/db");
        assert_eq!(
            resolve_url(&word("env:NO"), &secrets).unwrap_err().to_string(),
            "notes.toml:2:7: env:NO is not set; set it to the database's URL, or write another reference"
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("url");
        std::fs::write(&path, "postgres://host/db\r\n").unwrap();
        let reference = format!("file:{}", path.display());
        assert_eq!(resolve_url(&word(&reference), &secrets).unwrap(), "postgres://host/db");
        let gone = format!("file:{}", dir.path().join("gone").display());
        assert!(resolve_url(&word(&gone), &secrets).unwrap_err().to_string().contains("cannot be read"));
    }

    #[test]
    fn a_wrong_url_says_which_are_right() {
        let error = check_source(word("mysql://host/db")).unwrap_err().to_string();
        assert!(
            error.starts_with("notes.toml:2:7: `mysql:` is not a URL that can be opened here; accepted: env:NAME"),
            "{error}"
        );
        assert!(check_target(word("sqlite:x")).is_err());
    }
}
