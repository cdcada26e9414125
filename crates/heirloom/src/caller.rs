//! Who calls, and what they may: the person who started the process, the holder of a token, or a program that the
//! person let in.
//!
//! A door finds out who calls; everything after it asks here. Deliberately absent: how a token travels (`http::auth`)
//! and the second wall, row-level security, which holds the database to the same namespaces.

use heirloom_store::{Right, Scope, Token};
use serde_json::Value;
use uuid::Uuid;

use crate::config::CallerConfig;
use crate::error::{Error, Result};

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// The person at the terminal, or whoever may read the token of this process: every namespace, every right.
    Owner(CallerConfig),
    /// The holder of a token.
    Token(Box<Token>),
    /// A program that the person let in, such as an agent over stdio: no more than they said, and never an admin.
    Guest(Box<Guest>),
}

/// What a person lets a program of theirs do.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Its namespaces of a call that names none, and who is recorded as the one who acted.
    pub config: CallerConfig,
    /// Whether those namespaces are all it may name.
    pub held: bool,
    /// Whether it may write.
    pub writes: bool,
    /// The workspace of the tree that it acts for.
    pub workspace: Option<String>,
}

impl Caller {
    /// Takes out of an answer what this caller is not told: the integer handles of the SQL door count all tenants' memories
    /// together, so a token's holder does not get them.
    pub fn strip(&self, json: &mut Value) {
        if !matches!(self, Self::Token(_)) {
            return;
        }
        let strip = |item: &mut Value| item.as_object_mut().map(|object| object.shift_remove("lesson_id"));
        strip(json);
        for list in ["hits", "items"] {
            if let Some(items) = json.get_mut(list).and_then(Value::as_array_mut) {
                items.iter_mut().for_each(|item| drop(strip(item)));
            }
        }
        json.get_mut("memory").map(strip);
        // What the SQL door wrote down of a lesson.
        for act in json.get_mut("activity").and_then(Value::as_array_mut).into_iter().flatten() {
            act.get_mut("details").map(strip);
        }
    }

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
        let scope = match self.actor() {
            Some(actor) => scope.by(&actor)?,
            None => scope,
        };
        Ok(match self {
            Self::Guest(guest) if let Some(workspace) = &guest.workspace => scope.acting_for(workspace)?,
            _ => scope,
        })
    }

    /// The namespaces that the caller has by name.
    pub fn own(&self) -> Vec<String> {
        match self {
            Self::Owner(config) => config.namespaces.clone(),
            Self::Token(token) => token.namespaces.iter().filter(|name| !name.ends_with('*')).cloned().collect(),
            Self::Guest(guest) => guest.config.namespaces.clone(),
        }
    }

    /// What tells it from every other caller: what is kept for one is of no use to another.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Owner(_) => Uuid::nil(),
            Self::Token(token) => token.id,
            // What the person asked for is not given to a program that may see less.
            Self::Guest(_) => Uuid::max(),
        }
    }

    /// Who is recorded as the one who acted.
    pub fn actor(&self) -> Option<String> {
        match self {
            Self::Owner(config) => Some(config.actor.clone()).filter(|actor| !actor.is_empty()),
            Self::Token(token) => Some(format!("token:{}", token.name)),
            Self::Guest(guest) => Some(guest.config.actor.clone()).filter(|actor| !actor.is_empty()),
        }
    }

    /// Whether the caller may use a namespace.
    pub fn allows(&self, namespace: &str) -> bool {
        match self {
            Self::Owner(_) => true,
            Self::Token(token) => token.allows(namespace),
            Self::Guest(guest) => !guest.held || guest.config.namespaces.iter().any(|own| own == namespace),
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
        Err(Error::Forbidden(match self {
            Self::Guest(guest) if guest.config.namespaces.is_empty() => {
                format!("this agent has no namespace, so not {namespace} either")
            }
            Self::Guest(guest) => {
                let own = guest.config.namespaces.join(", ");
                format!("this agent is not for the namespace {namespace}; it is for {own}")
            }
            _ => format!("this token is not for the namespace {namespace}"),
        }))
    }

    /// Whether the caller has a right.
    pub fn has(&self, right: Right) -> bool {
        match self {
            Self::Owner(_) => true,
            Self::Token(token) => token.may(right),
            Self::Guest(guest) => right == Right::Read || (right == Right::Write && guest.writes),
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
        let who = if matches!(self, Self::Guest(_)) { "agent" } else { "token" };
        Err(Error::Forbidden(format!("this {who} lacks the right `{}`", right.as_str())))
    }
}
