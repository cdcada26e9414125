//! Tokens: who may come in by a door, to which namespaces, to do what.
//!
//! Of a secret only its sha256 is kept, so a lookup compares digests and takes the same time whatever the secret begins
//! with. Deliberately absent: how a door receives a token, and how it counts requests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::activity;
use crate::check;
use crate::error::{Result, StoreError, missing};
use crate::memory::Moment;
use crate::namespace;
use crate::scope::MAX_NAMESPACES;
use crate::store::Store;
use crate::trip;

/// What a token may do; each right holds the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Read the memories of its namespaces.
    Read,
    /// Write them, too.
    Write,
    /// Everything, in every namespace: migrations, workspaces and tokens, too.
    Admin,
}

impl Right {
    /// As it stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Right {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            "admin" => Ok(Self::Admin),
            _ => Err(check::invalid("rights", "another word", "read, write or admin")),
        }
    }
}

/// A token to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is called; one living token has this name.
    pub name: String,
    /// Exact namespaces, or the beginning of some followed by `*`: `team:acme.*`, or `*` for all. An admin needs none.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// What it may do.
    pub rights: Right,
    /// Most requests a minute; the door's own limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<i32>,
    /// Useless from this instant on (RFC 3339); for ever good when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
}

/// A token that was made, with its secret for the only time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedToken {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// `hl_` and 43 characters. Nothing keeps it; who loses it makes another token.
    pub secret: String,
}

/// Without the secret, which must not end in a log.
impl std::fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedToken").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A token, without anything it could be guessed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Exact namespaces, or the beginning of some followed by `*`.
    pub namespaces: Vec<String>,
    /// What it may do.
    pub rights: Right,
    /// Most requests a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<i32>,
    /// When it was made.
    pub created_at: Moment,
    /// Useless from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Moment>,
}

impl Token {
    /// Whether it may do this.
    pub fn may(&self, right: Right) -> bool {
        self.rights >= right
    }

    /// Whether it is for this namespace; an admin's is for every one. Byte for byte, nothing is folded.
    pub fn allows(&self, namespace: &str) -> bool {
        self.rights == Right::Admin
            || self.namespaces.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => namespace.starts_with(beginning),
                None => pattern == namespace,
            })
    }

    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            namespaces: row.try_get("namespaces")?,
            rights: row.try_get::<_, String>("rights")?.parse()?,
            rate_per_minute: row.try_get("rate_per_minute")?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
            revoked_at: row.try_get("revoked_at")?,
        })
    }
}

impl Store {
    /// Makes a token. Its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] names the field; [`StoreError::Conflict`] for a name that a living token has;
    /// [`StoreError::Rights`] when this database user does not own the store.
    pub async fn create_token(&self, new: &NewToken) -> Result<CreatedToken> {
        check::label("name", Some(&new.name))?;
        let namespaces = checked_namespaces(new)?;
        if new.rate_per_minute.is_some_and(|rate| rate < 1) {
            return Err(check::invalid("rate_per_minute", "less than 1", "at least 1, or absent"));
        }
        check::moment("expires_at", new.expires_at)?;
        let secret = secret()?;
        let mut client = self.database().client().await?;
        let tx = client.build_transaction().start().await?;
        let made = tx
            .query_one(
                include_str!("../sql/queries/token/create.sql"),
                &[
                    &new.name,
                    &digest(&secret).as_slice(),
                    &namespaces,
                    &new.rights.as_str(),
                    &new.rate_per_minute,
                    &new.expires_at,
                ],
            )
            .await
            .map_err(|error| {
                if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
                    return StoreError::Conflict(
                        "A living token has this name: revoke it first, or choose another name".to_owned(),
                    );
                }
                owners_only(error)
            })?;
        let id: Uuid = made.try_get("id")?;
        let details = json!({ "token": id, "name": new.name, "rights": new.rights, "namespaces": namespaces });
        activity::note(&tx, "token_create", details).await?;
        tx.commit().await?;
        self.tell(&client);
        Ok(CreatedToken { id, name: new.name.clone(), secret })
    }

    /// Every token there ever was, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Rights`] when this database user does not own the store.
    pub async fn list_tokens(&self) -> Result<Vec<Token>> {
        let mut client = self.database().client().await?;
        let tx = client.build_transaction().start().await?;
        let rows = tx.query(include_str!("../sql/queries/token/list.sql"), &[]).await.map_err(owners_only)?;
        activity::note(&tx, "token_list", json!({ "tokens": rows.len() })).await?;
        tx.commit().await?;
        self.tell(&client);
        rows.iter().map(Token::from_row).collect()
    }

    /// Ends a living token, by its id or its name, from the next call on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when none lives by it; [`StoreError::Rights`] when this database user does not own the
    /// store.
    pub async fn revoke_token(&self, which: &str) -> Result<Token> {
        check::label("token", Some(which))?;
        let mut client = self.database().client().await?;
        let tx = client.build_transaction().start().await?;
        let rows = tx.query(include_str!("../sql/queries/token/revoke.sql"), &[&which]).await.map_err(owners_only)?;
        let Some(row) = rows.first() else { return Err(missing("token", which)) };
        let token = Token::from_row(row)?;
        activity::note(&tx, "token_revoke", json!({ "token": token.id, "name": token.name })).await?;
        tx.commit().await?;
        self.tell(&client);
        Ok(token)
    }

    /// The token of a secret; `None` for one that is unknown, revoked or past its end. One round trip.
    ///
    /// # Errors
    /// [`StoreError::Database`] or [`StoreError::Engine`] when the database cannot be asked.
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Token>> {
        // What cannot be a secret of ours is not looked up.
        if secret.len() != SECRET_LENGTH || !secret.starts_with(PREFIX) {
            return Ok(None);
        }
        let client = self.database().client().await?;
        let sha256 = digest(secret);
        let rows = trip::ask(
            &client,
            trip::SERVE_NONE,
            include_str!("../sql/queries/token/authenticate.sql"),
            &[&sha256.as_slice()],
        )
        .await?;
        rows.first().map(Token::from_row).transpose()
    }
}

