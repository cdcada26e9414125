//! The HTTP client of a memory plugin, version 1 of its contract: what the migrator hands rows down by and
//! `memory-backfill` asks by.
//!
//! So many requests at a time and no more. What may succeed later (no connection, no answer in time, 408, 429, 5xx, an answer
//! that is none) is tried again under the gate; `Retry-After` is respected, in seconds or as a date. A 500 that stays while the
//! plugin calls itself well is about what was sent: the platform's own plugin answers so to a vector of another width.
//! What is refused is the caller's to judge. Nothing that a plugin says in its own words is repeated: they may quote content.
//!
//! Deliberately absent: redirects, caching, and any trust in the size of an answer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::gate::{Gate, Patience};
use crate::error::{MigrateError, Result};

/// Most bytes of an answer that is not a search's.
const SMALL: usize = 1 << 20;

/// Most bytes of a search's answer.
const LARGE: usize = 8 << 20;

/// How often a request is sent that a plugin fails at and nothing else.
const FAULTS: u32 = 3;

/// Memories in a row that a plugin which calls itself well fails at, before it is not believed.
const UNBELIEVABLE: u32 = 10;

/// The codes of the contract.
const CODES: [&str; 5] = ["bad_request", "not_found", "forbidden", "internal", "unavailable"];

/// Fields that a refusal may be about.
const FIELDS: [&str; 8] = ["id", "content", "kind", "source", "expires_at", "propagation", "embedding", "namespace"];

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Health {
    /// `ok`, or `degraded`.
    pub status: String,
    /// Version of the contract.
    pub version: String,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// Done.
    Yes(T),
    /// Refused, and will be again.
    No(Refusal),
    /// Longer than anybody reads.
    TooLarge,
}

/// Why a request was refused, as far as it can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Status.
    pub status: u16,
    /// Code of the contract.
    pub code: Option<&'static str>,
    /// The field it is about.
    pub field: Option<&'static str>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, ", {code}")?;
        }
        if let Some(field) = self.field {
            write!(f, ", {field}")?;
        }
        Ok(())
    }
}

/// A client of one plugin.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    display: String,
    token: Option<String>,
    patience: Patience,
    lanes: Semaphore,
    gate: Gate,
    failed_at: AtomicU32,
}

impl Client {
    /// Of the plugin at `url`; a slash at its end is no part of it. `lanes` requests go at a time; `token` is sent as bearer.
    ///
    /// # Errors
    /// [`MigrateError::Refused`] when this is no address.
    pub fn new(url: &str, token: Option<String>, lanes: usize, patience: Patience) -> Result<Self> {
        let base = url.trim().trim_end_matches('/');
        let display = heirloom_engine::redact_url(base);
        let is_address = reqwest::Url::parse(base).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !is_address {
            return Err(MigrateError::Refused {
                what: "The address of the plugin is none".to_owned(),
                cure: "http://127.0.0.1:9100 is accepted, and https://HOST/PATH".to_owned(),
            });
        }
        let away = || MigrateError::Refused {
            what: "No HTTP client can be made".to_owned(),
            cure: "this build has no encryption".to_owned(),
        };
        let builder = crate::http::builder().ok_or_else(away)?;
        let http = builder.timeout(patience.timeout).build().map_err(|_| away())?;
        Ok(Self {
            http,
            base: base.to_owned(),
            display,
            token,
            patience,
            lanes: Semaphore::new(lanes.max(1)),
            gate: Gate::new(patience),
            failed_at: AtomicU32::new(0),
        })
    }

