//! Who calls, and what they may: the person who started the process, or the holder of a token.
//!
//! A door finds out who calls; everything after it asks here. Deliberately absent: how a token travels (`http::auth`)
//! and the second wall, row-level security, which holds the database to the same namespaces.

use heirloom_store::{Right, Scope, Token};

use crate::config::CallerConfig;
use crate::error::{Error, Result};

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// The person at the terminal, or whoever may read the token of this process: every namespace, every right.
    Owner(CallerConfig),
    /// The holder of a token.
    Token(Box<Token>),
}

impl Caller {
    /// The namespaces of a call: those it names, else the caller's own. There is no "all": nothing crosses a namespace
    /// but an explicit list.
    ///
    /// # Errors
    /// [`Error::Argument`] when it names none and the caller has no list; [`Error::Forbidden`] for a namespace that the
    /// token does not cover, whether or not there is such a namespace.
    pub fn scope<'a>(&self, asked: impl IntoIterator<Item = &'a String>) -> Result<Scope> {
        let mut namespaces: Vec<String> = asked.into_iter().cloned().collect();
        if namespaces.is_empty() {
            namespaces = self.own();
        }
        if namespaces.is_empty() {
            return Err(Error::Argument {
                argument: "--namespace",
                what: "none was given, and the caller has no list of its own".to_owned(),
                accepted: "give one such as --namespace team:research, or set HEIRLOOM_NAMESPACES".to_owned(),
            });
        }
        for namespace in &namespaces {
            heirloom_store::namespace::validate(namespace)?;
            self.require_namespace(namespace)?;
        }
        let scope = Scope::new(namespaces)?;
        Ok(match self.actor() {
            Some(actor) => scope.by(&actor)?,
            None => scope,
        })
    }

    /// The namespaces that the caller has by name.
    pub fn own(&self) -> Vec<String> {
        match self {
            Self::Owner(config) => config.namespaces.clone(),
            Self::Token(token) => token.namespaces.iter().filter(|name| !name.ends_with('*')).cloned().collect(),
        }
    }

    /// Who is recorded as the one who acted.
    pub fn actor(&self) -> Option<String> {
        match self {
            Self::Owner(config) => Some(config.actor.clone()).filter(|actor| !actor.is_empty()),
            Self::Token(token) => Some(format!("token:{}", token.name)),
        }
    }

    /// Whether the caller may use a namespace.
    pub fn allows(&self, namespace: &str) -> bool {
        match self {
            Self::Owner(_) => true,
            Self::Token(token) => token.allows(namespace),
        }
    }

    /// Refuses a namespace that the caller may not use.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_namespace(&self, namespace: &str) -> Result<()> {
        if self.allows(namespace) {
            return Ok(());
        }
        Err(Error::Forbidden(format!("this token is not for the namespace {namespace}")))
    }

    /// Whether the caller has a right.
    pub fn has(&self, right: Right) -> bool {
        match self {
            Self::Owner(_) => true,
            Self::Token(token) => token.may(right),
        }
    }

    /// Refuses what the caller has no right to.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(&self, right: Right) -> Result<()> {
        if self.has(right) {
            return Ok(());
        }
        Err(Error::Forbidden(format!("this token lacks the right `{}`", right.as_str())))
    }
}
