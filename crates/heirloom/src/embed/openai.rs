//! An endpoint that speaks as OpenAI's `POST /embeddings` does: Ollama, vLLM, TEI, LM Studio, OpenAI itself.
//!
//! What may pass by itself (no connection, a timeout, 408, 429, 5xx) is tried again, later each time and no sooner than
//! `Retry-After` says. A text that the model finds too long is cut in half until it fits: a vector of its beginning is
//! what a model would have made of it anyway. Proxies and other environment variables are not looked at, redirects are
//! not followed, and certificates are checked against Mozilla's list.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use serde::{Deserialize, Serialize};

use super::{EmbedError, Embedder, Patience, Result};

/// Longest wait between two attempts of a long run, and of one that somebody waits for.
const LONGEST_BULK: Duration = Duration::from_secs(120);
const LONGEST_ASKING: Duration = Duration::from_secs(5);

/// Largest answer that is read: 2,048 vectors of 16,000 numbers would be larger, and no endpoint sends that.
const LARGEST_ANSWER: usize = 512 * 1024 * 1024;

/// A text of so few characters is not cut further: it is not its length that the endpoint minds.
const SHORTEST_CUT: usize = 256;

/// Where and how to ask.
#[derive(Clone)]
pub struct Options {
    /// Address, without `/embeddings`.
    pub url: String,
    /// The model.
    pub model: String,
    /// The key, if one is needed.
    pub key: Option<String>,
    /// How many numbers to ask for.
    pub dimensions: Option<usize>,
    /// How long a request may take.
    pub timeout: Duration,
    /// How often a request is tried again.
    pub retries: usize,
    /// The wait before the first new attempt; twice as long before each further one.
    pub backoff: Duration,
}

/// The endpoint.
pub struct OpenAi {
    client: reqwest::Client,
    options: Options,
    place: String,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// What became of one request.
enum Outcome {
    Done(Vec<u8>),
    /// Worth another attempt, no sooner than this.
    Later(EmbedError, Option<Duration>),
    /// The texts, or one of them, may be too much.
    TooMuch(EmbedError),
    Failed(EmbedError),
}

impl OpenAi {
    /// An endpoint; asks nothing yet.
    ///
    /// # Errors
    /// [`EmbedError::Setting`] when the key cannot be sent as a header.
    pub fn new(options: Options) -> Result<Self> {
        let setting = |setting, what: &str, accepted: &str| EmbedError::Setting {
            setting,
            what: what.to_owned(),
            accepted: accepted.to_owned(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = &options.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.trim())).map_err(|_| {
                setting(
                    "embedding.api_key_env",
                    "the key holds characters that cannot be sent",
                    "visible ASCII is accepted",
                )
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = heirloom_migrate::http::builder()
            .ok_or_else(|| setting("embedding.url", "no encryption is available", "an http:// address is accepted"))?
            .default_headers(headers)
            .timeout(options.timeout)
            .connect_timeout(options.timeout)
            .build()
            .map_err(|_| setting("embedding.url", "no HTTP client can be made", "an http:// address is accepted"))?;
        let place = format!("{}/embeddings", options.url.trim_end_matches('/'));
        Ok(Self { client, options, place })
    }

    /// Asks for all texts at once, as often as it is worth it.
    async fn ask(&self, texts: &[String], patience: Patience) -> std::result::Result<Vec<Vec<f32>>, Outcome> {
        let request = Request {
            model: &self.options.model,
            input: texts,
            encoding_format: "float",
            dimensions: self.options.dimensions,
        };
        let body = serde_json::to_vec(&request)
            .map_err(|error| Outcome::Failed(self.answer(format!("a request that is no JSON ({error})"))))?;
        let longest = if patience == Patience::Bulk { LONGEST_BULK } else { LONGEST_ASKING };
        let mut attempt = 0;
        loop {
            match self.once(body.clone()).await {
                Outcome::Done(bytes) => return self.vectors(&bytes, texts.len()).map_err(Outcome::Failed),
                Outcome::Later(error, asked) => {
                    let doubled = self.options.backoff.saturating_mul(1 << attempt.min(16));
                    let wait = asked.map_or(doubled, |asked| asked.max(doubled));
                    let too_long = asked.is_some_and(|asked| asked > longest);
                    if attempt >= self.options.retries || too_long {
                        return Err(Outcome::Failed(error));
                    }
                    tracing::debug!(attempt, wait = ?wait.min(longest), "the embedding provider is asked again");
                    tokio::time::sleep(wait.min(longest)).await;
                    attempt += 1;
                }
                outcome => return Err(outcome),
            }
        }
    }

    /// One request.
    async fn once(&self, body: Vec<u8>) -> Outcome {
        let mut response = match self.client.post(&self.place).body(body).send().await {
            Ok(response) => response,
            Err(error) => return Outcome::Later(self.unreachable(&error), None),
        };
        let status = response.status();
        let wait = retry_after(response.headers());
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= LARGEST_ANSWER => bytes.extend_from_slice(&chunk),
                Ok(Some(_)) => return Outcome::Failed(self.answer(format!("more than {LARGEST_ANSWER} bytes"))),
                Ok(None) => break,
                Err(error) => return Outcome::Later(self.unreachable(&error), None),
            }
        }
        if status.is_success() {
            return Outcome::Done(bytes);
        }
        let said = said(&bytes).map_or_else(String::new, |code| format!(" ({code})"));
        let reason = format!("status {}{said}", status.as_u16());
        match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Outcome::Later(self.down(&reason), wait),
            status if status.is_server_error() => Outcome::Later(self.down(&reason), wait),
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                Outcome::TooMuch(self.refused(reason, "check embedding.model and embedding.dimensions"))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let accepted = "set embedding.api_key_env to the variable that holds a key the endpoint accepts";
                Outcome::Failed(self.refused(reason, accepted))
            }
            StatusCode::NOT_FOUND => {
                Outcome::Failed(self.refused(
                    reason,
                    "check embedding.url (without /embeddings, often ending in /v1) and embedding.model",
                ))
            }
            status if status.is_redirection() => {
                Outcome::Failed(self.refused(reason, "give embedding.url the address it redirects to"))
            }
            _ => Outcome::Failed(self.refused(reason, "check embedding.url and embedding.model")),
        }
    }

    /// The vectors of an answer in the order of the texts.
    fn vectors(&self, bytes: &[u8], texts: usize) -> Result<Vec<Vec<f32>>> {
        // The parser's own words would quote what it found.
        let answer: Answer = serde_json::from_slice(bytes).map_err(|error| {
            self.answer(format!("no JSON of embeddings (line {}, column {})", error.line(), error.column()))
        })?;
        if answer.data.len() != texts {
            return Err(self.answer(format!("{} vectors for {texts} texts", answer.data.len())));
        }
        if answer.data.iter().all(|item| item.index.is_none()) {
            return Ok(answer.data.into_iter().map(|item| item.embedding).collect());
        }
        let mut ordered: Vec<Option<Vec<f32>>> = vec![None; texts];
        for item in answer.data {
            match item.index.and_then(|index| ordered.get_mut(index)) {
                Some(place) if place.is_none() => *place = Some(item.embedding),
                _ => return Err(self.answer("an index that is missing, repeated or too large".to_owned())),
            }
        }
        Ok(ordered.into_iter().flatten().collect())
    }

    fn unreachable(&self, error: &reqwest::Error) -> EmbedError {
        // The error's own words name the address, which we do, and may name more.
        let reason = if error.is_timeout() {
            format!("did not answer within {:?} (embedding.timeout)", self.options.timeout)
        } else if error.is_connect() {
            "cannot be connected to".to_owned()
        } else {
            "broke the connection off".to_owned()
        };
        EmbedError::Unreachable { place: self.place.clone(), reason }
    }

    fn down(&self, reason: &str) -> EmbedError {
        EmbedError::Unreachable { place: self.place.clone(), reason: format!("is not ready: {reason}") }
    }

    fn refused(&self, reason: String, accepted: &str) -> EmbedError {
        EmbedError::Refused { place: self.place.clone(), reason, accepted: accepted.to_owned() }
    }

    fn answer(&self, found: String) -> EmbedError {
        EmbedError::Answer {
            place: self.place.clone(),
            found,
            accepted: "an answer as OpenAI's is accepted: {\"data\": [{\"index\": 0, \"embedding\": [numbers]}, …]}, \
                       one a text"
                .to_owned(),
        }
    }
}

