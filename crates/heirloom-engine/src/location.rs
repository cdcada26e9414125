//! Where a database is: a directory, a throw-away, or a URL.

use std::path::PathBuf;

/// Where the database is. There is no default and no fallback from one to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An embedded PGlite in this directory, created when it is not there.
    Embedded(PathBuf),
    /// An embedded PGlite in a directory of its own that goes when the database is closed.
    Temporary,
    /// A server, as `postgres://user:password@host:port/database?sslmode=…`.
    Server(String),
}

impl Location {
    /// Reads what a user wrote: a `postgres://` or `postgresql://` URL, otherwise a directory.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Server(text.to_owned())
        } else {
            Self::Embedded(PathBuf::from(text))
        }
    }

    /// Whether a database was ever opened there; always true of a server, never of a throw-away. Creates nothing.
    pub fn is_there(&self) -> bool {
        match self {
            Self::Embedded(dir) => crate::owner::is_marked(dir),
            Self::Temporary => false,
            Self::Server(_) => true,
        }
    }

    /// Who has the directory open, as far as its owner record says. The lock is the truth, the record a courtesy.
    pub fn owner(&self) -> Option<crate::OwnerRecord> {
        match self {
            Self::Embedded(dir) => crate::owner::read_owner(dir),
            Self::Temporary | Self::Server(_) => None,
        }
    }

    /// The location without credentials, fit for a report.
    pub fn display(&self) -> String {
        match self {
            Self::Embedded(dir) => dir.display().to_string(),
            Self::Temporary => "a temporary embedded database".to_owned(),
            Self::Server(url) => redact_url(url),
        }
    }
}

/// Removes the password, and every query parameter that could hold one, from a URL.
///
/// Anything before the last `@` of the authority counts as user information, so a password that was not
/// percent-encoded does not survive either.
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.contains("password") { "(hidden)".to_owned() } else { url.to_owned() };
    };
    let (base, query) = match rest.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = match base.rfind('@') {
        Some(at) => {
            let user = base[..at].split(':').next().unwrap_or_default();
            (format!("{user}@"), &base[at + 1..])
        }
        None => (String::new(), base),
    };
    let query = query
        .map(|query| {
            query
                .split('&')
                .filter(|pair| !pair.to_ascii_lowercase().starts_with("password="))
                .filter(|pair| !pair.to_ascii_lowercase().starts_with("sslpassword="))
                .collect::<Vec<_>>()
                .join("&")
        })
        .filter(|query| !query.is_empty())
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    format!("{scheme}://{authority}{path}{query}")
}

/// The same server and credential, another database.
pub fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let after_scheme = base.find("://").map_or(0, |at| at + 3);
    // A password may hold a slash that nobody escaped; what follows the last @ is the host.
    let host = base[after_scheme..].rfind('@').map_or(after_scheme, |at| after_scheme + at + 1);
    let server = base[host..].find('/').map_or(base, |at| &base[..host + at]);
    let escaped: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("{server}/{escaped}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_same_server_keeps_the_rest_of_the_url() {
        for (url, expected) in [
            ("postgres://u:p@h:5432/one", "postgres://u:p@h:5432/two"),
            ("postgres://u:p@h", "postgres://u:p@h/two"),
            ("postgres://u:p/w@h/one?sslmode=require", "postgres://u:p/w@h/two?sslmode=require"),
            ("postgresql:///one", "postgresql:///two"),
        ] {
            assert_eq!(with_database(url, "two"), expected);
        }
        assert_eq!(with_database("postgres://h/a", "b c/d"), "postgres://h/b%20c%2Fd");
    }

    #[test]
    fn redact_url_removes_every_spelling_of_a_password() {
        for (url, shown) in [
            ("postgres://u:p@h:5432/d", "postgres://u@h:5432/d"),
            ("postgres://u:p@ss/word@h/d", "postgres://u@h/d"),
            ("postgres://h/d?password=x&sslmode=require", "postgres://h/d?sslmode=require"),
            ("postgres://h/d?PASSWORD=x", "postgres://h/d"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("host=h password=x", "(hidden)"),
        ] {
            assert_eq!(redact_url(url), shown, "{url}");
        }
    }

    #[test]
    fn is_there_creates_nothing() {
        let dir = std::path::PathBuf::from("/nonexistent/heirloom");
        assert!(!Location::Embedded(dir.clone()).is_there());
        assert!(!dir.exists());
        assert!(Location::Server("postgres://h/d".into()).is_there());
    }

    #[test]
    fn parse_tells_a_url_from_a_directory() {
        assert_eq!(Location::parse("postgres://h/d"), Location::Server("postgres://h/d".into()));
        assert_eq!(Location::parse("./data"), Location::Embedded("./data".into()));
    }
}