    /// The address, without what may be a credential.
    pub fn display(&self) -> &str {
        &self.display
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// What it says of itself; asked once, so that a plugin that is not there is told at once.
    ///
    /// # Errors
    /// [`MigrateError::Away`] when it does not answer or is not well, [`MigrateError::Refused`] when it is no plugin of version 1.
    pub async fn health(&self) -> Result<Health> {
        let again = "check the address, start it, and give the same command again";
        let response = self.send(Method::GET, "/v1/health", None).await.map_err(|why| self.away(&why, again))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(self.elsewhere(status));
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(self.unknown());
        }
        let what = |what: &str| MigrateError::Refused {
            what: format!("What answers at {} {what}", self.display),
            cure: "a memory plugin of version 1 is accepted".to_owned(),
        };
        let body = match read(response, SMALL).await {
            Ok(Some(body)) => body,
            Ok(None) => return Err(what("answers more than a plugin does")),
            Err(why) => return Err(self.away(&why, again)),
        };
        let health: Option<Health> = serde_json::from_slice(&body).ok();
        match health {
            Some(health) if status.is_success() && health.status == "ok" => match health.version.starts_with("1.") {
                true => Ok(health),
                false => Err(what("is a plugin of another version")),
            },
            Some(_) => Err(self.away(
                &format!("is degraded, with HTTP status {}: its own store does not answer", status.as_u16()),
                "give the same command again when it is well",
            )),
            None if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(self.away(&format!("is not well, with HTTP status {}", status.as_u16()), again))
            }
            None => Err(what(&format!("is no memory plugin: HTTP status {}", status.as_u16()))),
        }
    }

    /// Puts a namespace of this kind.
    ///
    /// # Errors
    /// As all requests: [`MigrateError::Away`] once the breaker is open, [`MigrateError::Refused`] for what concerns all of them.
    pub async fn put_namespace(&self, name: &str, kind: &str) -> Result<Answer<()>> {
        let body = serde_json::json!({ "kind": kind });
        self.ask(Method::PUT, &format!("/v1/namespaces/{name}"), &body, SMALL, |body| {
            serde_json::from_slice::<Value>(body).ok().filter(Value::is_object).map(|_| ())
        })
        .await
    }

    /// Writes a memory; gives back the id under which it is kept.
    ///
    /// # Errors
    /// As [`Client::put_namespace`]; and when it fails at so many memories in a row that no single one can be to blame.
    pub async fn commit(&self, namespace: &str, memory: &Value) -> Result<Answer<Uuid>> {
        #[derive(Deserialize)]
        struct Committed {
            id: Uuid,
        }
        let path = format!("/v1/namespaces/{namespace}/memories");
        let read = |body: &[u8]| serde_json::from_slice::<Committed>(body).ok().map(|committed| committed.id);
        let answer = self.ask(Method::POST, &path, memory, SMALL, read).await?;
        match &answer {
            Answer::No(refusal) if refusal.status >= 500 => {
                if self.failed_at.fetch_add(1, Ordering::SeqCst) + 1 >= UNBELIEVABLE {
                    let why = format!("answers {refusal} to {UNBELIEVABLE} memories in a row, and calls itself well");
                    return Err(self.away(&why, GO_ON));
                }
            }
            Answer::Yes(_) => self.failed_at.store(0, Ordering::SeqCst),
            Answer::No(_) | Answer::TooLarge => {}
        }
        Ok(answer)
    }

    /// Searches; `read` is given the body of the answer.
    ///
    /// # Errors
    /// As [`Client::put_namespace`].
    pub async fn search<T>(&self, question: &Value, read: impl Fn(&[u8]) -> Option<T>) -> Result<Answer<T>> {
        self.ask(Method::POST, "/v1/search", question, LARGE, read).await
    }

    async fn ask<T>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        most: usize,
        take: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Answer<T>> {
        let body = body.to_string();
        let (mut faults, mut garbled) = (0, 0);
        loop {
            let fault = {
                // Never closed.
                let _lane = self.lanes.acquire().await;
                let pass = self.gate.enter().await.map_err(|why| self.away(&why, GO_ON))?;
                let response = match self.send(method.clone(), path, Some(&body)).await {
                    Ok(response) => response,
                    Err(why) => {
                        pass.failed(&why, None);
                        continue;
                    }
                };
                let (status, after) = (response.status(), retry_after(&response));
                if status == StatusCode::UNAUTHORIZED {
                    return Err(self.unknown());
                }
                if status.is_redirection() || status.is_informational() {
                    return Err(self.elsewhere(status));
                }
                let body = match read(response, if status.is_success() { most } else { SMALL }).await {
                    Ok(body) => body,
                    Err(why) => {
                        pass.failed(&why, after);
                        continue;
                    }
                };
                if let 408 | 429 | 502..=504 = status.as_u16() {
                    pass.failed(&format!("answers HTTP {}", status.as_u16()), after);
                    continue;
                }
                if status.is_server_error() {
                    pass.failed(&format!("answers HTTP {}", status.as_u16()), after);
                    faults += 1;
                    refusal(status, body.as_deref())
                } else if !status.is_success() {
                    pass.well();
                    return Ok(Answer::No(refusal(status, body.as_deref())));
                } else {
                    let Some(body) = body else {
                        pass.well();
                        return Ok(Answer::TooLarge);
                    };
                    if let Some(taken) = take(&body) {
                        pass.well();
                        return Ok(Answer::Yes(taken));
                    }
                    pass.failed("answers what is no answer of the contract", None);
                    garbled += 1;
                    refusal(status, None)
                }
            };
            if garbled >= FAULTS {
                let why = format!("answers HTTP {} and what is no answer of the contract", fault.status);
                return Err(self.away(&why, GO_ON));
            }
            if faults >= FAULTS && self.health().await.is_ok() {
                self.gate.is_well();
                return Ok(Answer::No(fault));
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&str>) -> std::result::Result<Response, String> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        request.send().await.map_err(|error| self.why(&error))
    }

    /// Our own words: those of the library may hold the address with its credential.
    fn why(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            format!("does not answer within {} s", self.patience.timeout.as_secs_f64())
        } else if error.is_connect() {
            "does not answer".to_owned()
        } else {
            CUT.to_owned()
        }
    }

    /// The plugin is not to be had.
    pub(super) fn away(&self, why: &str, cure: &str) -> MigrateError {
        MigrateError::Away {
            target: format!("The plugin at {}", self.display),
            what: why.to_owned(),
            cure: cure.to_owned(),
        }
    }

    fn unknown(&self) -> MigrateError {
        let cure = match self.token {
            Some(_) => "[target] token names one that it does not know, or that has been revoked",
            None => "write [target] token = \"env:NAME\", and put the token into that variable",
        };
        MigrateError::Refused {
            what: format!("The plugin at {} asks who is there (HTTP 401)", self.display),
            cure: cure.to_owned(),
        }
    }

    fn elsewhere(&self, status: StatusCode) -> MigrateError {
        MigrateError::Refused {
            what: format!("What answers at {} sends elsewhere (HTTP {})", self.display, status.as_u16()),
            cure: "nothing is sent where it was not told to go; name the plugin's own address".to_owned(),
        }
    }
}