#[async_trait]
impl Embedder for OpenAi {
    fn model(&self) -> &str {
        &self.options.model
    }

    fn place(&self) -> &str {
        &self.place
    }

    async fn embed(&self, texts: &[String], patience: Patience) -> Result<Vec<Option<Vec<f32>>>> {
        match self.ask(texts, patience).await {
            Ok(vectors) => return Ok(vectors.into_iter().map(Some).collect()),
            Err(Outcome::TooMuch(_)) => {}
            Err(outcome) => return Err(outcome.error(self)),
        }
        // One of them is too long: each by itself, cut until it fits.
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            let mut part = [text.clone()];
            loop {
                match self.ask(&part, patience).await {
                    Ok(mut one) => {
                        vectors.push(one.pop());
                        break;
                    }
                    Err(Outcome::TooMuch(error)) => {
                        let half = part[0].chars().count() / 2;
                        if half < SHORTEST_CUT {
                            return Err(error);
                        }
                        part[0] = part[0].chars().take(half).collect();
                    }
                    Err(outcome) => return Err(outcome.error(self)),
                }
            }
        }
        Ok(vectors)
    }
}

impl Outcome {
    fn error(self, at: &OpenAi) -> EmbedError {
        match self {
            Self::Later(error, _) | Self::TooMuch(error) | Self::Failed(error) => error,
            Self::Done(_) => at.answer("nothing".to_owned()),
        }
    }
}

/// How long the endpoint asks to be left alone: seconds, or until a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Duration::try_from(until.duration_since(jiff::Timestamp::now())).ok()
}

/// The code of an error as OpenAI writes one. Never its message: that may quote a text or a key.
fn said(bytes: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let error = &value["error"];
    let code = [&error["code"], &error["type"], &value["error_type"]].into_iter().find_map(|code| code.as_str())?;
    let plain = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    plain.then(|| code.to_owned())
}
