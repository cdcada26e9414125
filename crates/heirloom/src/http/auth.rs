//! Who comes in: the bearer of a token, the owner of the process, or, on loopback and by choice, anybody.
//!
//! A token is looked up once and remembered for two seconds, so that a revoked one is refused at most that long after.
//! Only digests are kept here. Deliberately absent: what a caller may do (`caller`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use heirloom_store::Token;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::fault::Fault;
use crate::caller::Caller;
use crate::config::CallerConfig;
use crate::context::Context;

const REMEMBERED: Duration = Duration::from_secs(2);
const MOST_REMEMBERED: usize = 4_096;

type Sum = [u8; 32];

/// Who comes in without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Nobody.
    No,
    /// Whoever is on this machine.
    Here,
    /// Whoever reaches the door.
    Everybody,
}

/// What the door knows of tokens.
pub struct Auth {
    owner: Option<Sum>,
    open: Open,
    known: Mutex<HashMap<Sum, (Instant, Option<Token>)>>,
}

impl Auth {
    /// A door whose owner, the caller of its context, holds `owner`, and that lets others in without a token as `open` says.
    pub fn new(owner: Option<&str>, open: Open) -> Self {
        Self { owner: owner.map(sum), open, known: Mutex::default() }
    }

    /// Whether somebody comes in without a token.
    pub fn is_open(&self) -> bool {
        self.open != Open::No
    }

    /// Whether everybody does, from wherever.
    pub fn is_for_everybody(&self) -> bool {
        self.open == Open::Everybody
    }

    /// The caller of a request that is past the gate, or has to bring a token.
    ///
    /// # Errors
    /// 401 without a token or with one that is not known, revoked or past its end; 503 when the database cannot be asked.
    pub async fn caller(&self, context: &Context, headers: &HeaderMap) -> Result<Caller, Fault> {
        self.caller_from(context, headers, None).await
    }

    /// The caller of a request at the gate, that came from an address; `None` for one that was let in before.
    ///
    /// # Errors
    /// As [`Auth::caller`].
    pub async fn caller_from(
        &self,
        context: &Context,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Caller, Fault> {
        let is_in = match self.open {
            Open::No => false,
            Open::Here => peer.is_none_or(|peer| peer.to_canonical().is_loopback()),
            Open::Everybody => true,
        };
        match bearer(headers)? {
            Some(secret) => self.bearer_of(context, secret).await,
            None if is_in => Ok(Caller::Owner(CallerConfig::NOBODY)),
            None => Err(Fault::unauthorised("a bearer token is missing")),
        }
    }

    /// The caller who holds a secret.
    ///
    /// # Errors
    /// As [`Auth::caller`].
    pub async fn bearer_of(&self, context: &Context, secret: &str) -> Result<Caller, Fault> {
        let key = sum(secret);
        // Digests are compared, so the time it takes says nothing about the secret.
        if self.owner == Some(key) {
            return Ok(context.caller().clone());
        }
        if let Some(token) = self.remembered(&key) {
            return token.map(|token| Caller::Token(Box::new(token))).ok_or_else(unknown);
        }
        let token = context.store().await?.authenticate(secret).await.map_err(crate::Error::from)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(key, (Instant::now(), token.clone()));
        token.map(|token| Caller::Token(Box::new(token))).ok_or_else(unknown)
    }

    /// Forgets what is remembered: a token was made or revoked here.
    pub fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remembered(&self, key: &Sum) -> Option<Option<Token>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|(at, _)| at.elapsed() < REMEMBERED).map(|(_, token)| token.clone())
    }
}

fn unknown() -> Fault {
    Fault::unauthorised("this token is not known, was revoked, or is past its end")
}

/// What opens the door to the owner of the process, new each time: 244 random bits.
pub fn secret() -> String {
    format!("hl_owner_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

fn sum(secret: &str) -> Sum {
    Sha256::digest(secret).into()
}

/// The bearer token of a request.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
    });
    token.map(Some).ok_or_else(|| Fault::unauthorised("the Authorization header is not `Bearer TOKEN`"))
}

/// What a request is counted under: the token's digest, else nothing.
pub fn fingerprint(headers: &HeaderMap) -> Option<Sum> {
    bearer(headers).ok().flatten().map(sum)
}