const PREFIX: &str = "hl_";
const SECRET_LENGTH: usize = PREFIX.len() + 43;

fn secret() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Unsupported(format!("a source of random numbers: {error}")))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// The namespaces of a new token, sorted, each once.
fn checked_namespaces(new: &NewToken) -> Result<Vec<String>> {
    let mut patterns = new.namespaces.clone();
    if patterns.is_empty() && new.rights == Right::Admin {
        patterns.push("*".to_owned());
    }
    if patterns.is_empty() || patterns.len() > MAX_NAMESPACES {
        return Err(check::invalid(
            "namespaces",
            format!("{} of them", patterns.len()),
            format!("1 to {MAX_NAMESPACES}; `*` for all"),
        ));
    }
    for pattern in &patterns {
        let whole = match pattern.strip_suffix('*') {
            // Whatever may follow, the beginning must be one of some namespace.
            Some(beginning) if beginning.contains(':') => format!("{beginning}x"),
            Some(beginning) => format!("{beginning}x:x"),
            None => pattern.clone(),
        };
        namespace::validate(&whole).map_err(|error| match error {
            StoreError::Invalid { found, .. } => check::invalid(
                "namespaces",
                found,
                "a namespace such as `team:research`, the beginning of some followed by `*` such as `team:acme.*`, or \
                 `*` for all",
            ),
            other => other,
        })?;
    }
    patterns.sort_unstable();
    patterns.dedup();
    Ok(patterns)
}

/// Only the owner of the store may, and a member of `heirloom_admin`.
pub(crate) fn owners_only(error: tokio_postgres::Error) -> StoreError {
    if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        return StoreError::Rights(
            "Tokens and workspaces are kept by the database user that owns the store: run this as that user, or let it \
             run `grant heirloom_admin to` this one"
                .to_owned(),
        );
    }
    StoreError::Database(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(rights: Right, namespaces: &[&str]) -> Token {
        Token {
            id: Uuid::nil(),
            name: "t".to_owned(),
            namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
            rights,
            rate_per_minute: None,
            created_at: Moment::Micros(0),
            expires_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_right_holds_the_ones_before_it() {
        let write = token(Right::Write, &["*"]);
        assert!(write.may(Right::Read) && write.may(Right::Write) && !write.may(Right::Admin));
        assert!(!token(Right::Read, &["*"]).may(Right::Write) && token(Right::Admin, &[]).may(Right::Admin));
    }

    #[test]
    fn a_pattern_is_a_name_or_its_beginning_and_nothing_else() {
        let some = token(Right::Read, &["team:acme.*", "org:one"]);
        for inside in ["team:acme.", "team:acme.x", "org:one"] {
            assert!(some.allows(inside), "{inside}");
        }
        for outside in ["team:acme", "team:acmex", "org:one2", "org:on", "Org:one", "xteam:acme.x", ""] {
            assert!(!some.allows(outside), "{outside}");
        }
        assert!(token(Right::Read, &["*"]).allows("team:any") && token(Right::Admin, &["org:one"]).allows("team:any"));
        assert!(!token(Right::Write, &[]).allows("team:any"));
    }

    #[test]
    fn patterns_that_no_namespace_can_match_are_refused() {
        let new = |rights, namespaces: &[&str]| NewToken {
            name: "t".to_owned(),
            namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
            rights,
            rate_per_minute: None,
            expires_at: None,
        };
        for good in ["*", "team:*", "te*", "team:acme.*", "team:a"] {
            assert!(checked_namespaces(&new(Right::Read, &[good])).is_ok(), "{good}");
        }
        for bad in ["", "**", "*x", "team:a*b*", "Team:*", "team", "team:a b*", "1*", "team:\0*", ":*"] {
            assert!(checked_namespaces(&new(Right::Read, &[bad])).is_err(), "{bad:?}");
        }
        assert!(checked_namespaces(&new(Right::Write, &[])).is_err());
        assert_eq!(checked_namespaces(&new(Right::Admin, &[])).expect("all"), ["*"]);
    }

    #[test]
    fn a_secret_is_new_each_time_and_never_shown_by_debug() {
        let (one, two) = (secret().expect("random"), secret().expect("random"));
        assert!(one != two && one.len() == SECRET_LENGTH && one.starts_with("hl_"));
        assert!(one[3..].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        let made = CreatedToken { id: Uuid::nil(), name: "t".to_owned(), secret: one.clone() };
        assert!(!format!("{made:?}").contains(&one));
    }
}
