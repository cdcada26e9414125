//! Whether two tenants come with the same credential. Compared here and nowhere kept: what is kept is a keyed digest.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A credential of one side, as far as it can be told apart from another's.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Where it is shown: host and port, or the socket.
    server: String,
    user: String,
    /// Digest of user and password under a key of this process, so that nobody can guess his way back to a short password;
    /// `None` without a password.
    secret: Option<[u8; 32]>,
    /// The database it names.
    database: String,
}

// A digest is told to nobody either.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { server, user, database, .. } = self;
        f.debug_struct("Credential")
            .field("server", server)
            .field("user", user)
            .field("database", database)
            .finish_non_exhaustive()
    }
}

/// Random bytes that are made once a process and never leave it.
fn key() -> &'static [u8; 32] {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut key = [0; 32];
        for half in key.chunks_mut(16) {
            half.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        }
        key
    })
}

impl Credential {
    /// Reads the credential of a server's URL; `None` for what has none (a file, the target's own database, an embedded store).
    pub fn of(url: &str) -> Option<Self> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return None;
        }
        let base: String = url.split('?').next().unwrap_or_default().to_owned();
        let config: tokio_postgres::Config = url.parse().or_else(|_| base.parse()).ok()?;
        let hosts: Vec<String> = config
            .get_hosts()
            .iter()
            .map(|host| match host {
                tokio_postgres::config::Host::Tcp(name) => name.to_lowercase(),
                #[cfg(unix)]
                tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        let ports = config.get_ports().iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        let user = config.get_user().unwrap_or_default().to_owned();
        let secret = config.get_password().map(|password| {
            let mut hasher = blake3::Hasher::new_keyed(key());
            hasher.update(&(user.len() as u64).to_be_bytes()).update(user.as_bytes()).update(password);
            *hasher.finalize().as_bytes()
        });
        let ports = if ports.is_empty() { "5432".to_owned() } else { ports };
        let database = config.get_dbname().unwrap_or(&user).to_owned();
        Some(Self { server: format!("{}:{ports}", hosts.join(",")), user, secret, database })
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The server, as the URL names it.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// What makes two credentials one: the user at a server, or user and password wherever.
    fn names(&self) -> Vec<String> {
        let at = format!("{}@{}", self.user, self.server);
        let with = self.secret.map(|secret| blake3::Hash::from_bytes(secret).to_hex().to_string());
        std::iter::once(at).chain(with).collect()
    }
}

/// For each of several credentials, the first other one that is the same.
pub fn shared(credentials: &[Option<Credential>]) -> Vec<Option<usize>> {
    let mut seen: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, credential) in credentials.iter().enumerate() {
        for name in credential.iter().flat_map(Credential::names) {
            seen.entry(name).or_default().push(at);
        }
    }
    credentials
        .iter()
        .enumerate()
        .map(|(at, credential)| {
            let names = credential.iter().flat_map(Credential::names);
            names.filter_map(|name| seen.get(&name)?.iter().copied().find(|other| *other != at)).min()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(urls: &[&str]) -> Vec<Option<usize>> {
        shared(&urls.iter().map(|url| Credential::of(url)).collect::<Vec<_>>())
    }

    #[test]
    fn one_user_at_one_server_is_one_credential_whatever_the_database() {
        assert_eq!(among(&["postgres://a:x@h/one", "postgres://b:x@h/two"]), [None, None]);
        assert_eq!(among(&["postgres://a:x@h/one", "postgres://a:y@H:5432/two"]), [Some(1), Some(0)]);
        assert_eq!(among(&["postgres://a:x@h:5432/one", "postgres://a:y@h:5433/two"]), [None, None]);
    }

    #[test]
    fn one_password_for_one_user_is_one_credential_wherever() {
        assert_eq!(among(&["postgres://a:x@h/d", "postgres://a:x@g/d"]), [Some(1), Some(0)]);
        // Without a password it is the server that knows who may.
        assert_eq!(among(&["postgres://a@h/d", "postgres://a@g/d"]), [None, None]);
        assert_eq!(among(&["postgres://ab:c@h/d", "postgres://a:bc@g/d"]), [None, None]);
    }

    #[test]
    fn what_has_no_credential_shares_none_and_nothing_is_shown() {
        assert_eq!(among(&["store", "store", "sqlite:a.db", "sqlite:a.db"]), [None; 4]);
        let shown = format!("{:?}", Credential::of("postgres://me:hunter2@h/d?sslmode=verify-full"));
        assert!(shown.contains("me") && !shown.contains("hunter2") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_digest_cannot_be_computed_elsewhere() {
        let secret = Credential::of("postgres://me:hunter2@h/d").and_then(|one| one.secret);
        let bare = blake3::hash(&[&2_u64.to_be_bytes()[..], b"me", b"hunter2"].concat());
        assert!(secret.is_some_and(|secret| secret != *bare.as_bytes()));
    }
}