/// How a run goes on that a plugin ended.
const GO_ON: &str = "what it acknowledged is kept; give the same command again to go on";

/// An answer that ended early.
const CUT: &str = "closes the connection half-way";

fn retry_after(response: &Response) -> Option<Duration> {
    wait(response.headers().get(RETRY_AFTER)?.to_str().ok()?, jiff::Timestamp::now())
}

/// How long a `Retry-After` asks to wait (RFC 9110, 10.2.3): seconds, or a moment, which may be over. Its two forms of a date
/// that are no longer sent are not read.
fn wait(said: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = said.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = jiff::fmt::rfc2822::parse(said.trim()).ok()?.timestamp();
    Some(moment.duration_since(now).try_into().unwrap_or_default())
}

/// The body; `None` when it is longer than `most`.
async fn read(mut response: Response, most: usize) -> std::result::Result<Option<Vec<u8>>, String> {
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Ok(None);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| CUT.to_owned())? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn refusal(status: StatusCode, body: Option<&[u8]>) -> Refusal {
    let said: Value = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let known = |word: &Value, all: &[&'static str]| all.iter().copied().find(|known| Some(*known) == word.as_str());
    Refusal {
        status: status.as_u16(),
        code: known(&said["code"], &CODES),
        field: known(&said["details"]["field"], &FIELDS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_come_again_is_read_in_both_forms() {
        let now = "2026-11-28T08:49:37Z".parse().unwrap();
        for (said, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("Sat, 28 Nov 2026 08:50:37 GMT", Some(60)),
            ("Sat, 28 Nov 2026 08:49:30 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(wait(said, now), seconds.map(Duration::from_secs), "{said}");
        }
    }
}
